/** A bounded look at an image, or at a piece of it: what probes and partition tables read through. */
import type { ProbeRead } from '@ukfs/kernel';

export interface Medium {
  /** Up to `length` bytes at `offset`; shorter past the end, empty outside. */
  readonly read: ProbeRead;
  readonly sizeBytes: number;
  /** Logical sector size, where it is known: block devices tell, images do not. */
  readonly sectorSize?: number;
}

const CHUNK = 4096;
/** A probe asks for a few hundred bytes in some dozens of places: chunks kept before starting over. */
const MAX_CHUNKS = 256;

/** `fill` reads exactly; many probes asking for the same few bytes cost one read. */
export function cachedMedium(fill: (dst: Uint8Array, offset: number) => void, sizeBytes: number): Medium {
  const chunks = new Map<number, Uint8Array>();
  const load = (offset: number, length: number): Uint8Array => {
    const dst = new Uint8Array(Math.max(0, Math.min(length, sizeBytes - offset)));
    if (dst.length > 0) fill(dst, offset);
    return dst;
  };
  const read: ProbeRead = (offset, length) => {
    if (!(offset >= 0) || offset >= sizeBytes || length <= 0) return new Uint8Array(0);
    const no = Math.floor(offset / CHUNK);
    const inChunk = offset - no * CHUNK;
    if (inChunk + length > CHUNK) return load(offset, length);
    let chunk = chunks.get(no);
    if (chunk === undefined) {
      if (chunks.size >= MAX_CHUNKS) chunks.clear();
      chunks.set(no, (chunk = load(no * CHUNK, CHUNK)));
    }
    return chunk.subarray(inChunk, inChunk + length);
  };
  return { read, sizeBytes };
}

/** A piece of a medium; what it says to have past the medium's end is not there. */
export function pieceOf(medium: Medium, offset: number, length: number): Medium {
  const sizeBytes = Math.max(0, Math.min(length, medium.sizeBytes - offset));
  return {
    ...medium,
    sizeBytes,
    read: (at, n) =>
      at >= 0 && at < sizeBytes ? medium.read(offset + at, Math.min(n, sizeBytes - at)) : new Uint8Array(0),
  };
}
