/**
 * One node of an extent tree, as bytes: the 60 bytes in the inode or a whole block. A 12-byte header, then 12-byte entries
 * sorted by the file block that each begins with. Nothing here knows disks or other nodes; extents.ts does.
 * Scalar access instead of views: a lookup touches a dozen entries. Source: Linux Documentation/filesystems/ext4 "Extent Tree".
 */
import { CorruptError } from '../../kern/errno.ts';
import { getLe16, getLe32, setLe16, setLe32 } from '../../kern/struct.ts';
import {
  Extent,
  EXTENT_ENTRY_SIZE,
  EXTENT_INIT_MAX,
  EXTENT_MAGIC,
  EXTENT_MAX_DEPTH,
  ExtentHeader,
  ExtentIndex,
} from './format.ts';

const TWO32 = 4294967296;
const ENTRIES = ExtentHeader.offsetOf('entries');
const MAX = ExtentHeader.offsetOf('max');
const DEPTH = ExtentHeader.offsetOf('depth');
const LEN = Extent.offsetOf('len');
const START_HI = Extent.offsetOf('startHi');
const START_LO = Extent.offsetOf('startLo');
const LEAF_LO = ExtentIndex.offsetOf('leafLo');
const LEAF_HI = ExtentIndex.offsetOf('leafHi');

/** Longest unwritten extent: the length's top bit says "unwritten", and 0x8000 itself means a written one. */
const UNWRITTEN_MAX = EXTENT_INIT_MAX - 1;

/** `count` blocks of the file from `fileBlock` on lie at `block`; unwritten ones read as zeros. */
export interface ExtentRun {
  readonly fileBlock: number;
  readonly count: number;
  readonly block: number;
  readonly unwritten: boolean;
}

export const maxLength = (unwritten: boolean): number => (unwritten ? UNWRITTEN_MAX : EXTENT_INIT_MAX);

export const entriesOf = (node: Uint8Array): number => getLe16(node, ENTRIES);
export const maxOf = (node: Uint8Array): number => getLe16(node, MAX);
export const depthOf = (node: Uint8Array): number => getLe16(node, DEPTH);
export const setDepth = (node: Uint8Array, depth: number): void => setLe16(node, DEPTH, depth);
const entryAt = (i: number): number => ExtentHeader.size + i * EXTENT_ENTRY_SIZE;
/** Entries that fit in a node of `bytes` bytes. */
export const nodeCapacity = (bytes: number): number => Math.floor((bytes - ExtentHeader.size) / EXTENT_ENTRY_SIZE);

/** An empty node. */
export function initNode(node: Uint8Array, depth: number): void {
  node.fill(0);
  const header = ExtentHeader.at(node, 0);
  header.magic = EXTENT_MAGIC;
  header.max = nodeCapacity(node.length);
  header.depth = depth;
}

/** CorruptError unless the header can be trusted; `depth` is what the level above promises. */
export function checkNode(node: Uint8Array, options: { ino: number; block?: number; depth?: number }): void {
  const { depth, ...where } = options;
  if (getLe16(node, 0) !== EXTENT_MAGIC) throw new CorruptError('extent node without its magic number', where);
  if (maxOf(node) > nodeCapacity(node.length))
    throw new CorruptError('extent node that says it is larger than its space', where);
  if (entriesOf(node) > maxOf(node)) throw new CorruptError('extent node with more entries than fit', where);
  const found = depthOf(node);
  if (found > EXTENT_MAX_DEPTH || (depth !== undefined && found !== depth))
    throw new CorruptError('extent tree depth', where);
}

/** First file block of entry `i`. */
export const firstOf = (node: Uint8Array, i: number): number => getLe32(node, entryAt(i));
export const setFirst = (node: Uint8Array, i: number, fileBlock: number): void => setLe32(node, entryAt(i), fileBlock);

/** The last entry that begins at or before `fileBlock`, or -1. */
export function findEntry(node: Uint8Array, fileBlock: number): number {
  let low = 0;
  let high = entriesOf(node);
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (firstOf(node, middle) <= fileBlock) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}

// leaves

export function runOf(node: Uint8Array, i: number): ExtentRun {
  const at = entryAt(i);
  const len = getLe16(node, at + LEN);
  const unwritten = len > EXTENT_INIT_MAX;
  return {
    fileBlock: getLe32(node, at),
    count: unwritten ? len - EXTENT_INIT_MAX : len,
    block: getLe16(node, at + START_HI) * TWO32 + getLe32(node, at + START_LO),
    unwritten,
  };
}

export function setRun(node: Uint8Array, i: number, run: ExtentRun): void {
  const at = entryAt(i);
  setLe32(node, at, run.fileBlock);
  setLe16(node, at + LEN, run.unwritten ? run.count + EXTENT_INIT_MAX : run.count);
  setLe16(node, at + START_HI, Math.floor(run.block / TWO32));
  setLe32(node, at + START_LO, run.block % TWO32);
}

// inner nodes

/** The block of the node that entry `i` leads to. */
export const childOf = (node: Uint8Array, i: number): number =>
  getLe16(node, entryAt(i) + LEAF_HI) * TWO32 + getLe32(node, entryAt(i) + LEAF_LO);

export function setChild(node: Uint8Array, i: number, child: { fileBlock: number; block: number }): void {
  const at = entryAt(i);
  setLe32(node, at, child.fileBlock);
  setLe32(node, at + LEAF_LO, child.block % TWO32);
  setLe16(node, at + LEAF_HI, Math.floor(child.block / TWO32));
  setLe16(node, at + 10, 0);
}

// both

/** Open a gap for entry `i`, to be filled by setRun or setChild. The caller has seen that there is room. */
export function openEntry(node: Uint8Array, i: number): void {
  const entries = entriesOf(node);
  node.copyWithin(entryAt(i + 1), entryAt(i), entryAt(entries));
  setLe16(node, ENTRIES, entries + 1);
}

/** Take entries [from, to) out. */
export function closeEntries(node: Uint8Array, from: number, to: number): void {
  const entries = entriesOf(node);
  node.copyWithin(entryAt(from), entryAt(to), entryAt(entries));
  node.fill(0, entryAt(entries - (to - from)), entryAt(entries));
  setLe16(node, ENTRIES, entries - (to - from));
}

/** Move entries from `from` on to the empty node `right`. */
export function splitNode(node: Uint8Array, from: number, right: Uint8Array): void {
  const entries = entriesOf(node);
  right.set(node.subarray(entryAt(from), entryAt(entries)), entryAt(0));
  setLe16(right, ENTRIES, entries - from);
  closeEntries(node, from, entries);
}

/** Replace all entries and the depth of `node` by those of `other`; the caller has seen that they fit. */
export function copyEntries(node: Uint8Array, other: Uint8Array): void {
  const entries = entriesOf(other);
  node.fill(0, entryAt(0), entryAt(maxOf(node)));
  node.set(other.subarray(entryAt(0), entryAt(entries)), entryAt(0));
  setLe16(node, ENTRIES, entries);
  setDepth(node, depthOf(other));
}
