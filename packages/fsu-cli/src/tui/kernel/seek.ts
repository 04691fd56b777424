/** Looking for bytes in one file, however large: in pieces, and without what is a hole. */
import { FsError, SEEK } from 'ukfs';
import type { Ukfs } from 'ukfs';

const PIECE = 256 * 1024;

/** Where the bytes are, at `from` or later; undefined: nowhere. In slices. Errors: those of open(2) and read(2). */
export const seekIn = (fs: Ukfs, path: string, wanted: Uint8Array, from: number): Seeking =>
  sought({ fs, path, wanted }, ahead, from);

/** Where the bytes are last that begin before `before`; undefined: nowhere. Otherwise as seekIn(). */
export const seekBackIn = (fs: Ukfs, path: string, wanted: Uint8Array, before: number): Seeking =>
  sought({ fs, path, wanted }, back, before);

type Seeking = Generator<undefined, number | undefined>;

interface Wanted {
  readonly fs: Ukfs;
  readonly path: string;
  readonly wanted: Uint8Array;
}
interface Search extends Wanted {
  readonly fd: number;
  /** For a piece, and for what begins at its end. */
  readonly buffer: Uint8Array;
  /** What has a byte other than zero in it cannot lie in a hole. */
  readonly skipsHoles: boolean;
}

function* sought(one: Wanted, way: (search: Search, from: number) => Seeking, from: number): Seeking {
  const { fs, path, wanted } = one;
  if (wanted.length === 0) return undefined;
  const skipsHoles = wanted.some((byte) => byte !== 0);
  const fd = fs.open(path);
  try {
    return yield* way({ ...one, fd, buffer: new Uint8Array(PIECE + wanted.length - 1), skipsHoles }, from);
  } finally {
    fs.close(fd);
  }
}

function* ahead({ fs, fd, wanted, buffer, skipsHoles }: Search, from: number): Seeking {
  for (let at = from; ; at += PIECE) {
    if (skipsHoles) {
      const data = nextData(fs, fd, at);
      if (data === undefined) return undefined;
      // It may begin with zeros that are a hole's.
      at = Math.max(at, data - wanted.length + 1);
    }
    const got = filled(fs, fd, buffer, at);
    const found = indexOfBytes(buffer.subarray(0, got), wanted);
    if (found >= 0) return at + found;
    if (got < buffer.length) return undefined;
    yield;
  }
}

function* back({ fs, fd, wanted, buffer, skipsHoles }: Search, before: number): Seeking {
  for (let end = before; end > 0;) {
    if (skipsHoles) {
      const data = lastData(fs, fd, end + wanted.length - 1);
      if (data === undefined) return undefined;
      end = Math.min(end, data + 1);
    }
    const start = Math.max(0, end - PIECE);
    const piece = buffer.subarray(0, end - start + wanted.length - 1);
    const found = lastIndexOfBytes(piece.subarray(0, filled(fs, fd, piece, start)), wanted);
    if (found >= 0) return start + found;
    end = start;
    yield;
  }
  return undefined;
}

/** The last byte of data before `end`; undefined: all of it is a hole. lseek(2) looks ahead alone: from fewer and fewer places. */
function lastData(fs: Ukfs, fd: number, end: number): number | undefined {
  const isBehind = (at: number): boolean => (nextData(fs, fd, at) ?? end) < end;
  if (isBehind(end - 1)) return end - 1;
  if (!isBehind(0)) return undefined;
  let [low, high] = [0, end - 1];
  while (high - low > 1) {
    const middle = low + Math.floor((high - low) / 2);
    if (isBehind(middle)) low = middle;
    else high = middle;
  }
  return low;
}

/** Where data is, at `at` or later; undefined: there is none. */
export function nextData(fs: Ukfs, fd: number, at: number): number | undefined {
  try {
    return fs.lseek(fd, at, SEEK.DATA);
  } catch (thrown) {
    if (!(thrown instanceof FsError)) throw thrown;
    // ENXIO: none up to the end. A type that cannot tell has data everywhere.
    return thrown.code === 'ENXIO' ? undefined : at;
  }
}

/** Bytes from `at` on, until the buffer is full or the file ends; how many. */
export function filled(fs: Ukfs, fd: number, buffer: Uint8Array, at: number): number {
  let got = 0;
  for (let n = -1; n !== 0 && got < buffer.length; got += n)
    n = fs.read(fd, buffer, got, buffer.length - got, at + got);
  return got;
}

/** Where `wanted`, which is not empty, begins in `bytes`; -1: nowhere. */
function indexOfBytes(bytes: Uint8Array, wanted: Uint8Array): number {
  const [first = 0] = wanted;
  for (let at = bytes.indexOf(first); at >= 0; at = bytes.indexOf(first, at + 1))
    if (isAt(bytes, at, wanted)) return at;
  return -1;
}

function lastIndexOfBytes(bytes: Uint8Array, wanted: Uint8Array): number {
  for (let at = bytes.length - wanted.length; at >= 0; at--) {
    at = bytes.lastIndexOf(wanted[0] ?? 0, at);
    if (at < 0 || isAt(bytes, at, wanted)) return at;
  }
  return -1;
}

/** `wanted`, of which the first byte is known to be there. */
function isAt(bytes: Uint8Array, at: number, wanted: Uint8Array): boolean {
  let n = 1;
  while (n < wanted.length && bytes[at + n] === wanted[n]) n++;
  return n === wanted.length;
}
