import { expect, test } from 'vitest';
import { commitOrder } from './commitorder.ts';

test.each([
  ['the order of opening, without rules', ['a', 'b', 'c'], [], 'abc'],
  ['the target of a move before its source', ['a', 'b'], ['ba'], 'ba'],
  ['chains', ['a', 'b', 'c'], ['ca', 'bc'], 'bca'],
  ['a circle: none of it can be kept, all commit', ['a', 'b', 'c'], ['ab', 'ba'], 'cab'],
  ['a rule about itself, or about one that is not open', ['a', 'b'], ['aa', 'xa'], 'ab'],
])('%s', (_, opened, rules, order) => {
  const parsed = rules.map((rule) => ({ first: rule[0], second: rule[1] }));
  expect(commitOrder<string | undefined>(opened, parsed).join('')).toBe(order);
});
