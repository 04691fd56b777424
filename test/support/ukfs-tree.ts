/** The tree of an open handle as plain entries, to be compared with what the kernel or debugfs read from the same image. */
import { nodeHost } from '@ukfs/kernel/host/node';
import { open, walk, type Stat, type Ukfs } from 'ukfs';
import { SEEK } from 'ukfs';
import { contentDigest, type TreeEntry } from './tree.ts';

const PIECE = 1024 * 1024;

/** Every entry below `root`, which is '/'. Damage is thrown. */
export function ukfsEntries(fs: Ukfs, root = '/'): TreeEntry[] {
  const entries: TreeEntry[] = [];
  for (const { path, stat, error } of walk(fs, root)) {
    if (error !== undefined || stat === undefined) throw error ?? new Error(`${path}: no attributes`);
    entries.push(entryOf(fs, path, stat));
  }
  return entries;
}

function entryOf(fs: Ukfs, path: string, stat: Stat): TreeEntry {
  const { type, mode, uid, gid, nlink, size, ino, rdev, mtime, atime, ctime, birthtime } = stat;
  const xattrs = fs.listxattr(path, { nofollow: true }).map((name): [string, string] => {
    const value = fs.getxattr(path, name, { nofollow: true }) ?? new Uint8Array(0);
    return [name, Buffer.from(value).toString('hex')];
  });
  return {
    path,
    type,
    mode,
    uid,
    gid,
    nlink,
    size,
    ino,
    mtime,
    atime,
    ctime,
    ...(rdev === undefined ? {} : { rdev }),
    ...(birthtime === undefined ? {} : { btime: birthtime }),
    ...(type === 'lnk' ? { target: fs.readlink(path) } : {}),
    ...(type === 'reg' ? contentDigest(size, runsOf(fs, path, size)) : {}),
    xattrs: Object.fromEntries(xattrs),
  };
}

function* runsOf(
  fs: Ukfs,
  path: string,
  size: number,
): Iterable<{ readonly offset: number; readonly data: Uint8Array }> {
  const fd = fs.open(path);
  const seek = (at: number, whence: number): number | undefined => {
    try {
      return fs.lseek(fd, at, whence);
    } catch {
      return undefined;
    }
  };
  try {
    for (let at = seek(0, SEEK.DATA); at !== undefined && at < size; at = seek(at, SEEK.DATA)) {
      for (const end = seek(at, SEEK.HOLE) ?? size; at < end;) {
        const data = new Uint8Array(Math.min(PIECE, end - at));
        const n = fs.read(fd, data, 0, data.length, at);
        if (n === 0) throw new Error(`${path}: ends at ${at} of ${size}`);
        yield { offset: at, data: data.subarray(0, n) };
        at += n;
      }
    }
  } finally {
    fs.close(fd);
  }
}

/** What an image of the host holds, a line an entry, to be compared with another's: all but inode numbers, times, and sizes of directories. */
export async function imageLines(image: string): Promise<readonly string[]> {
  const fs = await open(image, { host: nodeHost() });
  try {
    return ukfsEntries(fs).map(({ path, type, mode, uid, gid, nlink, size, sha256, target, xattrs }) =>
      JSON.stringify({ path, type, mode, uid, gid, nlink, size: type === 'dir' ? 0 : size, sha256, target, xattrs }),
    );
  } finally {
    fs.close();
  }
}
