/**
 * Which blocks a file gets, and giving them back: policy over the groups' bitmaps (groupmap.ts).
 *
 * A run is wanted at a goal (behind the file's last block, or near its inode) and as long as asked: first exactly there,
 * then the goal's group, then the others in order, then shorter runs, and last what the running transaction freed, whose
 * old contents its log would otherwise not need to keep. Counters, bitmaps and descriptors are in the buffers when a call
 * returns. ADR 0004 has the figures.
 *
 * A bit of a bitmap stands for a cluster, which is one block unless the image has bigalloc. What is allocated and freed are
 * whole clusters; which file block goes where in one is balloc.ts's and extents.ts's.
 */
import { clearRange, clearRun, findClear, findSet, setRange } from '../../kern/bitmap.ts';
import { CorruptError, FsError } from '../../kern/errno.ts';
import type { FsBlock } from '../../kern/ids.ts';
import type { Mount } from '../../vfs/mount.ts';
import type { Ext2Mount } from './ext2mount.ts';
import { withGroup } from './group.ts';
import { allocState, bitmapChanged, breadBitmap } from './groupmap.ts';
import { groupOfIno, type Inode } from './inode.ts';
import { flexOf, groupClusters, groupFirstBlock, updateSuperblock, type Geometry } from './superblock.ts';
import { refuseSystem } from './zones.ts';

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
const sectorsOf = (geo: Geometry, clusters: number): number => (clusters * geo.clusterBlocks * geo.blockSize) / 512;

/**
 * One run of whole clusters for `ip`, as near `goal` as can be, with at most as many as `want` blocks need. The inode's
 * count of sectors grows; storing it is the caller's. Errors: ENOSPC, EFBIG, CorruptError.
 */
export function allocRun(ip: Inode, { goal, want }: { readonly goal: FsBlock; readonly want: number }): BlockRun {
  const { mp, geo } = ip;
  const found = search(mp, {
    goal: goal >= geo.firstDataBlock && goal < geo.blocks ? goal : groupGoal(ip),
    want: Math.ceil(want / geo.clusterBlocks),
  });
  if (found === undefined) throw new FsError('ENOSPC', { ino: ip.ino });
  ip.sectors += sectorsOf(geo, found.count);
  return take(mp, found);
}

/** A block for the file's own metadata: a hole near the inode, so that the data stays in one piece. */
export function allocMetaBlock(ip: Inode): FsBlock {
  const { geo } = ip;
  const group = metaGroup(ip);
  const firstFree = allocState(ip.mp).firstFree.block.get(group) ?? 0;
  return allocRun(ip, { goal: groupFirstBlock(geo, group) + firstFree * geo.clusterBlocks, want: 1 }).block;
}

/** Flex groups as large as this keep their first group for directories and other metadata. */
const LARGE_FLEX = 4;

/** Group for what only describes files: the inode's, or the first of a large flex group. */
function metaGroup({ geo, ino }: Inode): number {
  const group = groupOfIno(geo, ino);
  return geo.flexGroups >= LARGE_FLEX ? flexOf(geo, group).first : group;
}

/** Where a file begins: behind what was last allocated in its group, which in a large flex group is the second. */
export function groupGoal(ip: Inode): FsBlock {
  const { geo } = ip;
  let group = metaGroup(ip);
  if (geo.flexGroups >= LARGE_FLEX && ip.type === 'reg' && group + 1 < geo.groups) group++;
  return groupFirstBlock(geo, group) + (allocState(ip.mp).cursor.get(group) ?? 0) * geo.clusterBlocks;
}

function search(mp: Mount<Ext2Mount>, { goal, want }: { goal: FsBlock; want: number }): Found | undefined {
  const { geo } = mp.data;
  const first = groupOf(geo, goal);
  const at = Math.floor((goal - groupFirstBlock(geo, first)) / geo.clusterBlocks);
  const inAll = (least: number, released: boolean): Found | undefined => {
    for (let i = 0; i < geo.groups; i++) {
      const group = (first + i) % geo.groups;
      const found = searchGroup(mp, { group, from: i === 0 ? at : 0, want, least, released });
      if (found !== undefined) return found;
    }
    return undefined;
  };
  const whole = inAll(want, false);
  if (whole !== undefined) return whole;
  const fair = Math.max(1, Math.floor(want / FAIR_SHARE));
  return (
    (fair < want ? inAll(fair, false) : undefined) ??
    (fair > 1 ? inAll(1, false) : undefined) ??
    (allocState(mp).released.size > 0 ? inAll(1, true) : undefined)
  );
}

function searchGroup(mp: Mount<Ext2Mount>, { group, from, want, least, released }: Search): Found | undefined {
  const { geo } = mp.data;
  const state = allocState(mp);
  // At the goal even the little that is left of a group counts: the next group goes on from there.
  const atGoal = from > 0;
  const free = withGroup(mp, group, (g) => g.freeBlocks);
  const isHopeless = free < least || (state.longestFree.get(group) ?? want) < least;
  if (free === 0 || (isHopeless && !atGoal)) return undefined;
  const end = groupClusters(geo, group);
  const bp = breadBitmap(mp, group, 'block');
  try {
    const mine = state.released.get(group);
    const map = mine === undefined || released ? bp.data : union(bp.data, mine);
    const here = from < end ? clearRun(map, from, Math.min(end, from + want)) : 0;
    if (here >= least || (here > 0 && from + here === end && group + 1 < geo.groups))
      return { group, bit: from, count: here };
    if (isHopeless) return undefined;
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
  const block = groupFirstBlock(geo, group) + bit * geo.clusterBlocks;
  const run = { block, count: Math.min(count * geo.clusterBlocks, geo.blocks - block) };
  refuseSystem(mp, run);
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
  addFreeClusters(mp, -count);
  const low = state.firstFree.block.get(group) ?? 0;
  if (bit <= low) state.firstFree.block.set(group, bit + count);
  state.cursor.set(group, bit + count);
  const extent = { offset: run.block * geo.blockSize, length: run.count * geo.blockSize };
  if (mp.data.allowFresh && !mp.device.isReleased(extent)) mp.device.fresh(extent);
  return run;
}

/**
 * Give the clusters that hold blocks of `ip` back. What the cache holds of them is forgotten; nobody may read them any more.
 * Errors: CorruptError for blocks that are free already, or not a file's to free.
 */
export function freeBlocks(ip: Inode, run: BlockRun): void {
  const clusters = releaseBlocks(ip.mp, run);
  ip.sectors = Math.max(0, ip.sectors - sectorsOf(ip.geo, clusters));
}

/** The same for blocks that no inode counts; how many clusters it were. */
function releaseBlocks(mp: Mount<Ext2Mount>, { block: first, count }: BlockRun): number {
  const { geo } = mp.data;
  if (!(first >= geo.firstDataBlock && first + count <= geo.blocks)) {
    throw new CorruptError('freed blocks beyond the file system', { block: first });
  }
  const base = geo.firstDataBlock;
  const start = Math.floor((first - base) / geo.clusterBlocks);
  const end = Math.ceil((first + count - base) / geo.clusterBlocks);
  for (let cluster = start; cluster < end;) {
    const group = Math.floor(cluster / geo.clustersPerGroup);
    const bit = cluster - group * geo.clustersPerGroup;
    const here = Math.min(end - cluster, geo.clustersPerGroup - bit);
    releaseInGroup(mp, group, { bit, count: here });
    cluster += here;
  }
  const block = base + start * geo.clusterBlocks;
  const blocks = Math.min((end - start) * geo.clusterBlocks, geo.blocks - block);
  mp.bufs.invalidate(block, blocks);
  mp.device.released({ offset: block * geo.blockSize, length: blocks * geo.blockSize });
  addFreeClusters(mp, end - start);
  return end - start;
}

function releaseInGroup(mp: Mount<Ext2Mount>, group: number, { bit, count }: { bit: number; count: number }): void {
  const { geo } = mp.data;
  const state = allocState(mp);
  const block = groupFirstBlock(geo, group) + bit * geo.clusterBlocks;
  refuseSystem(mp, { block, count: count * geo.clusterBlocks });
  const bp = breadBitmap(mp, group, 'block');
  try {
    if (findClear(bp.data, bit, bit + count) >= 0) throw new CorruptError('block freed twice', { block });
    clearRange(bp.data, bit, bit + count);
    bitmapChanged(mp, group, { kind: 'block', bp, count: (g) => (g.freeBlocks += count) });
    let mine = state.released.get(group);
    if (mine === undefined) state.released.set(group, (mine = new Uint8Array(bp.data.length)));
    setRange(mine, bit, bit + count);
  } finally {
    mp.bufs.brelse(bp);
  }
  state.longestFree.delete(group);
  if (bit < (state.firstFree.block.get(group) ?? 0)) state.firstFree.block.set(group, bit);
}

/** The superblock counts blocks, also where clusters are what is free. */
function addFreeClusters(mp: Mount<Ext2Mount>, change: number): void {
  updateSuperblock(mp, (sb) => {
    const is64 = mp.data.geo.descSize >= 64;
    const blocks = change * mp.data.geo.clusterBlocks;
    const free = sb.freeBlocksCountLo + (is64 ? sb.freeBlocksCountHi * TWO32 : 0) + blocks;
    if (free < 0) throw new CorruptError('free block count of the superblock');
    sb.freeBlocksCountLo = free % TWO32;
    if (is64) sb.freeBlocksCountHi = Math.floor(free / TWO32);
  });
}
