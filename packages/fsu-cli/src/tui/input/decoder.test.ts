import { array, assert, constantFrom, oneof, property, string } from 'fast-check';
import { expect, test } from 'vitest';
import { Decoder } from './decoder.ts';
import type { Input } from './decoder.ts';

function decoded(...pieces: readonly string[]): Input[] {
  const decoder = new Decoder();
  const inputs = pieces.flatMap((piece) => decoder.push(piece));
  return [...inputs, ...decoder.flush()];
}

const keys = (...pieces: readonly string[]): string[] =>
  decoded(...pieces).map((input) => (input.kind === 'key' ? input.key : input.kind));

test.each([
  ['j', 'j'],
  [' ', 'space'],
  ['\r', 'enter'],
  ['\t', 'tab'],
  ['\x7f', 'backspace'],
  ['\x03', 'C-c'],
  ['\x1a', 'C-z'],
  ['\x1b', 'escape'],
  ['\x1bx', 'M-x'],
  ['\x1b[A', 'up'],
  ['\x1bOA', 'up'],
  ['\x1b[1;5A', 'C-up'],
  ['\x1b[Z', 'S-tab'],
  ['\x1b[3~', 'delete'],
  ['\x1b[6~', 'pagedown'],
  ['\x1bOP', 'F1'],
  ['\x1b[[A', 'F1'],
  ['\x1b[15~', 'F5'],
  ['\x1b[21~', 'F10'],
  ['é', 'é'],
  ['😀', '😀'],
])('%j is %s', (text, name) => expect(keys(text)).toEqual([name]));

test('a sequence in pieces is one key', () => expect(keys('\x1b', '[', '1', '5', '~', 'j')).toEqual(['F5', 'j']));

test('what no key sends is no key', () => expect(keys('\x1b[?1;2c', '\x1b[99~', 'j')).toEqual(['j']));

test('a paste is text, whatever is in it', () => {
  expect(decoded('\x1b[200~rm\x1b[A\r\x1b[2', '01', '~q')).toEqual([
    { kind: 'paste', text: 'rm\x1b[A\r' },
    { kind: 'key', key: 'q' },
  ]);
});

test('a paste without end swallows no memory', () => {
  const decoder = new Decoder();
  decoder.push('\x1b[200~');
  for (let i = 0; i < 40; i++) decoder.push('x'.repeat(1 << 16));
  const [input] = decoder.push('\x1b[201~');
  expect(input).toMatchObject({ kind: 'paste', text: 'x'.repeat(1 << 20) });
});

test('the mouse: presses and the wheel, from 0', () => {
  expect(decoded('\x1b[<0;10;5M\x1b[<0;10;5m\x1b[<65;1;2M\x1b[<64;1;2M\x1b[<2;1;1M\x1b[<0;0;0M')).toEqual([
    { kind: 'press', column: 9, line: 4 },
    { kind: 'wheel', column: 0, line: 1, lines: 3 },
    { kind: 'wheel', column: 0, line: 1, lines: -3 },
  ]);
});

test('however it is cut, it is the same', () => {
  const piece = oneof(
    string(),
    constantFrom('\x1b', '\x1b[', '\x1b[A', '\x1b[200~', '\x1b[201~', '\x1b[<0;1;1M', '\x1b[1;5', '\x1b[['),
  );
  assert(
    property(array(piece), (pieces) => {
      const whole = pieces.join('');
      expect(decoded(...[...whole])).toEqual(decoded(whole));
    }),
    { seed: 1, numRuns: 2000 },
  );
});
