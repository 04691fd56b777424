import { open } from 'ukfs';
import { describe, expect, test } from 'vitest';
import { expandWildcards, hasWildcard, marked, matcher, plainText } from './wild.ts';

/** The word with every wildcard character of it unquoted. */
const wild = (word: string): string => word.replace(/[*?[]/g, marked);

describe('a pattern', () => {
  test.for([
    ['*', ['a', 'ab', '\udcff'], ['.a']],
    ['.*', ['.a', '.'], ['a']],
    ['a*c', ['ac', 'abc', 'acc'], ['ab', 'acb']],
    ['*a*b*', ['ab', 'xaxbx'], ['ba']],
    ['?', ['a', 'ä', '😀', '\udcff'], ['', 'ab']],
    ['[a-c]x', ['ax', 'cx'], ['dx', 'x']],
    ['[!a-c]', ['d', 'ä'], ['a', '.']],
    ['[^a]', ['b'], ['a']],
    ['[]a]', [']', 'a'], ['b']],
    ['[a-]', ['a', '-'], ['b']],
    ['[ab', ['[ab'], ['a']],
    ['[*?]', ['*', '?'], ['a']],
    ['𐀀*', ['𐀀x'], ['x']],
  ] as const)('%s', ([pattern, yes, no]) => {
    const matches = matcher(wild(pattern));
    expect([...yes, ...no].filter(matches)).toEqual(yes);
  });

  test('that could go wrong in many ways goes wrong in a bounded time', () => {
    expect(matcher(wild('*a'.repeat(100)))('a'.repeat(255))).toBe(true);
    expect(matcher(wild(`${'*a'.repeat(100)}b`))('a'.repeat(255))).toBe(false);
  });
});

test('marks are taken for nothing else', () => {
  expect(hasWildcard('𐀀a*\udc80')).toBe(false);
  expect(plainText(wild('a*?[b'))).toBe('a*?[b');
});

test('names in an image: sorted, relative as they were typed, links followed on the way', async () => {
  const fs = await open('memory', { type: 'tmpfs', write: true });
  fs.mkdir('/etc/b', { recursive: true });
  fs.mkdir('/etc/a');
  for (const name of ['/etc/b/x.conf', '/etc/a/x.conf', '/etc/a/y', '/etc/.h', '/etc/*']) fs.writeFile(name, '');
  fs.symlink('etc', '/link');
  fs.symlink('nowhere', '/etc/a/dangling');
  const expand = (dir: string, word: string): readonly string[] => expandWildcards(fs, dir, word);
  expect(expand('/', wild('/etc/*/*.conf'))).toEqual(['/etc/a/x.conf', '/etc/b/x.conf']);
  expect(expand('/', wild('/link//?'))).toEqual(['/link//*', '/link//a', '/link//b']);
  expect(expand('/etc', wild('[ab]/x.conf'))).toEqual(['a/x.conf', 'b/x.conf']);
  expect(expand('/etc', wild('*/y'))).toEqual(['a/y']);
  expect(expand('/etc', wild('a/d*'))).toEqual(['a/dangling']);
  expect(expand('/', wild('/etc/*/'))).toEqual(['/etc/a/', '/etc/b/']);
  for (const none of ['/none/*', '/etc/a/y/*', '*.c', '/etc/*/none'])
    expect(() => expand('/', wild(none))).toThrow(expect.objectContaining({ code: 'ENOENT' }));
  fs.close();
});
