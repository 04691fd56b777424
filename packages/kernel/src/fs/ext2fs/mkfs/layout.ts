/**
 * Where the fixed structures of each group lie: copies of the superblock and descriptors at its head, bitmaps and inode
 * table behind them, or with flex_bg together with those of its neighbours. Pure; mke2fs's places for the same numbers.
 */
import { FsError } from '../../../kern/errno.ts';
import { INCOMPAT } from '../features.ts';
import { has, type Ext2MkfsOptions } from './options.ts';
import type { Shape } from './shape.ts';
import type { Run, Space } from './space.ts';
import { groupHasSuper } from '../superblock.ts';

/** Blocks by group. */
export interface Tables {
  readonly blockBitmap: Float64Array;
  readonly inodeBitmap: Float64Array;
  readonly inodeTable: Float64Array;
}

const noRoom = (group: number): FsError =>
  new FsError('EINVAL', { op: 'mkfs', what: `no room for the tables of group ${group}` });

export const firstBlockOf = (s: Shape, group: number): number => s.firstDataBlock + group * s.blocksPerGroup;
export const endBlockOf = (s: Shape, group: number): number => Math.min(firstBlockOf(s, group + 1), s.blocks);
export const groupOfBlock = (s: Shape, block: number): number =>
  Math.floor((block - s.firstDataBlock) / s.blocksPerGroup);

/** Blocks at a group's start: superblock, descriptors and the room for more of them. */
export function headOf(o: Ext2MkfsOptions, s: Shape, group: number): Run {
  const hasSuper = groupHasSuper({ ...o.features, backupGroups: s.backupGroups }, group);
  const start = firstBlockOf(s, group);
  let count = hasSuper ? 1 : 0;
  if (has(o.features, 'incompat', INCOMPAT.META_BG)) {
    const perBlock = o.blockSize / s.descSize;
    const within = group % perBlock;
    if (within === 0 || within === 1 || within === perBlock - 1) count++;
  } else if (hasSuper) count += s.descBlocks + s.reservedGdtBlocks;
  // Blocks of 1 KiB in clusters begin at 0, and the first superblock is in block 1.
  if (group === 0 && start === 0 && o.blockSize === 1024) count++;
  return { start, end: start + count };
}

/** Take all fixed structures out of `space`. EINVAL when a group cannot hold its own. */
export function layTables(o: Ext2MkfsOptions, s: Shape, space: Space): Tables {
  const tables: Tables = {
    blockBitmap: new Float64Array(s.groups),
    inodeBitmap: new Float64Array(s.groups),
    inodeTable: new Float64Array(s.groups),
  };
  for (let group = 0; group < s.groups; group++) {
    const { start, end } = headOf(o, s, group);
    if (end > start) space.take(start, end - start);
  }
  if (o.packed) layPacked(s, space, tables);
  else if (o.flexGroups > 1) layFlexible(o, s, space, tables);
  else layInGroups(o, s, space, tables);
  return tables;
}

interface Kind {
  readonly places: Float64Array;
  /** Blocks. */
  readonly size: number;
}

const kindsOf = (s: Shape, tables: Tables): readonly Kind[] => [
  { places: tables.blockBitmap, size: 1 },
  { places: tables.inodeBitmap, size: 1 },
  { places: tables.inodeTable, size: s.inodeTableBlocks },
];

function put(space: Space, kind: Kind, group: number, block: number): void {
  if (block < 0) throw noRoom(group);
  kind.places[group] = block;
  space.take(block, kind.size);
}

/** Each group keeps its own; with a RAID stride the bitmaps move on from group to group, and so from disk to disk. */
function layInGroups(o: Ext2MkfsOptions, s: Shape, space: Space, tables: Tables): void {
  for (let group = 0; group < s.groups; group++) {
    const first = firstBlockOf(s, group);
    const end = endBlockOf(s, group);
    let bitmapFrom = first;
    if (o.stride > 0) {
      const room = space.find(first, end, s.inodeTableBlocks);
      const base = room < 0 ? first : room + s.inodeTableBlocks;
      bitmapFrom = base + ((o.stride * group) % Math.max(1, end - base));
      if (bitmapFrom >= end - 1) bitmapFrom = first;
    }
    kindsOf(s, tables).forEach((kind, i) => {
      const from = i < 2 ? bitmapFrom : first;
      let block = space.find(from, end, kind.size);
      if (block < 0 && from !== first) block = space.find(first, end, kind.size);
      put(space, kind, group, block);
    });
  }
}

/**
 * Neighbours lie together: all block bitmaps of a flexible group, then all inode bitmaps, then all tables, each kind in one
 * run where there is one.
 */
function layFlexible(o: Ext2MkfsOptions, s: Shape, space: Space, tables: Tables): void {
  for (let first = 0; first < s.groups; first += o.flexGroups) {
    const members = Math.min(o.flexGroups, s.groups - first);
    const start = firstBlockOf(s, first);
    const end = endBlockOf(s, first + members - 1);
    // A group that is alone keeps room for the bitmaps of those that the file system may grow by.
    const room = members === 1 ? o.flexGroups : members;
    let goal = start;
    for (const kind of kindsOf(s, tables)) {
      let next = space.find(goal, end, Math.min(room * kind.size, Math.floor(s.blocksPerGroup / 4)));
      if (next < 0) next = goal;
      goal = next + room;
      for (let group = first; group < first + members; group++) {
        let block = space.find(next, end, kind.size);
        if (block < 0) block = space.find(start, end, kind.size);
        put(space, kind, group, block);
        next = block + kind.size;
      }
    }
  }
}

/** Everything at the beginning of the disk. */
function layPacked(s: Shape, space: Space, tables: Tables): void {
  let goal = s.firstDataBlock;
  for (const kind of kindsOf(s, tables)) {
    for (let group = 0; group < s.groups; group++) {
      put(space, kind, group, space.find(goal, s.blocks, kind.size));
      goal = kind.places[group] ?? 0;
    }
  }
}
