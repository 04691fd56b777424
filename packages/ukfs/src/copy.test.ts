import { FsError } from '@ukfs/kernel';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { copyContents, copyTree, type CopyOptions } from './copy.ts';
import type { Ukfs } from './handle.ts';
import type { Loss, TreeDir } from './tree.ts';
import { realPath } from './realpath.ts';
import { open } from './ukfs.ts';
import { ukfsTree } from './ukfstree.ts';
import { walk } from './walk.ts';

let from: Ukfs;
let to: Ukfs;
beforeEach(async () => {
  from = await open('a', { type: 'tmpfs', write: true, umask: 0 });
  to = await open('b', { type: 'tmpfs', write: true });
});
afterEach(() => {
  from.close();
  to.close();
});

/** toEqual takes seconds for megabytes. */
const same = (a: Uint8Array, b: Uint8Array): boolean => Buffer.compare(a, b) === 0;
const time = (sec: number) => ({ sec, nsec: 123_456_789 });

function fill(fs: Ukfs): void {
  fs.mkdir('/tree/dir/deep', { recursive: true });
  fs.writeFile('/tree/file', 'contents');
  fs.chmod('/tree/file', 0o4751);
  fs.chown('/tree/file', 12, 34);
  fs.link('/tree/file', '/tree/dir/deep/same');
  fs.symlink('/etc/passwd', '/tree/link');
  fs.lchown('/tree/link', 5, 6);
  fs.mkfifo('/tree/fifo', 0o640);
  fs.mknod('/tree/null', 'chr', 0o666, { major: 1, minor: 3 });
  fs.mkdir('/tree/closed', 0o500);
  const fd = fs.open('/tree/holes', 'w');
  fs.write(fd, new Uint8Array(4096).fill(7), 0, 4096, 1024 * 1024);
  fs.ftruncate(fd, 3 * 1024 * 1024);
  fs.close(fd);
  fs.setxattr('/tree/dir', 'user.note', Uint8Array.of(1, 2, 3));
  for (const path of ['/tree/file', '/tree/link', '/tree/fifo', '/tree/dir/deep', '/tree/dir', '/tree']) {
    fs.lutimes(path, time(1000), time(2000));
  }
}

/** Everything that a copy keeps, one line for each file. */
function listing(fs: Ukfs, root: string): string[] {
  return [...walk(fs, root, { order: (a, b) => (a.name < b.name ? -1 : 1) })].map(({ path, stat }) => {
    if (stat === undefined) return `${path} ?`;
    const { type, mode, uid, gid, size, nlink, mtime, atime, rdev } = stat;
    const kept =
      path.endsWith('closed') || path.endsWith('null') || path.endsWith('holes')
        ? ''
        : `${atime.sec} ${mtime.sec}.${mtime.nsec}`;
    const more =
      type === 'lnk'
        ? fs.readlink(path)
        : type === 'reg'
          ? String(fs.readFile(path).reduce((a, b) => (a * 31 + b) % 65521, 7))
          : '';
    const xattrs = fs
      .listxattr(path, { nofollow: true })
      .map((n) => `${n}=${String(fs.getxattr(path, n, { nofollow: true }))}`);
    return [
      path.slice(root.length),
      type,
      mode.toString(8),
      uid,
      gid,
      type === 'dir' ? '' : size,
      nlink,
      rdev?.minor ?? '',
      kept,
      more,
      ...xattrs,
    ].join(' ');
  });
}

const copy = (options: CopyOptions = {}) =>
  copyTree({ dir: ukfsTree(from, '/'), name: 'tree' }, { dir: ukfsTree(to, '/'), name: 'copy' }, options);

describe('copyTree()', () => {
  test('keeps everything', () => {
    fill(from);
    const report = copy();
    expect(listing(to, '/copy')).toEqual(listing(from, '/tree'));
    expect(report).toMatchObject({ directories: 4, files: 2, others: 4, failures: 0, losses: [] });
    expect(to.stat('/copy/file').ino).toBe(to.stat('/copy/dir/deep/same').ino);
  });

  test('holes stay holes', () => {
    fill(from);
    expect(copy().bytes).toBe(4096 + 'contents'.length);
    expect(to.stat('/copy/holes').bytes).toBe(from.stat('/tree/holes').bytes);
  });

  test('zeros become holes on request, and holes zeros', () => {
    from.mkdir('/tree');
    const bytes = new Uint8Array(300_000);
    bytes.fill(1, 100_000, 100_010);
    from.writeFile('/tree/zeros', bytes);
    expect(copy({ holes: 'detect' }).bytes).toBe(4096);
    expect(same(to.readFile('/copy/zeros'), bytes)).toBe(true);
    to.rm('/copy', { recursive: true });
    fill(from);
    expect(copy({ holes: 'fill' }).bytes).toBe(300_000 + 3 * 1024 * 1024 + 'contents'.length);
    expect(same(to.readFile('/copy/holes'), from.readFile('/tree/holes'))).toBe(true);
  });

  test('a file that ends in zeros, or is nothing but zeros, keeps its size with holes detected', () => {
    from.mkdir('/tree');
    from.writeFile('/tree/a', new Uint8Array(10_000));
    from.writeFile('/tree/b', new Uint8Array(10_000).fill(1, 0, 5));
    from.writeFile('/tree/c', '');
    copy({ holes: 'detect' });
    for (const name of ['a', 'b', 'c']) expect(to.readFile(`/copy/${name}`)).toEqual(from.readFile(`/tree/${name}`));
  });

  test('a second copy replaces files, merges directories and never writes through links', () => {
    fill(from);
    to.mkdir('/copy');
    to.writeFile('/victim', 'precious');
    to.symlink('/victim', '/copy/file');
    to.link('/victim', '/copy/holes');
    copy();
    expect(to.readFile('/victim', 'utf8')).toBe('precious');
    expect(to.lstat('/copy/file').type).toBe('reg');
    expect(copy()).toMatchObject({ failures: 0 });
    expect(listing(to, '/copy')).toEqual(listing(from, '/tree'));
  });

  test('a link where a directory belongs is not entered', () => {
    fill(from);
    to.mkdir('/elsewhere');
    to.mkdir('/copy');
    to.symlink('/elsewhere', '/copy/dir');
    expect(() => copy()).toThrow(FsError);
    const failed: string[] = [];
    copy({
      failed: (path, { code }) => {
        failed.push(`${path} ${code}`);
        return 'go on';
      },
    });
    expect(failed).toEqual(['copy/dir ENOTDIR']);
    expect(to.readdir('/elsewhere')).toEqual([]);
  });

  test('existing: skip and fail', () => {
    fill(from);
    to.mkdir('/copy');
    to.writeFile('/copy/file', 'old');
    expect(() => copy({ existing: 'fail' })).toThrow(expect.objectContaining({ code: 'EEXIST' }));
    copy({ existing: 'skip' });
    expect(to.readFile('/copy/file', 'utf8')).toBe('old');
  });

  test('keep leaves out what is not wanted', () => {
    fill(from);
    copy({ keep: { owner: false, mode: false, times: false, xattrs: false, links: false } });
    expect(to.stat('/copy/file')).toMatchObject({ uid: 0, gid: 0, nlink: 1 });
    expect(to.stat('/copy/file').mtime.sec).not.toBe(2000);
    expect(to.listxattr('/copy/dir')).toEqual([]);
  });

  test('filter leaves trees out; a directory without recursive is EISDIR', () => {
    fill(from);
    copy({ filter: (path) => path !== 'copy/dir' });
    expect(to.exists('/copy/dir')).toBe(false);
    expect(to.exists('/copy/file')).toBe(true);
    expect(() => copy({ recursive: false })).toThrow(expect.objectContaining({ code: 'EISDIR' }));
  });

  test('names that lead elsewhere are refused, whatever the source says', () => {
    from.mkdir('/tree');
    from.writeFile('/tree/evil', 'x');
    const tree = ukfsTree(from, '/tree');
    const stat = tree.lstat('evil')!;
    for (const name of ['..', '.', '', 'a/b', '../evil', 'a\0b']) {
      const hostile: TreeDir = Object.create(tree, { list: { value: () => [{ name, stat }] } }) as TreeDir;
      expect(() => copyContents(hostile, ukfsTree(to, '/'))).toThrow(expect.objectContaining({ code: 'EINVAL' }));
    }
    expect(to.readdir('/')).toEqual([]);
  });

  test('what the target cannot hold is told once, with an example', () => {
    fill(from);
    const refuse = (): never => {
      throw new FsError('EPERM');
    };
    /** A target like a FAT on an ordinary user's host. */
    const poor = (dir: TreeDir): TreeDir => ({
      list: () => dir.list(),
      lstat: (name) => dir.lstat(name),
      opendir: (name) => poor(dir.opendir(name)),
      open: (name) => dir.open(name),
      readlink: (name) => dir.readlink(name),
      xattrs: (name) => dir.xattrs(name),
      create: (name) => {
        const file = dir.create(name);
        return {
          read: (dst, offset) => file.read(dst, offset),
          write: (src, offset) => file.write(src, offset),
          truncate: (size) => file.truncate(size),
          data: () => file.data(),
          setattr: (): Loss[] => ['owner', 'times'],
          close: () => file.close(),
        };
      },
      mkdir: (name) => dir.mkdir(name),
      symlink: refuse,
      link: refuse,
      mknod: refuse,
      setattr: (): Loss[] => ['owner', 'times'],
      setxattr: refuse,
      unlink: (name) => dir.unlink(name),
      rmdir: (name) => dir.rmdir(name),
      close: () => dir.close(),
    });
    const report = copyTree({ dir: ukfsTree(from, '/'), name: 'tree' }, { dir: poor(ukfsTree(to, '/')), name: 'copy' });
    expect(Object.fromEntries(report.losses.map(({ loss, count }) => [loss, count]))).toEqual({
      'hard link': 1,
      'symbolic link': 1,
      device: 1,
      fifo: 1,
      owner: 7,
      times: 7,
      'extended attribute': 1,
    });
    expect(report.losses.find(({ loss }) => loss === 'device')?.example).toBe('copy/null');
    expect(to.readFile('/copy/dir/deep/same', 'utf8')).toBe('contents');
  });

  test('a file that fails half way leaves no half behind', () => {
    from.mkdir('/tree');
    from.writeFile('/tree/big', new Uint8Array(1_000_000).fill(1));
    const dir = ukfsTree(from, '/tree');
    const failing: TreeDir = Object.create(dir, {
      open: {
        value: () => ({
          read: (dst: Uint8Array, offset: number) => {
            if (offset > 200_000) throw new FsError('EIO');
            return dst.length;
          },
          data: () => undefined,
          close: () => undefined,
        }),
      },
      list: { value: () => [{ name: 'big', stat: dir.lstat('big') }] },
    }) as TreeDir;
    expect(() => copyContents(failing, ukfsTree(to, '/'))).toThrow(expect.objectContaining({ code: 'EIO' }));
    expect(to.readdir('/')).toEqual([]);
  });
});

test('copyContents() fills a directory and leaves its own attributes alone', () => {
  fill(from);
  to.mkdir('/here', 0o711);
  copyContents(ukfsTree(from, '/tree'), ukfsTree(to, '/here'));
  expect(listing(to, '/here').slice(1)).toEqual(listing(from, '/tree').slice(1));
  expect(to.stat('/here').mode).toBe(0o711);
});

describe('what cp adds', () => {
  beforeEach(() => fill(from));

  test('links followed: none, the one that is named, or all; a link into its own directory is a loop', () => {
    from.symlink('dir', '/tree/todir');
    from.symlink('../../tree', '/tree/dir/loop');
    from.unlink('/tree/link');
    from.symlink('/tree', '/name');
    const failed: string[] = [];
    const options = {
      failed: (path: string, { code }: FsError) => {
        failed.push(`${path} ${code}`);
        return 'go on' as const;
      },
    };
    const named = { dir: ukfsTree(from, '/'), name: 'name' };
    copyTree(named, { dir: ukfsTree(to, '/'), name: 'named' }, { ...options, follow: 'named' });
    expect(to.readlink('/named/todir')).toBe('dir');
    expect(failed).toEqual([]);
    copyTree(named, { dir: ukfsTree(to, '/'), name: 'all' }, { ...options, follow: 'always' });
    expect(to.lstat('/all/todir').type).toBe('dir');
    expect(to.readFile('/all/todir/deep/same', 'utf8')).toBe('contents');
    expect(failed.sort()).toEqual(['all/dir/loop ELOOP', 'all/todir/loop ELOOP']);
  });

  test('modes that are not kept are those of the source less the umask; directories that were there keep theirs', () => {
    to.umask(0);
    to.mkdir('/copy', { mode: 0o700 });
    from.chmod('/tree/dir', 0o2777);
    copy({ keep: { mode: false }, umask: 0o027 });
    expect(to.stat('/copy').mode).toBe(0o700);
    expect(to.stat('/copy/dir').mode).toBe(0o750);
    expect(to.stat('/copy/file').mode).toBe(0o750);
  });

  test('overwrite: the file keeps its attributes and its other names', () => {
    to.mkdir('/copy');
    to.writeFile('/copy/holes', 'old');
    to.chmod('/copy/holes', 0o600);
    to.link('/copy/holes', '/other');
    copy({ existing: 'overwrite', keep: { mode: false, owner: false } });
    expect(to.stat('/other')).toMatchObject({ nlink: 2, mode: 0o600, size: 3 * 1024 * 1024 });
  });

  test('files with several names keep them across copies that share what they know', () => {
    const links = new Map();
    const dir = ukfsTree(to, '/');
    for (const name of ['tree/file', 'tree/dir'])
      copyTree({ dir: ukfsTree(from, '/tree'), name: name.slice(5) }, { dir, name: name.slice(5) }, { links });
    expect(to.stat('/file').ino).toBe(to.stat('/dir/deep/same').ino);
  });

  test('one side: a file is not copied onto itself, and mayReplace is asked', () => {
    const within = (options: CopyOptions) =>
      copyTree(
        { dir: ukfsTree(from, '/tree'), name: 'file' },
        { dir: ukfsTree(from, '/tree/dir/deep'), name: 'same' },
        options,
      );
    expect(() => within({ sameSide: true })).toThrow(/same file/);
    from.writeFile('/tree/dir/deep/same2', 'x');
    const report = copyTree(
      { dir: ukfsTree(from, '/tree'), name: 'file' },
      { dir: ukfsTree(from, '/tree/dir/deep'), name: 'same2' },
      { sameSide: true, mayReplace: (path, there) => !(path === 'same2' && there.size === 1) },
    );
    expect(report).toMatchObject({ skipped: 1, files: 0 });
  });

  test('links in place of copies', () => {
    const target = { dir: ukfsTree(from, '/'), name: 'linked' };
    copyTree({ dir: ukfsTree(from, '/'), name: 'tree' }, target, { instead: 'hard link' });
    expect(from.stat('/linked/file').ino).toBe(from.stat('/tree/file').ino);
    copyTree(
      { dir: ukfsTree(from, '/tree'), name: 'file' },
      { dir: ukfsTree(from, '/'), name: 'sym' },
      { instead: () => '/tree/file' },
    );
    expect(from.readlink('/sym')).toBe('/tree/file');
  });
});

test('realPath() names what a path leads to', () => {
  fill(from);
  from.symlink('../dir/./deep', '/tree/dir/there');
  from.symlink('there/same', '/tree/dir/file');
  expect(realPath(from, '/tree/dir/../dir/file')).toBe('/tree/dir/deep/same');
  expect(realPath(from, 'tree/dir/there/..')).toBe('/tree/dir');
  expect(realPath(from, '/')).toBe('/');
  from.symlink('loop', '/loop');
  expect(() => realPath(from, '/loop')).toThrow(expect.objectContaining({ code: 'ELOOP' }));
});
