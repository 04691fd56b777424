import { open } from 'ukfs';
import type { Ukfs } from 'ukfs';
import { beforeAll, expect, test } from 'vitest';
import { canonical, relativePath } from './canonical.ts';

let fs: Ukfs;
beforeAll(async () => {
  fs = await open('memory', { type: 'tmpfs', write: true });
  fs.mkdir('/a/b/c', { recursive: true });
  fs.writeFile('/a/file', '');
  fs.symlink('b/../b', '/a/up');
  fs.symlink('/a/up/c', '/deep');
  fs.symlink('/a/none', '/dangling');
  fs.symlink('loop', '/loop');
});

test.each([
  ['/', '/'],
  ['//a/./b//', '/a/b'],
  ['/deep/../c', '/a/b/c'],
  ['/a/up/..', '/a'],
  ['/../../a', '/a'],
  ['a/file', '/a/file'],
])('%s is %s', (path, expected) => expect(canonical(fs, path, 'none')).toBe(expected));

test('what may be missing', () => {
  expect(() => canonical(fs, '/dangling', 'none')).toThrow(expect.objectContaining({ code: 'ENOENT' }));
  expect(canonical(fs, '/dangling', 'last')).toBe('/a/none');
  expect(() => canonical(fs, '/dangling/x', 'last')).toThrow(expect.objectContaining({ code: 'ENOENT' }));
  expect(canonical(fs, '/dangling/x/../y', 'any')).toBe('/a/none/y');
  expect(canonical(fs, '/a/file/x', 'any')).toBe('/a/file/x');
});

test('a file is no directory, and links end', () => {
  for (const path of ['/a/file/x', '/a/file/'])
    expect(() => canonical(fs, path, 'last')).toThrow(expect.objectContaining({ code: 'ENOTDIR' }));
  expect(() => canonical(fs, '/loop', 'any')).toThrow(expect.objectContaining({ code: 'ELOOP' }));
});

test.each([
  ['/', '/a/b', 'a/b'],
  ['/a/b', '/a/c/d', '../c/d'],
  ['/a/b/c', '/a/b', '..'],
  ['/a', '/a', '.'],
  ['/ab', '/a', '../a'],
])('from %s to %s it is %s', (from, to, expected) => expect(relativePath(from, to)).toBe(expected));
