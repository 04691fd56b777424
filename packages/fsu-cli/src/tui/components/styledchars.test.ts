import * as library from '@alcalzone/ansi-tokenize';
import { array, assert, constantFrom, property, string, tuple } from 'fast-check';
import { expect, test } from 'vitest';
import * as ours from './styledchars.ts';

const piece = tuple(constantFrom('', '\x1b[1m', '\x1b[7;1m', '\x1b[1;34m', '\x1b[2m', '\x1b[0m'), string());

test('the same text as the library makes, also of a line that is known already', () => {
  assert(
    property(array(piece), (pieces) => {
      const line = pieces.map(([sgr, text]) => sgr + text).join('');
      const expected = library.styledCharsToString(library.styledCharsFromTokens(library.tokenize(line)));
      const made = (): string => ours.styledCharsToString(ours.styledCharsFromTokens(ours.tokenize(line)));
      expect([made(), made()]).toEqual([expected, expected]);
    }),
    { seed: 1, numRuns: 1000 },
  );
});
