/**
 * The map of one file, walked whole: every extent or pointer checked, every block claimed. What is found is told to the
 * caller as words, because what a damaged map means differs by file. Spec: "The Contents of inode.i_block".
 */
import { CorruptError } from '../../../kern/errno.ts';
import type { FileBlock, FsBlock } from '../../../kern/ids.ts';
import { getLe32 } from '../../../kern/struct.ts';
import { verifyExtentBlock } from '../csum.ts';
import { checkNode, childOf, depthOf, entriesOf, firstOf, maxOf, nodeCapacity, runOf } from '../extent-node.ts';
import { I_BLOCK_OFFSET, IFLAG, NDIR_BLOCKS } from '../format.ts';
import type { Inode } from '../inode.ts';
import type { Check } from './state.ts';

/** A node may leave two entries' room for its checksum unused. */
const SLACK_ENTRIES = 2;
const EXTENT_END = 0x1_0000_0000;

export interface MapUse {
  /** A run of the file's own blocks. */
  readonly run: (run: {
    readonly fileBlock: FileBlock;
    readonly block: FsBlock;
    readonly count: number;
    readonly unwritten: boolean;
  }) => void;
  /** A block of the map itself; false: do not look into it (one that is claimed already may lead round in circles). */
  readonly node: (block: FsBlock) => boolean;
  readonly problem: (problem: MapProblem) => void;
}

export interface MapProblem {
  readonly code: string;
  readonly message: string;
  readonly block?: FsBlock;
}

/** Walk the map that lies in i_block. */
export function walkMap(c: Check, inode: Inode, use: MapUse): void {
  if (inode.hasFlag(IFLAG.EXTENTS)) walkExtents(c, inode, use);
  else walkPointers(c, inode, use);
}

// extents

interface NodeRange {
  readonly block?: FsBlock;
  readonly depth?: number;
  /** File blocks that the parent gives to this node; without a parent all. */
  readonly from: FileBlock;
  readonly end: FileBlock;
}

function walkExtents(c: Check, inode: Inode, use: MapUse): void {
  extentNode(c, inode, { node: inode.block, use, range: { from: 0, end: EXTENT_END } });
}

function extentNode(
  c: Check,
  inode: Inode,
  at: { readonly node: Uint8Array; readonly use: MapUse; readonly range: NodeRange },
): void {
  const { node, use, range } = at;
  const { block, depth: expected } = range;
  const where = block === undefined ? {} : { block };
  try {
    checkNode(node, {
      ino: inode.ino,
      ...where,
      ...(expected === undefined ? {} : { depth: expected }),
    });
  } catch (e) {
    if (!(e instanceof CorruptError)) throw e;
    use.problem({ code: 'extent-header', message: e.message, ...where });
    return;
  }
  if (maxOf(node) < nodeCapacity(node.length) - SLACK_ENTRIES) {
    use.problem({ code: 'extent-header', message: 'extent node that says it is smaller than its space', ...where });
    return;
  }
  if (block !== undefined && !verifyExtentBlock(c.geo, inode.seed, node)) {
    use.problem({ code: 'extent-checksum', message: 'checksum of an extent block', ...where });
  }
  if (block !== undefined && entriesOf(node) > 0 && firstOf(node, 0) !== range.from) {
    use.problem({ code: 'extent-index', message: 'extent node that begins elsewhere than its parent says', ...where });
  }
  if (depthOf(node) === 0) extentLeaf(c, at);
  else extentIndex(c, inode, at);
}

function extentIndex(
  c: Check,
  inode: Inode,
  { node, use, range }: { readonly node: Uint8Array; readonly use: MapUse; readonly range: NodeRange },
): void {
  const entries = entriesOf(node);
  const depth = depthOf(node);
  if (entries === 0) use.problem({ code: 'extent-header', message: 'extent index without entries' });
  // The node's buffer is let go while its children are read.
  const own = node.slice();
  let next = range.block === undefined ? 0 : range.from;
  for (let i = 0; i < entries; i++) {
    const from = firstOf(own, i);
    const child = childOf(own, i);
    const end = i + 1 < entries ? firstOf(own, i + 1) : range.end;
    if (from < next || end <= from) {
      use.problem({ code: 'extent-order', message: `extent index ${i} is out of order`, block: child });
      continue;
    }
    next = from + 1;
    if (!c.isOnDisk(child)) {
      use.problem({ code: 'extent-range', message: 'extent node outside the file system', block: child });
      continue;
    }
    if (!use.node(child)) continue;
    const bp = c.mp.bufs.bread(child);
    try {
      extentNode(c, inode, { node: bp.data, use, range: { block: child, depth: depth - 1, from, end } });
    } finally {
      c.mp.bufs.brelse(bp);
    }
  }
}

function extentLeaf(
  c: Check,
  { node, use, range }: { readonly node: Uint8Array; readonly use: MapUse; readonly range: NodeRange },
): void {
  const entries = entriesOf(node);
  let next = range.from;
  for (let i = 0; i < entries; i++) {
    const run = runOf(node, i);
    const { fileBlock, block, count } = run;
    if (count === 0) {
      use.problem({ code: 'extent-length', message: `extent ${i} of no blocks`, block });
      continue;
    }
    if (!c.isOnDisk(block, count)) {
      use.problem({ code: 'extent-range', message: `extent of ${count} blocks outside the file system`, block });
      continue;
    }
    if (fileBlock < next) {
      use.problem({ code: 'extent-order', message: `extent ${i} is out of order`, block });
      continue;
    }
    if (fileBlock + count > range.end) {
      use.problem({ code: 'extent-order', message: `extent ${i} goes on beyond its node`, block });
      continue;
    }
    next = fileBlock + count;
    use.run(run);
  }
}

// block maps

function walkPointers(c: Check, inode: Inode, use: MapUse): void {
  const perBlock = c.geo.blockSize / 4;
  let fileBlock = 0;
  pointers(c, { table: inode.raw, base: I_BLOCK_OFFSET, count: NDIR_BLOCKS, fileBlock, use });
  fileBlock += NDIR_BLOCKS;
  for (let level = 1; level <= 3; level++) {
    const root = getLe32(inode.raw, I_BLOCK_OFFSET + 4 * (NDIR_BLOCKS + level - 1));
    subtree(c, { root, level, fileBlock, use });
    fileBlock += perBlock ** level;
  }
}

function subtree(
  c: Check,
  at: { readonly root: FsBlock; readonly level: number; readonly fileBlock: FileBlock; readonly use: MapUse },
): void {
  const { root, level, fileBlock, use } = at;
  if (root === 0) return;
  if (!c.isOnDisk(root)) {
    use.problem({ code: 'block-range', message: 'indirect block outside the file system', block: root });
    return;
  }
  if (!use.node(root)) return;
  const perBlock = c.geo.blockSize / 4;
  const bp = c.mp.bufs.bread(root);
  try {
    const table = bp.data;
    if (level === 1) {
      pointers(c, { table, base: 0, count: perBlock, fileBlock, use });
      return;
    }
    for (let i = 0; i < perBlock; i++) {
      const child = getLe32(table, i * 4);
      if (child !== 0) {
        subtree(c, { root: child, level: level - 1, fileBlock: fileBlock + i * perBlock ** (level - 1), use });
      }
    }
  } finally {
    c.mp.bufs.brelse(bp);
  }
}

/** A row of pointers to blocks of the file, told as runs. */
function pointers(
  c: Check,
  row: {
    readonly table: Uint8Array;
    readonly base: number;
    readonly count: number;
    readonly fileBlock: FileBlock;
    readonly use: MapUse;
  },
): void {
  const { table, base, count, fileBlock, use } = row;
  const at = (i: number): FsBlock => getLe32(table, base + i * 4);
  for (let i = 0; i < count;) {
    const block = at(i);
    let length = 1;
    if (block !== 0 && !c.isOnDisk(block)) {
      use.problem({ code: 'block-range', message: 'block outside the file system', block });
    } else if (block !== 0) {
      while (i + length < count && at(i + length) === block + length && c.isOnDisk(block + length)) length++;
      use.run({ fileBlock: fileBlock + i, block, count: length, unwritten: false });
    }
    i += length;
  }
}
