/**
 * The numbers of a new file system: how many blocks, groups and inodes, and what room each group's head and table need.
 * Pure. They come out as mke2fs's for the same options; where a last group would be too short to be of use, the file system
 * ends before it.
 */
import { FsError } from '../../../kern/errno.ts';
import { COMPAT, INCOMPAT, RO_COMPAT } from '../features.ts';
import { GOOD_OLD_FIRST_INO } from '../format.ts';
import { has, type Ext2MkfsOptions } from './options.ts';
import { groupHasSuper } from '../superblock.ts';

export interface Shape {
  readonly blocks: number;
  readonly firstDataBlock: number;
  readonly blocksPerGroup: number;
  readonly clustersPerGroup: number;
  readonly groups: number;
  readonly inodes: number;
  readonly inodesPerGroup: number;
  readonly inodeTableBlocks: number;
  readonly descSize: number;
  readonly descBlocks: number;
  readonly reservedGdtBlocks: number;
  /** Kept for root. */
  readonly reservedBlocks: number;
  /** s_backup_bgs of sparse_super2. */
  readonly backupGroups: readonly number[];
}

/** Clusters that a group's counters can tell. */
const MAX_CLUSTERS_PER_GROUP = 65528;
const MAX_INODES_PER_GROUP = 65536;
const MAX_BLOCKS_32 = 0xffff_ffff;
const MAX_INODES = 0xffff_ffff;
/** A last group needs at least so many blocks beyond its own structures. */
const LEAST_DATA_BLOCKS = 50;
/** The table of descriptors may grow to that of a file system so many times larger. */
const GROWTH = 1024;

const toosmall = (): FsError => new FsError('EINVAL', { op: 'mkfs', what: 'too small for a file system' });
const invalid = (what: string): FsError => new FsError('EINVAL', { op: 'mkfs', what });

/** Errors: EINVAL too small, too large or too many inodes for the options. */
export function shapeOf(o: Ext2MkfsOptions, sizeBytes: number): Shape {
  const wanted = Math.floor(sizeBytes / o.blockSize);
  const bit64 = has(o.features, 'incompat', INCOMPAT.BIT64);
  if (wanted > MAX_BLOCKS_32 && !bit64) throw invalid(`${wanted} blocks need the feature 64bit`);
  const firstDataBlock = o.blockSize * o.clusterBlocks > 1024 ? 0 : 1;
  const inodesWanted = inodesFor(o, wanted);
  const descSize = bit64 ? 64 : 32;
  const whole = Math.floor(wanted / o.clusterBlocks) * o.clusterBlocks;
  let blocks = whole;
  /** What the reserve is a percentage of: mke2fs does not go back to the whole size when it tries smaller groups. */
  let counted = wanted;
  let clustersPerGroup = Math.min(o.unitsPerGroup ?? Infinity, o.blockSize * 8, MAX_CLUSTERS_PER_GROUP + 8);
  if (clustersPerGroup > MAX_CLUSTERS_PER_GROUP) clustersPerGroup = MAX_CLUSTERS_PER_GROUP;
  for (;;) {
    if (blocks <= firstDataBlock) throw toosmall();
    const blocksPerGroup = clustersPerGroup * o.clusterBlocks;
    const groups = Math.ceil((blocks - firstDataBlock) / blocksPerGroup);
    // Rounding, below, is downwards to whole bytes of the bitmap: not where so many inodes must be.
    const leastPerGroup = o.inodes === undefined ? Math.ceil(o.leastInodes / groups / 8) * 8 : 0;
    const perGroup = Math.max(Math.ceil(Math.max(inodesWanted, GOOD_OLD_FIRST_INO + 1) / groups), leastPerGroup);
    if (perGroup > Math.min(o.blockSize * 8, MAX_INODES_PER_GROUP - o.blockSize / o.inodeSize)) {
      // Smaller groups are more groups, each with inodes of its own.
      if (clustersPerGroup < 256) throw invalid('too many inodes');
      clustersPerGroup -= 8;
      blocks = whole;
      continue;
    }
    const inodesPerGroup = roundInodes(perGroup, o, groups);
    if (inodesPerGroup * groups < GOOD_OLD_FIRST_INO) throw toosmall();
    const inodeTableBlocks = Math.ceil((inodesPerGroup * o.inodeSize) / o.blockSize);
    const descBlocks = Math.ceil(groups / (o.blockSize / descSize));
    const reservedGdtBlocks = reservedFor(o, { blocks, firstDataBlock, blocksPerGroup, descSize, descBlocks });
    const backupGroups = backupsFor(o, groups);
    const tail = (blocks - firstDataBlock) % blocksPerGroup;
    const metaBg = has(o.features, 'incompat', INCOMPAT.META_BG);
    const lastHasCopy = groupHasSuper({ ...o.features, backupGroups }, groups - 1);
    const overhead = 2 + inodeTableBlocks + (lastHasCopy ? 1 + (metaBg ? 1 : descBlocks) + reservedGdtBlocks : 0);
    if (overhead > blocksPerGroup) throw invalid('too many inodes');
    if (groups === 1 && tail > 0 && tail < overhead) throw toosmall();
    if (tail > 0 && tail < overhead + LEAST_DATA_BLOCKS) {
      blocks -= tail;
      counted = blocks;
      continue;
    }
    const reservedBlocks = Math.floor((counted * o.reservedPercent) / 100);
    return {
      blocks,
      firstDataBlock,
      blocksPerGroup,
      clustersPerGroup,
      groups,
      inodes: inodesPerGroup * groups,
      inodesPerGroup,
      inodeTableBlocks,
      descSize,
      descBlocks,
      reservedGdtBlocks,
      reservedBlocks,
      backupGroups,
    };
  }
}

function inodesFor(o: Ext2MkfsOptions, blocks: number): number {
  const byRatio = Math.min(Math.floor((blocks * o.blockSize) / o.inodeRatio), MAX_INODES);
  const inodes = o.inodes ?? byRatio;
  if (Math.max(inodes, o.inodes === undefined ? o.leastInodes : 0) * o.inodeSize >= blocks * o.blockSize)
    throw invalid(`${inodes} inodes leave no room for data`);
  return inodes;
}

/** A whole number of table blocks, and of bytes of the bitmap; never so many that their sum leaves 32 bits. */
function roundInodes(wanted: number, o: Ext2MkfsOptions, groups: number): number {
  const perBlock = o.blockSize / o.inodeSize;
  for (let perGroup = wanted; ; perGroup--) {
    const full = Math.ceil(perGroup / perBlock) * perBlock;
    const rounded = full < 8 ? 8 : full - (full % 8);
    if (rounded * groups <= MAX_INODES) return rounded;
  }
}

/** Blocks behind the descriptors that stay free for more of them. */
function reservedFor(
  o: Ext2MkfsOptions,
  s: Pick<Shape, 'blocks' | 'firstDataBlock' | 'blocksPerGroup' | 'descSize' | 'descBlocks'>,
): number {
  if (!has(o.features, 'compat', COMPAT.RESIZE_INODE)) return 0;
  const most = o.blockSize / 4;
  if (o.resize !== undefined && o.resize <= s.blocks) {
    throw invalid(`resize: ${o.resize} is not more than the file system has`);
  }
  const grown = o.resize ?? Math.min(s.blocks * GROWTH, MAX_BLOCKS_32);
  const groups = Math.ceil((grown - s.firstDataBlock) / s.blocksPerGroup);
  const blocks = Math.ceil(groups / (o.blockSize / s.descSize)) - s.descBlocks;
  return Math.max(0, Math.min(blocks, most));
}

function backupsFor(o: Ext2MkfsOptions, groups: number): readonly number[] {
  if (!has(o.features, 'compat', COMPAT.SPARSE_SUPER2) || groups < 2) return [0, 0];
  if (o.backups < 2) return [0, o.backups];
  return [1, groups > 2 ? groups - 1 : 0];
}

/** Does every descriptor and bitmap carry a checksum, so that what was never used need not be written? */
export const hasGroupChecksums = (o: Pick<Ext2MkfsOptions, 'features'>): boolean =>
  has(o.features, 'roCompat', RO_COMPAT.GDT_CSUM) || has(o.features, 'roCompat', RO_COMPAT.METADATA_CSUM);
