/** Writing bytes into an open file of an image, all of them. */
import { FsError } from '@ukfs/kernel';
import type { Ukfs } from './handle.ts';

/**
 * `bytes[0, length)` to the descriptor, at byte `position` of the file or, without it, where the descriptor stands.
 * Errors: those of write(2); ENOSPC also when it takes no more.
 */
export function writeAll(
  fs: Pick<Ukfs, 'write'>,
  fd: number,
  bytes: Uint8Array,
  { length = bytes.length, position }: { readonly length?: number; readonly position?: number | undefined } = {},
): void {
  for (let done = 0; done < length;) {
    const n = fs.write(fd, bytes, done, length - done, position === undefined ? undefined : position + done);
    if (n === 0) throw new FsError('ENOSPC', { op: 'write' });
    done += n;
  }
}
