/**
 * The bitmaps of a group, ready for change: read and verified once, made on the spot where the group says that its bitmap
 * was never written (BLOCK_UNINIT, INODE_UNINIT); and their checksums, which the group's descriptor keeps.
 *
 * A bitmap's checksum is computed when the descriptor's block is staged, once however many bits changed. alloc.ts and
 * ialloc.ts decide which bits. Spec: "Block and inode Bitmaps", "Lazy Block Group Initialization".
 */
import { countSet, findClear, setRange } from '../../kern/bitmap.ts';
import { CorruptError } from '../../kern/errno.ts';
import type { Buf } from '../../vfs/buf.ts';
import type { Mount } from '../../vfs/mount.ts';
import { setBitmapCsum, verifyBitmap, type BitmapKind } from './csum.ts';
import type { Ext2Mount } from './ext2mount.ts';
import { BG } from './format.ts';
import { breadGroup, Group, groupChecksum, withGroup } from './group.ts';
import { groupBlocks, groupClusters, groupFirstBlock, type Geometry } from './superblock.ts';
import { systemZones, type Range } from './zones.ts';

/** What the allocators remember. All of it is hints, except what is pending; it is dropped when the stage is rolled back. */
export interface AllocState {
  /** Per group: no free bit below. */
  readonly firstFree: { readonly block: Map<number, number>; readonly inode: Map<number, number> };
  /** Per group: no longer run of free clusters than this. */
  readonly longestFree: Map<number, number>;
  /** Per group: where the last run that was allocated ends. */
  readonly cursor: Map<number, number>;
  /** Per group: clusters freed in the running transaction, taken last. */
  readonly released: Map<number, Uint8Array>;
  /** Groups whose bitmap changed since its checksum was computed. */
  readonly pending: { readonly block: Set<number>; readonly inode: Set<number> };
  /** Per linear directory and block: upper bound of the longest room for a record (dirwrite.ts). */
  readonly directoryRoom: Map<number, number[]>;
  /** Random bytes asked of the host in advance, and how many are used: generations. */
  readonly random: { readonly bytes: Uint8Array; used: number };
  /** Flex group that last took a directory because its parent's could not. */
  overflowFlex: number;
  /** Flex group where the search for the next directory below the root begins. */
  spreadFrom: number;
}

/** The host's random numbers cost a system call each time. */
const RANDOM_BYTES = 1024;

const newState = (): AllocState => ({
  firstFree: { block: new Map(), inode: new Map() },
  longestFree: new Map(),
  cursor: new Map(),
  released: new Map(),
  pending: { block: new Set(), inode: new Set() },
  directoryRoom: new Map(),
  random: { bytes: new Uint8Array(RANDOM_BYTES), used: RANDOM_BYTES },
  overflowFlex: 0,
  spreadFrom: 0,
});

export const allocState = (mp: Mount<Ext2Mount>): AllocState => (mp.data.alloc ??= newState());

/**
 * The stage was rolled back: every hint may be wrong. Released blocks stay noted, because calling too much released only
 * costs space.
 */
export function reloadForWriting(mp: Mount<Ext2Mount>): void {
  const released = mp.data.alloc?.released;
  mp.data.alloc = released === undefined ? undefined : { ...newState(), released };
}

/** The transaction is durable: what it freed may be used again. */
export function releasedIsFree(mp: Mount<Ext2Mount>): void {
  mp.data.alloc?.released.clear();
}

/** The pinned bitmap of a group. Errors: CorruptError, EIO. */
export function breadBitmap(mp: Mount<Ext2Mount>, group: number, kind: BitmapKind): Buf {
  const { geo } = mp.data;
  const [block, uninit] = withGroup(mp, group, (g) => [
    kind === 'block' ? g.blockBitmap : g.inodeBitmap,
    isUninit(geo, g, kind),
  ]);
  if (!(block > geo.firstDataBlock && block < geo.blocks))
    throw new CorruptError(`${kind} bitmap of group ${group}`, { block });
  const bp = uninit ? mp.bufs.newblk(block) : mp.bufs.bread(block);
  if (bp.verified) return bp;
  try {
    if (uninit) fillUninit(mp, group, { kind, map: bp.data });
    verify(mp, group, { kind, bp, uninit });
    bp.verified = !uninit;
  } catch (e) {
    mp.bufs.brelse(bp);
    throw e;
  }
  return bp;
}

function isUninit(geo: Geometry, g: Group, kind: BitmapKind): boolean {
  if (!geo.metadataCsum && !geo.gdtCsum) return false;
  return (g.flags & (kind === 'block' ? BG.BLOCK_UNINIT : BG.INODE_UNINIT)) !== 0;
}

const bitsOf = (geo: Geometry, group: number, kind: BitmapKind): number =>
  kind === 'block' ? groupClusters(geo, group) : geo.inodesPerGroup;

/** A bitmap that was never written: nothing is used but fixed metadata and the bits past the end. */
function fillUninit(mp: Mount<Ext2Mount>, group: number, { kind, map }: { kind: BitmapKind; map: Uint8Array }): void {
  const { geo } = mp.data;
  setRange(map, bitsOf(geo, group, kind), map.length * 8);
  if (kind === 'inode') return;
  for (const { start, end } of systemBits(mp, group)) setRange(map, start, end);
}

/** The bits of a group's block bitmap that stand for blocks of the file system itself: clusters that hold any. */
function systemBits(mp: Mount<Ext2Mount>, group: number): Range[] {
  const { geo } = mp.data;
  const base = groupFirstBlock(geo, group);
  const end = base + groupBlocks(geo, group);
  return systemZones(mp)
    .within(base, end)
    .map((zone) => ({
      start: Math.floor((zone.start - base) / geo.clusterBlocks),
      end: Math.ceil((zone.end - base) / geo.clusterBlocks),
    }));
}

function verify(mp: Mount<Ext2Mount>, group: number, options: { kind: BitmapKind; bp: Buf; uninit: boolean }): void {
  const { geo } = mp.data;
  const { kind, bp, uninit } = options;
  const desc = breadGroup(mp, group);
  try {
    const at = (group % geo.descPerBlock) * geo.descSize;
    const raw = desc.data.subarray(at, at + geo.descSize);
    if (!uninit && !verifyBitmap(geo, kind, { map: bp.data, desc: raw })) {
      throw new CorruptError(`checksum of ${kind} bitmap ${group}`, { block: bp.block });
    }
    const g = new Group(desc.data, at, geo.descSize);
    const bits = bitsOf(geo, group, kind);
    const free = bits - countSet(bp.data, 0, bits);
    if (free !== (kind === 'block' ? g.freeBlocks : g.freeInodes)) {
      throw new CorruptError(`${kind} bitmap ${group} has ${free} free, its descriptor says otherwise`, {
        block: bp.block,
      });
    }
  } finally {
    mp.bufs.brelse(desc);
  }
  if (kind === 'inode') return;
  const base = groupFirstBlock(geo, group);
  for (const { start, end } of systemBits(mp, group)) {
    const bit = findClear(bp.data, start, end);
    if (bit >= 0)
      throw new CorruptError(`block bitmap ${group} calls metadata free`, { block: base + bit * geo.clusterBlocks });
  }
}

/** Bits of a bitmap changed: note it, with its counters in the descriptor (`count`), which is completed when staged. */
export function bitmapChanged(
  mp: Mount<Ext2Mount>,
  group: number,
  change: { readonly kind: BitmapKind; readonly bp: Buf; readonly count: (g: Group) => void },
): void {
  const { geo } = mp.data;
  const { kind, bp, count } = change;
  mp.bufs.markDirty(bp);
  const desc = breadGroup(mp, group);
  try {
    const g = new Group(desc.data, (group % geo.descPerBlock) * geo.descSize, geo.descSize);
    if (isUninit(geo, g, kind)) {
      g.flags &= ~(kind === 'block' ? BG.BLOCK_UNINIT : BG.INODE_UNINIT);
      bp.verified = true;
    }
    count(g);
    if (geo.metadataCsum || geo.gdtCsum) {
      allocState(mp).pending[kind].add(group);
      desc.seal ??= (data) => sealDescriptors(mp, Math.floor(group / geo.descPerBlock), data);
    }
    mp.bufs.markDirty(desc);
  } finally {
    mp.bufs.brelse(desc);
  }
}

function sealDescriptors(mp: Mount<Ext2Mount>, index: number, data: Uint8Array): void {
  const { geo } = mp.data;
  const { pending } = allocState(mp);
  const first = index * geo.descPerBlock;
  for (const kind of ['block', 'inode'] as const) {
    for (const group of pending[kind]) {
      if (group < first || group >= first + geo.descPerBlock) continue;
      pending[kind].delete(group);
      const at = (group - first) * geo.descSize;
      const g = new Group(data, at, geo.descSize);
      const bp = mp.bufs.bread(kind === 'block' ? g.blockBitmap : g.inodeBitmap);
      setBitmapCsum(geo, kind, { map: bp.data, desc: data.subarray(at, at + geo.descSize) });
      mp.bufs.brelse(bp);
      g.lo.checksum = groupChecksum(geo, group, data, at);
    }
  }
}
