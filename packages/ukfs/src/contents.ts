/** Are the bytes of two files the same? Only what at least one of them has stored is read. */
import type { TreeFile, TreeRun } from './tree.ts';

/** Of a TreeFile what a comparison needs. */
export type ReadableFile = Pick<TreeFile, 'read' | 'data'>;

const PIECE = 128 * 1024;

/** Compares files of equal size, with one pair of buffers for all of them. */
export class Contents {
  readonly #left = new Uint8Array(PIECE);
  readonly #right = new Uint8Array(PIECE);

  differ(a: ReadableFile, b: ReadableFile, size: number): boolean {
    for (const { offset, length } of joinedRuns(runsOf(a, size), runsOf(b, size))) {
      const end = Math.min(size, offset + length);
      for (let at = offset; at < end; at += PIECE) {
        const wanted = Math.min(PIECE, end - at);
        const n = fill(a, this.#left, { at, wanted });
        if (n !== fill(b, this.#right, { at, wanted })) return true;
        for (let i = 0; i < n; i++) if (this.#left[i] !== this.#right[i]) return true;
        if (n < wanted) break;
      }
    }
    return false;
  }
}

/** Are the same parts of two files stored? Undefined when nobody can tell. */
export function holesDiffer(a: ReadableFile, b: ReadableFile): boolean | undefined {
  const runs = [a.data(), b.data()] as const;
  if (runs[0] === undefined || runs[1] === undefined) return undefined;
  const text = (side: Iterable<TreeRun>): string => [...side].map((run) => `${run.offset}+${run.length}`).join();
  return text(runs[0]) !== text(runs[1]);
}

function fill(file: ReadableFile, dst: Uint8Array, { at, wanted }: { at: number; wanted: number }): number {
  let done = 0;
  while (done < wanted) {
    const n = file.read(dst.subarray(done, wanted), at + done);
    if (n === 0) break;
    done += n;
  }
  return done;
}

function* runsOf(file: ReadableFile, size: number): Generator<TreeRun, undefined> {
  const runs = file.data();
  if (runs !== undefined) yield* runs;
  else if (size > 0) yield { offset: 0, length: size };
  return undefined;
}

/** What is in either of two ascending lists of runs, ascending, once. */
export function* joinedRuns(a: Iterator<TreeRun>, b: Iterator<TreeRun>): Generator<TreeRun> {
  let [x, y] = [a.next(), b.next()];
  let done = 0;
  while (x.done !== true || y.done !== true) {
    const first = y.done === true || (x.done !== true && x.value.offset <= y.value.offset);
    const run: TreeRun = first ? x.value : y.value;
    if (first) x = a.next();
    else y = b.next();
    const start = Math.max(done, run.offset);
    const end = run.offset + run.length;
    if (end <= start) continue;
    yield { offset: start, length: end - start };
    done = end;
  }
}
