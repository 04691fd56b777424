/**
 * File block → where it lies, as runs: the reading side of block maps and extent trees. Holes and unwritten extents are
 * runs without a block. Every pointer is checked to lie on the disk. Changing the map is extents.ts and balloc.ts.
 * Spec: "The Contents of inode.i_block".
 */
import { CorruptError } from '../../kern/errno.ts';
import type { FileBlock, FsBlock } from '../../kern/ids.ts';
import { getLe32 } from '../../kern/struct.ts';
import type { Buf } from '../../vfs/buf.ts';
import type { Run } from '../../vfs/vnodeops.ts';
import { verifyExtentBlock } from './csum.ts';
import { checkNode, childOf, depthOf, entriesOf, findEntry, firstOf, runOf } from './extent-node.ts';
import { I_BLOCK_OFFSET, IFLAG, NDIR_BLOCKS } from './format.ts';
import type { Inode, MapRun } from './inode.ts';

/** Extents number file blocks with 32 bits. */
const EXTENT_END = 0x1_0000_0000;

/** The run that begins with `fileBlock`, at most `max` blocks of it, as long as the map allows. */
export function bmap(inode: Inode, fileBlock: FileBlock, max: number): Run {
  const { lastRun } = inode;
  const run =
    lastRun !== undefined && covers(lastRun, fileBlock)
      ? lastRun
      : extend(inode, lookup(inode, fileBlock, max), fileBlock + max);
  inode.lastRun = run;
  const skip = fileBlock - run.fileBlock;
  return {
    block: run.block === undefined ? undefined : run.block + skip,
    count: Math.min(max, run.count - skip),
  };
}

const covers = (run: MapRun, fileBlock: FileBlock): boolean =>
  fileBlock >= run.fileBlock && fileBlock < run.fileBlock + run.count;

function lookup(inode: Inode, fileBlock: FileBlock, max: number): MapRun {
  return inode.hasFlag(IFLAG.EXTENTS) ? extentRun(inode, fileBlock, max) : indirectRun(inode, fileBlock, max);
}

/** Join what follows without a gap, up to file block `end`. */
function extend(inode: Inode, first: MapRun, end: FileBlock): MapRun {
  let { count } = first;
  // Each piece comes from another block of the map, of which the disk has no more than blocks.
  for (let left = inode.geo.blocks; first.fileBlock + count < end; left--) {
    if (left === 0) throw new CorruptError('block map goes in circles', { ino: inode.ino });
    const at = first.fileBlock + count;
    const next = lookup(inode, at, end - at);
    const joins = first.block === undefined ? next.block === undefined : next.block === first.block + count;
    if (!joins || next.fileBlock !== at) break;
    count += next.count;
  }
  return count === first.count ? first : { ...first, count };
}

/** CorruptError unless [block, block + count) is on the disk, behind the superblock. */
export function checkRange(inode: Inode, block: FsBlock, count: number): void {
  const { geo } = inode;
  if (block <= geo.firstDataBlock || block + count > geo.blocks) {
    throw new CorruptError('block pointer beyond the file system', { ino: inode.ino, block });
  }
}

// extents

/** The whole extent, or the whole hole between two, that covers `fileBlock`. */
function extentRun(inode: Inode, fileBlock: FileBlock, max: number): MapRun {
  if (fileBlock >= EXTENT_END) return { fileBlock, count: max, block: undefined };
  const { ino } = inode;
  let node = inode.block;
  checkNode(node, { ino });
  let bp: Buf | undefined;
  try {
    let end = EXTENT_END;
    for (let depth = depthOf(node); depth > 0; depth--) {
      if (entriesOf(node) === 0) throw new CorruptError('extent index without entries', { ino });
      const at = findEntry(node, fileBlock);
      if (at + 1 < entriesOf(node)) end = Math.min(end, firstOf(node, at + 1));
      // Before the first entry: a hole up to it.
      if (at < 0) return holeRun(inode, fileBlock, end);
      const child = childOf(node, at);
      checkRange(inode, child, 1);
      const next = readNode(inode, child, depth - 1);
      if (bp !== undefined) inode.mp.bufs.brelse(bp);
      bp = next;
      node = bp.data;
    }
    const at = findEntry(node, fileBlock);
    if (at + 1 < entriesOf(node)) end = Math.min(end, firstOf(node, at + 1));
    if (at < 0) return holeRun(inode, fileBlock, end);
    const run = runOf(node, at);
    if (run.count === 0) throw new CorruptError('empty extent', { ino, block: run.block });
    checkRange(inode, run.block, run.count);
    if (fileBlock >= run.fileBlock + run.count) return holeRun(inode, fileBlock, end);
    const count = Math.min(run.count, end - run.fileBlock);
    return { fileBlock: run.fileBlock, count, block: run.unwritten ? undefined : run.block };
  } finally {
    if (bp !== undefined) inode.mp.bufs.brelse(bp);
  }
}

function holeRun({ ino }: Inode, fileBlock: FileBlock, end: FileBlock): MapRun {
  if (end <= fileBlock) throw new CorruptError('extents out of order', { ino });
  return { fileBlock, count: end - fileBlock, block: undefined };
}

function readNode(inode: Inode, block: FsBlock, depth: number): Buf {
  const { bufs } = inode.mp;
  const { ino } = inode;
  const bp = bufs.bread(block);
  try {
    checkNode(bp.data, { ino, block, depth });
    if (!bp.verified) {
      if (!verifyExtentBlock(inode.geo, inode.seed, bp.data))
        throw new CorruptError('extent block checksum', { ino, block });
      checkOrder(inode, bp.data, block);
      bp.verified = true;
    }
    return bp;
  } catch (e) {
    bufs.brelse(bp);
    throw e;
  }
}

/** Entries ascend and leaf entries do not overlap. Once per stay in the cache; readers bound each entry that they use. */
function checkOrder({ ino }: Inode, node: Uint8Array, block: FsBlock): void {
  const entries = entriesOf(node);
  const isLeaf = depthOf(node) === 0;
  let next = 0;
  for (let i = 0; i < entries; i++) {
    const first = firstOf(node, i);
    if (first < next) throw new CorruptError('extents out of order', { ino, block });
    next = isLeaf ? first + runOf(node, i).count : first + 1;
  }
  if (next > EXTENT_END) throw new CorruptError('extent beyond the largest file', { ino, block });
}

// block maps

/** Pointers in a row, as far as they go on evenly, within one block of pointers or the inode. */
function indirectRun(inode: Inode, fileBlock: FileBlock, max: number): MapRun {
  const perBlock = inode.geo.blockSize / 4;
  if (fileBlock < NDIR_BLOCKS) {
    return pointerRun(inode, { table: inode.raw, base: I_BLOCK_OFFSET, index: fileBlock, end: NDIR_BLOCKS }, fileBlock);
  }
  let rest = fileBlock - NDIR_BLOCKS;
  let span = perBlock;
  for (let level = 1; level <= 3; level++, span *= perBlock) {
    if (rest < span) {
      const root = getLe32(inode.raw, I_BLOCK_OFFSET + 4 * (NDIR_BLOCKS + level - 1));
      return descend(inode, { root, level, rest, span }, fileBlock);
    }
    rest -= span;
  }
  return { fileBlock, count: max, block: undefined };
}

/** From the pointer block `root`, whose tree of `level` levels maps `span` file blocks, to the one `rest` blocks in. */
function descend(
  inode: Inode,
  tree: { root: FsBlock; level: number; rest: number; span: number },
  fileBlock: FileBlock,
): MapRun {
  const perBlock = inode.geo.blockSize / 4;
  const { bufs } = inode.mp;
  let { root, rest, span } = tree;
  for (let level = tree.level; ; level--) {
    // The whole subtree is a hole.
    if (root === 0) return { fileBlock, count: span - rest, block: undefined };
    checkRange(inode, root, 1);
    const bp = bufs.bread(root);
    try {
      if (level === 1) return pointerRun(inode, { table: bp.data, base: 0, index: rest, end: perBlock }, fileBlock);
      span /= perBlock;
      const index = Math.floor(rest / span);
      rest -= index * span;
      root = getLe32(bp.data, index * 4);
    } finally {
      bufs.brelse(bp);
    }
  }
}

function pointerRun(
  inode: Inode,
  { table, base, index, end }: { table: Uint8Array; base: number; index: number; end: number },
  fileBlock: FileBlock,
): MapRun {
  const block = getLe32(table, base + index * 4);
  let count = 1;
  if (block === 0) {
    while (index + count < end && getLe32(table, base + (index + count) * 4) === 0) count++;
    return { fileBlock, count, block: undefined };
  }
  while (index + count < end && getLe32(table, base + (index + count) * 4) === block + count) count++;
  checkRange(inode, block, count);
  return { fileBlock, count, block };
}
