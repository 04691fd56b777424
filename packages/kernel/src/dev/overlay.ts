/**
 * The uncommitted bytes of an image: pages over what lies below, with savepoints.
 *
 * A page is 4 KiB with a mask of the units (device sectors) that it holds; its bytes are in memory or, when memory ran
 * short, in a spill file. Savepoints copy before write: the first change of a page after a savepoint keeps its old state
 * in one undo log, so that a savepoint is a mark in that log, releasing one without an outer one forgets the log, and
 * rolling back walks it backwards. Which pages go where, and when, is the stage's to decide.
 */
import { assert } from '../kern/assert.ts';
import { FsError } from '../kern/errno.ts';
import type { HostFile } from '../hypercall/hypercall.ts';
import type { Range } from './stage-ranges.ts';

export const PAGE_SIZE = 4096;
/** Undo copies kept for reuse: one system call rarely changes more pages than this. */
const POOL_BUFFERS = 64;

/** Fill `dst` from what lies below the overlay. */
export type ReadBelow = (dst: Uint8Array, offset: number) => void;

export class Page {
  readonly no: number;
  /** Serial number of the savepoint that was current when the page was created or last kept in the undo log. */
  seq: number;
  /** Bit u set: unit u of the page is here. */
  mask = 0;
  data: Uint8Array | undefined;
  /** Where the bytes are when `data` is absent. */
  file: HostFile | undefined;
  /** Byte position in `file` of the page as a whole, or, when `at` is there, of each unit. */
  position = 0;
  at: Float64Array | undefined;

  constructor(no: number, seq: number) {
    this.no = no;
    this.seq = seq;
  }
}

export interface PageUndo {
  readonly page: Page;
  /** What to do when rolling back: `created` pages go, `changed` ones get their old state, `removed` ones come back. */
  readonly kind: 'created' | 'changed' | 'removed';
  readonly seq: number;
  readonly mask: number;
  data: Uint8Array | undefined;
  file: HostFile | undefined;
  position: number;
  at: Float64Array | undefined;
}
type Undo = PageUndo | (() => void);

interface Mark {
  readonly id: number;
  readonly explicit: boolean;
  readonly undoLength: number;
  readonly changes: number;
}

/** Byte position in `page.file` of a unit. */
export const unitAt = (page: Page, unit: number, unitSize: number): number =>
  page.at === undefined ? page.position + unit * unitSize : (page.at[unit] ?? 0);

/** Copy the units of `page` that lie in [from, to) of the device into `dst`, whose first byte is at `offset`. */
function copyUnits(page: Page, unitSize: number, from: number, to: number, dst: Uint8Array, offset: number): void {
  const base = page.no * PAGE_SIZE;
  const lastUnit = Math.floor((to - 1 - base) / unitSize);
  for (let unit = Math.floor((from - base) / unitSize); unit <= lastUnit; unit++) {
    if ((page.mask & (1 << unit)) === 0) continue;
    const low = Math.max(from, base + unit * unitSize);
    let end = unit;
    const at = unitAt(page, unit, unitSize);
    while (end < lastUnit && page.mask & (1 << (end + 1)) && contiguous(page, unit, end + 1, unitSize)) end++;
    const high = Math.min(to, base + (end + 1) * unitSize);
    const target = dst.subarray(low - offset, high - offset);
    if (page.data !== undefined) target.set(page.data.subarray(low - base, high - base));
    else readSpilled(page.file, target, at + (low - base - unit * unitSize));
    unit = end;
  }
}

const contiguous = (page: Page, first: number, unit: number, unitSize: number): boolean =>
  page.at === undefined || page.at[unit] === (page.at[first] ?? 0) + (unit - first) * unitSize;

function readSpilled(file: HostFile | undefined, dst: Uint8Array, at: number): void {
  assert(file !== undefined, 'a page has neither bytes nor a spill file');
  if (file.read(dst, at) !== dst.length) throw new FsError('EIO', { what: 'spilled data is cut short', offset: at });
}

/** Read through a set of pages: what they hold from them, the rest from below in as few calls as possible. */
export function readPages(
  pages: ReadonlyMap<number, Page>,
  unitSize: number,
  dst: Uint8Array,
  offset: number,
  below: ReadBelow,
): void {
  const full = (1 << (PAGE_SIZE / unitSize)) - 1;
  const end = offset + dst.length;
  const partial: Page[] = [];
  let gap = -1;
  for (let no = Math.floor(offset / PAGE_SIZE); no * PAGE_SIZE < end; no++) {
    const page = pages.get(no);
    const low = Math.max(offset, no * PAGE_SIZE);
    if (page === undefined || page.mask !== full) {
      if (gap < 0) gap = low;
      if (page !== undefined) partial.push(page);
      continue;
    }
    if (gap >= 0) below(dst.subarray(gap - offset, low - offset), gap);
    gap = -1;
    const high = Math.min(end, (no + 1) * PAGE_SIZE);
    if (page.data === undefined) copyUnits(page, unitSize, low, high, dst, offset);
    else dst.set(page.data.subarray(low - no * PAGE_SIZE, high - no * PAGE_SIZE), low - offset);
  }
  if (gap >= 0) below(dst.subarray(gap - offset), gap);
  for (const page of partial) {
    const base = page.no * PAGE_SIZE;
    copyUnits(page, unitSize, Math.max(offset, base), Math.min(end, base + PAGE_SIZE), dst, offset);
  }
}

export class Overlay {
  readonly pages = new Map<number, Page>();
  readonly unitSize: number;
  readonly fullMask: number;
  /** Bytes held in memory, undo copies included. */
  memory = 0;
  /** Counts everything that rollback would have to take back. */
  changes = 0;
  readonly #below: ReadBelow;
  readonly #marks: Mark[] = [];
  readonly #undo: Undo[] = [];
  readonly #pool: Uint8Array[] = [];
  /** Serial of the newest savepoint, 0 when there is none: pages older than it are kept before they change. */
  #seq = 0;
  #lastId = 0;

  constructor(unitSize: number, below: ReadBelow) {
    this.unitSize = unitSize;
    this.fullMask = (1 << (PAGE_SIZE / unitSize)) - 1;
    this.#below = below;
  }

  read(dst: Uint8Array, offset: number): void {
    readPages(this.pages, this.unitSize, dst, offset, this.#below);
  }

  /** Keep `src` (copied). Units covered in part are completed from below. */
  write(src: Uint8Array, offset: number): void {
    this.changes++;
    const end = offset + src.length;
    let at = offset;
    while (at < end) {
      const no = Math.floor(at / PAGE_SIZE);
      const base = no * PAGE_SIZE;
      const high = Math.min(end, base + PAGE_SIZE);
      if (high - at === PAGE_SIZE && !this.pages.has(no)) {
        at = this.#writeNewPages(src, offset, at, end);
        continue;
      }
      const page = this.#writable(no);
      this.#completeEdges(page, at, high);
      this.#bytesOf(page).set(src.subarray(at - offset, high - offset), at - base);
      page.mask |= this.#maskOf(at - base, high - base);
      at = high;
    }
  }

  /** Forget units [start, end) of the overlay, because what lies below now has their newest content. */
  drop(start: number, end: number): void {
    this.changes++;
    const perPage = PAGE_SIZE / this.unitSize;
    for (let no = Math.floor(start / perPage); no * perPage < end; no++) {
      const page = this.pages.get(no);
      if (page === undefined) continue;
      const low = Math.max(0, start - no * perPage);
      const high = Math.min(perPage, end - no * perPage);
      const bits = ((1 << high) - 1) & ~((1 << low) - 1);
      if ((page.mask & ~bits) !== 0) {
        this.#keep(page);
        page.mask &= ~bits;
        continue;
      }
      this.pages.delete(no);
      if (this.#seq === 0) this.#forgetBytes(page.data);
      else this.#undo.push(stateOf(page, 'removed', page.data));
    }
  }

  /** The page's bytes are below now and nobody will miss it here: no undo, because the content is the same. */
  moved(page: Page): void {
    this.pages.delete(page.no);
    this.memory -= page.data === undefined ? 0 : PAGE_SIZE;
    page.data = undefined;
  }

  /** The page's bytes now lie in `file` from `position` on, whole page at a time. */
  spilled(page: Page | PageUndo, file: HostFile, position: number): void {
    if (page.data !== undefined) this.memory -= PAGE_SIZE;
    page.data = undefined;
    page.file = file;
    page.position = position;
    page.at = undefined;
  }

  /** Undo copies in memory, oldest first: they can be spilled like pages. */
  undoPages(): PageUndo[] {
    const found: PageUndo[] = [];
    for (const entry of this.#undo) {
      if (typeof entry !== 'function' && entry.kind === 'changed' && entry.data !== undefined) found.push(entry);
    }
    return found;
  }

  /** Run `revert` when the newest savepoint is rolled back. Nothing is kept when there is none. */
  onRollback(revert: () => void): void {
    this.changes++;
    if (this.#seq !== 0) this.#undo.push(revert);
  }

  savepoint(explicit: boolean): number {
    const id = ++this.#lastId;
    this.#marks.push({ id, explicit, undoLength: this.#undo.length, changes: this.changes });
    this.#seq = id;
    return id;
  }

  get hasImplicit(): boolean {
    return this.#marks.some((mark) => !mark.explicit);
  }

  changedSince(id: number): boolean {
    const mark = this.#marks[this.#indexOf(id)];
    return mark !== undefined && mark.changes !== this.changes;
  }

  /** End a savepoint and all younger ones, keeping what was done since. */
  release(id: number): void {
    const index = this.#indexOf(id);
    const mark = this.#marks[index];
    if (mark === undefined) return;
    this.#marks.length = index;
    const outer = this.#marks[index - 1];
    this.#seq = outer?.id ?? 0;
    if (this.#undo.length > mark.undoLength) this.#forgetUndo(mark.undoLength, outer?.id);
  }

  /** Return to the state at a savepoint; it and all younger ones end. */
  rollback(id: number): void {
    const index = this.#indexOf(id);
    const mark = this.#marks[index];
    if (mark === undefined) return;
    while (this.#undo.length > mark.undoLength) {
      const entry = this.#undo.pop();
      if (typeof entry === 'function') entry();
      else if (entry !== undefined) this.#revert(entry);
    }
    this.#marks.length = index;
    this.#seq = this.#marks[index - 1]?.id ?? 0;
    this.changes++;
  }

  /** Forget everything: after a commit or a discard. */
  clear(): void {
    this.pages.clear();
    this.#marks.length = 0;
    this.#undo.length = 0;
    this.#seq = 0;
    this.memory = 0;
    this.changes++;
  }

  #indexOf(id: number): number {
    let index = this.#marks.length - 1;
    while (index >= 0 && this.#marks[index]?.id !== id) index--;
    if (index < 0) throw new FsError('EINVAL', { what: 'no such savepoint' });
    return index;
  }

  /** Runs of absent pages share one copy of their part of `src`: one allocation instead of one each. */
  #writeNewPages(src: Uint8Array, offset: number, from: number, end: number): number {
    let to = from + PAGE_SIZE;
    while (to + PAGE_SIZE <= end && !this.pages.has(to / PAGE_SIZE)) to += PAGE_SIZE;
    const copy = new Uint8Array(to - from);
    copy.set(src.subarray(from - offset, to - offset));
    for (let at = from; at < to; at += PAGE_SIZE) {
      const page = this.#create(at / PAGE_SIZE);
      page.data = copy.subarray(at - from, at - from + PAGE_SIZE);
      page.mask = this.fullMask;
    }
    this.memory += to - from;
    return to;
  }

  #create(no: number): Page {
    const page = new Page(no, this.#seq);
    this.pages.set(no, page);
    if (this.#seq !== 0) this.#undo.push(stateOf(page, 'created', undefined));
    return page;
  }

  /** The page in memory, its old state kept for the newest savepoint. */
  #writable(no: number): Page {
    const page = this.pages.get(no) ?? this.#create(no);
    this.#keep(page);
    this.#bytesOf(page);
    return page;
  }

  /** Remember the page's state once per savepoint, before it changes. */
  #keep(page: Page): void {
    if (page.seq >= this.#seq) return;
    let copy: Uint8Array | undefined;
    if (page.data !== undefined) {
      copy = this.#pool.pop() ?? new Uint8Array(PAGE_SIZE);
      copy.set(page.data);
      this.memory += PAGE_SIZE;
    }
    this.#undo.push(stateOf(page, 'changed', copy));
    page.seq = this.#seq;
  }

  /** The page's bytes, brought in from the spill file if they were there. */
  #bytesOf(page: Page): Uint8Array {
    if (page.data !== undefined) return page.data;
    const data = new Uint8Array(PAGE_SIZE);
    const base = page.no * PAGE_SIZE;
    if (page.file !== undefined) copyUnits(page, this.unitSize, base, base + PAGE_SIZE, data, base);
    page.at = undefined;
    page.file = undefined;
    page.data = data;
    this.memory += PAGE_SIZE;
    return data;
  }

  /** Units that [from, to) covers in part and the page does not hold yet: take them from below. */
  #completeEdges(page: Page, from: number, to: number): void {
    for (const edge of [from, to]) {
      if (edge % this.unitSize === 0) continue;
      const start = edge - (edge % this.unitSize);
      const inPage = start - page.no * PAGE_SIZE;
      const bit = 1 << (inPage / this.unitSize);
      if (page.mask & bit) continue;
      this.#below(this.#bytesOf(page).subarray(inPage, inPage + this.unitSize), start);
      page.mask |= bit;
    }
  }

  /** Bits of the units touched by bytes [from, to) of a page. */
  #maskOf(from: number, to: number): number {
    const first = Math.floor(from / this.unitSize);
    const end = Math.ceil(to / this.unitSize);
    return ((1 << end) - 1) & ~((1 << first) - 1);
  }

  #revert(entry: PageUndo): void {
    const { page } = entry;
    if (entry.kind === 'removed') {
      this.pages.set(page.no, page);
      return;
    }
    if (page.data !== undefined) this.memory -= PAGE_SIZE;
    if (entry.kind === 'created') {
      // A page that was moved below has no bytes here any more.
      page.data = undefined;
      if (this.pages.get(page.no) === page) this.pages.delete(page.no);
      return;
    }
    page.data = entry.data;
    page.position = entry.position;
    page.at = entry.at;
    page.file = entry.file;
    page.mask = entry.mask;
    page.seq = entry.seq;
    this.pages.set(page.no, page);
  }

  /** Drop undo entries from `from` on, except those that the outer savepoint still needs. */
  #forgetUndo(from: number, outerSeq: number | undefined): void {
    let kept = from;
    for (let i = from; i < this.#undo.length; i++) {
      const entry = this.#undo[i];
      if (entry === undefined) continue;
      const superseded = typeof entry !== 'function' && entry.kind === 'changed' && entry.seq >= (outerSeq ?? 0);
      if (outerSeq !== undefined && !superseded) this.#undo[kept++] = entry;
      else if (typeof entry !== 'function' && entry.kind !== 'created') this.#forgetBytes(entry.data);
    }
    this.#undo.length = kept;
  }

  #forgetBytes(data: Uint8Array | undefined): void {
    if (data === undefined) return;
    this.memory -= PAGE_SIZE;
    // Parts of a larger copy keep all of it alive; only whole buffers are worth reusing.
    if (this.#pool.length < POOL_BUFFERS && data.buffer.byteLength === PAGE_SIZE) this.#pool.push(data);
  }
}

const stateOf = (page: Page, kind: PageUndo['kind'], data: Uint8Array | undefined): PageUndo => ({
  page,
  kind,
  seq: page.seq,
  mask: page.mask,
  data,
  position: page.position,
  at: page.at,
  file: page.file,
});

/** Units of a page's mask as runs of device units. */
export function maskRuns(no: number, mask: number, unitSize: number): Range[] {
  const perPage = PAGE_SIZE / unitSize;
  const runs: Range[] = [];
  for (let unit = 0; unit < perPage; unit++) {
    if ((mask & (1 << unit)) === 0) continue;
    const start = unit;
    while (unit + 1 < perPage && mask & (1 << (unit + 1))) unit++;
    runs.push({ start: no * perPage + start, end: no * perPage + unit + 1 });
  }
  return runs;
}
