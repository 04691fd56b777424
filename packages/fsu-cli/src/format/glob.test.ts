import { expect, test } from 'vitest';
import { globTest } from './glob.ts';

test.each([
  ['*.o', 'a.o', true],
  ['*.o', 'a.oo', false],
  ['*.o', '.o', true],
  ['a?c', 'abc', true],
  ['a?c', 'a\u{1f600}c', true],
  ['a?c', 'a\udcffc', true],
  ['a?c', 'ac', false],
  ['?', '', false],
  ['*', '', true],
  ['', '', true],
  ['[a-c]x', 'bx', true],
  ['[!a]x', 'ax', false],
  ['[^a]x', 'bx', true],
  ['[]a]', ']', true],
  ['[!]a]', ']', false],
  ['[a-]', '-', true],
  ['[[:digit:][:upper:]]*', 'Q', true],
  ['[[:digit:]]', 'x', false],
  ['[[:nope:]]', 'x', false],
  ['[[:constructor:]]', 'x', false],
  ['[[.-.]a]', '-', true],
  ['[\\]]', ']', true],
  ['[a', '[a', true],
  ['[a', 'a', false],
  ['[z-a]', 'm', false],
  ['a\\*', 'a*', true],
  ['a\\*', 'ab', false],
  ['a\\', 'a\\', false],
  ['a+(b)', 'a+(b)', true],
  ['*a*b*c', 'xxaxxbxxc', true],
  ['*a*b*c', 'xxaxxcxxb', false],
  ['**', 'x', true],
  ['a/*', 'a/b/c', true],
  ['é*', 'été', true],
  ['\ndcff*', '\ndcffx', true],
])('%j against %j', (pattern, name, matches) => {
  expect(globTest(pattern)(name)).toBe(matches);
});

test('without regard to case', () => {
  expect(globTest('*.JPG', { ignoreCase: true })('a.jpg')).toBe(true);
  expect(globTest('[A-C]É', { ignoreCase: true })('bé')).toBe(true);
  expect(globTest('[!a]', { ignoreCase: true })('A')).toBe(false);
});

test('no pattern takes long', () => {
  const begun = performance.now();
  expect(globTest(`${'*a'.repeat(100)}b`)('a'.repeat(255))).toBe(false);
  expect(performance.now() - begun).toBeLessThan(1000);
});
