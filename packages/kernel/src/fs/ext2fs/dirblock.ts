/**
 * Changing one directory block, as bytes: make it, put a record in, take one out, pack a list of them.
 * Records fill the block up to `end` without gaps; an unused one has inode 0. Spec: "Linear (Classic) Directories".
 */
import { CorruptError } from '../../kern/errno.ts';
import type { Ino } from '../../kern/ids.ts';
import { getLe16, getLe32, setLe16, setLe32 } from '../../kern/struct.ts';
import { DIRENT_HEADER, DirEntry } from './format.ts';

const REC_LEN = DirEntry.offsetOf('recLen');
const NAME_LEN = DirEntry.offsetOf('nameLen');
const FILE_TYPE = DirEntry.offsetOf('fileType');

/** What a record says. `fileType` is 0 where the feature is off: its byte is then the upper half of the name's length. */
export interface NewRecord {
  readonly ino: Ino;
  readonly name: Uint8Array;
  readonly fileType: number;
}

/** Bytes that a name needs. */
export const recordSize = (nameLength: number): number => (DIRENT_HEADER + nameLength + 3) & ~3;

/** Length of the record at `at`; blocks of 64 KiB write theirs, which does not fit, as 0xffff or 0. */
export function recLenAt(block: Uint8Array, at: number): number {
  const stored = getLe16(block, at + REC_LEN);
  if (block.length < 0x10000) return stored;
  return stored === 0xffff || stored === 0 ? 0x10000 : (stored & 0xfffc) | ((stored & 3) << 16);
}

export function setRecLen(block: Uint8Array, at: number, length: number): void {
  setLe16(block, at + REC_LEN, length === 0x10000 ? 0xffff : length);
}

/** CorruptError unless a sound record lies at `at`; its length. */
function soundLength(block: Uint8Array, at: number, end: number): number {
  const length = recLenAt(block, at);
  const needs = getLe32(block, at) === 0 ? DIRENT_HEADER : recordSize(block[at + NAME_LEN] ?? 0);
  if (length < needs || (length & 3) !== 0 || at + length > end) {
    throw new CorruptError(`directory record of ${length} bytes`, { offset: at });
  }
  return length;
}

const usedAt = (block: Uint8Array, at: number): number =>
  getLe32(block, at) === 0 ? 0 : recordSize(block[at + NAME_LEN] ?? 0);

/** One empty record from `from` to `end`. */
export function initRecords(block: Uint8Array, from: number, end: number): void {
  setLe32(block, from, 0);
  setRecLen(block, from, end - from);
  setLe16(block, from + NAME_LEN, 0);
}

export function writeRecord(block: Uint8Array, at: number, record: NewRecord): void {
  setLe32(block, at, record.ino);
  block[at + NAME_LEN] = record.name.length;
  block[at + FILE_TYPE] = record.fileType;
  block.set(record.name, at + DIRENT_HEADER);
}

/** Point an existing record elsewhere. */
export function redirectRecord(block: Uint8Array, at: number, to: { ino: Ino; fileType: number }): void {
  setLe32(block, at, to.ino);
  block[at + FILE_TYPE] = to.fileType;
}

/** Put a record where there is room. `at` is -1 when there is none; `longest` is the most room that was seen then. */
export function insertRecord(block: Uint8Array, end: number, record: NewRecord): { at: number; longest: number } {
  const needs = recordSize(record.name.length);
  let longest = 0;
  for (let at = 0; at < end;) {
    const length = soundLength(block, at, end);
    const used = usedAt(block, at);
    const room = length - used;
    if (room >= needs) {
      if (used > 0) setRecLen(block, at, used);
      setRecLen(block, at + used, room);
      writeRecord(block, at + used, record);
      return { at: at + used, longest };
    }
    longest = Math.max(longest, room);
    at += length;
  }
  return { at: -1, longest };
}

/** Take the record at `at` out: its room goes to the one before, or it stays as an unused one at the block's start. */
export function removeRecord(block: Uint8Array, end: number, at: number): void {
  let before = -1;
  let here = 0;
  while (here < at) {
    before = here;
    here += soundLength(block, here, end);
  }
  if (here !== at) throw new CorruptError('directory records moved', { offset: at });
  const length = soundLength(block, at, end);
  if (before >= 0) setRecLen(block, before, recLenAt(block, before) + length);
  else setLe32(block, at, 0);
  // No name of a removed file stays behind.
  block.fill(0, at + DIRENT_HEADER, at + Math.min(length, DIRENT_HEADER + 256));
  if (before >= 0) block.fill(0, at, at + DIRENT_HEADER);
  else setLe16(block, at + NAME_LEN, 0);
}

/** A record in use: where, and how many bytes it needs. */
export interface UsedRecord {
  readonly at: number;
  readonly size: number;
  readonly name: Uint8Array;
}

/** The records in use of [from, end), names as views. */
export function usedRecords(block: Uint8Array, from: number, end: number): UsedRecord[] {
  const records: UsedRecord[] = [];
  for (let at = from; at < end;) {
    const length = soundLength(block, at, end);
    const size = usedAt(block, at);
    if (size > 0) {
      const nameAt = at + DIRENT_HEADER;
      records.push({ at, size, name: block.subarray(nameAt, nameAt + (block[at + NAME_LEN] ?? 0)) });
    }
    at += length;
  }
  return records;
}

/** Fill `to` with `records` of `from`, one behind the other; the last takes the rest of the block. */
export function packRecords(
  from: Uint8Array,
  records: readonly UsedRecord[],
  to: { block: Uint8Array; end: number },
): void {
  const { block, end } = to;
  block.fill(0, 0, end);
  if (records.length === 0) initRecords(block, 0, end);
  let next = 0;
  records.forEach(({ at, size }, i) => {
    block.set(from.subarray(at, at + size), next);
    setRecLen(block, next, i === records.length - 1 ? end - next : size);
    next += size;
  });
}
