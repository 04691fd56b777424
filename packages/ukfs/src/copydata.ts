/** The bytes of one file into another, holes and all. */
import type { CopyOptions } from './copy.ts';
import type { TreeFile, TreeRun, TreeStat } from './tree.ts';
import { isZero } from './zeros.ts';

/** One read and write; larger ones fall out of the processor's cache. */
const PIECE = 128 * 1024;
/** Zeros shorter than this are not worth a hole. */
const HOLE_UNIT = 4096;

/** One for all: a file is copied in one go, and most are far smaller than this. */
let shared: Uint8Array | undefined;

export class DataCopy {
  readonly #holes: NonNullable<CopyOptions['holes']>;
  readonly #wrote: CopyOptions['wrote'];
  readonly #buffer = (shared ??= new Uint8Array(PIECE));
  /** Where the last write to the file that is being copied ended. */
  #written = 0;
  /** Of the file that is being copied. */
  #bytes = 0;

  constructor(holes: NonNullable<CopyOptions['holes']>, wrote: CopyOptions['wrote']) {
    this.#holes = holes;
    this.#wrote = wrote;
  }

  /** Bytes of data written, holes not counted. */
  copy(source: TreeFile, target: TreeFile, { size, sparse }: TreeStat): number {
    const holes = this.#holes;
    this.#bytes = 0;
    const runs = holes === 'fill' || !sparse ? undefined : source.data();
    const detect = holes === 'detect' || (holes === 'keep' && sparse && runs === undefined);
    let end = 0;
    this.#written = 0;
    for (const { offset, length } of runs ?? [{ offset: 0, length: Infinity }]) {
      end = this.#run(source, target, { offset, length, detect, size });
    }
    // The last hole, or one that is all there is.
    const total = runs === undefined ? end : Math.max(end, size);
    if (total > this.#written) target.truncate(total);
    return this.#bytes;
  }

  /** Copy one run of data; where it ended. */
  #run(
    source: TreeFile,
    target: TreeFile,
    { offset, length, detect, size }: TreeRun & { readonly detect: boolean; readonly size: number },
  ): number {
    let at = offset;
    while (at < offset + length) {
      const wanted = Math.min(PIECE, offset + length - at);
      const n = source.read(wanted === PIECE ? this.#buffer : this.#buffer.subarray(0, wanted), at);
      if (detect) this.#writeSparse(target, n, at);
      else this.#write(target, 0, n, at);
      at += n;
      // A short read at or beyond the size that was told: that is the end, and asking again costs a call for each file.
      if (n === 0 || (n < wanted && at >= size)) break;
    }
    return at;
  }

  #write(target: TreeFile, start: number, end: number, at: number): void {
    if (end === start) return;
    target.write(this.#buffer.subarray(start, end), at + start);
    this.#written = at + end;
    this.#bytes += end - start;
    this.#wrote?.(end - start);
  }

  /** The buffer's first `n` bytes belong to byte `at`; whole units of zeros are left out. */
  #writeSparse(target: TreeFile, n: number, at: number): void {
    let start = 0;
    for (let unit = 0; unit < n; unit += HOLE_UNIT) {
      const end = Math.min(unit + HOLE_UNIT, n);
      if (!isZero(this.#buffer, unit, end)) continue;
      this.#write(target, start, unit, at);
      start = end;
    }
    this.#write(target, start, n, at);
  }
}
