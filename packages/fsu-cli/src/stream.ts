/** Standard input as a file. It is held in memory: it has no size before it has been read. */
import { FsError } from 'ukfs';
import type { ComparedTree, TreeStat } from 'ukfs';
import type { Context } from './context.ts';
import { STDIN, StreamError } from './out.ts';

/** Its operand. */
export const STREAM = '-';
/** Longer input belongs into a file first. */
const BYTES_MAX = 64 * 1024 * 1024;
const PIECE = 64 * 1024;

/** All of standard input. StreamError. */
export function readStream(ctx: Context, bytesMax = BYTES_MAX): Uint8Array {
  if (ctx.shell.stdin.isClosed) throw new StreamError(STDIN, 'EBADF', undefined, 'it is closed');
  const bytes = readWhole(ctx.shell.stdin, bytesMax);
  if (bytes !== undefined) return bytes;
  const what = `more than ${bytesMax / 1024 / 1024} MiB; put it into a file first`;
  throw new StreamError(STDIN, 'EFBIG', undefined, what);
}

/** All that comes; undefined: it is more than that. */
export function readWhole(from: { read(dst: Uint8Array): number }, bytesMax: number): Uint8Array | undefined {
  let bytes = new Uint8Array(PIECE);
  for (let end = 0; ;) {
    const n = from.read(bytes.subarray(end));
    if (n === 0) return bytes.subarray(0, end);
    end += n;
    if (end > bytesMax) return undefined;
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
