import { expect, test } from 'vitest';
import { casefold } from './casefold.ts';

const fold = (text: string): string => new TextDecoder().decode(casefold(new TextEncoder().encode(text)));

test.each([
  ['README.TXT', 'readme.txt'],
  ['Straße', 'strasse'],
  ['STRASSE', 'strasse'],
  ['ẞ', 'ss'],
  ['ΣΊΣΥΦΟΣ', 'σίσυφοσ'.normalize('NFD')],
  ['É', 'é'.normalize('NFD')],
  ['é'.normalize('NFD'), 'é'.normalize('NFD')],
  ['ﬃ', 'ffi'],
  ['ı', 'ı'],
  ['İ', 'i̇'],
  ['ꭰ', 'Ꭰ'],
  ['a\u00adb\u200bc', 'abc'.normalize('NFD')],
  ['Ꟁ', 'Ꟁ'],
])('%s folds to %s', (from, to) => {
  expect(fold(from)).toBe(to);
});

test('names that are not UTF-8 do not fold', () => {
  expect(casefold(Uint8Array.of(0x41, 0xff))).toBeUndefined();
});
