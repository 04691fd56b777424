import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { aspects, aspectsOf } from './aspects.ts';
import { compareTrees } from './compare.ts';
import type { CompareOptions, ComparedTree } from './compare.ts';
import { joinedRuns } from './contents.ts';
import { copyContents } from './copy.ts';
import type { Ukfs } from './handle.ts';
import { open } from './ukfs.ts';
import { ukfsTree } from './ukfstree.ts';

let before: Ukfs;
let after: Ukfs;
beforeEach(async () => {
  before = await open('a', { type: 'tmpfs', write: true, umask: 0 });
  after = await open('b', { type: 'tmpfs', write: true, umask: 0 });
  before.mkdir('/dir/deep', { recursive: true });
  before.writeFile('/dir/file', 'contents');
  before.link('/dir/file', '/dir/same');
  before.symlink('target', '/link');
  before.mknod('/null', 'chr', 0o666, { major: 1, minor: 3 });
  const fd = before.open('/holes', 'w');
  before.write(fd, Uint8Array.of(1), 0, 1, 3 * 1024 * 1024);
  before.close(fd);
  copyContents(ukfsTree(before, '/'), ukfsTree(after, '/'));
  for (const fs of [before, after]) fs.utimes('/', { sec: 0, nsec: 0 }, { sec: 1, nsec: 0 });
});
afterEach(() => {
  before.close();
  after.close();
});

const tree = (fs: Ukfs): ComparedTree => ({ dir: ukfsTree(fs, '/'), name: '.', ...aspectsOf(fs) });
const found = (options: CompareOptions = {}): string[] =>
  [...compareTrees(tree(before), tree(after), options)].map(
    ({ path, change, what, within }) =>
      `${change} /${path}${what.map((a) => ` ${a}`).join('')}${within ? ' within' : ''}`,
  );
/** Without the times of directories, which follow. */
const quiet: CompareOptions = { what: new Set(aspects.filter((a) => a !== 'mtime' && a !== 'birthtime')) };

describe('compareTrees()', () => {
  test('of a tree and its copy finds nothing, and each entry on request', () => {
    expect(found()).toEqual([]);
    expect(found({ same: true })).toHaveLength(8);
  });

  test.each<[string, (fs: Ukfs) => void, string[]]>([
    [
      'a byte',
      (fs) => fs.writeFile('/dir/file', 'contentz'),
      ['changed /dir/file content', 'changed /dir/same content'],
    ],
    ['a length', (fs) => fs.truncate('/holes', 4), ['changed /holes content holes']],
    [
      'a hole',
      (fs) => fs.writeFile('/holes', new Uint8Array(3 * 1024 * 1024 + 1), { flag: 'r+' }),
      ['changed /holes content holes'],
    ],
    ['a mode', (fs) => fs.chmod('/dir', 0o700), ['changed /dir mode']],
    ['an owner', (fs) => fs.lchown('/link', 1, 2), ['changed /link owner']],
    ['flags', (fs) => fs.chflags('/holes', 1), ['changed /holes flags']],
    ['an attribute', (fs) => fs.setxattr('/', 'user.a', Uint8Array.of(1)), ['changed / xattrs']],
    [
      'a link of the root',
      (fs) => fs.setxattr('/link', 'user.a', Uint8Array.of(1), { nofollow: true }),
      ['changed /link xattrs'],
    ],
    ['a target', (fs) => (fs.unlink('/link'), fs.symlink('other', '/link')), ['changed /link target']],
    [
      'numbers of a device',
      (fs) => (fs.unlink('/null'), fs.mknod('/null', 'chr', 0o666, { major: 1, minor: 5 })),
      ['changed /null rdev'],
    ],
    ['a name', (fs) => fs.unlink('/link'), ['removed /link']],
    [
      'a type',
      (fs) => (fs.unlink('/link'), fs.mkdir('/link/x', { recursive: true })),
      ['type /link', 'added /link/x within'],
    ],
    ['a tree', (fs) => fs.mkdir('/new/x', { recursive: true }), ['added /new', 'added /new/x within']],
    [
      'a link cut',
      (fs) => (fs.unlink('/dir/same'), fs.writeFile('/dir/same', 'contents')),
      ['changed /dir/file nlink', 'changed /dir/same nlink links'],
    ],
    [
      'a link more',
      (fs) => fs.link('/dir/file', '/dir/a'),
      ['added /dir/a', 'changed /dir/file nlink links', 'changed /dir/same nlink links'],
    ],
  ])('%s', (_name, edit, lines) => {
    edit(after);
    expect(found(quiet)).toEqual(lines);
  });

  test('tells times apart by the coarser clock', () => {
    after.utimes('/holes', 'omit', { ...after.stat('/holes').mtime, nsec: 5 });
    expect(found()).toEqual(['changed /holes mtime']);
    const coarse = { ...tree(before), grainNs: 2e9 };
    expect([...compareTrees(coarse, tree(after))]).toEqual([]);
  });

  test('leaves out what the filter says and what a side cannot tell, and goes on after failures', () => {
    after.chmod('/dir', 0o700);
    after.unlink('/dir/file');
    expect(found({ ...quiet, filter: (path) => path !== 'dir' })).toEqual([]);
    const dumb = { ...tree(before), tells: new Set(['content'] as const) };
    expect([...compareTrees(dumb, tree(after), quiet)].map(({ path }) => path)).toEqual(['dir/file']);
  });

  test('reads nothing where both have holes', () => {
    for (const fs of [before, after]) fs.truncate('/holes', 2 ** 40);
    expect(found(quiet)).toEqual([]);
  });
});

test('joinedRuns() tells each byte of either list once, in order', () => {
  const run = (offset: number, length: number) => ({ offset, length });
  const joined = joinedRuns([run(0, 2), run(6, 2)].values(), [run(1, 3), run(5, 1), run(7, 1)].values());
  expect([...joined]).toEqual([run(0, 2), run(2, 2), run(5, 1), run(6, 2)]);
});
