/**
 * Which code of the targets ran, by V8's own block counters: nothing is instrumented. Code that ran a few times and code
 * that ran many times are two things.
 *
 * V8 counts blocks in what it compiles after counting has begun, and functions only in what was there before: tools/fuzz.mjs
 * begins before it imports the targets.
 */
import type { Profiler } from 'node:inspector';

/** The counts since it was last called, of the scripts that are fuzzed. */
export type ReadCounts = () => readonly Profiler.ScriptCoverage[];

export class Coverage {
  readonly #read: ReadCounts;
  /** For each function one byte per character of its text: a bit for each magnitude of counts that was seen there. */
  readonly #functions = new Map<string, Uint8Array>();
  #characters = 0;

  /** What ran before belongs to nobody. */
  constructor(read: ReadCounts) {
    this.#read = read;
    read();
  }

  /** Length of all code that ran. */
  get characters(): number {
    return this.#characters;
  }

  /** Has anything run since the last time that had never run before, or never so often? */
  take(): boolean {
    let isNew = false;
    for (const { scriptId, functions } of this.#read()) {
      for (const { ranges } of functions) {
        const [whole] = ranges;
        if (whole === undefined || whole.count === 0) continue;
        const { startOffset, endOffset } = whole;
        const key = `${scriptId}:${startOffset}:${endOffset}`;
        let seen = this.#functions.get(key);
        if (seen === undefined) this.#functions.set(key, (seen = new Uint8Array(endOffset - startOffset)));
        if (this.#add(seen, paint(ranges, whole))) isNew = true;
      }
    }
    return isNew;
  }

  #add(seen: Uint8Array, now: Uint8Array): boolean {
    let isNew = false;
    for (let i = 0; i < now.length; i++) {
      const was = seen[i] ?? 0;
      const all = was | (now[i] ?? 0);
      if (all === was) continue;
      if (was === 0) this.#characters++;
      seen[i] = all;
      isNew = true;
    }
    return isNew;
  }
}

/**
 * V8 names a block only if its count is not that of the block around it, so a block that runs for the first time may
 * show as one that is no longer named: what counts is each character's innermost block. Outer ones come first.
 */
function paint(
  ranges: readonly Profiler.CoverageRange[],
  { startOffset, endOffset }: Profiler.CoverageRange,
): Uint8Array {
  const counts = new Uint8Array(endOffset - startOffset);
  for (const range of ranges) {
    counts.fill(magnitude(range.count), range.startOffset - startOffset, range.endOffset - startOffset);
  }
  return counts;
}

/** A bit for 1, 2, 3–4, 5–8 … 65 and more. */
const magnitude = (count: number): number => (count === 0 ? 0 : 1 << Math.min(7, Math.ceil(Math.log2(count))));
