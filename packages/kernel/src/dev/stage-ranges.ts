/** Sets of numbers kept as disjoint, sorted runs: units that are fresh, released, written in place. */
export interface Range {
  readonly start: number;
  /** One past the last. */
  readonly end: number;
}

export class RangeSet {
  #runs: Range[] = [];

  get isEmpty(): boolean {
    return this.#runs.length === 0;
  }

  /** Ascending and disjoint; do not keep over a change. */
  runs(): readonly Range[] {
    return this.#runs;
  }

  /** How many numbers are in the set. */
  total(): number {
    return this.#runs.reduce((sum, { start, end }) => sum + end - start, 0);
  }

  clear(): void {
    this.#runs = [];
  }

  /** True when all of [start, end) is in the set. */
  contains(start: number, end: number): boolean {
    const run = this.#runs[this.#firstEndingAfter(start)];
    return run !== undefined && run.start <= start && end <= run.end;
  }

  /** True when any of [start, end) is in the set. */
  overlaps(start: number, end: number): boolean {
    const run = this.#runs[this.#firstEndingAfter(start)];
    return run !== undefined && run.start < end;
  }

  /** The parts of [start, end) that are in the set. */
  within(start: number, end: number): Range[] {
    const parts: Range[] = [];
    for (let i = this.#firstEndingAfter(start); i < this.#runs.length; i++) {
      const run = this.#runs[i];
      if (run === undefined || run.start >= end) break;
      parts.push({ start: Math.max(start, run.start), end: Math.min(end, run.end) });
    }
    return parts;
  }

  /** Put [start, end) in; returns the parts that were not there before. */
  add(start: number, end: number): Range[] {
    if (start >= end) return [];
    const first = this.#firstEndingAfter(start - 1);
    const added: Range[] = [];
    let newStart = start;
    let newEnd = end;
    let at = start;
    let last = first;
    for (; last < this.#runs.length; last++) {
      const run = this.#runs[last];
      if (run === undefined || run.start > end) break;
      if (run.start > at) added.push({ start: at, end: run.start });
      at = Math.max(at, run.end);
      newStart = Math.min(newStart, run.start);
      newEnd = Math.max(newEnd, run.end);
    }
    if (at < end) added.push({ start: at, end });
    if (added.length > 0) this.#runs.splice(first, last - first, { start: newStart, end: newEnd });
    return added;
  }

  /** Take [start, end) out; returns the parts that were there. */
  remove(start: number, end: number): Range[] {
    const removed = start < end ? this.within(start, end) : [];
    if (removed.length === 0) return removed;
    const first = this.#firstEndingAfter(start);
    const left: Range[] = [];
    for (const run of this.#runs.slice(first, first + removed.length)) {
      if (run.start < start) left.push({ start: run.start, end: start });
      if (run.end > end) left.push({ start: end, end: run.end });
    }
    this.#runs.splice(first, removed.length, ...left);
    return removed;
  }

  #firstEndingAfter(at: number): number {
    let low = 0;
    let high = this.#runs.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      const run = this.#runs[middle];
      if (run !== undefined && run.end > at) high = middle;
      else low = middle + 1;
    }
    return low;
  }
}
