/**
 * The redo log: writing one, reading and judging one, applying it to the image, and retiring it.
 *
 * Everything here works on open files and says nothing about names or locks; the order of the steps around it is the
 * stage's. Applying is idempotent and always writes every unit: what an earlier attempt wrote may have been visible and
 * yet never have reached the disk.
 */
import { assert } from '../kern/assert.ts';
import { crc32c } from '../kern/checksum/crc32c.ts';
import { CorruptError, FsError } from '../kern/errno.ts';
import type { Host, HostFile, HostStat } from '../hypercall/hypercall.ts';
import {
  DATA_OFFSET,
  ENTRIES_PER_BLOCK,
  ENTRY_MARK,
  ENTRY_SUPERBLOCK,
  ENTRY_UNIT,
  END_MAGIC,
  EndRecord,
  INDEX_BLOCK_SIZE,
  INDEX_MAGIC,
  IndexBlock,
  IndexEntry,
  LOG_COMPLETE,
  LOG_DONE,
  LOG_MAGIC,
  LOG_VERSION,
  LogHeader,
} from './log-format.ts';

/** Reads and writes go in pieces that stay in the processor's cache. */
const PIECE = 128 * 1024;
const SEED = 0xffffffff;

type EntryKind = typeof ENTRY_MARK | typeof ENTRY_UNIT | typeof ENTRY_SUPERBLOCK;

/** Entries of one kind, ascending by target, as columns: a large transaction has millions. */
export class Entries {
  targets: Float64Array = new Float64Array(16);
  ats: Float64Array = new Float64Array(16);
  oldCrcs: Uint32Array = new Uint32Array(16);
  newCrcs: Uint32Array = new Uint32Array(16);
  #length = 0;

  /** How many there are; the columns may be longer. */
  get length(): number {
    return this.#length;
  }

  push(target: number, at: number, crc: { readonly old: number; readonly new: number }): void {
    const i = this.#length++;
    if (i === this.targets.length) this.#grow(i * 2);
    this.targets[i] = target;
    this.ats[i] = at;
    this.oldCrcs[i] = crc.old;
    this.newCrcs[i] = crc.new;
  }

  #grow(length: number): void {
    const { targets, ats, oldCrcs, newCrcs } = this;
    (this.targets = new Float64Array(length)).set(targets);
    (this.ats = new Float64Array(length)).set(ats);
    (this.oldCrcs = new Uint32Array(length)).set(oldCrcs);
    (this.newCrcs = new Uint32Array(length)).set(newCrcs);
  }
}

export interface LogContents {
  readonly unitSize: number;
  readonly oldSize: number;
  readonly newSize: number;
  readonly marks: Entries;
  readonly units: Entries;
  readonly superblocks: Entries;
}

export const kindsOf = (log: LogContents): readonly (readonly [EntryKind, Entries])[] => [
  [ENTRY_MARK, log.marks],
  [ENTRY_UNIT, log.units],
  [ENTRY_SUPERBLOCK, log.superblocks],
];

const countEntries = (log: LogContents): number => log.marks.length + log.units.length + log.superblocks.length;

/** Bytes the log will have, its data ending at `dataEnd`. */
function logSize(log: LogContents, dataEnd: number): number {
  return dataEnd + Math.ceil(countEntries(log) / ENTRIES_PER_BLOCK) * INDEX_BLOCK_SIZE + EndRecord.size;
}

/** Register of `bytes` from the usual seed. */
export const unitCrc = (bytes: Uint8Array, start: number, end: number): number => crc32c(SEED, bytes, start, end);

const identityText = (stat: HostStat): Uint8Array => {
  const text = new Uint8Array(24);
  text.set(new TextEncoder().encode(stat.ino).subarray(0, 24));
  return text;
};

const sameBytes = (a: Uint8Array, b: Uint8Array): boolean => a.length === b.length && a.every((x, i) => x === b[i]);

/** Complete a log whose data lies in [DATA_OFFSET, dataEnd): index, end record, header. The caller syncs. */
export function finishLog(
  file: HostFile,
  log: LogContents,
  options: { readonly dataEnd: number; readonly image: HostStat; readonly host: Host },
): void {
  const header = new Uint8Array(DATA_OFFSET);
  const h = LogHeader.at(header, 0);
  h.magic = LOG_MAGIC;
  h.version = LOG_VERSION;
  h.unitSize = log.unitSize;
  const salt = new Uint8Array(16);
  options.host.salt(salt);
  h.salt = salt;
  h.ino = identityText(options.image);
  h.birthSec = Math.max(0, options.image.birthtime.sec);
  h.birthNsec = options.image.birthtime.nsec;
  h.entries = countEntries(log);
  h.oldSize = log.oldSize;
  h.newSize = log.newSize;
  h.indexOffset = options.dataEnd;
  h.logSize = logSize(log, options.dataEnd);
  const end = writeIndex(file, log, { offset: options.dataEnd, chain: chainSeed(header) });
  const record = new Uint8Array(EndRecord.size);
  const e = EndRecord.at(record, 0);
  e.magic = END_MAGIC;
  e.entries = countEntries(log);
  e.chain = end.chain;
  e.checksum = crc32c(end.chain, record);
  file.write(record, end.offset);
  assert(end.offset + record.length === h.logSize, 'log size');
  setState(header, LOG_COMPLETE);
  file.write(header, 0);
}

/** The index chain starts from all of the header that never changes. */
function chainSeed(header: Uint8Array): number {
  const fixed = header.slice(0, LogHeader.size);
  const h = LogHeader.at(fixed, 0);
  h.state = 0;
  h.checksum = 0;
  return crc32c(SEED, fixed);
}

function setState(header: Uint8Array, state: number): void {
  const h = LogHeader.at(header, 0);
  h.state = state;
  h.checksum = 0;
  h.checksum = crc32c(SEED, header, 0, LogHeader.size);
}

function writeIndex(
  file: HostFile,
  log: LogContents,
  start: { readonly offset: number; readonly chain: number },
): { offset: number; chain: number } {
  const block = new Uint8Array(INDEX_BLOCK_SIZE);
  let { offset, chain } = start;
  let number = 0;
  let count = 0;
  const flush = (): void => {
    if (count === 0) return;
    const b = IndexBlock.at(block, 0);
    b.magic = INDEX_MAGIC;
    b.number = number++;
    b.count = count;
    b.chain = 0;
    chain = crc32c(chain, block);
    b.chain = chain;
    file.write(block, offset);
    offset += INDEX_BLOCK_SIZE;
    block.fill(0);
    count = 0;
  };
  for (const [kind, entries] of kindsOf(log)) {
    for (let i = 0; i < entries.length; i++) {
      const entry = IndexEntry.at(block, IndexBlock.size + count * IndexEntry.size);
      entry.target = entries.targets[i] ?? 0;
      entry.at = entries.ats[i] ?? 0;
      entry.oldCrc = entries.oldCrcs[i] ?? 0;
      entry.newCrc = entries.newCrcs[i] ?? 0;
      entry.kind = kind;
      if (++count === ENTRIES_PER_BLOCK) flush();
    }
  }
  flush();
  return { offset, chain };
}

/** A log as found: done, damaged (with what is wrong), or complete with its contents. */
type FoundLog =
  | { readonly state: 'done' }
  | { readonly state: 'damaged'; readonly problem: string }
  | { readonly state: 'complete'; readonly contents: LogContents; readonly isOf: (image: HostStat) => boolean };

class Damage extends Error {}

/** Read and check every byte of a log. Damage is a value; only the host's failures are thrown. */
export function readLog(file: HostFile): FoundLog {
  try {
    return readChecked(file);
  } catch (thrown) {
    if (thrown instanceof Damage) return { state: 'damaged', problem: thrown.message };
    // A 64-bit field beyond 2^53 (EOVERFLOW from the struct accessors) is damage too.
    if (thrown instanceof FsError && thrown.code === 'EOVERFLOW') return { state: 'damaged', problem: thrown.message };
    throw thrown;
  }
}

function demand(condition: boolean, problem: string): asserts condition {
  if (!condition) throw new Damage(problem);
}

function readChecked(file: HostFile): FoundLog {
  const size = file.stat().size;
  const header = new Uint8Array(LogHeader.size);
  demand(file.read(header, 0) === header.length, 'shorter than its header');
  const h = LogHeader.at(header, 0);
  demand(sameBytes(h.magic, LOG_MAGIC), 'no magic number');
  const { checksum } = h;
  const zeroed = header.slice();
  LogHeader.at(zeroed, 0).checksum = 0;
  demand(crc32c(SEED, zeroed) === checksum, 'header checksum');
  demand(h.version === LOG_VERSION, `version ${h.version}`);
  if (h.state === LOG_DONE) return { state: 'done' };
  demand(h.state === LOG_COMPLETE, `state ${h.state}`);
  const { unitSize, indexOffset, logSize: claimed, entries } = h;
  demand([512, 1024, 2048, 4096].includes(unitSize), `unit size ${unitSize}`);
  demand(claimed === size, `${size} bytes long, should be ${claimed}`);
  demand(indexOffset >= DATA_OFFSET && indexOffset < size, 'index lies outside the log');
  const contents: LogContents = {
    unitSize,
    oldSize: h.oldSize,
    newSize: h.newSize,
    marks: new Entries(),
    units: new Entries(),
    superblocks: new Entries(),
  };
  const blocks = Math.ceil(entries / ENTRIES_PER_BLOCK);
  demand(indexOffset + blocks * INDEX_BLOCK_SIZE + EndRecord.size === size, 'index and size disagree');
  const chain = readIndex(file, { contents, blocks, indexOffset, seed: chainSeed(header) });
  demand(countEntries(contents) === entries, 'entry count');
  readEnd(file, { offset: size - EndRecord.size, chain, entries });
  for (const [, of] of kindsOf(contents)) checkData(file, of, unitSize);
  const ino = h.ino.slice();
  const birthSec = h.birthSec;
  const birthNsec = h.birthNsec;
  const isOf = (image: HostStat): boolean =>
    sameBytes(identityText(image), ino) &&
    Math.max(0, image.birthtime.sec) === birthSec &&
    image.birthtime.nsec === birthNsec;
  return { state: 'complete', contents, isOf };
}

function readIndex(
  file: HostFile,
  where: { contents: LogContents; blocks: number; indexOffset: number; seed: number },
): number {
  const { contents, indexOffset } = where;
  const block = new Uint8Array(INDEX_BLOCK_SIZE);
  const limit = Math.max(contents.oldSize, contents.newSize);
  let chain = where.seed;
  let lastKind: number = ENTRY_MARK;
  let lastTarget = -1;
  for (let number = 0; number < where.blocks; number++) {
    demand(file.read(block, indexOffset + number * INDEX_BLOCK_SIZE) === block.length, 'index is cut short');
    const b = IndexBlock.at(block, 0);
    const { chain: stored, count } = b;
    b.chain = 0;
    chain = crc32c(chain, block);
    demand(chain === stored && b.magic === INDEX_MAGIC && b.number === number, `checksum of index block ${number}`);
    demand(count >= 1 && count <= ENTRIES_PER_BLOCK, `index block ${number} has ${count} entries`);
    for (let i = 0; i < count; i++) {
      const { target, at, oldCrc, newCrc, kind } = IndexEntry.at(block, IndexBlock.size + i * IndexEntry.size);
      if (kind !== lastKind) lastTarget = -1;
      demand(kind >= lastKind && target > lastTarget, 'index is not in order');
      demand(target % contents.unitSize === 0 && target < limit, `target ${target} lies outside the image`);
      demand(at >= DATA_OFFSET && at + contents.unitSize <= indexOffset, `data at ${at} lies outside the log`);
      const of = kindsOf(contents).find(([k]) => k === kind)?.[1];
      demand(of !== undefined, `entry of kind ${kind}`);
      of.push(target, at, { old: oldCrc, new: newCrc });
      lastKind = kind;
      lastTarget = target;
    }
  }
  return chain;
}

function readEnd(file: HostFile, expected: { offset: number; chain: number; entries: number }): void {
  const record = new Uint8Array(EndRecord.size);
  demand(file.read(record, expected.offset) === record.length, 'end record is cut short');
  const e = EndRecord.at(record, 0);
  const { checksum } = e;
  e.checksum = 0;
  const sound = e.magic === END_MAGIC && e.entries === expected.entries && e.chain === expected.chain;
  demand(sound && crc32c(expected.chain, record) === checksum, 'end record');
}

function checkData(file: HostFile, entries: Entries, unitSize: number): void {
  forRuns(entries, unitSize, (first, count, piece) => {
    const length = count * unitSize;
    demand(file.read(piece.subarray(0, length), entries.ats[first] ?? 0) === length, 'data is cut short');
    for (let i = 0; i < count; i++) {
      const crc = unitCrc(piece, i * unitSize, (i + 1) * unitSize);
      demand(crc === entries.newCrcs[first + i], `checksum of the data for byte ${entries.targets[first + i]}`);
    }
  });
}

/** Call `visit` with runs of entries that are adjacent both in the image and in the log, and a buffer that holds one. */
function forRuns(
  entries: Entries,
  unitSize: number,
  visit: (first: number, count: number, piece: Uint8Array) => void,
): void {
  const piece = new Uint8Array(Math.min(PIECE, Math.max(1, entries.length) * unitSize));
  const most = piece.length / unitSize;
  for (let first = 0; first < entries.length;) {
    let count = 1;
    const target = entries.targets[first] ?? 0;
    const at = entries.ats[first] ?? 0;
    while (
      count < most &&
      first + count < entries.length &&
      entries.targets[first + count] === target + count * unitSize &&
      entries.ats[first + count] === at + count * unitSize
    )
      count++;
    visit(first, count, piece);
    first += count;
  }
}

/** How the image stands to a log: how many target units hold what. */
export interface LogMatch {
  old: number;
  new: number;
  mark: number;
  foreign: number;
  /** The image's size is neither the old nor the new one. */
  foreignSize: boolean;
}

/** Compare every target unit of the image with the log's checksums. */
export function matchLog(image: HostFile, log: LogContents): LogMatch {
  const size = image.stat().size;
  const match: LogMatch = {
    old: 0,
    new: 0,
    mark: 0,
    foreign: 0,
    foreignSize: size !== log.oldSize && size !== log.newSize,
  };
  const marks = new Map<number, number>();
  for (let i = 0; i < log.marks.length; i++) marks.set(log.marks.targets[i] ?? 0, log.marks.newCrcs[i] ?? 0);
  for (const entries of [log.units, log.superblocks]) {
    forRuns(entries, log.unitSize, (first, count, piece) => {
      readPadded(image, piece.subarray(0, count * log.unitSize), entries.targets[first] ?? 0);
      for (let i = 0; i < count; i++) {
        const crc = unitCrc(piece, i * log.unitSize, (i + 1) * log.unitSize);
        // Shrinking comes last, so what lies beyond the new size no longer matters.
        if (crc === entries.oldCrcs[first + i]) match.old++;
        else if (crc === entries.newCrcs[first + i]) match.new++;
        else if (crc === marks.get(entries.targets[first + i] ?? 0)) match.mark++;
        else match.foreign++;
      }
    });
  }
  return match;
}

/** Read from a file; beyond its end are zeros. */
export function readPadded(file: HostFile, dst: Uint8Array, offset: number): void {
  const n = file.read(dst, offset);
  if (n < dst.length) dst.fill(0, n);
}

interface Applying {
  readonly image: HostFile;
  readonly file: HostFile;
  readonly log: LogContents;
}

/**
 * Applying, docs/log-format.md: grow; dirty mark, sync; all but the superblock, sync; superblock, shrink, sync. `applied`: how many
 * bytes of the units are written.
 */
export function applyLog(
  image: HostFile,
  file: HostFile,
  log: LogContents,
  applied: (bytes: number) => void = () => undefined,
): void {
  const a: Applying = { image, file, log };
  // Sizes are set again, too, even where they look right.
  if (log.oldSize < log.newSize) image.truncate(log.newSize);
  if (log.marks.length > 0 || log.oldSize < log.newSize) {
    applyEntries(a, log.marks);
    image.fsync();
  }
  let done = 0;
  applied(done);
  applyEntries(a, log.units, (bytes) => applied((done += bytes)));
  if (log.superblocks.length > 0 || log.newSize < log.oldSize) {
    if (log.units.length > 0) image.fsync();
    applyEntries(a, log.superblocks);
    if (log.newSize < log.oldSize) image.truncate(log.newSize);
  }
  image.fsync();
}

/** `written`: told of each run. */
function applyEntries(
  { image, file, log }: Applying,
  entries: Entries,
  written: (bytes: number) => void = () => undefined,
): void {
  const { unitSize } = log;
  const end = Math.max(log.oldSize, log.newSize);
  forRuns(entries, unitSize, (first, count, piece) => {
    const target = entries.targets[first] ?? 0;
    const run = piece.subarray(0, count * unitSize);
    const n = file.read(run, entries.ats[first] ?? 0);
    for (let i = 0; i < count; i++) {
      if (n === run.length && unitCrc(run, i * unitSize, (i + 1) * unitSize) === entries.newCrcs[first + i]) continue;
      throw new CorruptError(`transaction log: data for byte ${target + i * unitSize} changed`);
    }
    image.write(run.subarray(0, Math.min(run.length, end - target)), target);
    written(run.length);
  });
}

/** Say "done" in the header, durably: from here on nobody applies this log again, whatever becomes of its name. */
export function markDone(file: HostFile): void {
  const header = new Uint8Array(LogHeader.size);
  file.read(header, 0);
  setState(header, LOG_DONE);
  file.write(header, 0);
  file.fsync();
}
