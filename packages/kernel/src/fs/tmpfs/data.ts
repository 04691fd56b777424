/**
 * The bytes of a regular file, in chunks that exist only where something was written: holes cost nothing.
 * Invariant: bytes of a chunk beyond the end of the file are zero, so growing never shows old data.
 */
import { FsError } from '../../kern/errno.ts';
import { OFFSET_MAX } from '../../kern/limits.ts';
import type { Budget } from './budget.ts';

/** Bytes per chunk: the unit of space. A page, as NetBSD's tmpfs counts. */
export const CHUNK = 4096;

export class FileData {
  readonly #chunks = new Map<number, Uint8Array>();
  readonly #space: Budget;
  #size = 0;
  /** End of the highest chunk there ever was: allocate(keepSize) may reach beyond the end of the file. */
  #reach = 0;

  constructor(space: Budget) {
    this.#space = space;
  }

  get size(): number {
    return this.#size;
  }

  /** Bytes of memory really used. */
  get bytes(): number {
    return this.#chunks.size * CHUNK;
  }

  read(dst: Uint8Array, offset: number): number {
    const end = Math.min(offset + dst.length, this.#size);
    for (let at = offset; at < end;) {
      const index = Math.floor(at / CHUNK);
      const stop = Math.min(end, (index + 1) * CHUNK);
      const chunk = this.#chunks.get(index);
      if (chunk === undefined) dst.fill(0, at - offset, stop - offset);
      else dst.set(chunk.subarray(at - index * CHUNK, stop - index * CHUNK), at - offset);
      at = stop;
    }
    return Math.max(0, end - offset);
  }

  /** Bytes written: all, or fewer when space ran out after some. Errors: EFBIG, ENOSPC, both before any change. */
  write(src: Uint8Array, offset: number): number {
    const end = offset + src.length;
    if (end > OFFSET_MAX) throw new FsError('EFBIG');
    let at = offset;
    while (at < end) {
      const index = Math.floor(at / CHUNK);
      const stop = Math.min(end, (index + 1) * CHUNK);
      if (at > offset && !this.#chunks.has(index) && this.#space.free < CHUNK) break;
      this.#chunk(index).set(src.subarray(at - offset, stop - offset), at - index * CHUNK);
      at = stop;
    }
    this.#size = Math.max(this.#size, at);
    return at - offset;
  }

  /** Cut or grow (with a hole). EFBIG. */
  resize(size: number): void {
    if (size > OFFSET_MAX) throw new FsError('EFBIG');
    if (size < this.#size) {
      this.#zero(size, Math.max(this.#size, this.#reach));
      this.#reach = Math.min(this.#reach, Math.ceil(size / CHUNK) * CHUNK);
    }
    this.#size = size;
  }

  /** Make [offset, offset + length) a hole, as far as it lies within the file. */
  punch(offset: number, length: number): void {
    this.#zero(offset, Math.min(offset + length, this.#size));
  }

  /** Give every chunk of the range memory. Errors: EFBIG, ENOSPC, both before any change. */
  allocate(offset: number, length: number, options: { readonly keepSize: boolean }): void {
    const end = offset + length;
    if (end > OFFSET_MAX) throw new FsError('EFBIG');
    const first = Math.floor(offset / CHUNK);
    const last = Math.ceil(end / CHUNK);
    if ((last - first) * CHUNK > this.#space.limit) throw new FsError('ENOSPC');
    let missing = 0;
    for (let i = first; i < last; i++) if (!this.#chunks.has(i)) missing++;
    if (missing * CHUNK > this.#space.free) throw new FsError('ENOSPC');
    for (let i = first; i < last; i++) this.#chunk(i);
    if (!options.keepSize) this.#size = Math.max(this.#size, end);
  }

  seek(offset: number, what: 'data' | 'hole'): number | undefined {
    if (offset >= this.#size) return undefined;
    const index = Math.floor(offset / CHUNK);
    const end = Math.ceil(this.#size / CHUNK);
    let at: number | undefined = index;
    if (what === 'data') at = this.#nextChunk(index, end);
    else while (at < end && this.#chunks.has(at)) at++;
    if (at === undefined) return undefined;
    return Math.min(Math.max(offset, at * CHUNK), this.#size);
  }

  /** All memory back. */
  free(): void {
    this.#space.give(this.bytes);
    this.#chunks.clear();
    this.#size = 0;
  }

  #chunk(index: number): Uint8Array {
    let chunk = this.#chunks.get(index);
    if (chunk === undefined) {
      this.#space.take(CHUNK);
      chunk = new Uint8Array(CHUNK);
      this.#chunks.set(index, chunk);
      this.#reach = Math.max(this.#reach, (index + 1) * CHUNK);
    }
    return chunk;
  }

  /** Drop the whole chunks of [from, to) and zero the edges; up to the end of file the last chunk counts as whole. */
  #zero(from: number, to: number): void {
    if (to <= from) return;
    const first = Math.ceil(from / CHUNK);
    const last = to >= this.#size ? Math.ceil(to / CHUNK) : Math.floor(to / CHUNK);
    if (first > last) {
      // Within one chunk, touching neither of its ends.
      this.#chunks.get(last)?.fill(0, from - last * CHUNK, to - last * CHUNK);
      return;
    }
    if (from < first * CHUNK) this.#chunks.get(first - 1)?.fill(0, from - (first - 1) * CHUNK);
    if (to > last * CHUNK) this.#chunks.get(last)?.fill(0, 0, to - last * CHUNK);
    // Walk whichever is shorter: the range, or the chunks that exist.
    if (last - first <= this.#chunks.size) for (let i = first; i < last; i++) this.#drop(i);
    else for (const i of [...this.#chunks.keys()]) if (i >= first && i < last) this.#drop(i);
  }

  #drop(index: number): void {
    if (this.#chunks.delete(index)) this.#space.give(CHUNK);
  }

  /** First chunk at or after `index`. A short walk first, then all of them: gaps may be wider than the file is full. */
  #nextChunk(index: number, end: number): number | undefined {
    const near = Math.min(end, index + this.#chunks.size + 1);
    for (let i = index; i < near; i++) if (this.#chunks.has(i)) return i;
    let next: number | undefined;
    for (const i of this.#chunks.keys()) if (i >= near && i < end && (next === undefined || i < next)) next = i;
    return next;
  }
}
