/**
 * Which inode a new file gets, and giving it back.
 *
 * A file's inode is in its directory's group, so that a directory's inodes and data lie together; a directory's too while
 * that group has room for what will come, else in the emptiest group. Within a group always the first free one, so that
 * inodes behind the used part of a table stay untouched (itable_unused). Spec: "Lazy Block Group Initialization".
 */
import { clearBit, findClear, setBit, testBit } from '../../kern/bitmap.ts';
import { CorruptError, FsError } from '../../kern/errno.ts';
import type { Ino } from '../../kern/ids.ts';
import type { Mount } from '../../vfs/mount.ts';
import type { Ext2Mount } from './ext2mount.ts';
import { withGroup } from './group.ts';
import { allocState, bitmapChanged, breadBitmap } from './groupmap.ts';
import { groupOfIno, type Inode } from './inode.ts';
import { groupClusters, updateSuperblock } from './superblock.ts';

/** A directory goes to its parent's group while that has at least this share of its inodes and blocks free. */
const ROOM_SHARE = 8;

/** Errors: ENOSPC, CorruptError. */
export function allocInode(
  mp: Mount<Ext2Mount>,
  options: { readonly parent: Ino; readonly isDirectory: boolean },
): Ino {
  const { geo } = mp.data;
  const state = allocState(mp);
  const { parent, isDirectory } = options;
  const home = groupOfIno(geo, parent);
  const first = isDirectory ? directoryGroup(mp, home) : home;
  for (let i = 0; i < geo.groups; i++) {
    const group = (first + i) % geo.groups;
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

function directoryGroup(mp: Mount<Ext2Mount>, home: number): number {
  const { geo } = mp.data;
  const state = allocState(mp);
  const room = (group: number): number =>
    withGroup(mp, group, (g) => {
      const wanted =
        g.freeInodes * ROOM_SHARE >= geo.inodesPerGroup && g.freeBlocks * ROOM_SHARE >= groupClusters(geo, group);
      return wanted ? g.freeBlocks : 0;
    });
  if (room(home) > 0) return home;
  if (room(state.directoryGroup) > 0) return state.directoryGroup;
  let best = home;
  let most = 0;
  for (let group = 0; group < geo.groups; group++) {
    const free = room(group);
    if (free > most) [best, most] = [group, free];
  }
  state.directoryGroup = best;
  return best;
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
