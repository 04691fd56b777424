/**
 * Inline directories, changed: the parent's number and records in i_block, then records in the attribute. One that is full
 * becomes a directory of one block, each record at the place in the listing that it had. Callers store the inode.
 */
import type { FileBlock, Ino } from '../../kern/ids.ts';
import { setLe32 } from '../../kern/struct.ts';
import { ibodyRoom, storeInIbody } from './attrwrite.ts';
import { initRecords, insertRecord, recLenAt, recordSize, setRecLen, usedRecords, type NewRecord } from './dirblock.ts';
import { appendDirBlock, initLeaf, leafChanged, recordsEnd } from './dirgrow.ts';
import { INCOMPAT } from './features.ts';
import { I_BLOCK_SIZE } from './format.ts';
import { INLINE_ATTRIBUTE, INLINE_FIRST, INLINE_IBODY, inlineRest } from './inline.ts';
import { leaveInode, storeInline } from './inlinewrite.ts';
import type { Inode } from './inode.ts';
import { hasIncompat } from './superblock.ts';

/** The smallest record: more room than the attribute would otherwise not help. */
const RECORD_MIN = recordSize(1);

/** Records in i_block, live. */
const ibodyRecords = (dir: Inode): Uint8Array => dir.block.subarray(INLINE_FIRST);

/** A new directory without a block; false where the format or the inode has no room for one. */
export function initInlineDirectory(dir: Inode, parent: Ino): boolean {
  if (!hasIncompat(dir.geo, INCOMPAT.INLINE_DATA)) return false;
  const data = new Uint8Array(I_BLOCK_SIZE);
  setLe32(data, 0, parent);
  const records = data.subarray(INLINE_FIRST);
  initRecords(records, 0, records.length);
  if (!storeInline(dir, data)) return false;
  dir.size = I_BLOCK_SIZE;
  return true;
}

export const setInlineParent = (dir: Inode, parent: Ino): void => setLe32(dir.block, 0, parent);

/** Add an entry; false, and nothing changed, when there is no room. */
export function insertInline(dir: Inode, record: NewRecord): boolean {
  const first = ibodyRecords(dir);
  if (insertRecord(first, first.length, record).at >= 0) return true;
  const rest = inlineRest(dir);
  if (rest.length > 0 && insertRecord(rest, rest.length, record).at >= 0) return storeRest(dir, rest);
  const grown = new Uint8Array(ibodyRoom(dir, INLINE_ATTRIBUTE) ?? 0);
  if (grown.length < rest.length + RECORD_MIN) return false;
  grown.set(rest);
  if (rest.length === 0) initRecords(grown, 0, grown.length);
  else stretchLast(grown, { from: 0, to: rest.length, end: grown.length });
  return insertRecord(grown, grown.length, record).at >= 0 && storeRest(dir, grown);
}

function storeRest(dir: Inode, value: Uint8Array): boolean {
  if (!storeInIbody(dir, { ...INLINE_ATTRIBUTE, value })) return false;
  dir.size = I_BLOCK_SIZE + value.length;
  return true;
}

/** The last of the records in [from, to) goes on to `end`. */
function stretchLast(data: Uint8Array, { from, to, end }: { from: number; to: number; end: number }): void {
  let at = from;
  while (at + recLenAt(data, at) < to) at += recLenAt(data, at);
  setRecLen(data, at, end - at);
}

/** Change a record in place: `change` gets its area and byte. */
export function changeInline(
  dir: Inode,
  place: { readonly fileBlock: FileBlock; readonly offset: number },
  change: (data: Uint8Array, at: number) => void,
): void {
  if (place.fileBlock === INLINE_IBODY) {
    change(ibodyRecords(dir), place.offset - INLINE_FIRST);
    return;
  }
  const rest = inlineRest(dir);
  change(rest, place.offset);
  storeRest(dir, rest);
}

export const isEmptyInline = (dir: Inode): boolean =>
  [ibodyRecords(dir), inlineRest(dir)].every((data) => usedRecords(data, 0, data.length).length === 0);

/** The entries to a block, behind the records of `.` and `..`. Errors: ENOSPC, CorruptError; then nothing changed. */
export function spillDirectory(dir: Inode, dots: readonly NewRecord[]): void {
  const [first, rest] = [ibodyRecords(dir).slice(), inlineRest(dir)];
  // Sound, every one of them, or nothing is copied.
  for (const data of [first, rest]) usedRecords(data, 0, data.length);
  leaveInode(dir, () => {
    dir.size = 0;
    const { bp } = appendDirBlock(dir);
    try {
      initLeaf(dir, bp);
      for (const dot of dots) insertRecord(bp.data, recordsEnd(dir), dot);
      const start = dots.reduce((sum, { name }) => sum + recordSize(name.length), 0);
      stretchLast(bp.data, { from: 0, to: recordsEnd(dir), end: start });
      bp.data.set(first, start);
      bp.data.set(rest, start + first.length);
      stretchLast(bp.data, { from: start, to: start + first.length + rest.length, end: recordsEnd(dir) });
      leafChanged(dir, bp);
    } finally {
      dir.mp.bufs.brelse(bp);
    }
  });
}
