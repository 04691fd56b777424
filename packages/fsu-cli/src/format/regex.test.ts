import { describe, expect, test } from 'vitest';
import { Regex } from './regex.ts';
import type { RegexSyntax } from './regex.ts';

const matches = (pattern: string, syntax: RegexSyntax, text: string): string | undefined =>
  new Regex([pattern], { syntax }).for(/^[\0-\x7f]*$/.test(text)).exec(text)?.[0];

describe('what POSIX says', () => {
  test.each<[string, RegexSyntax, string, string | undefined]>([
    ['a*b', 'basic', 'xaab', 'aab'],
    ['a+b', 'basic', 'a+b', 'a+b'],
    ['a\\+b', 'basic', 'aab', 'aab'],
    ['a+b', 'extended', 'aab', 'aab'],
    ['a+b', 'emacs', 'aab', 'aab'],
    ['*a', 'basic', '*a', '*a'],
    ['\\(*a\\)', 'basic', '*a', '*a'],
    ['^*a', 'basic', '*a', '*a'],
    ['a^b$c', 'basic', 'a^b$c', 'a^b$c'],
    ['a|b', 'basic', 'a|b', 'a|b'],
    ['a\\|b', 'basic', 'b', 'b'],
    ['a|b', 'extended', 'b', 'b'],
    ['a\\|b', 'emacs', 'b', 'b'],
    ['\\(a\\)\\1', 'basic', 'aa', 'aa'],
    ['(a)\\1', 'extended', 'ab', undefined],
    ['a\\{2,3\\}', 'basic', 'aaaa', 'aaa'],
    ['a{2}', 'extended', 'aaaa', 'aa'],
    ['a{,2}b', 'extended', 'aaab', 'aab'],
    ['a{x', 'extended', 'a{x', 'a{x'],
    ['a**', 'basic', 'aa', 'aa'],
    ['(ab)*+', 'extended', 'abab', 'abab'],
    ['[]x]', 'basic', ']', ']'],
    ['[^]x]', 'basic', ']a', 'a'],
    ['[a-c]', 'basic', 'xb', 'b'],
    ['[[:alpha:]_-]*', 'basic', 'ab-_1', 'ab-_'],
    ['[[:alpha:]]*', 'basic', 'été1', 'été'],
    ['[\\n]', 'basic', '\\', '\\'],
    ['[[.-.]]', 'basic', '-', '-'],
    ['[[=a=]b]', 'basic', 'a', 'a'],
    ['.', 'basic', '\u{1f600}', '\u{1f600}'],
    ['^.$', 'basic', '\u{1f600}', '\u{1f600}'],
    ['^.$', 'basic', '\udcff', '\udcff'],
    ['^[^x]$', 'basic', '\u{1f600}', '\u{1f600}'],
    ['[\u{1f600}a]', 'basic', 'x\u{1f600}', '\u{1f600}'],
    ['\\<b', 'basic', 'ab b', 'b'],
    ['\\bb\\b', 'basic', 'ab b', 'b'],
    ['\\bé', 'basic', 'aé é', 'é'],
    ['\\w\\W', 'basic', 'a-', 'a-'],
    ['\\.', 'basic', 'a.', '.'],
    [')', 'extended', ')', ')'],
    ['()b', 'extended', 'b', 'b'],
  ])('%j (%s) against %j', (pattern, syntax, text, wanted) => expect(matches(pattern, syntax, text)).toBe(wanted));

  test.each<[string, RegexSyntax]>([
    ['\\(a', 'basic'],
    ['a\\)', 'basic'],
    ['(a', 'extended'],
    ['[a', 'basic'],
    ['[z-a]', 'basic'],
    ['[[:nope:]]', 'basic'],
    ['a\\{1', 'basic'],
    ['a\\{2,1\\}', 'basic'],
    ['a{99999}', 'extended'],
    ['\\(a\\)\\2', 'basic'],
    ['a\\', 'basic'],
  ])('%j (%s) is refused', (pattern, syntax) =>
    expect(() => new Regex([pattern], { syntax })).toThrow(/regular expression/),
  );
});

test('case, whole texts, words, several patterns', () => {
  expect(new Regex(['[a-f]É'], { syntax: 'basic', ignoreCase: true }).test('Bé')).toBe(true);
  expect(new Regex(['(a)\\1'], { syntax: 'extended', ignoreCase: true }).test('aA')).toBe(true);
  expect(new Regex(['[[:upper:]]'], { syntax: 'basic', ignoreCase: true }).test('a')).toBe(true);
  expect(new Regex(['a\\|ab'], { syntax: 'basic', whole: true }).test('ab')).toBe(true);
  expect(new Regex(['b'], { syntax: 'basic', word: true }).test('abc b')).toBe(true);
  expect(new Regex(['b'], { syntax: 'basic', word: true }).test('abc éb')).toBe(false);
  expect(new Regex(['x', 'y'], { syntax: 'basic' }).test('ay')).toBe(true);
});
