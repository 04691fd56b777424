/**
 * Which blocks a file gets, and giving them back: policy over the groups' bitmaps (groupmap.ts).
 *
 * A run is wanted at a goal (behind the file's last block, or near its inode) and as long as asked: first exactly there,
 * then the goal's group, then the others in order, then shorter runs, and last what the running transaction freed, whose
 * old contents its log would otherwise not need to keep. Counters, bitmaps and descriptors are in the buffers when a call
 * returns. ADR 0004 has the figures.
 */
import { clearRange, clearRun, findClear, findSet, setRange } from '../../kern/bitmap.ts';
import { CorruptError, FsError } from '../../kern/errno.ts';
import type { FsBlock } from '../../kern/ids.ts';
import type { Mount } from '../../vfs/mount.ts';
import type { Ext2Mount } from './ext2mount.ts';
import { withGroup } from './group.ts';
import { allocState, bitmapChanged, breadBitmap, fixedIn } from './groupmap.ts';
import { groupOfIno, type Inode } from './inode.ts';
import { groupBlocks, groupFirstBlock, updateSuperblock, type Geometry } from './superblock.ts';

export interface BlockRun {
  readonly block: FsBlock;
  readonly count: number;
}

/** A run in a group, in bits of its bitmap. */
interface Found {
  readonly group: number;
  readonly bit: number;
  readonly count: number;
}

interface Search {
  readonly group: number;
  /** Bit to look at first. */
  readonly from: number;
  /** A run no longer than `want`, no shorter than `least`. */
  readonly want: number;
  readonly least: number;
  /** Take what this transaction freed? */
  readonly released: boolean;
}

/** Pieces shorter than the request that are still worth a look at every group before single blocks are. */
const FAIR_SHARE = 8;
const TWO32 = 0x1_0000_0000;

const groupOf = (geo: Geometry, block: FsBlock): number =>
  Math.floor((block - geo.firstDataBlock) / geo.blocksPerGroup);

/**
 * One run of at most `want` blocks for `ip`, as near `goal` as can be. The inode's count of sectors grows; storing it is
 * the caller's. Errors: ENOSPC, EFBIG, CorruptError.
 */
export function allocRun(ip: Inode, { goal, want }: { readonly goal: FsBlock; readonly want: number }): BlockRun {
  const { mp, geo } = ip;
  const found = search(mp, { goal: goal >= geo.firstDataBlock && goal < geo.blocks ? goal : groupGoal(ip), want });
  if (found === undefined) throw new FsError('ENOSPC', { ino: ip.ino });
  ip.sectors += (found.count * geo.blockSize) / 512;
  return take(mp, found);
}

/** A block for the file's own metadata: a hole near the inode, so that the data stays in one piece. */
export function allocMetaBlock(ip: Inode): FsBlock {
  const { geo } = ip;
  const group = groupOfIno(geo, ip.ino);
  const firstFree = allocState(ip.mp).firstFree.block.get(group) ?? 0;
  return allocRun(ip, { goal: groupFirstBlock(geo, group) + firstFree, want: 1 }).block;
}

/** Where a file begins: behind what was last allocated in its inode's group. */
export function groupGoal(ip: Inode): FsBlock {
  const { geo } = ip;
  const group = groupOfIno(geo, ip.ino);
  return groupFirstBlock(geo, group) + (allocState(ip.mp).cursor.get(group) ?? 0);
}

function search(mp: Mount<Ext2Mount>, { goal, want }: { goal: FsBlock; want: number }): Found | undefined {
  const { geo } = mp.data;
  const first = groupOf(geo, goal);
  const at = goal - groupFirstBlock(geo, first);
  const fair = Math.max(1, Math.floor(want / FAIR_SHARE));
  const tries = [
    { least: want, released: false },
    ...(fair < want ? [{ least: fair, released: false }] : []),
    ...(fair > 1 ? [{ least: 1, released: false }] : []),
    ...(allocState(mp).released.size > 0 ? [{ least: 1, released: true }] : []),
  ];
  for (const { least, released } of tries) {
    for (let i = 0; i < geo.groups; i++) {
      const group = (first + i) % geo.groups;
      const found = searchGroup(mp, { group, from: i === 0 ? at : 0, want, least, released });
      if (found !== undefined) return found;
    }
  }
  return undefined;
}

function searchGroup(mp: Mount<Ext2Mount>, { group, from, want, least, released }: Search): Found | undefined {
  const { geo } = mp.data;
  const state = allocState(mp);
  if ((state.longestFree.get(group) ?? want) < least) return undefined;
  const free = withGroup(mp, group, (g) => g.freeBlocks);
  if (free < least) return undefined;
  const end = groupBlocks(geo, group);
  const bp = breadBitmap(mp, group, 'block');
  try {
    const mine = state.released.get(group);
    const map = mine === undefined || released ? bp.data : union(bp.data, mine);
    // The goal itself: also when less than `least` is left of the group, because the next group may go on from there.
    const here = from < end ? clearRun(map, from, Math.min(end, from + want)) : 0;
    if (here >= least || (here > 0 && from + here === end && group + 1 < geo.groups))
      return { group, bit: from, count: here };
    const low = state.firstFree.block.get(group) ?? 0;
    const behind = firstRun(map, { start: Math.max(from, low), end, want, least });
    if (behind.found !== undefined) return { group, ...behind.found };
    const before = firstRun(map, { start: low, end: Math.min(end, from + least), want, least });
    if (before.found !== undefined) return { group, ...before.found };
    if (map === bp.data) {
      const longest = Math.max(behind.longest, before.longest);
      if (longest === 0)
        throw new CorruptError(`group ${group} says ${free} blocks are free, its bitmap none`, { block: bp.block });
      // A run across `from` was seen in two pieces at worst.
      state.longestFree.set(group, behind.longest + before.longest);
    }
    return undefined;
  } finally {
    mp.bufs.brelse(bp);
  }
}

/** First run of clear bits of at least `least`, cut to `want`; the longest seen when there is none. */
function firstRun(
  map: Uint8Array,
  { start, end, want, least }: { start: number; end: number; want: number; least: number },
): { found?: { bit: number; count: number }; longest: number } {
  let longest = 0;
  for (let bit = findClear(map, start, end); bit >= 0;) {
    const stop = findSet(map, bit, end);
    const count = (stop < 0 ? end : stop) - bit;
    if (count >= least) return { found: { bit, count: Math.min(count, want) }, longest };
    longest = Math.max(longest, count);
    bit = stop < 0 ? -1 : findClear(map, stop, end);
  }
  return { longest };
}

function union(a: Uint8Array, b: Uint8Array): Uint8Array {
  const both = a.slice();
  for (let i = 0; i < b.length; i++) both[i] = (both[i] ?? 0) | (b[i] ?? 0);
  return both;
}

function take(mp: Mount<Ext2Mount>, { group, bit, count }: Found): BlockRun {
  const { geo } = mp.data;
  const state = allocState(mp);
  const run = { block: groupFirstBlock(geo, group) + bit, count };
  refuseFixed(mp, group, run);
  const bp = breadBitmap(mp, group, 'block');
  try {
    setRange(bp.data, bit, bit + count);
    bitmapChanged(mp, group, {
      kind: 'block',
      bp,
      count: (g) => {
        if (g.freeBlocks < count) throw new CorruptError(`free blocks of group ${group}`, { block: run.block });
        g.freeBlocks -= count;
      },
    });
  } finally {
    mp.bufs.brelse(bp);
  }
  addFreeBlocks(mp, -count);
  const low = state.firstFree.block.get(group) ?? 0;
  if (bit <= low) state.firstFree.block.set(group, bit + count);
  state.cursor.set(group, bit + count);
  const extent = { offset: run.block * geo.blockSize, length: count * geo.blockSize };
  if (mp.data.allowFresh && !mp.device.isReleased(extent)) mp.device.fresh(extent);
  return run;
}

/**
 * Give blocks of `ip` back. What the cache holds of them is forgotten; nobody may read them any more.
 * Errors: CorruptError for blocks that are free already, or not a file's to free.
 */
export function freeBlocks(ip: Inode, run: BlockRun): void {
  releaseBlocks(ip.mp, run);
  ip.sectors = Math.max(0, ip.sectors - (run.count * ip.geo.blockSize) / 512);
}

/** The same for blocks that no inode counts. */
export function releaseBlocks(mp: Mount<Ext2Mount>, run: BlockRun): void {
  const { geo } = mp.data;
  if (!(run.block >= geo.firstDataBlock && run.block + run.count <= geo.blocks)) {
    throw new CorruptError('freed blocks beyond the file system', { block: run.block });
  }
  for (let done = 0; done < run.count;) {
    const block = run.block + done;
    const group = groupOf(geo, block);
    const count = Math.min(run.count - done, groupFirstBlock(geo, group) + groupBlocks(geo, group) - block);
    releaseInGroup(mp, group, { block, count });
    done += count;
  }
  mp.bufs.invalidate(run.block, run.count);
  mp.device.released({ offset: run.block * geo.blockSize, length: run.count * geo.blockSize });
  addFreeBlocks(mp, run.count);
}

function releaseInGroup(mp: Mount<Ext2Mount>, group: number, run: BlockRun): void {
  const state = allocState(mp);
  refuseFixed(mp, group, run);
  const bit = run.block - groupFirstBlock(mp.data.geo, group);
  const bp = breadBitmap(mp, group, 'block');
  try {
    if (findClear(bp.data, bit, bit + run.count) >= 0)
      throw new CorruptError('block freed twice', { block: run.block });
    clearRange(bp.data, bit, bit + run.count);
    bitmapChanged(mp, group, { kind: 'block', bp, count: (g) => (g.freeBlocks += run.count) });
    let mine = state.released.get(group);
    if (mine === undefined) state.released.set(group, (mine = new Uint8Array(bp.data.length)));
    setRange(mine, bit, bit + run.count);
  } finally {
    mp.bufs.brelse(bp);
  }
  state.longestFree.delete(group);
  if (bit < (state.firstFree.block.get(group) ?? 0)) state.firstFree.block.set(group, bit);
}

/** No file owns the superblock, descriptors, bitmaps or inode tables, whatever bitmaps and maps say. */
function refuseFixed(mp: Mount<Ext2Mount>, group: number, { block, count }: BlockRun): void {
  for (const { start, end } of fixedIn(mp, group)) {
    if (block < end && block + count > start)
      throw new CorruptError('fixed metadata in a map of file blocks', { block });
  }
}

function addFreeBlocks(mp: Mount<Ext2Mount>, change: number): void {
  updateSuperblock(mp, (sb) => {
    const is64 = mp.data.geo.descSize >= 64;
    const free = sb.freeBlocksCountLo + (is64 ? sb.freeBlocksCountHi * TWO32 : 0) + change;
    if (free < 0) throw new CorruptError('free block count of the superblock');
    sb.freeBlocksCountLo = free % TWO32;
    if (is64) sb.freeBlocksCountHi = Math.floor(free / TWO32);
  });
}
