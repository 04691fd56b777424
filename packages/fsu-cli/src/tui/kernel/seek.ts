/** Looking for bytes in one file, however large: in pieces, and without what is a hole. */
import { FsError, SEEK } from 'ukfs';
import type { Ukfs } from 'ukfs';

const PIECE = 256 * 1024;

/** Where the bytes are, at `from` or later; undefined: nowhere. In slices. Errors: those of open(2) and read(2). */
export function* seekIn(
  fs: Ukfs,
  path: string,
  wanted: Uint8Array,
  from: number,
): Generator<undefined, number | undefined> {
  if (wanted.length === 0) return undefined;
  // What has a byte other than zero in it cannot lie in a hole.
  const skipsHoles = wanted.some((byte) => byte !== 0);
  const fd = fs.open(path);
  try {
    const buffer = new Uint8Array(PIECE + wanted.length - 1);
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
  } finally {
    fs.close(fd);
  }
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

/** Where `wanted`, which is not empty, begins in `bytes`, at `from` or later; -1: nowhere. */
function indexOfBytes(bytes: Uint8Array, wanted: Uint8Array, from = 0): number {
  const [first = 0] = wanted;
  for (let at = bytes.indexOf(first, from); at >= 0; at = bytes.indexOf(first, at + 1)) {
    let n = 1;
    while (n < wanted.length && bytes[at + n] === wanted[n]) n++;
    if (n === wanted.length) return at;
  }
  return -1;
}
