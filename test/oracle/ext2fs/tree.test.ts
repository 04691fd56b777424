/** compareTrees() and contentDigest(): what every comparison of trees rests on. */
import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { hostTree } from '../../support/kernel-tree.ts';
import { compareTrees, contentDigest, type TreeEntry } from '../../support/tree.ts';

const time = { sec: 1, nsec: 2 };
const file: TreeEntry = {
  path: '/a/\udcff\n',
  type: 'reg',
  mode: 0o644,
  uid: 1,
  gid: 2,
  nlink: 1,
  size: 3,
  ino: 12,
  mtime: time,
  atime: time,
  ctime: time,
  sha256: 'abc',
  xattrs: { 'user.a': '01', 'user.b': '' },
};

describe('compareTrees()', () => {
  test('says nothing about equal trees, in whatever order and however the objects were built', () => {
    const other = { ...file, xattrs: { 'user.b': '', 'user.a': '01' }, path: '/b', ino: 13 };
    const again = { ...other, mtime: { nsec: 2, sec: 1 }, xattrs: { 'user.a': '01', 'user.b': '' } };
    expect(compareTrees([file, other], [again, file])).toEqual([]);
  });

  test.each<[string, Partial<TreeEntry>, string]>([
    ['type', { type: 'fifo' }, 'type: a "reg", b "fifo"'],
    ['mode', { mode: 0o4644 }, 'mode: a 0644, b 04644'],
    ['one nanosecond', { mtime: { sec: 1, nsec: 3 } }, 'mtime: a {"sec":1,"nsec":2}, b {"sec":1,"nsec":3}'],
    ['a field that only one side has', { target: 'x' }, 'target: a absent, b "x"'],
    ['an xattr', { xattrs: { 'user.a': '01' } }, 'xattrs: a {"user.a":"01","user.b":""}, b {"user.a":"01"}'],
    ['contents', { sha256: 'abd' }, 'sha256: a "abc", b "abd"'],
  ])('tells %s, on one line, with the bytes of the name escaped', (_, change, line) => {
    expect(compareTrees([file], [{ ...file, ...change }])).toEqual([`"/a/\\udcff\\n": ${line}`]);
  });

  test('tells entries of one side, entries listed twice, and counts what is beyond the limit', () => {
    expect(compareTrees([file], [], { names: ['ours', 'kernel'] })).toEqual(['"/a/\\udcff\\n": only in ours']);
    expect(compareTrees([file], [file, file])).toEqual(['"/a/\\udcff\\n": listed twice in b']);
    const many = Array.from({ length: 10 }, (_, index) => ({ ...file, path: `/${index}`, ino: index }));
    expect(compareTrees(many, [], { limit: 3 }).at(-1)).toBe('… and 7 more differences');
  });

  test('compares which paths are one file even when inode numbers are ignored', () => {
    const linked = [file, { ...file, path: '/z' }];
    const apart = [
      { ...file, ino: 50 },
      { ...file, path: '/z', ino: 51 },
    ];
    const renumbered = linked.map((entry) => ({ ...entry, ino: 99 }));
    expect(compareTrees(linked, renumbered, { ignore: ['ino'] })).toEqual([]);
    expect(compareTrees(linked, apart, { ignore: ['ino'] })).toEqual(['"/z": same file as: a "/a/\\udcff\\n", b "/z"']);
  });
});

describe('contentDigest()', () => {
  const data = (text: string): Uint8Array => new TextEncoder().encode(text);

  test('is SHA-256 of the whole for small files, holes as zeros', () => {
    const whole = Buffer.alloc(200_000);
    whole.write('abc', 100_000);
    expect(contentDigest(200_000, [{ offset: 100_000, data: data('abc') }])).toEqual({
      sha256: createHash('sha256').update(whole).digest('hex'),
    });
  });

  test('of a large file depends on bytes, place and size, not on how holes are given', () => {
    const size = 2 ** 41 + 5;
    const runs = [
      { offset: 65_534, data: data('across') },
      { offset: size - 3, data: data('end') },
    ];
    const digest = contentDigest(size, runs);
    expect(digest).toHaveProperty('sparseSha256');
    const filled = [
      { offset: 0, data: new Uint8Array(65_534) },
      { offset: 65_534, data: data('ac') },
      { offset: 65_536, data: data('ross') },
      { offset: 2 ** 40, data: new Uint8Array(300_000) },
      { offset: size - 3, data: data('end') },
    ];
    expect(contentDigest(size, filled)).toEqual(digest);
    expect(contentDigest(size + 1, runs)).not.toEqual(digest);
    expect(contentDigest(size, [{ offset: 65_533, data: data('across') }, ...runs.slice(1)])).not.toEqual(digest);
  });

  test('refuses runs that go back or beyond the end', () => {
    const run = { offset: 4, data: data('x') };
    expect(() => contentDigest(10, [run, run])).toThrow(RangeError);
    expect(() => contentDigest(4, [run])).toThrow(RangeError);
  });

  // The walk of a host directory needs python3 and an ordinary Linux file system, nothing else.
  test.runIf(process.platform === 'linux')('is what kernel-tree.py computes', () => {
    const dir = mkdtempSync(join(tmpdir(), 'ukfs-digest-'));
    try {
      writeFileSync(join(dir, 'small'), 'small\n');
      writeFileSync(join(dir, 'large'), 'large\n');
      truncateSync(join(dir, 'large'), 5_000_000_000);
      const tree = new Map(hostTree(dir).map((entry) => [entry.path, entry]));
      expect(tree.get('/small')).toMatchObject(contentDigest(6, [{ offset: 0, data: data('small\n') }]));
      expect(tree.get('/large')).toMatchObject(contentDigest(5e9, [{ offset: 0, data: data('large\n') }]));
    } finally {
      rmSync(dir, { recursive: true });
    }
  });
});
