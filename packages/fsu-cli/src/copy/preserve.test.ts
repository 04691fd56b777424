import { describe, expect, test } from 'vitest';
import { UsageError } from '../command.ts';
import { keepOf, preserved } from './preserve.ts';

const kept = (text: string): string =>
  [...preserved(text.split(' ').map((word) => ({ name: word.split('=')[0] ?? '', value: word.split('=')[1] ?? '' })))]
    .sort()
    .join(' ');

describe('preserved()', () => {
  test.each([
    ['none', ''],
    ['p', 'flags mode ownership timestamps'],
    ['p N', 'mode ownership timestamps'],
    ['d', 'links'],
    ['archive', 'flags links mode ownership timestamps xattr'],
    ['archive no-preserve=xattr,links', 'flags mode ownership timestamps'],
    ['no-preserve=all archive', 'flags links mode ownership timestamps xattr'],
    ['preserve=mode,context', 'mode xattr'],
    ['preserve=all N', 'links mode ownership timestamps xattr'],
  ])('%s', (given, expected) => expect(kept(given)).toBe(expected));

  test('a word that is none is a usage error', () => expect(() => kept('preserve=modes')).toThrow(UsageError));
});

test('modes bring ACLs with them, and no other attribute', () => {
  const { xattrs } = keepOf(new Set(['mode'] as const));
  if (typeof xattrs !== 'function') throw new Error('all or none are kept');
  expect([xattrs('system.posix_acl_default'), xattrs('user.note')]).toEqual([true, false]);
});
