/**
 * Which inode a new file gets, and giving it back.
 *
 * A file's inode is in its directory's group, so that a directory's inodes and data lie together; a directory's too while
 * the flex group has room for what will come, else in the emptiest one. Directories below the root are spread over the
 * flex groups. Within a group always the first free inode, so that those behind the used part of a table stay untouched
 * (itable_unused). Spec: "Lazy Block Group Initialization"; the spreading is Orlov's, as in Linux's allocators.
 */
import { clearBit, findClear, setBit, testBit } from '../../kern/bitmap.ts';
import { CorruptError, FsError } from '../../kern/errno.ts';
import type { Ino } from '../../kern/ids.ts';
import type { Mount } from '../../vfs/mount.ts';
import type { Ext2Mount } from './ext2mount.ts';
import { withGroup } from './group.ts';
import { allocState, bitmapChanged, breadBitmap } from './groupmap.ts';
import { groupOfIno, type Inode } from './inode.ts';
import { flexOf, updateSuperblock, withSuperblock } from './superblock.ts';

/** A directory goes to its parent's flex group while that has at least this share of its inodes and blocks free. */
const ROOM_SHARE = 8;
/** Flex groups looked at for a directory below the root: an image of 16 TiB has 8,192. */
const SPREAD_LOOKS = 64;
/** A flex group has its share of what is free when it has this part of the average. */
const FAIR = 0.75;

/** `apart`: a directory whose parent spreads its subdirectories. Errors: ENOSPC, CorruptError. */
export function allocInode(
  mp: Mount<Ext2Mount>,
  options: { readonly parent: Ino; readonly isDirectory: boolean; readonly apart: boolean },
): Ino {
  const { geo } = mp.data;
  const state = allocState(mp);
  const { parent, isDirectory, apart } = options;
  const home = groupOfIno(geo, parent);
  const start = !isDirectory ? home : apart ? groupApart(mp, home) : groupNear(mp, home);
  const flex = flexOf(geo, start);
  for (let i = 0; i < geo.groups; i++) {
    // The rest of the flex group first: its inode tables lie together.
    const inFlex = i < flex.count ? (start - flex.first + i) % flex.count : i;
    const group = (flex.first + inFlex) % geo.groups;
    if (withGroup(mp, group, (g) => g.freeInodes) === 0) continue;
    const bp = breadBitmap(mp, group, 'inode');
    try {
      const reserved = group === 0 ? geo.firstIno - 1 : 0;
      const low = Math.max(reserved, state.firstFree.inode.get(group) ?? 0);
      const bit = findClear(bp.data, low, geo.inodesPerGroup);
      if (bit < 0) {
        if (findClear(bp.data, 0, reserved) >= 0) continue;
        throw new CorruptError(`group ${group} says inodes are free, its bitmap has none`, { block: bp.block });
      }
      setBit(bp.data, bit);
      state.firstFree.inode.set(group, bit + 1);
      bitmapChanged(mp, group, {
        kind: 'inode',
        bp,
        count: (g) => {
          g.freeInodes -= 1;
          if (isDirectory) g.usedDirs += 1;
          // Only descriptors with a checksum keep the field; others must leave it zero.
          if (geo.metadataCsum || geo.gdtCsum) g.itableUnused = Math.min(g.itableUnused, geo.inodesPerGroup - bit - 1);
        },
      });
      updateSuperblock(mp, (sb) => {
        if (sb.freeInodesCount === 0) throw new CorruptError('free inode count of the superblock');
        sb.freeInodesCount -= 1;
      });
      return group * geo.inodesPerGroup + bit + 1;
    } finally {
      mp.bufs.brelse(bp);
    }
  }
  throw new FsError('ENOSPC', { what: 'no free inodes' });
}

/** What a flex group (or, without flex_bg, a group) has. */
interface Room {
  readonly dirs: number;
  readonly inodes: number;
  readonly clusters: number;
  /** Groups in it. */
  readonly groups: number;
}

function roomIn(mp: Mount<Ext2Mount>, flex: number): Room {
  const { geo } = mp.data;
  const { first, count } = flexOf(geo, flex * geo.flexGroups);
  let [dirs, inodes, clusters] = [0, 0, 0];
  for (let group = first; group < first + count; group++) {
    withGroup(mp, group, (g) => {
      dirs += g.usedDirs;
      inodes += g.freeInodes;
      clusters += g.freeBlocks;
    });
  }
  return { dirs, inodes, clusters, groups: count };
}

/** First group to try for a directory that belongs near its parent, whose group is `home`. */
function groupNear(mp: Mount<Ext2Mount>, home: number): number {
  const { geo } = mp.data;
  const state = allocState(mp);
  const flexes = Math.ceil(geo.groups / geo.flexGroups);
  const room = (flex: number): number => {
    const { inodes, clusters, groups } = roomIn(mp, flex);
    const isRoomy =
      inodes * ROOM_SHARE >= geo.inodesPerGroup * groups && clusters * ROOM_SHARE >= geo.clustersPerGroup * groups;
    return isRoomy ? clusters : 0;
  };
  if (room(Math.floor(home / geo.flexGroups)) > 0) return home;
  if (room(state.overflowFlex) > 0) return state.overflowFlex * geo.flexGroups;
  let best: number | undefined;
  let most = 0;
  for (let flex = 0; flex < flexes; flex++) {
    const free = room(flex);
    if (free > most) [best, most] = [flex, free];
  }
  if (best === undefined) return home;
  state.overflowFlex = best;
  return best * geo.flexGroups;
}

/**
 * First group to try for a directory below the root: what hangs below it is likely to be read together and apart from its
 * neighbours, so it goes where the fewest directories are, of the flex groups that have an average share of what is free.
 */
function groupApart(mp: Mount<Ext2Mount>, home: number): number {
  const { geo } = mp.data;
  const state = allocState(mp);
  const flexes = Math.ceil(geo.groups / geo.flexGroups);
  const average = withSuperblock(mp, (sb) => ({
    inodes: sb.freeInodesCount / geo.groups,
    clusters: (sb.freeBlocksCountLo + sb.freeBlocksCountHi * 2 ** 32) / geo.clusterBlocks / geo.groups,
  }));
  let best: number | undefined;
  let fewest = Infinity;
  for (let i = 0; i < Math.min(flexes, SPREAD_LOOKS); i++) {
    const flex = (state.spreadFrom + i) % flexes;
    const { dirs, inodes, clusters, groups } = roomIn(mp, flex);
    const hasShare =
      inodes >= Math.floor(average.inodes) * groups * FAIR && clusters >= average.clusters * groups * FAIR;
    if (hasShare && dirs < fewest) [best, fewest] = [flex, dirs];
  }
  if (best === undefined) return groupNear(mp, home);
  state.spreadFrom = (best + 1) % flexes;
  return best * geo.flexGroups;
}

/** The inode's number is free again. Errors: CorruptError when it already was. */
export function freeInode(ip: Inode, options: { readonly isDirectory: boolean }): void {
  const { mp, geo, ino } = ip;
  if (ino < geo.firstIno || ino > geo.inodes) throw new CorruptError('reserved inode freed', { ino });
  const group = groupOfIno(geo, ino);
  const bit = ino - 1 - group * geo.inodesPerGroup;
  const state = allocState(mp);
  const bp = breadBitmap(mp, group, 'inode');
  try {
    if (!testBit(bp.data, bit)) throw new CorruptError('inode freed twice', { ino });
    clearBit(bp.data, bit);
    if (bit < (state.firstFree.inode.get(group) ?? 0)) state.firstFree.inode.set(group, bit);
    bitmapChanged(mp, group, {
      kind: 'inode',
      bp,
      count: (g) => {
        g.freeInodes += 1;
        if (options.isDirectory) g.usedDirs = Math.max(0, g.usedDirs - 1);
      },
    });
  } finally {
    mp.bufs.brelse(bp);
  }
  updateSuperblock(mp, (sb) => (sb.freeInodesCount += 1));
}
