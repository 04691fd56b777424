/**
 * Making file blocks real: whatever a write meets (data, a hole, unwritten space) becomes a run of blocks to write to.
 * The map is extents.ts's or indirect.ts's, the blocks are alloc.ts's.
 */
import { FsError } from '../../kern/errno.ts';
import type { Bytes, FileBlock, FsBlock } from '../../kern/ids.ts';
import { allocRun, freeBlocks, groupGoal } from './alloc.ts';
import { bmap, checkRange } from './bmap.ts';
import { findMapping, insertRun, markWritten, removeRange } from './extents.ts';
import { INCOMPAT, RO_COMPAT } from './features.ts';
import { IFLAG } from './format.ts';
import { allocIndirect, freeIndirect, indirectLimit } from './indirect.ts';
import type { Inode } from './inode.ts';
import { hasIncompat, hasRoCompat } from './superblock.ts';

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
  if (mapping.kind !== 'hole') checkRange(ip, mapping.block, count);
  if (mapping.kind === 'written') return { block: mapping.block, count, isNew: false };
  ip.lastRun = undefined;
  if (mapping.kind === 'unwritten') {
    markWritten(ip, fileBlock, { mapping, count });
    return { block: mapping.block, count, isNew: true };
  }
  const run = allocRun(ip, { goal: mapping.goal ?? groupGoal(ip), want: count });
  try {
    insertRun(ip, { fileBlock, ...run, unwritten: false });
  } catch (e) {
    // The tree could not grow: what was mapped of the run and the run itself are not to stay.
    if (e instanceof FsError && e.code === 'ENOSPC') {
      removeRange(ip, { from: fileBlock, to: fileBlock + run.count, free: false });
      freeBlocks(ip, run);
    }
    throw e;
  }
  return { ...run, isNew: true };
}

/** Unwritten blocks for what is a hole at `fileBlock`; how many file blocks on that was looked after. Errors: ENOSPC. */
export function ballocUnwritten(ip: Inode, fileBlock: FileBlock, want: number): number {
  const mapping = findMapping(ip, fileBlock);
  const count = Math.min(want, mapping.count);
  if (mapping.kind !== 'hole') return count;
  ip.lastRun = undefined;
  const run = allocRun(ip, { goal: mapping.goal ?? groupGoal(ip), want: count });
  insertRun(ip, { fileBlock, ...run, unwritten: true });
  return run.count;
}

function ballocIndirect(ip: Inode, fileBlock: FileBlock, want: number): WriteRun {
  const run = bmap(ip, fileBlock, want);
  if (run.block !== undefined) return { block: run.block, count: run.count, isNew: false };
  ip.lastRun = undefined;
  return { ...allocIndirect(ip, fileBlock, run.count), isNew: true };
}

/** Unmap and free file blocks [from, to). */
export function bfree(ip: Inode, range: { readonly from: FileBlock; readonly to: FileBlock }): void {
  ip.lastRun = undefined;
  if (ip.hasFlag(IFLAG.EXTENTS)) removeRange(ip, { ...range, free: true });
  else freeIndirect(ip, range);
}
