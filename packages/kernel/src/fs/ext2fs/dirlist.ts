/**
 * Listing a directory. The cookie of an entry must stay good while others come and go, and entries of an indexed directory
 * move when a leaf splits. So a directory that is or may become indexed is listed in the order of its names' hashes, which
 * never change: a cookie is a place in that order. Linux does the same. Others, and all on read-only mounts, where nothing
 * moves, are listed as they lie: the cookie is a byte in the row of blocks.
 *
 * A cookie says of which kind it is, so that a listing goes on as it began. Spec: "Hash Tree Directories".
 */
import { crc32c } from '../../kern/checksum/crc32c.ts';
import { CorruptError } from '../../kern/errno.ts';
import type { FileBlock, Ino } from '../../kern/ids.ts';
import { getLe32 } from '../../kern/struct.ts';
import type { Dirent } from '../../vfs/dirent.ts';
import type { VType } from '../../vfs/vattr.ts';
import { bmap } from './bmap.ts';
import { casefold } from './casefold.ts';
import { checkedLength, fileTypeOf, inlineAreas, isDots, shownName } from './dir.ts';
import { breadDirBlock, dirBlocks, isIndexed } from './dir-read.ts';
import { isCasefolded } from './dirkind.ts';
import { COMPAT } from './features.ts';
import {
  DIRENT_HEADER,
  DirEntry,
  DX_BLOCK_MASK,
  DX_ENTRY_SIZE,
  DX_NODE_ENTRIES,
  DX_ROOT_ENTRIES,
  HASH,
  I_BLOCK_SIZE,
  IFLAG,
} from './format.ts';
import { nameHash } from './hash.ts';
import { checkedCount, dxRootInfo } from './htree-lookup.ts';
import { INLINE_FIRST, inlineParent, isInline } from './inline.ts';
import type { Inode } from './inode.ts';
import { hasCompat } from './superblock.ts';

/** Up to `max` entries after `cookie` (0: from the start). CorruptError. */
export function dirList(dir: Inode, cookie: number, max: number): Dirent[] {
  const list = { out: [], max };
  const byHash = cookie >= HASH_COOKIES || (cookie === 0 && !dir.mp.readOnly && hashOrder(dir, { whole: true }));
  if (byHash) listByHash(dir, cookie, list);
  else if (isInline(dir)) listInline(dir, cookie, list);
  else listBlocks(dir, cookie, list);
  return list.out;
}

interface List {
  readonly out: Dirent[];
  readonly max: number;
}

const INO = DirEntry.offsetOf('inode');
const NAME_LEN = DirEntry.offsetOf('nameLen');
const TYPE_OF_FT: readonly (VType | undefined)[] = [undefined, 'reg', 'dir', 'chr', 'blk', 'fifo', 'sock', 'lnk'];

const typeAt = (dir: Inode, data: Uint8Array, at: number): VType | undefined =>
  TYPE_OF_FT[fileTypeOf(dir.geo, data, at)];

// as it lies

/** Entries of data[start, end) that lie at or behind `skip`; cookies are `base` + byte. */
function listArea(
  dir: Inode,
  area: { readonly data: Uint8Array; readonly start: number; readonly end: number },
  { out, max }: List,
  { base, skip }: { readonly base: number; readonly skip: number },
): void {
  const { data, start, end } = area;
  for (let at = start; at < end && out.length < max;) {
    const length = checkedLength(dir, data, at, end);
    const ino = getLe32(data, at + INO);
    if (ino !== 0 && at >= skip) {
      out.push({ name: shownName(dir, data, at), ino, type: typeAt(dir, data, at), next: base + at + length });
    }
    at += length;
  }
}

function listBlocks(dir: Inode, cookie: number, list: List): void {
  const { blockSize } = dir.geo;
  const blocks = dirBlocks(dir);
  for (let fileBlock = Math.floor(cookie / blockSize); fileBlock < blocks && list.out.length < list.max; fileBlock++) {
    const bp = breadDirBlock(dir, fileBlock);
    if (bp === undefined) {
      fileBlock += bmap(dir, fileBlock, blocks - fileBlock).count - 1;
      continue;
    }
    try {
      const base = fileBlock * blockSize;
      listArea(dir, { data: bp.data, start: 0, end: blockSize }, list, { base, skip: cookie - base });
    } finally {
      dir.mp.bufs.brelse(bp);
    }
  }
}

/** Cookies of an inline directory: `.` and `..` at 0 and 12 as in a block, then the areas one after the other. */
const INLINE_DOTDOT = 12;
const INLINE_RECORDS = 24;

function listInline(dir: Inode, cookie: number, list: List): void {
  const { out, max } = list;
  const [ibody, rest] = inlineAreas(dir);
  if (cookie === 0 && out.length < max) out.push({ name: '.', ino: dir.ino, type: 'dir', next: INLINE_DOTDOT });
  if (cookie <= INLINE_DOTDOT && out.length < max) {
    out.push({ name: '..', ino: inlineParent(dir), type: 'dir', next: INLINE_RECORDS });
  }
  const base = INLINE_RECORDS - INLINE_FIRST;
  listArea(dir, ibody, list, { base, skip: cookie - base });
  const restBase = base + I_BLOCK_SIZE;
  listArea(dir, rest, list, { base: restBase, skip: cookie - restBase });
}

// by hash

/**
 * Cookies above this are places in the order of hashes: the hash's 31 bits, then 21 of the name's second hash. Names that
 * have even those in common stand in the order of their bytes, each one place behind the one before.
 */
const HASH_COOKIES = 2 ** 52;
const MINOR_BITS = 21;
const MINORS = 2 ** MINOR_BITS;
/** Places after `.`, after `..`, and of key 0. */
const DOT = 1;
const DOTDOT = 2;
const FIRST_KEY = 2;

/** How the names of a directory are ordered. */
interface HashOrder {
  readonly version: number;
  /** Levels of index nodes below the root; undefined: there is no index, all names are in one block or in the inode. */
  readonly levels: number | undefined;
}

/** Some leaves that one call reads, and the keys that belong there: [low, high). */
interface Leaf {
  readonly fileBlock: FileBlock;
  readonly low: number;
  readonly high: number;
}

interface Placed {
  key: number;
  readonly data: Uint8Array;
  readonly at: number;
}

/**
 * How the directory can be listed by hash; undefined when it has no index and cannot get one, or one that is not sound:
 * `whole` looks at every node of it, as a listing does when it begins.
 */
function hashOrder(dir: Inode, { whole }: { readonly whole: boolean }): HashOrder | undefined {
  const { geo } = dir;
  // No encrypted name is ever added, and how some are hashed is a secret.
  if (!hasCompat(geo, COMPAT.DIR_INDEX) || dir.hasFlag(IFLAG.ENCRYPT)) return undefined;
  if (isInline(dir) || (dir.size === geo.blockSize && !isIndexed(dir))) {
    if (geo.defHashVersion > HASH.TEA) return undefined;
    const version = geo.defHashVersion + (geo.hashUnsigned ? HASH.LEGACY_UNSIGNED : 0);
    return { version, levels: undefined };
  }
  if (!isIndexed(dir)) return undefined;
  const root = breadDirBlock(dir, 0);
  if (root === undefined) return undefined;
  const info = dxRootInfo(dir, root.data);
  dir.mp.bufs.brelse(root);
  return info !== undefined && (!whole || isSoundIndex(dir, info.levels)) ? info : undefined;
}

function listByHash(dir: Inode, cookie: number, { out, max }: List): void {
  const order = hashOrder(dir, { whole: false });
  if (order === undefined) throw new CorruptError('directory index', { ino: dir.ino });
  const place = Math.max(0, cookie - HASH_COOKIES);
  if (place < FIRST_KEY) listDots(dir, place, { out, max });
  const from = Math.max(0, place - FIRST_KEY);
  for (const batch of batches(dir, order, from)) {
    for (const { key, data, at } of batch) {
      if (out.length >= max) return;
      if (key < from) continue;
      const next = HASH_COOKIES + FIRST_KEY + key + 1;
      out.push({ name: shownName(dir, data, at), ino: getLe32(data, at + INO), type: typeAt(dir, data, at), next });
    }
    if (out.length >= max) return;
  }
}

function listDots(dir: Inode, place: number, { out, max }: List): void {
  if (place < DOT && out.length < max) out.push({ name: '.', ino: dir.ino, type: 'dir', next: HASH_COOKIES + DOT });
  if (out.length < max) out.push({ name: '..', ino: parentIno(dir), type: 'dir', next: HASH_COOKIES + DOTDOT });
}

function parentIno(dir: Inode): Ino {
  if (isInline(dir)) return inlineParent(dir);
  const data = blockData(dir, 0);
  return getLe32(data, checkedLength(dir, data, 0, data.length) + INO);
}

/** The block's bytes, good until somebody writes: nobody does while a call lists. */
function blockData(dir: Inode, fileBlock: FileBlock): Uint8Array {
  const bp = breadDirBlock(dir, fileBlock);
  if (bp === undefined) throw new CorruptError('hole in a directory', { ino: dir.ino });
  dir.mp.bufs.brelse(bp);
  return bp.data;
}

/** The entries in order, those of whole leaves at a time, from the leaf on that holds key `from`. */
function* batches(dir: Inode, order: HashOrder, from: number): Generator<Placed[]> {
  const all = { low: 0, high: Infinity };
  if (order.levels === undefined) {
    const areas = isInline(dir) ? inlineAreas(dir) : [wholeBlock(dir, 0)];
    yield ordered(areas.flatMap((area) => placedIn(dir, order, area, all)));
    return;
  }
  let batch: Placed[] = [];
  let end = 0;
  for (const leaf of leaves(dir, { levels: order.levels, from })) {
    // A leaf whose names may go on with the last hash of the one before is read together with it.
    if (leaf.low >= end && batch.length > 0) {
      yield ordered(batch);
      batch = [];
    }
    for (const placed of placedIn(dir, order, wholeBlock(dir, leaf.fileBlock), leaf)) batch.push(placed);
    end = Math.max(leaf.high, leaf.low + MINORS);
  }
  yield ordered(batch);
}

interface Area {
  readonly data: Uint8Array;
  readonly start: number;
  readonly end: number;
}

function wholeBlock(dir: Inode, fileBlock: FileBlock): Area {
  const data = blockData(dir, fileBlock);
  return { data, start: 0, end: data.length };
}

/** An area's entries with their keys. One that a damaged leaf holds against the order is put at the leaf's edge. */
function placedIn(dir: Inode, order: HashOrder, { data, start, end }: Area, bounds: Omit<Leaf, 'fileBlock'>): Placed[] {
  const found: Placed[] = [];
  for (let at = start; at < end;) {
    const length = checkedLength(dir, data, at, end);
    if (getLe32(data, at + INO) !== 0 && !isDots(data, at)) {
      const key = Math.min(Math.max(keyAt(dir, order, data, at), bounds.low), bounds.high - 1);
      found.push({ key, data, at });
    }
    at += length;
  }
  return found;
}

function keyAt(dir: Inode, { version }: HashOrder, data: Uint8Array, at: number): number {
  const nameAt = at + DIRENT_HEADER;
  const bytes = data.subarray(nameAt, nameAt + (data[at + NAME_LEN] ?? 0));
  const name = (isCasefolded(dir) ? casefold(bytes) : undefined) ?? bytes;
  const found = nameHash(name, { version, seed: dir.geo.hashSeed });
  if (found === undefined) throw new CorruptError(`directory hash version ${version}`, { ino: dir.ino });
  // The legacy hash has no second half.
  const isLegacy = version === HASH.LEGACY || version === HASH.LEGACY_UNSIGNED;
  const minor = isLegacy ? crc32c(0, name) >>> 0 : found.minor;
  return (found.hash >>> 1) * MINORS + (minor >>> (32 - MINOR_BITS));
}

/** Sorted, and no two with one key. */
function ordered(batch: Placed[]): Placed[] {
  batch.sort((a, b) => a.key - b.key || compareNames(a, b));
  for (let i = 1; i < batch.length; i++) {
    const [before, here] = [batch[i - 1], batch[i]];
    if (before !== undefined && here !== undefined && here.key <= before.key) here.key = before.key + 1;
  }
  return batch;
}

function compareNames(a: Placed, b: Placed): number {
  const [aLength, bLength] = [a.data[a.at + NAME_LEN] ?? 0, b.data[b.at + NAME_LEN] ?? 0];
  for (let i = 0; i < Math.min(aLength, bLength); i++) {
    const difference = (a.data[a.at + DIRENT_HEADER + i] ?? 0) - (b.data[b.at + DIRENT_HEADER + i] ?? 0);
    if (difference !== 0) return difference;
  }
  return aLength - bLength;
}

// the index

/** The index entries of a node, or undefined when they cannot be. */
function nodeOf(dir: Inode, fileBlock: FileBlock): { data: Uint8Array; entriesAt: number; count: number } | undefined {
  const data = blockData(dir, fileBlock);
  const entriesAt = fileBlock === 0 ? DX_ROOT_ENTRIES : DX_NODE_ENTRIES;
  const count = checkedCount(dir, data, entriesAt);
  return count === undefined ? undefined : { data, entriesAt, count };
}

const MARK_CONTINUED = 1;
/** First key of an index entry; the lowest bit of its hash only says that the leaf before may hold the same hash. */
const lowKey = (data: Uint8Array, at: number): number => ((getLe32(data, at) & ~MARK_CONTINUED) >>> 1) * MINORS;
const childAt = (data: Uint8Array, at: number): FileBlock => getLe32(data, at + 4) & DX_BLOCK_MASK;

/** The leaves in order, from the first on that may hold key `from`. */
function* leaves(
  dir: Inode,
  { levels, from }: { readonly levels: number; readonly from: number },
  node: Leaf = { fileBlock: 0, low: 0, high: Infinity },
): Generator<Leaf> {
  const found = nodeOf(dir, node.fileBlock);
  if (found === undefined) throw new CorruptError('directory index', { ino: dir.ino });
  const { data, entriesAt, count } = found;
  for (let i = 0, low = node.low; i < count; i++) {
    const at = entriesAt + i * DX_ENTRY_SIZE;
    const next = at + DX_ENTRY_SIZE;
    const isLast = i === count - 1;
    const nextLow = isLast ? node.high : Math.max(low, lowKey(data, next));
    // With the mark, this leaf still holds names of the hash that the next one begins with.
    const goesOn = !isLast && (getLe32(data, next) & MARK_CONTINUED) !== 0;
    const high = goesOn ? nextLow + MINORS : nextLow;
    if (high > from || isLast) {
      const child = { fileBlock: childAt(data, at), low, high: Math.max(high, low + 1) };
      if (levels === 0) yield child;
      else yield* leaves(dir, { levels: levels - 1, from }, child);
    }
    low = nextLow;
  }
}

/** Does the index lead to each block of the directory exactly once, in order? Else a listing by it would not be whole. */
function isSoundIndex(dir: Inode, levels: number): boolean {
  const blocks = dirBlocks(dir);
  const seen = new Uint8Array(blocks);
  let count = 1;
  seen[0] = 1;
  const visit = (fileBlock: FileBlock, level: number): boolean => {
    const node = nodeOf(dir, fileBlock);
    if (node === undefined) return false;
    for (let i = 0; i < node.count; i++) {
      const at = node.entriesAt + i * DX_ENTRY_SIZE;
      const child = childAt(node.data, at);
      if (child >= blocks || seen[child] === 1) return false;
      if (i > 1 && getLe32(node.data, at) < getLe32(node.data, at - DX_ENTRY_SIZE)) return false;
      seen[child] = 1;
      count++;
      if (level < levels && !visit(child, level + 1)) return false;
    }
    return true;
  };
  try {
    return visit(0, 0) && count === blocks;
  } catch (e) {
    if (e instanceof CorruptError) return false;
    throw e;
  }
}
