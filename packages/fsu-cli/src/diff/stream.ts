/** Standard input as a side of a comparison. It is held in memory: it has no size before it has been read. */
import { FsError } from 'ukfs';
import type { ComparedTree, TreeStat } from 'ukfs';
import type { Context } from '../context.ts';
import { STDIN, StreamError } from '../out.ts';

/** Its operand. */
export const STREAM = '-';
/** Longer input belongs into a file first. */
const BYTES_MAX = 64 * 1024 * 1024;
const PIECE = 64 * 1024;

/** All of standard input. StreamError. */
export function readStream(ctx: Context): Uint8Array {
  if (ctx.shell.stdin.isClosed) throw new StreamError(STDIN, 'EBADF', undefined, 'it is closed');
  let bytes = new Uint8Array(PIECE);
  for (let end = 0; ;) {
    const n = ctx.shell.stdin.read(bytes.subarray(end));
    if (n === 0) return bytes.subarray(0, end);
    end += n;
    if (end > BYTES_MAX) throw new StreamError(STDIN, 'EFBIG', undefined, 'more than 64 MiB; put it into a file first');
    if (end < bytes.length) continue;
    const grown = new Uint8Array(bytes.length * 2);
    grown.set(bytes);
    bytes = grown;
  }
}

/** A tree with one file. */
export function streamTree(bytes: Uint8Array): Pick<ComparedTree, 'dir' | 'name'> {
  const noTime = { sec: 0, nsec: 0 };
  const stat: TreeStat = {
    type: 'reg',
    mode: 0,
    uid: 0,
    gid: 0,
    size: bytes.length,
    atime: noTime,
    mtime: noTime,
    birthtime: undefined,
    flags: 0,
    rdev: undefined,
    nlink: 1,
    sparse: false,
    id: STREAM,
  };
  const none = (): never => {
    throw new FsError('ENOTDIR', { path: STREAM });
  };
  return {
    dir: {
      list: none,
      lstat: () => stat,
      opendir: none,
      open: () => ({
        read(dst, offset) {
          const some = bytes.subarray(offset, offset + dst.length);
          dst.set(some);
          return some.length;
        },
        data: () => undefined,
        close() {
          // Nothing is held.
        },
      }),
      readlink: none,
      xattrs: () => new Map(),
      close() {
        // Nothing is held.
      },
    },
    name: STREAM,
  };
}
