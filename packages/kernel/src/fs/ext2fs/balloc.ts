/**
 * Making file blocks real: whatever a write meets (data, a hole, unwritten space) becomes a run of blocks to write to.
 * The map is extents.ts's or indirect.ts's, the blocks are alloc.ts's.
 *
 * With bigalloc a file's blocks keep their place within a cluster: block n of the file is block n mod r of a cluster of r
 * blocks. A hole is filled from the cluster that its neighbours lie in, if they do; a cluster is free when the last block
 * of the file that lay in it is.
 */
import { CorruptError, FsError, UnsupportedError } from '../../kern/errno.ts';
import type { Bytes, FileBlock, FsBlock } from '../../kern/ids.ts';
import { allocRun, freeBlocks, groupGoal, type BlockRun } from './alloc.ts';
import { bmap, checkRange } from './bmap.ts';
import { INCOMPAT, RO_COMPAT } from './features.ts';
import { IFLAG } from './format.ts';
import { allocIndirect, freeIndirect, indirectLimit } from './indirect.ts';
import type { Inode } from './inode.ts';
import { hasIncompat, hasRoCompat } from './superblock.ts';
import { findMapping, insertRun, markWritten, removeRange, type Mapping } from './extents.ts';
import { refuseSystem } from './zones.ts';

export interface WriteRun {
  readonly block: FsBlock;
  readonly count: number;
  /** The blocks hold nothing of the file yet: what is not written now must be zeroed. */
  readonly isNew: boolean;
}

/** Extents number blocks with 32 bits, and the last number stands for the end. */
const EXTENT_BLOCKS_MAX = 0xffff_ffff;
/** Largest size that does not need the large_file feature. */
export const SMALL_FILE_MAX = 0x7fff_ffff;
const SECTORS_MAX = 0x1_0000_0000;

/** Largest size of a file with this kind of map. */
export function sizeLimit(ip: Inode): Bytes {
  const { geo } = ip;
  // Revision 0 has no feature bits to say that a file is large.
  if (geo.revLevel === 0) return SMALL_FILE_MAX;
  // Inline data that grows gets the map that the format prefers.
  const hasExtents = ip.hasFlag(IFLAG.INLINE_DATA) ? hasIncompat(geo, INCOMPAT.EXTENTS) : ip.hasFlag(IFLAG.EXTENTS);
  if (hasExtents) return EXTENT_BLOCKS_MAX * geo.blockSize;
  const mapped = Math.min(indirectLimit(geo.blockSize), EXTENT_BLOCKS_MAX) * geo.blockSize;
  return hasRoCompat(geo, RO_COMPAT.HUGE_FILE) ? mapped : Math.min(mapped, (SECTORS_MAX - 1) * 512);
}

/** Blocks for the first part of file blocks [fileBlock, fileBlock + want). Errors: ENOSPC, EFBIG, CorruptError. */
export function balloc(ip: Inode, fileBlock: FileBlock, want: number): WriteRun {
  return ip.hasFlag(IFLAG.EXTENTS) ? ballocExtent(ip, fileBlock, want) : ballocIndirect(ip, fileBlock, want);
}

function ballocExtent(ip: Inode, fileBlock: FileBlock, want: number): WriteRun {
  const mapping = findMapping(ip, fileBlock);
  const count = Math.min(want, mapping.count);
  if (mapping.kind !== 'hole') checkMapped(ip, { block: mapping.block, count });
  if (mapping.kind === 'written') return { block: mapping.block, count, isNew: false };
  ip.lastRun = undefined;
  if (mapping.kind === 'unwritten') {
    markWritten(ip, fileBlock, { mapping, count });
    return { block: mapping.block, count, isNew: true };
  }
  const run = fillHole(ip, fileBlock, { ...mapping, count });
  try {
    insertRun(ip, { fileBlock, block: run.block, count: run.count, unwritten: false });
  } catch (e) {
    // The tree could not grow: what was mapped of the run and the run itself are not to stay.
    if (e instanceof FsError && e.code === 'ENOSPC') {
      removeRange(ip, { from: fileBlock, to: fileBlock + run.count, free: false });
      if (!run.shared) freeBlocks(ip, run);
    }
    throw e;
  }
  return { block: run.block, count: run.count, isNew: true };
}

/** Blocks for a hole at `fileBlock`, of which `count` are wanted. `shared`: they lie in a cluster that the file had. */
function fillHole(ip: Inode, fileBlock: FileBlock, hole: Mapping): BlockRun & { readonly shared: boolean } {
  const ratio = ip.geo.clusterBlocks;
  const goal = hole.goal ?? groupGoal(ip);
  if (ratio === 1) return { ...allocRun(ip, { goal, want: hole.count }), shared: false };
  const skip = fileBlock % ratio;
  const cluster = clusterOf(ip, fileBlock - skip);
  if (cluster !== undefined) return { block: cluster + skip, count: Math.min(hole.count, ratio - skip), shared: true };
  // The last cluster may be one that what follows the hole lies in.
  const end = fileBlock + hole.count;
  const last = end - (end % ratio);
  const isShared = last > fileBlock && last < end && clusterOf(ip, last) !== undefined;
  const count = isShared ? last - fileBlock : hole.count;
  const run = allocRun(ip, { goal, want: skip + count });
  return { block: run.block + skip, count: Math.min(count, run.count - skip), shared: false };
}

/** First block of the cluster that already holds blocks of the file's cluster that begins at `first`. */
function clusterOf(ip: Inode, first: FileBlock): FsBlock | undefined {
  const end = first + ip.geo.clusterBlocks;
  for (let at = first; at < end;) {
    const mapping = findMapping(ip, at);
    if (mapping.kind !== 'hole') {
      const block = mapping.block - (at - first);
      const base = ip.geo.firstDataBlock;
      if (block < base || (block - base) % ip.geo.clusterBlocks !== 0)
        throw new CorruptError('extent at the wrong place in its cluster', { ino: ip.ino, block: mapping.block });
      return block;
    }
    at += mapping.count;
  }
  return undefined;
}

function checkMapped(ip: Inode, run: BlockRun): void {
  checkRange(ip, run.block, run.count);
  refuseSystem(ip.mp, run, ip.ino);
}

/** Unwritten blocks for what is a hole at `fileBlock`; how many file blocks on that was looked after. Errors: ENOSPC. */
export function ballocUnwritten(ip: Inode, fileBlock: FileBlock, want: number): number {
  const mapping = findMapping(ip, fileBlock);
  const count = Math.min(want, mapping.count);
  if (mapping.kind !== 'hole') return count;
  ip.lastRun = undefined;
  const run = fillHole(ip, fileBlock, { ...mapping, count });
  insertRun(ip, { fileBlock, block: run.block, count: run.count, unwritten: true });
  return run.count;
}

function ballocIndirect(ip: Inode, fileBlock: FileBlock, want: number): WriteRun {
  const run = bmap(ip, fileBlock, want);
  if (run.block !== undefined) {
    refuseSystem(ip.mp, { block: run.block, count: run.count }, ip.ino);
    return { block: run.block, count: run.count, isNew: false };
  }
  refuseMapped(ip);
  ip.lastRun = undefined;
  return { ...allocIndirect(ip, fileBlock, run.count), isNew: true };
}

/** Unmap and free file blocks [from, to). */
export function bfree(ip: Inode, range: { readonly from: FileBlock; readonly to: FileBlock }): void {
  ip.lastRun = undefined;
  if (ip.hasFlag(IFLAG.EXTENTS)) removeRange(ip, { ...range, free: true });
  else {
    refuseMapped(ip);
    freeIndirect(ip, range);
  }
}

/** Linux mounts no file system with clusters and without extents: nobody could say what a block map means there. */
function refuseMapped(ip: Inode): void {
  if (ip.geo.clusterBlocks > 1) throw new UnsupportedError('a block map in a file system with clusters');
}
