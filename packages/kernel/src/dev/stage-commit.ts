/**
 * The steps of a commit (docs/adr/0002), over the state that a stage keeps of its image and its uncommitted changes.
 *
 * Up to the rename of the log nothing of the old tree has been touched and any failure discards; after it the log is
 * kept and whoever opens the image next completes the work.
 */
import { assert } from '../kern/assert.ts';
import { FsError, asFsError } from '../kern/errno.ts';
import type { Host, HostFile, HostStat } from '../hypercall/hypercall.ts';
import type { SuperblockHint } from './blockdev.ts';
import { DATA_OFFSET } from './log-format.ts';
import { Entries, applyLog, finishLog, markDone, readPadded, unitCrc } from './log.ts';
import type { LogContents } from './log.ts';
import { PAGE_SIZE, unitAt } from './overlay.ts';
import type { Overlay, Page, PageUndo } from './overlay.ts';
import { removeLog, sameState } from './stage-open.ts';
import type { LogNames } from './stage-open.ts';
import type { RangeSet } from './stage-ranges.ts';

/** Copies between memory, log and image go in pieces of this size. */
const PIECE = 128 * 1024;
/** Fresh bytes waiting in memory from which on writing them in place is cheaper than logging them. */
const IN_PLACE_FROM = 1024 * 1024;

/** What a failed commit left behind. */
export type CommitOutcome =
  /** The old tree; the transaction is gone. */
  | 'discarded'
  /** The new tree, image and log together: the next writer, or `fsu recover`, completes it. */
  | 'committed'
  /** Old or new: the next opening will tell. */
  | 'unknown';

export class CommitError extends FsError {
  readonly outcome: CommitOutcome;

  constructor(outcome: CommitOutcome, cause: FsError, path: string) {
    const said = {
      discarded: 'not committed, changes discarded',
      committed: 'committed, not yet applied',
      unknown: 'outcome unknown',
    };
    super(cause.code, { ...cause.context, op: 'commit', path, what: `${said[outcome]}: ${cause.message}` }, { cause });
    this.outcome = outcome;
  }
}

export interface CommitResult {
  /** False: there was nothing to do, and no host call that writes was made. */
  readonly changed: boolean;
  /** Bytes written through the log, and in place. */
  readonly bytesLogged: number;
  readonly bytesInPlace: number;
}

/** How far a commit is. */
export interface CommitProgress {
  readonly doneBytes: number;
  readonly totalBytes: number;
}

/** For those who have other work to do while a commit runs. Meanwhile files may be read; nothing may be changed. */
export interface CommitHow {
  /** Before the commit point, again and again. What it throws gives the commit up: all that was staged still is. */
  readonly gathering?: (progress: CommitProgress) => void;
  /** At the commit point, and then again and again; it must not throw. */
  readonly applying?: (progress: CommitProgress) => void;
}

/** What gathering() has thrown: nobody wants the commit any more, and nothing is wrong. */
class Unwanted extends Error {
  readonly why: unknown;

  constructor(why: unknown) {
    super('unwanted');
    this.why = why;
  }
}

export interface SpillFile {
  readonly file: HostFile;
  /** Where the next data goes. */
  end: number;
}

/** What a stage knows; shared with this file only. Ranges are in units. */
export interface StageState {
  readonly host: Host;
  readonly path: string;
  image: HostFile;
  /** Undefined while nothing may be made beside the image: readers and dry runs. */
  names: LogNames | undefined;
  readonly unitSize: number;
  readonly overlay: Overlay;
  readonly hints: Map<number, SuperblockHint>;
  /** Free at the last commit and at the newest explicit savepoint, and told so. */
  readonly fresh: RangeSet;
  /** Ever fresh in this transaction. */
  readonly born: RangeSet;
  readonly released: RangeSet;
  /** Born, but without content that counts: zeroed at commit. */
  readonly garbage: RangeSet;
  /** Written in place since the last commit; never written in place again before the next. */
  readonly inPlace: RangeSet;
  /** The image as we left it. */
  expected: HostStat;
  size: number;
  spill: SpillFile | undefined;
  /** In-place writes that no fsync covers yet. */
  unsynced: boolean;
}

/** Create the spill file: the log under its temporary name. */
export function openSpill(s: StageState): SpillFile {
  if (s.spill !== undefined) return s.spill;
  assert(s.names !== undefined, 'a writer has a log');
  const file = s.host.open(s.names.fresh, { write: true, create: s.expected.mode & 0o777, nofollow: true });
  return (s.spill = { file, end: DATA_OFFSET });
}

/** Append pages to the spill file, gathered into large writes. */
export function spillPages(s: StageState, spill: SpillFile, pages: readonly (Page | PageUndo)[]): void {
  const buffer = new Uint8Array(Math.min(PIECE, pages.length * PAGE_SIZE));
  const most = buffer.length / PAGE_SIZE;
  for (let first = 0; first < pages.length; first += most) {
    const some = pages.slice(first, first + most);
    some.forEach((page, i) => {
      assert(page.data !== undefined, 'spilling a page twice');
      buffer.set(page.data, i * PAGE_SIZE);
    });
    spill.file.write(buffer.subarray(0, some.length * PAGE_SIZE), spill.end);
    some.forEach((page, i) => s.overlay.spilled(page, spill.file, spill.end + i * PAGE_SIZE));
    spill.end += some.length * PAGE_SIZE;
  }
}

/** Bytes of the image that may be written before the commit: fresh, not beyond its present end, no superblock. */
export function mayGoInPlace(s: StageState, start: number, end: number): boolean {
  if (!s.fresh.contains(start, end) || end * s.unitSize > s.expected.size) return false;
  for (const { extent } of s.hints.values()) {
    if (extent.offset < end * s.unitSize && extent.offset + extent.length > start * s.unitSize) return false;
  }
  return true;
}

/** Write fresh data in place. Remembered before it is tried: whatever a failed write left is zeroed with the rest. */
export function writeInPlace(s: StageState, src: Uint8Array, offset: number): void {
  if (s.inPlace.isEmpty) s.host.holdSignals(true);
  s.inPlace.add(offset / s.unitSize, (offset + src.length) / s.unitSize);
  s.unsynced = true;
  try {
    s.image.write(src, offset);
  } finally {
    // What a failed write left of itself is ours as well.
    s.expected = s.image.stat();
  }
}

/** Move whole fresh pages from memory into the image, neighbours in one write. Pages are ascending. `moved`: told of each run. */
export function placePages(s: StageState, pages: readonly Page[], moved?: (sizeBytes: number) => void): void {
  for (let first = 0; first < pages.length;) {
    const no = pages[first]?.no ?? 0;
    let count = 1;
    while (count < PIECE / PAGE_SIZE && pages[first + count]?.no === no + count) count++;
    const run = pages.slice(first, first + count);
    const buffer = new Uint8Array(count * PAGE_SIZE);
    run.forEach((page, i) => buffer.set(page.data ?? [], i * PAGE_SIZE));
    writeInPlace(s, buffer, no * PAGE_SIZE);
    for (const page of run) s.overlay.moved(page);
    first += count;
    moved?.(buffer.length);
  }
}

/** Pages in memory that are fresh as a whole, ascending; `again` also those written in place before. */
export function freshPages(s: StageState, options: { readonly again: boolean }): Page[] {
  const perPage = PAGE_SIZE / s.unitSize;
  const found: Page[] = [];
  for (const page of s.overlay.pages.values()) {
    if (page.data === undefined || page.mask !== s.overlay.fullMask) continue;
    const start = page.no * perPage;
    if (!options.again && s.inPlace.overlaps(start, start + perPage)) continue;
    if (s.garbage.overlaps(start, start + perPage)) continue;
    if (mayGoInPlace(s, start, start + perPage)) found.push(page);
  }
  return found.sort((a, b) => a.no - b.no);
}

/** Write zeros over unused units, except where zeros are already: holes stay holes. Nothing depends on when they arrive. */
function zeroUnits(s: StageState, start: number, end: number): void {
  const stop = Math.min(end * s.unitSize, s.expected.size);
  const piece = new Uint8Array(PIECE);
  const zeros = new Uint8Array(PIECE);
  for (let at = start * s.unitSize; at < stop; at += PIECE) {
    const length = Math.min(PIECE, stop - at);
    readPadded(s.image, piece.subarray(0, length), at);
    // Not a byte more: a full host has no room behind what a failed write left.
    const first = piece.subarray(0, length).findIndex((x) => x !== 0);
    if (first < 0) continue;
    const last = piece.subarray(0, length).findLastIndex((x) => x !== 0);
    s.image.write(zeros.subarray(0, last + 1 - first), at + first);
  }
}

/** Give up the transaction: nothing of it stays, in memory, in the image's free space or beside the image. */
export function discardState(s: StageState): void {
  try {
    // Zero only what is surely still ours.
    if (!s.inPlace.isEmpty && sameState(s.image.stat(), s.expected)) {
      for (const { start, end } of s.inPlace.runs()) zeroUnits(s, start, end);
      s.expected = s.image.stat();
    }
  } finally {
    if (!s.inPlace.isEmpty) s.host.holdSignals(false);
    s.unsynced = false;
    resetState(s);
    dropSpill(s);
  }
}

function dropSpill(s: StageState): void {
  if (s.spill === undefined) return;
  const { file } = s.spill;
  s.spill = undefined;
  file.close();
  if (s.names !== undefined) s.host.unlink(s.names.fresh);
}

function resetState(s: StageState): void {
  s.overlay.clear();
  for (const set of [s.fresh, s.born, s.released, s.garbage, s.inPlace]) set.clear();
  s.size = s.expected.size;
}

/** True when commit has something to look at. */
export const hasChanges = (s: StageState): boolean =>
  s.overlay.pages.size > 0 || !s.inPlace.isEmpty || s.size !== s.expected.size;

/**
 * Steps 1 to 6. Throws CommitError: 'discarded' leaves a stage that can be used again, anything else ends it; and what
 * gathering() throws, which leaves everything as it was. Savepoints end. The file systems have been synced into the stage
 * by the caller.
 */
export function commitState(s: StageState, { gathering, applying = () => undefined }: CommitHow = {}): CommitResult {
  if (!hasChanges(s)) {
    resetState(s);
    return { changed: false, bytesLogged: 0, bytesInPlace: 0 };
  }
  const { names } = s;
  assert(names !== undefined, 'a writer has a log');
  const spillBefore = s.spill?.end;
  let contents: LogContents;
  let bytesInPlace: number;
  try {
    checkStillOurs(s);
    checkRoom(s, names);
    const gathered = counting(s.overlay.pages.size * PAGE_SIZE, gathering);
    placeFresh(s, gathered);
    bytesInPlace = s.inPlace.total() * s.unitSize;
    contents = collect(s, gathered);
    sealInPlace(s);
    const logged = contents.units.length + contents.superblocks.length;
    if (logged === 0 && contents.newSize === contents.oldSize) {
      dropSpill(s);
      if (!s.inPlace.isEmpty) s.host.holdSignals(false);
      resetState(s);
      return { changed: bytesInPlace > 0, bytesLogged: 0, bytesInPlace };
    }
    const spill = openSpill(s);
    finishLog(spill.file, contents, { dataEnd: spill.end, image: s.expected, host: s.host });
    spill.file.fsync();
    if (s.host.stat(names.log, { nofollow: true }) !== undefined)
      throw new FsError('EEXIST', { path: names.log, what: `${names.log} was made by another program` });
  } catch (thrown) {
    if (!(thrown instanceof Unwanted)) throw giveUp(s, asFsError(thrown));
    restoreSpill(s, spillBefore);
    throw thrown.why;
  }
  s.host.holdSignals(true);
  try {
    publish(s, names);
    settle(s, names, { contents, applying });
  } finally {
    s.host.holdSignals(false);
  }
  resetState(s);
  return {
    changed: true,
    bytesLogged: (contents.units.length + contents.superblocks.length) * s.unitSize,
    bytesInPlace,
  };
}

/** Adds up what is done, and asks whether the commit is still wanted. */
function counting(totalBytes: number, gathering: CommitHow['gathering']): (bytes: number) => void {
  let doneBytes = 0;
  return (bytes) => {
    doneBytes += bytes;
    try {
      gathering?.({ doneBytes, totalBytes });
    } catch (thrown) {
      throw new Unwanted(thrown);
    }
  };
}

/** Without what the commit has gathered. */
function restoreSpill(s: StageState, before: number | undefined): void {
  const { spill } = s;
  if (spill === undefined) return;
  try {
    if (before === undefined) return dropSpill(s);
    spill.file.truncate(before);
    spill.end = before;
  } catch (thrown) {
    throw giveUp(s, asFsError(thrown));
  }
}

/** Discard after a failure before the commit point; a failure to clean up is only worth a message. */
function giveUp(s: StageState, cause: FsError): CommitError {
  try {
    discardState(s);
  } catch (thrown) {
    s.host.console(`${s.path}: while discarding: ${asFsError(thrown).message}`);
  }
  return new CommitError('discarded', cause, s.path);
}

/** Step 1: the path is still our inode, and nobody wrote to it. */
function checkStillOurs(s: StageState): void {
  const now = s.host.stat(s.path, { nofollow: true });
  const ours = s.image.stat();
  if (now === undefined || now.dev !== ours.dev || now.ino !== ours.ino) {
    throw new FsError('ESTALE', { path: s.path, what: 'image was replaced by another file' });
  }
  if (!sameState(ours, s.expected)) {
    throw new FsError('ESTALE', { path: s.path, what: 'image was changed by another program' });
  }
}

/** Room for what the log still needs, and for the holes that apply will fill. */
function checkRoom(s: StageState, names: LogNames): void {
  let units = 0;
  let waiting = 0;
  for (const page of s.overlay.pages.values()) {
    units += PAGE_SIZE / s.unitSize;
    if (page.data !== undefined) waiting += PAGE_SIZE;
  }
  const log = waiting + overheadOf(units);
  const holes = Math.min(units * s.unitSize, Math.max(0, Math.max(s.size, s.expected.size) - s.expected.allocated));
  if (s.host.freeBytes(names.dir) < log + holes) {
    throw new FsError('ENOSPC', {
      path: names.dir,
      what: `no room in ${names.dir} for ${log + holes} bytes of log and image`,
    });
  }
}

/** Header, index and end record for so many entries, and the superblocks that come with them: an upper bound. */
const overheadOf = (units: number): number => DATA_OFFSET + 3 * PAGE_SIZE + units * 33;

/** Step 2: fresh data. */
function placeFresh(s: StageState, placed: (bytes: number) => void): void {
  const pages = freshPages(s, { again: true });
  if (!s.inPlace.isEmpty || pages.length * PAGE_SIZE >= IN_PLACE_FROM) placePages(s, pages, placed);
}

/**
 * Step 2, its end: zeros over what was fresh and is no longer used; then sync. Only now that nobody can give the commit up: a
 * savepoint may know better what is used.
 */
function sealInPlace(s: StageState): void {
  for (const { start, end } of s.garbage.runs()) zeroUnits(s, start, end);
  if (s.unsynced) s.image.fsync();
  s.unsynced = false;
  s.expected = s.image.stat();
}

/** Step 3 without its end: compare with the image, put what differs into the log's data, list it. */
function collect(s: StageState, looked: (bytes: number) => void): LogContents {
  const contents: LogContents = {
    unitSize: s.unitSize,
    oldSize: s.expected.size,
    newSize: s.size,
    marks: new Entries(),
    units: new Entries(),
    superblocks: new Entries(),
  };
  const hints = [...s.hints.values()].sort((a, b) => a.extent.offset - b.extent.offset);
  const appender = new Appender(s);
  const changed = collectUnits(s, contents, { appender, isSuperblock: superblockTest(hints), looked });
  let last = -1;
  for (const hint of hints) {
    const first = Math.floor(hint.extent.offset / s.unitSize) * s.unitSize;
    if (first <= last || !isTouched(s, hint, contents, changed)) continue;
    last = collectSuperblock(s, contents, { hint, appender });
  }
  appender.flush();
  return contents;
}

type ByteTest = (offset: number) => boolean;

const superblockTest =
  (hints: readonly SuperblockHint[]): ((start: number, end: number) => boolean) =>
  (start, end) =>
    hints.some(({ extent }) => extent.offset < end && extent.offset + extent.length > start);

/** Data going to the end of the spill file, gathered; the file is made when there is something to write. */
class Appender {
  readonly #s: StageState;
  readonly #buffer = new Uint8Array(PIECE);
  #filled = 0;

  constructor(s: StageState) {
    this.#s = s;
  }

  /** Keep a unit; returns where in the log it lies. */
  append(unit: Uint8Array): number {
    const spill = openSpill(this.#s);
    if (this.#filled + unit.length > PIECE) this.flush();
    const at = spill.end + this.#filled;
    this.#buffer.set(unit, this.#filled);
    this.#filled += unit.length;
    return at;
  }

  flush(): void {
    if (this.#filled === 0) return;
    const spill = openSpill(this.#s);
    spill.file.write(this.#buffer.subarray(0, this.#filled), spill.end);
    spill.end += this.#filled;
    this.#filled = 0;
  }
}

/** List all changed units but superblocks; answers whether a superblock's unit at an offset changed. */
function collectUnits(
  s: StageState,
  contents: LogContents,
  options: {
    readonly appender: Appender;
    readonly isSuperblock: (start: number, end: number) => boolean;
    readonly looked: (bytes: number) => void;
  },
): ByteTest {
  const { unitSize } = s;
  const numbers = Float64Array.from(s.overlay.pages.keys()).sort();
  const changedSuperblocks = new Set<number>();
  const most = PIECE / PAGE_SIZE;
  const oldBytes = new Uint8Array(PIECE);
  const newBytes = new Uint8Array(PIECE);
  for (let first = 0; first < numbers.length;) {
    const no = numbers[first] ?? 0;
    let count = 1;
    while (count < most && numbers[first + count] === no + count) count++;
    const base = no * PAGE_SIZE;
    readPadded(s.image, oldBytes.subarray(0, count * PAGE_SIZE), base);
    s.overlay.read(newBytes.subarray(0, count * PAGE_SIZE), base);
    for (let at = 0; at < count * PAGE_SIZE; at += unitSize) {
      const target = base + at;
      const page = s.overlay.pages.get(Math.floor(target / PAGE_SIZE));
      const unit = (target % PAGE_SIZE) / unitSize;
      if (page === undefined || (page.mask & (1 << unit)) === 0 || target >= s.size) continue;
      if (s.garbage.overlaps(target / unitSize, target / unitSize + 1)) continue;
      // Bytes beyond the end of an image that is no whole number of units: the file has none.
      if (target + unitSize > s.size) newBytes.fill(0, at + (s.size - target), at + unitSize);
      if (sameUnit(oldBytes, newBytes, at, unitSize)) continue;
      if (options.isSuperblock(target, target + unitSize)) {
        changedSuperblocks.add(target);
        continue;
      }
      const isInLog = page.file !== undefined && page.file === s.spill?.file && target + unitSize <= s.size;
      const place = isInLog
        ? unitAt(page, unit, unitSize)
        : options.appender.append(newBytes.subarray(at, at + unitSize));
      const crc = { old: unitCrc(oldBytes, at, at + unitSize), new: unitCrc(newBytes, at, at + unitSize) };
      contents.units.push(target, place, crc);
    }
    first += count;
    options.looked(count * PAGE_SIZE);
  }
  return (offset) => changedSuperblocks.has(offset);
}

function sameUnit(a: Uint8Array, b: Uint8Array, at: number, unitSize: number): boolean {
  for (let i = at; i < at + unitSize; i++) if (a[i] !== b[i]) return false;
  return true;
}

/** Does the transaction change anything in the file system that this superblock stands for? */
function isTouched(s: StageState, hint: SuperblockHint, contents: LogContents, changed: ByteTest): boolean {
  const { offset, length } = hint.scope ?? { offset: 0, length: Math.max(s.size, s.expected.size) };
  const { unitSize } = s;
  for (
    let at = Math.floor(hint.extent.offset / unitSize) * unitSize;
    at < hint.extent.offset + hint.extent.length;
    at += unitSize
  ) {
    if (changed(at)) return true;
  }
  if (s.inPlace.overlaps(Math.floor(offset / unitSize), Math.ceil((offset + length) / unitSize))) return true;
  for (let i = 0; i < contents.units.length; i++) {
    const target = contents.units.targets[i] ?? 0;
    if (target < offset + length && target + unitSize > offset) return true;
  }
  return false;
}

/** List a superblock's units, changed or not, and its dirty mark. Returns its last unit's offset. */
function collectSuperblock(
  s: StageState,
  contents: LogContents,
  options: { readonly hint: SuperblockHint; readonly appender: Appender },
): number {
  const { unitSize } = s;
  const { extent } = options.hint;
  const start = Math.floor(extent.offset / unitSize) * unitSize;
  const end = Math.min(
    Math.ceil((extent.offset + extent.length) / unitSize) * unitSize,
    Math.ceil(s.size / unitSize) * unitSize,
  );
  if (end <= start) return start;
  const oldBytes = new Uint8Array(end - start);
  readPadded(s.image, oldBytes, start);
  const newBytes = new Uint8Array(end - start);
  s.overlay.read(newBytes, start);
  const inUnits = extent.offset - start;
  const marked = options.hint.dirtyMark(oldBytes.slice(inUnits, inUnits + extent.length));
  const markBytes = oldBytes.slice();
  if (marked !== undefined) markBytes.set(marked, inUnits);
  for (let at = 0; at < end - start; at += unitSize) {
    const old = unitCrc(oldBytes, at, at + unitSize);
    const crc = { old, new: unitCrc(newBytes, at, at + unitSize) };
    contents.superblocks.push(start + at, options.appender.append(newBytes.subarray(at, at + unitSize)), crc);
    if (sameUnit(oldBytes, markBytes, at, unitSize)) continue;
    const mark = { old, new: unitCrc(markBytes, at, at + unitSize) };
    contents.marks.push(start + at, options.appender.append(markBytes.subarray(at, at + unitSize)), mark);
  }
  return end - unitSize;
}

/** Step 4: the log gets its name, durably. This is the commit point. */
function publish(s: StageState, names: LogNames): void {
  try {
    s.host.rename(names.fresh, names.log);
    s.host.fsyncDir(names.dir);
  } catch (thrown) {
    const cause = asFsError(thrown);
    if (!takeBack(s, names)) throw new CommitError('unknown', cause, s.path);
    throw giveUp(s, cause);
  }
}

/**
 * The log may or may not have its final name on the disk. Making its contents void settles that either way; a second
 * fsync of the directory would not, because only the first one reports the failure.
 */
function takeBack(s: StageState, names: LogNames): boolean {
  const { spill } = s;
  assert(spill !== undefined, 'a log is being published');
  try {
    markDone(spill.file);
  } catch (thrown) {
    s.host.console(`${names.log}: cannot take the log back: ${asFsError(thrown).message}`);
    return false;
  }
  spill.file.close();
  s.spill = undefined;
  for (const name of [names.fresh, names.log]) {
    try {
      if (s.host.stat(name, { nofollow: true }) !== undefined) s.host.unlink(name);
    } catch (thrown) {
      s.host.console(`${name}: a void log is left: ${asFsError(thrown).message}`);
    }
  }
  return true;
}

/** Steps 5 and 6. */
function settle(
  s: StageState,
  names: LogNames,
  { contents, applying }: { readonly contents: LogContents; readonly applying: NonNullable<CommitHow['applying']> },
): void {
  const { spill } = s;
  const totalBytes = contents.units.length * s.unitSize;
  assert(spill !== undefined, 'a log is being applied');
  try {
    applyLog(s.image, spill.file, contents, (doneBytes) => applying({ doneBytes, totalBytes }));
    s.expected = s.image.stat();
    markDone(spill.file);
    removeLog(s.host, names);
  } catch (thrown) {
    throw new CommitError('committed', asFsError(thrown), s.path);
  }
  spill.file.close();
  s.spill = undefined;
}
