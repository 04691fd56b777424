/**
 * Entries of a directory, changed: add, remove, redirect; the first block of a new one; growing by a block. Linear
 * directories are searched for room here, indexed ones in htree.ts; bytes within a block are dirblock.ts's.
 *
 * Callers store the directory's inode: size, blocks, times and the index flag may have changed.
 */
import { CorruptError } from '../../kern/errno.ts';
import type { FileBlock, Ino } from '../../kern/ids.ts';
import { getLe32 } from '../../kern/struct.ts';
import type { VType } from '../../vfs/vattr.ts';
import { bfree } from './balloc.ts';
import { breadDirBlock, dirBlocks } from './dir-read.ts';
import { insertRecord, recordSize, redirectRecord, removeRecord, usedRecords, type NewRecord } from './dirblock.ts';
import { appendDirBlock, breadDir, indexChanged, initLeaf, leafChanged, recordsEnd } from './dirgrow.ts';
import { COMPAT, INCOMPAT } from './features.ts';
import { DX_ROOT_ENTRIES, FT, IFLAG } from './format.ts';
import { allocState } from './groupmap.ts';
import { htreeInsert, makeIndexed } from './htree.ts';
import { inlineParent, isInline } from './inline.ts';
import {
  changeInline,
  initInlineDirectory,
  insertInline,
  isEmptyInline,
  setInlineParent,
  spillDirectory,
} from './inlinedir.ts';
import type { Inode } from './inode.ts';
import { hasCompat, hasIncompat } from './superblock.ts';

/** Where an entry is. */
export interface EntryPlace {
  readonly fileBlock: FileBlock;
  readonly offset: number;
}

/** Room in a block that was not looked at yet. */
const UNKNOWN_ROOM = 0xffff;
/** Directories whose room is remembered. */
const ROOM_DIRECTORIES = 256;

const FILE_TYPES: Readonly<Record<VType, number>> = {
  reg: FT.REG,
  dir: FT.DIR,
  chr: FT.CHR,
  blk: FT.BLK,
  fifo: FT.FIFO,
  sock: FT.SOCK,
  lnk: FT.LNK,
};

/** A record for an entry, its type only where the format keeps it. */
export const newRecord = (dir: Inode, ino: Ino, entry: { name: Uint8Array; type: VType }): NewRecord => ({
  ino,
  name: entry.name,
  fileType: fileType(dir, entry.type),
});
const fileType = (dir: Inode, type: VType): number =>
  hasIncompat(dir.geo, INCOMPAT.FILETYPE) ? FILE_TYPES[type] : FT.UNKNOWN;

/** A new directory, inline, or with `.` and `..` in its first block. Errors: ENOSPC. */
export function initDirectory(dir: Inode, parent: Ino): void {
  if (initInlineDirectory(dir, parent)) return;
  const { bp } = appendDirBlock(dir);
  initLeaf(dir, bp);
  for (const record of dotRecords(dir, parent)) insertRecord(bp.data, recordsEnd(dir), record);
  dir.mp.bufs.brelse(bp);
}

const dotRecords = (dir: Inode, parent: Ino): readonly NewRecord[] => [
  newRecord(dir, dir.ino, { name: Uint8Array.of(0x2e), type: 'dir' }),
  newRecord(dir, parent, { name: Uint8Array.of(0x2e, 0x2e), type: 'dir' }),
];

// entries

/** Add an entry; the name is not there yet. Errors: ENOSPC, CorruptError. */
export function addEntry(dir: Inode, record: NewRecord): void {
  if (isInline(dir)) {
    if (insertInline(dir, record)) return;
    spillDirectory(dir, dotRecords(dir, inlineParent(dir)));
  }
  const canIndex = hasCompat(dir.geo, COMPAT.DIR_INDEX);
  if (dir.hasFlag(IFLAG.INDEX)) {
    if (canIndex && htreeInsert(dir, record)) return;
    // An index that we cannot follow: with checksums its blocks cannot pass for plain ones.
    if (dir.geo.metadataCsum) throw new CorruptError('directory index', { ino: dir.ino });
    dir.flags &= ~IFLAG.INDEX;
  }
  if (insertLinear(dir, record)) return;
  if (canIndex && dir.size === dir.geo.blockSize && makeIndexed(dir)) {
    htreeInsert(dir, record);
    return;
  }
  const { bp, fileBlock } = appendDirBlock(dir);
  try {
    initLeaf(dir, bp);
    insertRecord(bp.data, recordsEnd(dir), record);
    roomOf(dir)[fileBlock] = UNKNOWN_ROOM;
  } finally {
    dir.mp.bufs.brelse(bp);
  }
}

/** Upper bounds of the longest room in each block of a linear directory. */
function roomOf(dir: Inode): number[] {
  const { directoryRoom } = allocState(dir.mp);
  let room = directoryRoom.get(dir.ino);
  if (room === undefined) {
    if (directoryRoom.size >= ROOM_DIRECTORIES) directoryRoom.clear();
    directoryRoom.set(dir.ino, (room = []));
  }
  return room;
}

function insertLinear(dir: Inode, record: NewRecord): boolean {
  const room = roomOf(dir);
  const blocks = dirBlocks(dir);
  const needs = recordSize(record.name.length);
  for (let fileBlock = 0; fileBlock < blocks; fileBlock++) {
    if ((room[fileBlock] ?? UNKNOWN_ROOM) < needs) continue;
    const bp = breadDir(dir, fileBlock);
    try {
      const { at, longest } = insertRecord(bp.data, recordsEnd(dir), record);
      if (at >= 0) {
        leafChanged(dir, bp);
        return true;
      }
      room[fileBlock] = Math.min(longest, UNKNOWN_ROOM - 1);
    } finally {
      dir.mp.bufs.brelse(bp);
    }
  }
  return false;
}

/** Take the entry at `place` out; it must still lead to `ino`. */
export function removeEntry(dir: Inode, place: EntryPlace, ino: Ino): void {
  changeEntry(dir, place, ino, removeRecord);
  const room = allocState(dir.mp).directoryRoom.get(dir.ino);
  if (room !== undefined) room[place.fileBlock] = UNKNOWN_ROOM;
  if (!isInline(dir) && !dir.hasFlag(IFLAG.INDEX) && place.fileBlock === dirBlocks(dir) - 1) cutEmptyEnd(dir);
}

/**
 * Give back the blocks at the end of a linear directory that hold nothing any more. (An index still leads to its leaves, and
 * names with hashes of theirs will come.) One that could be indexed keeps two blocks: with one it would be the next time it
 * grows, and entries would move under those who list it as it lies.
 */
function cutEmptyEnd(dir: Inode): void {
  const least = hasCompat(dir.geo, COMPAT.DIR_INDEX) ? 2 : 1;
  const blocks = dirBlocks(dir);
  let end = blocks;
  while (end > least && isEmptyBlock(dir, end - 1)) end--;
  if (end === blocks) return;
  bfree(dir, { from: end, to: blocks });
  dir.size = end * dir.geo.blockSize;
  const room = allocState(dir.mp).directoryRoom.get(dir.ino);
  if (room !== undefined && room.length > end) room.length = end;
}

function isEmptyBlock(dir: Inode, fileBlock: FileBlock): boolean {
  const bp = breadDirBlock(dir, fileBlock);
  if (bp === undefined) return false;
  try {
    return usedRecords(bp.data, 0, recordsEnd(dir)).length === 0;
  } finally {
    dir.mp.bufs.brelse(bp);
  }
}

/** Let the entry at `place`, which leads to `ino`, lead elsewhere. */
export function redirectEntry(
  dir: Inode,
  place: EntryPlace,
  change: { ino: Ino; to: { ino: Ino; type: VType } },
): void {
  const to = { ino: change.to.ino, fileType: fileType(dir, change.to.type) };
  changeEntry(dir, place, change.ino, (data, _, at) => redirectRecord(data, at, to));
}

/** `..` of a directory that moved: the second record of its first block, indexed or not. */
export function setParent(dir: Inode, parent: Ino): void {
  if (isInline(dir)) {
    setInlineParent(dir, parent);
    return;
  }
  redirectEntry(dir, { fileBlock: 0, offset: recordSize(1) }, { ino: parentOf(dir), to: { ino: parent, type: 'dir' } });
}

export function parentOf(dir: Inode): Ino {
  if (isInline(dir)) return inlineParent(dir);
  const bp = breadDir(dir, 0);
  const ino = getLe32(bp.data, recordSize(1));
  dir.mp.bufs.brelse(bp);
  return ino;
}

/** A change of the record at byte `at` of an area of records that ends at `end`. */
type RecordChange = (data: Uint8Array, end: number, at: number) => void;

function changeEntry(dir: Inode, place: EntryPlace, ino: Ino, change: RecordChange): void {
  if (isInline(dir)) {
    changeInline(dir, place, (data, at) => {
      if (getLe32(data, at) !== ino) throw new CorruptError('directory entry moved', { ino: dir.ino });
      change(data, data.length, at);
    });
    return;
  }
  const isRoot = place.fileBlock === 0 && dir.hasFlag(IFLAG.INDEX);
  const bp = breadDir(dir, place.fileBlock);
  try {
    if (getLe32(bp.data, place.offset) !== ino)
      throw new CorruptError('directory entry moved', { ino: dir.ino, block: bp.block });
    change(bp.data, recordsEnd(dir), place.offset);
    if (isRoot) indexChanged(dir, bp, DX_ROOT_ENTRIES);
    else leafChanged(dir, bp);
  } finally {
    dir.mp.bufs.brelse(bp);
  }
}

/** Does the directory hold nothing but `.` and `..`? */
export function isEmptyDirectory(dir: Inode): boolean {
  if (isInline(dir)) return isEmptyInline(dir);
  for (let fileBlock = 0; fileBlock < dirBlocks(dir); fileBlock++) {
    const bp = breadDir(dir, fileBlock);
    try {
      if (usedRecords(bp.data, 0, dir.geo.blockSize).some(({ name }) => !isDot(name))) return false;
    } finally {
      dir.mp.bufs.brelse(bp);
    }
  }
  return true;
}

const isDot = (name: Uint8Array): boolean => name.length <= 2 && name.every((byte) => byte === 0x2e);
