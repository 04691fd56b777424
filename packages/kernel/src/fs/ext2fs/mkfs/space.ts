/**
 * Which blocks of a file system in planning are taken: a sorted list of runs, so that 16 TiB cost no more than 16 MiB.
 * With bigalloc a block in a taken cluster is taken as soon as `unit` says so. Pure arithmetic, no I/O.
 */

/** Blocks [start, end). */
export interface Run {
  readonly start: number;
  readonly end: number;
}

export class Space {
  readonly #first: number;
  readonly #end: number;
  readonly #starts: number[] = [];
  readonly #ends: number[] = [];
  /** Blocks that are taken and searched together; a cluster once files are allocated. */
  #unit = 1;

  /** Blocks [first, end) exist. */
  constructor(first: number, end: number) {
    this.#first = first;
    this.#end = end;
  }

  /** Taken blocks, ascending and apart from each other. */
  *runs(): Iterable<Run> {
    for (let i = 0; i < this.#starts.length; i++) yield { start: this.#starts[i] ?? 0, end: this.#ends[i] ?? 0 };
  }

  /** From now on whole units are taken: what is taken already is rounded outwards. */
  useUnits(unit: number): void {
    this.#unit = unit;
    if (unit === 1) return;
    const old = [...this.runs()];
    this.#starts.length = 0;
    this.#ends.length = 0;
    for (const { start, end } of old) this.take(start, end - start);
  }

  /** Index of the first run that ends after `block`. */
  #indexAfter(block: number): number {
    let low = 0;
    let high = this.#ends.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#ends[middle] ?? 0) > block) high = middle;
      else low = middle + 1;
    }
    return low;
  }

  take(block: number, count: number): void {
    const unit = this.#unit;
    let start = Math.floor(block / unit) * unit;
    let end = Math.min(Math.ceil((block + count) / unit) * unit, this.#end);
    // The run that touches on the left counts, too.
    let first = this.#indexAfter(start - 1);
    if (first > 0 && (this.#ends[first - 1] ?? 0) === start) first--;
    let last = first;
    while (last < this.#starts.length && (this.#starts[last] ?? 0) <= end) last++;
    if (last > first) {
      start = Math.min(start, this.#starts[first] ?? start);
      end = Math.max(end, this.#ends[last - 1] ?? end);
    }
    this.#starts.splice(first, last - first, start);
    this.#ends.splice(first, last - first, end);
  }

  /** The first block from `from` on, but before `before`, where `count` blocks in a row are free; -1 when there is none. */
  find(from: number, before: number, count: number): number {
    const unit = this.#unit;
    let at = Math.ceil(Math.max(from, unit > 1 ? 0 : this.#first) / unit) * unit;
    let i = this.#indexAfter(at);
    while (at < before && at + count <= this.#end) {
      const start = this.#starts[i] ?? Infinity;
      if (start >= at + count) return at;
      at = Math.ceil((this.#ends[i] ?? 0) / unit) * unit;
      i++;
    }
    return -1;
  }

  /** How many blocks from `block` on, which is free, are free: at most `most`. */
  freeRun(block: number, most: number): number {
    const next = this.#starts[this.#indexAfter(block)] ?? this.#end;
    return Math.min(next - block, most);
  }

  /** Units of [start, end) that are taken. */
  taken(start: number, end: number): number {
    let count = 0;
    for (let i = this.#indexAfter(start); i < this.#starts.length && (this.#starts[i] ?? 0) < end; i++) {
      const from = Math.max(start, this.#starts[i] ?? 0);
      const to = Math.min(end, this.#ends[i] ?? 0);
      count += Math.ceil(to / this.#unit) - Math.floor(from / this.#unit);
    }
    return count;
  }

  /** Parts of [start, end) that are taken. */
  takenRuns(start: number, end: number): Run[] {
    const found: Run[] = [];
    for (let i = this.#indexAfter(start); i < this.#starts.length && (this.#starts[i] ?? 0) < end; i++) {
      found.push({ start: Math.max(start, this.#starts[i] ?? 0), end: Math.min(end, this.#ends[i] ?? 0) });
    }
    return found;
  }

  /**
   * Take `count` blocks as runs of at most `longest`, from `goal` on and then from the beginning; undefined, and nothing
   * taken, when there are not so many.
   */
  allocate(count: number, goal: number, longest = Infinity): Run[] | undefined {
    const runs: Run[] = [];
    let at = goal;
    let wrapped = false;
    for (let left = count; left > 0;) {
      const block = this.find(at, wrapped ? goal : this.#end, 1);
      if (block < 0) {
        if (wrapped) return undefined;
        wrapped = true;
        at = this.#first;
        continue;
      }
      const length = this.freeRun(block, Math.min(left, longest));
      runs.push({ start: block, end: block + length });
      left -= length;
      at = block + length;
    }
    for (const { start, end } of runs) this.take(start, end - start);
    return runs;
  }
}
