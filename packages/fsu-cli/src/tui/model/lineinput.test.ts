import { expect, test } from 'vitest';
import { edited, lineInput } from './lineinput.ts';

const typed = (text: string, ...keys: string[]): string => {
  let input = lineInput(text);
  for (const key of keys) input = edited(input, key) ?? input;
  return `${input.text.slice(0, input.at)}|${input.text.slice(input.at)}`;
};

test.each<[string, string, string[], string]>([
  ['a letter goes where the cursor is', 'ac', ['left', 'b'], 'ab|c'],
  ['a character of several code points is one', 'ae\u0301', ['backspace'], 'a|'],
  ['C-w takes a word of a path', '/etc/hosts', ['C-w'], '/etc/|'],
  ['C-w takes the slash that ends one', '/etc/', ['C-w'], '/|'],
  ['C-u takes all before the cursor', 'abc', ['left', 'C-u'], '|c'],
  ['C-k takes all behind it', 'abc', ['home', 'right', 'C-k'], 'a|'],
  ['keys that edit nothing leave it', 'abc', ['F5', 'up', 'M-x'], 'abc|'],
])('%s', (_title, text, keys, expected) => {
  expect(typed(text, ...keys)).toBe(expected);
});
