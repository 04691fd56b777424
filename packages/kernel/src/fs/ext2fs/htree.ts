/**
 * Indexed directories, changed: turning a linear one into one, adding an entry, splitting leaves and index nodes, adding a
 * level. Leaves are ordinary blocks of records; each holds the names whose hashes lie between its index entry's and the
 * next one's. Nothing is ever merged, as on Linux. Spec: "Hash Tree Directories".
 */
import { CorruptError, FsError } from '../../kern/errno.ts';
import type { FileBlock } from '../../kern/ids.ts';
import { getLe16, getLe32, setLe16, setLe32 } from '../../kern/struct.ts';
import type { Buf } from '../../vfs/buf.ts';
import {
  initRecords,
  insertRecord,
  packRecords,
  recLenAt,
  recordSize,
  setRecLen,
  usedRecords,
  type NewRecord,
  type UsedRecord,
} from './dirblock.ts';
import { appendDirBlock, breadDir, indexChanged, initLeaf, leafChanged, recordsEnd } from './dirgrow.ts';
import { hashedName } from './dirkind.ts';
import { INCOMPAT } from './features.ts';
import {
  DX_BLOCK_MASK,
  DX_ENTRY_SIZE,
  DX_NODE_ENTRIES,
  DX_ROOT_ENTRIES,
  DX_ROOT_INFO_OFFSET,
  DxCountLimit,
  DxEntry,
  DxRootInfo,
  DxTail,
  HASH,
  IFLAG,
} from './format.ts';
import { nameHash } from './hash.ts';
import type { Inode } from './inode.ts';
import { hasIncompat } from './superblock.ts';

/** One index block on the way to a leaf, and the entry taken there. */
interface Frame {
  readonly bp: Buf;
  readonly entriesAt: number;
  readonly index: number;
}

/** Levels below the root, without and with large_dir. */
const LEVELS_MAX = 1;
const LEVELS_MAX_LARGE = 2;
/** An insertion splits at most each level and one leaf, and goes round once more after each. */
const ROUNDS_MAX = 12;

const HASH_AT = DxEntry.offsetOf('hash');
const BLOCK_AT = DxEntry.offsetOf('block');
const COUNT_AT = DxCountLimit.offsetOf('count');

const countOf = ({ bp, entriesAt }: Frame): number => getLe16(bp.data, entriesAt + COUNT_AT);
const limitOf = ({ bp, entriesAt }: Frame): number => getLe16(bp.data, entriesAt);
const isFull = (frame: Frame): boolean => countOf(frame) >= limitOf(frame);
const entryAt = ({ entriesAt }: { entriesAt: number }, i: number): number => entriesAt + i * DX_ENTRY_SIZE;

/** Entries that fit behind `entriesAt`. */
const capacity = (dir: Inode, entriesAt: number): number =>
  Math.floor((dir.geo.blockSize - entriesAt - (dir.geo.metadataCsum ? DxTail.size : 0)) / DX_ENTRY_SIZE);

function initEntries(dir: Inode, bp: Buf, { entriesAt, child }: { entriesAt: number; child: FileBlock }): void {
  setLe16(bp.data, entriesAt, capacity(dir, entriesAt));
  setLe16(bp.data, entriesAt + COUNT_AT, 1);
  setLe32(bp.data, entriesAt + BLOCK_AT, child);
}

/** Version of the hash with the signedness of characters, as nameHash wants it. */
function hashVersion(dir: Inode, stored: number): number {
  return stored <= HASH.TEA && dir.geo.hashUnsigned ? stored + HASH.LEGACY_UNSIGNED : stored;
}

function hashOf(dir: Inode, version: number, name: Uint8Array): number {
  const found = nameHash(hashedName(dir, name), { version, seed: dir.geo.hashSeed });
  if (found === undefined) throw new CorruptError(`directory hash version ${version}`, { ino: dir.ino });
  return found.hash;
}

/** Turn a directory of one full block into an indexed one; false when its format does not allow it. Errors: ENOSPC. */
export function makeIndexed(dir: Inode): boolean {
  const { geo, mp } = dir;
  if (geo.defHashVersion > HASH.TEA_UNSIGNED) return false;
  const root = breadDir(dir, 0);
  try {
    const dotSize = recordSize(1);
    const dotdotSize = recLenAt(root.data, dotSize);
    // `.` and `..` come first, and nothing else may be below the index.
    if (recLenAt(root.data, 0) !== dotSize || root.data[dotSize + 6] !== 2) return false;
    const records = usedRecords(root.data, dotSize + dotdotSize, recordsEnd(dir));
    const { bp, fileBlock } = appendDirBlock(dir);
    try {
      initLeaf(dir, bp);
      packRecords(root.data, records, { block: bp.data, end: recordsEnd(dir) });
    } finally {
      mp.bufs.brelse(bp);
    }
    root.data.fill(0, DX_ROOT_INFO_OFFSET);
    setRecLen(root.data, dotSize, geo.blockSize - dotSize);
    const info = DxRootInfo.at(root.data, DX_ROOT_INFO_OFFSET);
    info.hashVersion = geo.defHashVersion;
    info.infoLength = DxRootInfo.size;
    initEntries(dir, root, { entriesAt: DX_ROOT_ENTRIES, child: fileBlock });
    indexChanged(dir, root, DX_ROOT_ENTRIES);
  } finally {
    mp.bufs.brelse(root);
  }
  dir.flags |= IFLAG.INDEX;
  return true;
}

/**
 * Add an entry to an indexed directory; false when its index is of a kind that we do not follow.
 * Errors: ENOSPC (also when the index is as deep as it may be), CorruptError.
 */
export function htreeInsert(dir: Inode, record: NewRecord): boolean {
  for (let round = 0; round < ROUNDS_MAX; round++) {
    const done = withFrames(dir, record.name, (frames, hash) => {
      const frame = frames.at(-1);
      if (frame === undefined) return undefined;
      const child = getLe32(frame.bp.data, entryAt(frame, frame.index) + BLOCK_AT) & DX_BLOCK_MASK;
      const bp = breadDir(dir, child);
      try {
        if (frames.some((above) => above.bp === bp))
          throw new CorruptError('directory index goes in circles', { ino: dir.ino, block: bp.block });
        if (insertRecord(bp.data, recordsEnd(dir), record).at >= 0) {
          leafChanged(dir, bp);
          return true;
        }
        if (isFull(frame)) makeIndexRoom(dir, frames);
        else splitLeaf(dir, frame, { leaf: bp, hash });
        return false;
      } finally {
        dir.mp.bufs.brelse(bp);
      }
    });
    if (done === undefined) return false;
    if (done) return true;
  }
  throw new CorruptError('directory index that never makes room', { ino: dir.ino });
}

/** Walk from the root to the index block above the leaf for `name`. No frames: an index that is not understood. */
function withFrames<T>(
  dir: Inode,
  name: Uint8Array,
  use: (frames: readonly Frame[], version: (n: Uint8Array) => number) => T,
): T {
  const { bufs } = dir.mp;
  const frames: Frame[] = [];
  let bp = breadDir(dir, 0);
  try {
    const info = DxRootInfo.at(bp.data, DX_ROOT_INFO_OFFSET);
    const version = hashVersion(dir, info.hashVersion);
    const hashName = (n: Uint8Array): number => hashOf(dir, version, n);
    const levels = info.indirectLevels;
    const known =
      info.reservedZero === 0 &&
      info.infoLength === DxRootInfo.size &&
      info.hashVersion <= HASH.TEA &&
      levels <= maxLevels(dir);
    if (!known) return use([], hashName);
    const hash = hashName(name);
    let entriesAt: number = DX_ROOT_ENTRIES;
    for (let level = 0; ; level++) {
      const frame = openFrame(dir, bp, { entriesAt, hash });
      frames.push(frame);
      if (level === levels) return use(frames, hashName);
      const child = getLe32(bp.data, entryAt(frame, frame.index) + BLOCK_AT) & DX_BLOCK_MASK;
      bp = breadDir(dir, child);
      entriesAt = DX_NODE_ENTRIES;
      if (frames.some((above) => above.bp === bp)) {
        bufs.brelse(bp);
        throw new CorruptError('directory index goes in circles', { ino: dir.ino, block: bp.block });
      }
    }
  } finally {
    for (const frame of frames) bufs.brelse(frame.bp);
    // The last one read, if it did not become a frame.
    if (!frames.some((frame) => frame.bp === bp)) bufs.brelse(bp);
  }
}

const maxLevels = (dir: Inode): number => (hasIncompat(dir.geo, INCOMPAT.LARGEDIR) ? LEVELS_MAX_LARGE : LEVELS_MAX);

/** Check an index block and choose its entry: the last whose hash is not above `hash`. */
function openFrame(dir: Inode, bp: Buf, { entriesAt, hash }: { entriesAt: number; hash: number }): Frame {
  const where = { ino: dir.ino, block: bp.block };
  const count = getLe16(bp.data, entriesAt + COUNT_AT);
  const limit = getLe16(bp.data, entriesAt);
  if (count === 0 || count > limit || limit > capacity(dir, entriesAt))
    throw new CorruptError('directory index count', where);
  let low = 1;
  let high = count;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (getLe32(bp.data, entriesAt + middle * DX_ENTRY_SIZE + HASH_AT) <= hash) low = middle + 1;
    else high = middle;
  }
  return { bp, entriesAt, index: low - 1 };
}

/** Put an entry behind the one that the frame took; there is room. */
function insertIndex(dir: Inode, frame: Frame, entry: { hash: number; block: FileBlock }): void {
  const { bp, entriesAt } = frame;
  const count = countOf(frame);
  const at = entryAt(frame, frame.index + 1);
  bp.data.copyWithin(at + DX_ENTRY_SIZE, at, entryAt(frame, count));
  setLe32(bp.data, at + HASH_AT, entry.hash);
  setLe32(bp.data, at + BLOCK_AT, entry.block);
  setLe16(bp.data, entriesAt + COUNT_AT, count + 1);
  indexChanged(dir, bp, entriesAt);
}

/** Move the upper half of a full leaf's hashes to a new one. Errors: ENOSPC. */
function splitLeaf(dir: Inode, frame: Frame, { leaf, hash }: { leaf: Buf; hash: (name: Uint8Array) => number }): void {
  const end = recordsEnd(dir);
  const old = leaf.data.slice();
  const records = usedRecords(old, 0, end)
    .map((record) => ({ ...record, hash: hash(record.name) }))
    .sort((a, b) => a.hash - b.hash || a.at - b.at);
  if (records.length < 2)
    throw new CorruptError('full directory block with less than two names', { ino: dir.ino, block: leaf.block });
  const from = splitPoint(records, end);
  const first = records[from]?.hash ?? 0;
  // The same hash on both sides: a search must go on into the next block, says the lowest bit.
  const goesOn = records[from - 1]?.hash === first ? 1 : 0;
  const { bp, fileBlock } = appendDirBlock(dir);
  try {
    initLeaf(dir, bp);
    packRecords(old, records.slice(from), { block: bp.data, end });
    packRecords(old, records.slice(0, from), { block: leaf.data, end });
    leafChanged(dir, leaf);
    insertIndex(dir, frame, { hash: first + goesOn, block: fileBlock });
  } finally {
    dir.mp.bufs.brelse(bp);
  }
}

/** Index of the first record of the upper half, by bytes; neither half is empty. */
function splitPoint(records: readonly UsedRecord[], end: number): number {
  let bytes = 0;
  let from = records.length;
  while (from > 1) {
    const size = records[from - 1]?.size ?? 0;
    if (bytes + size > end / 2 && from < records.length) break;
    bytes += size;
    from--;
  }
  return from;
}

/** The lowest frame is full: split the highest full index block in the way, or add a level. Errors: ENOSPC. */
function makeIndexRoom(dir: Inode, frames: readonly Frame[]): void {
  const level = frames.map((frame) => isFull(frame)).lastIndexOf(false);
  const parent = frames[level];
  const child = frames[level + 1];
  if (parent !== undefined && child !== undefined) splitIndex(dir, parent, child);
  else addLevel(dir, frames);
}

function newNode(dir: Inode): { readonly bp: Buf; readonly fileBlock: FileBlock } {
  const node = appendDirBlock(dir);
  // To those who do not know indexes it is one empty record.
  initRecords(node.bp.data, 0, dir.geo.blockSize);
  return node;
}

function splitIndex(dir: Inode, parent: Frame, child: Frame): void {
  const { bp, fileBlock } = newNode(dir);
  try {
    const count = countOf(child);
    const from = count >>> 1;
    const hash = getLe32(child.bp.data, entryAt(child, from) + HASH_AT);
    bp.data.set(child.bp.data.subarray(entryAt(child, from), entryAt(child, count)), DX_NODE_ENTRIES);
    setLe16(bp.data, DX_NODE_ENTRIES, capacity(dir, DX_NODE_ENTRIES));
    setLe16(bp.data, DX_NODE_ENTRIES + COUNT_AT, count - from);
    child.bp.data.fill(0, entryAt(child, from), entryAt(child, count));
    setLe16(child.bp.data, child.entriesAt + COUNT_AT, from);
    indexChanged(dir, child.bp, child.entriesAt);
    indexChanged(dir, bp, DX_NODE_ENTRIES);
    insertIndex(dir, parent, { hash, block: fileBlock });
  } finally {
    dir.mp.bufs.brelse(bp);
  }
}

/** All of the root's entries move to a node of their own, the only one that the root then leads to. */
function addLevel(dir: Inode, [root]: readonly Frame[]): void {
  if (root === undefined) return;
  const info = DxRootInfo.at(root.bp.data, DX_ROOT_INFO_OFFSET);
  if (info.indirectLevels >= maxLevels(dir)) {
    throw new FsError('ENOSPC', {
      ino: dir.ino,
      what: 'directory index is full; the large_dir feature would let it grow',
    });
  }
  const { bp, fileBlock } = newNode(dir);
  try {
    const count = countOf(root);
    bp.data.set(root.bp.data.subarray(entryAt(root, 0), entryAt(root, count)), DX_NODE_ENTRIES);
    setLe16(bp.data, DX_NODE_ENTRIES, capacity(dir, DX_NODE_ENTRIES));
    setLe16(bp.data, DX_NODE_ENTRIES + COUNT_AT, count);
    root.bp.data.fill(0, entryAt(root, 1), entryAt(root, count));
    initEntries(dir, root.bp, { entriesAt: DX_ROOT_ENTRIES, child: fileBlock });
    info.indirectLevels += 1;
    indexChanged(dir, bp, DX_NODE_ENTRIES);
    indexChanged(dir, root.bp, DX_ROOT_ENTRIES);
  } finally {
    dir.mp.bufs.brelse(bp);
  }
}
