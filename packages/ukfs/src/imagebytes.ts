/** An image as bytes, whatever is in it, and copies of it: for who keeps one as it was, or edits another. */
import { FsError } from '@ukfs/kernel';
import type { Host, HostFile } from '@ukfs/kernel';
import { ImageChangedError } from './errors.ts';
import type { ImageBytes } from './handle.ts';
import { KernelSession } from './session.ts';
import type { Disk } from './session.ts';
import { isZero } from './zeros.ts';

/** The image that lies on a disk of a session; `path` is real. */
export const bytesOfDisk = ({ host }: KernelSession, { path, stage }: Disk): ImageBytes => ({
  path,
  host,
  sizeBytes: stage.sizeBytes,
  isPlain: stage.isPlain(),
  read: (dst, offset) => stage.read(dst, offset),
});

export interface OpenBytes extends ImageBytes {
  /** ImageChangedError: somebody wrote to the image meanwhile. */
  close(): void;
}

/** Open an image for reading, as committed last: a log that an interrupted edit left is seen through. Errors: as open(). */
export function openBytes(image: string, host: Host): OpenBytes {
  const session = new KernelSession(host);
  session.handles++;
  try {
    const disk = session.openDisk(image, { write: false });
    const close = (): void => {
      try {
        disk.stage.checkUnchanged();
      } catch (e) {
        if (!(e instanceof FsError && e.code === 'EAGAIN')) throw e;
        throw new ImageChangedError({ op: 'close', path: image, image });
      } finally {
        session.closeDisk(disk);
        session.release();
      }
    };
    return { ...bytesOfDisk(session, disk), close };
  } catch (e) {
    session.release();
    throw e;
  }
}

/** Larger ones fall out of the processor's cache. */
const PIECE = 128 * 1024;
/** Zeros shorter than this are not worth a hole. */
const HOLE_UNIT = 4096;

/** Copy an image into an empty file, zeros as holes; yields the bytes done so far, for those who look up now and then. */
export function* copyBytes(from: ImageBytes, to: HostFile): Generator<number> {
  const buffer = new Uint8Array(Math.min(PIECE, from.sizeBytes));
  to.truncate(from.sizeBytes);
  for (let at = 0; at < from.sizeBytes;) {
    const piece = buffer.subarray(0, Math.min(buffer.length, from.sizeBytes - at));
    from.read(piece, at);
    writeData(to, piece, at);
    at += piece.length;
    yield at;
  }
}

/** Write what is not zero, neighbours in one. */
function writeData(to: HostFile, piece: Uint8Array, at: number): void {
  let start = 0;
  for (let unit = 0; unit < piece.length; unit += HOLE_UNIT) {
    const end = Math.min(unit + HOLE_UNIT, piece.length);
    if (!isZero(piece, unit, end)) continue;
    if (start < unit) to.write(piece.subarray(start, unit), at + start);
    start = end;
  }
  if (start < piece.length) to.write(piece.subarray(start), at + start);
}
