import { expect, test } from 'vitest';
import { edited, inserted, lineInput, nameInput, offered } from './lineinput.ts';
import type { LineInput } from './lineinput.ts';

const typedIn = (begun: LineInput, keys: readonly string[]): string => {
  let input = begun;
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
  expect(typedIn(lineInput(text), keys)).toBe(expected);
});

test.each<[string, string[], string]>([
  ['a character takes its place', ['6', '0'], '60|'],
  ['a blank does', ['space', 'a'], ' a|'],
  ['an arrow keeps it', ['left', '1'], '0641|4'],
  ['Home keeps it', ['home', '1'], '1|0644'],
  ['End keeps it', ['end', '1'], '06441|'],
  ['Backspace edits it', ['backspace', '0'], '0640|'],
  ['C-u takes all of it', ['C-u', '7'], '7|'],
  ['a key that edits nothing leaves it selected', ['F5', '7'], '7|'],
])('of what is offered: %s', (_title, keys, expected) => {
  expect(typedIn(offered('0644'), keys)).toBe(expected);
});

test('what is pasted takes the place of what is offered', () => {
  expect(inserted(offered('0644'), '0600')).toEqual(lineInput('0600'));
});

test.each([
  ['notes.txt', 'notes2|.txt'],
  ['README', 'README2|'],
  ['.profile', '.profile2|'],
  ['a.tar.gz', 'a.tar2|.gz'],
  ['end.', 'end.2|'],
])('another name is made of %s before its extension', (name, expected) => {
  expect(typedIn(nameInput(name), ['2'])).toBe(expected);
});
