/**
 * The superblock: bytes → a checked, frozen Geometry that everyone else trusts; and access to its changing fields, which
 * live in the buffer cache like all metadata. Where the copies lie. Spec: "Super Block", "Layout".
 */
import { crc32c } from '../../kern/checksum/crc32c.ts';
import { CorruptError, FsError, UnsupportedError } from '../../kern/errno.ts';
import type { FsBlock } from '../../kern/ids.ts';
import type { Mount } from '../../vfs/mount.ts';
import type { Ext2Mount } from './ext2mount.ts';
import { COMPAT, FEATURES, INCOMPAT, RO_COMPAT, type FeatureSet } from './features.ts';
import {
  CHECKSUM_CRC32C,
  ENCODING_UTF8_12_1,
  EXT2_MAGIC,
  GOOD_OLD_FIRST_INO,
  GOOD_OLD_INODE_SIZE,
  SB_FLAG,
  STATE,
  SUPERBLOCK_OFFSET,
  SUPERBLOCK_SIZE,
  Superblock,
  type SuperblockView,
} from './format.ts';

/** What never changes while mounted. Every number is within what the format allows and the arithmetic can bear. */
export interface Geometry {
  readonly blockSize: number;
  /** File system size in blocks, firstDataBlock included. */
  readonly blocks: number;
  readonly firstDataBlock: FsBlock;
  readonly blocksPerGroup: number;
  /** Blocks per cluster: 1 without bigalloc. */
  readonly clusterBlocks: number;
  readonly clustersPerGroup: number;
  readonly groups: number;
  readonly inodes: number;
  readonly inodesPerGroup: number;
  readonly inodeSize: number;
  readonly inodesPerBlock: number;
  /** Blocks of one group's inode table. */
  readonly inodeTableBlocks: number;
  readonly firstIno: number;
  readonly descSize: number;
  readonly descPerBlock: number;
  /** Blocks that the whole descriptor table takes. */
  readonly descBlocks: number;
  readonly firstMetaBg: number;
  readonly reservedGdtBlocks: number;
  readonly flexGroups: number;
  readonly compat: number;
  readonly incompat: number;
  readonly roCompat: number;
  readonly backupGroups: readonly number[];
  readonly uuid: Uint8Array;
  /** Start of every metadata checksum. */
  readonly csumSeed: number;
  readonly metadataCsum: boolean;
  readonly gdtCsum: boolean;
  readonly hashSeed: readonly number[];
  readonly defHashVersion: number;
  /** Names are hashed as unsigned characters. */
  readonly hashUnsigned: boolean;
  readonly minExtraIsize: number;
  readonly wantExtraIsize: number;
  readonly revLevel: number;
  readonly creatorOs: number;
  readonly encoding: number;
  readonly encodingFlags: number;
  readonly journalInum: number;
  readonly orphanFileInum: number;
  readonly mmpBlock: number;
}

export const hasCompat = (geo: Pick<Geometry, 'compat'>, bit: number): boolean => (geo.compat & bit) !== 0;
export const hasIncompat = (geo: Geometry, bit: number): boolean => (geo.incompat & bit) !== 0;
export const hasRoCompat = (geo: Pick<Geometry, 'roCompat'>, bit: number): boolean => (geo.roCompat & bit) !== 0;

const MAX_LOG_BLOCK_SIZE = 6;
/** Clusters of at most 2^30 bytes: s_log_cluster_size counts from 1 KiB. */
const MAX_LOG_CLUSTER_SIZE = 20;
const MAX_DESC_SIZE = 1024;

const isPowerOf2 = (n: number): boolean => n > 0 && (n & (n - 1)) === 0;
const wide = (lo: number, hi: number, bit64: boolean): number => (bit64 ? hi * 0x1_0000_0000 + lo : lo);

function demand(condition: boolean, what: string): asserts condition {
  if (!condition) throw new CorruptError(`superblock: ${what}`);
}

/**
 * Geometry of the superblock in `raw` (1024 bytes).
 * Errors: EFTYPE no magic; UnsupportedError an incompatible feature we do not know or do not do; CorruptError.
 */
export function parseSuperblock(raw: Uint8Array): Geometry {
  const sb = Superblock.at(raw, 0);
  if (sb.magic !== EXT2_MAGIC) throw new FsError('EFTYPE', { what: 'no ext2 superblock' });
  refuseUnknown('incompat', sb.featureIncompat);
  const compat = sb.featureCompat;
  const incompat = sb.featureIncompat;
  const roCompat = sb.featureRoCompat;
  const metadataCsum = (roCompat & RO_COMPAT.METADATA_CSUM) !== 0;
  if (metadataCsum) {
    demand(sb.checksumType === CHECKSUM_CRC32C, `checksum type ${sb.checksumType}`);
    demand(sb.checksum === superblockChecksum(raw), 'checksum does not match');
  }
  const clusters = clustersOf(sb);
  const inodes = inodesOf(sb, clusters.blockSize);
  // In the order of the fields: the first that is wrong is told.
  const descSize = descSizeOf(sb);
  const groups = groupsOf(sb, { ...clusters, ...inodes });
  const descriptors = descriptorsOf(sb, { ...clusters, ...groups, descSize });
  demand(sb.logGroupsPerFlex < 32, `flex group size 2^${sb.logGroupsPerFlex}`);

  const uuid = sb.uuid.slice();
  return Object.freeze({
    ...clusters,
    ...inodes,
    ...groups,
    ...descriptors,
    flexGroups: (incompat & INCOMPAT.FLEX_BG) !== 0 ? 2 ** sb.logGroupsPerFlex : 1,
    compat,
    incompat,
    roCompat,
    backupGroups: Object.freeze([...sb.backupBgs]),
    uuid,
    csumSeed: (incompat & INCOMPAT.CSUM_SEED) !== 0 ? sb.checksumSeed : crc32c(0xffffffff, uuid),
    metadataCsum,
    gdtCsum: !metadataCsum && (roCompat & RO_COMPAT.GDT_CSUM) !== 0,
    hashSeed: Object.freeze([...sb.hashSeed]),
    defHashVersion: sb.defHashVersion,
    hashUnsigned: (sb.flags & SB_FLAG.UNSIGNED_HASH) !== 0,
    minExtraIsize: sb.minExtraIsize,
    wantExtraIsize: sb.wantExtraIsize,
    revLevel: sb.revLevel,
    creatorOs: sb.creatorOs,
    encoding: sb.encoding,
    encodingFlags: sb.encodingFlags,
    journalInum: (compat & COMPAT.HAS_JOURNAL) !== 0 ? sb.journalInum : 0,
    orphanFileInum: (compat & COMPAT.ORPHAN_FILE) !== 0 ? sb.orphanFileInum : 0,
    // Read raw: a wild value in a field that is not in use must not fail the mount.
    mmpBlock: (incompat & INCOMPAT.MMP) !== 0 ? sb.mmpBlock : 0,
  });
}

const hasBit64 = (sb: SuperblockView): boolean => (sb.featureIncompat & INCOMPAT.BIT64) !== 0;
const hasBigalloc = (sb: SuperblockView): boolean => (sb.featureRoCompat & RO_COMPAT.BIGALLOC) !== 0;

type Clusters = Pick<Geometry, 'blockSize' | 'blocksPerGroup' | 'clusterBlocks' | 'clustersPerGroup'>;

function clustersOf(sb: SuperblockView): Clusters {
  const bigalloc = hasBigalloc(sb);
  demand(sb.logBlockSize <= MAX_LOG_BLOCK_SIZE, `block size 2^(10+${sb.logBlockSize})`);
  const blockSize = 1024 << sb.logBlockSize;
  if (bigalloc) {
    demand(
      sb.logClusterSize >= sb.logBlockSize && sb.logClusterSize <= MAX_LOG_CLUSTER_SIZE,
      `cluster size 2^(10+${sb.logClusterSize})`,
    );
  }
  const clusterBlocks = bigalloc ? 2 ** (sb.logClusterSize - sb.logBlockSize) : 1;
  const { blocksPerGroup } = sb;
  const clustersPerGroup = bigalloc ? sb.clustersPerGroup : blocksPerGroup;
  demand(clustersPerGroup > 0 && clustersPerGroup <= blockSize * 8, `${clustersPerGroup} clusters per group`);
  demand(blocksPerGroup === clustersPerGroup * clusterBlocks, `${blocksPerGroup} blocks per group`);
  return { blockSize, blocksPerGroup, clusterBlocks, clustersPerGroup };
}

type Inodes = Pick<Geometry, 'inodesPerGroup' | 'inodeSize' | 'inodesPerBlock' | 'inodeTableBlocks' | 'firstIno'>;

function inodesOf(sb: SuperblockView, blockSize: number): Inodes {
  const inodeSize = sb.revLevel === 0 ? GOOD_OLD_INODE_SIZE : sb.inodeSize;
  demand(
    inodeSize >= GOOD_OLD_INODE_SIZE && inodeSize <= blockSize && isPowerOf2(inodeSize),
    `inode size ${inodeSize}`,
  );
  const inodesPerBlock = blockSize / inodeSize;
  const { inodesPerGroup } = sb;
  demand(inodesPerGroup >= inodesPerBlock && inodesPerGroup <= blockSize * 8, `${inodesPerGroup} inodes per group`);
  const firstIno = sb.revLevel === 0 ? GOOD_OLD_FIRST_INO : sb.firstIno;
  demand(firstIno >= GOOD_OLD_FIRST_INO, `first inode ${firstIno}`);
  const inodeTableBlocks = Math.ceil(inodesPerGroup / inodesPerBlock);
  return { inodesPerGroup, inodeSize, inodesPerBlock, inodeTableBlocks, firstIno };
}

function descSizeOf(sb: SuperblockView): number {
  if (!hasBit64(sb)) return 32;
  const { descSize } = sb;
  demand(descSize >= 64 && descSize <= MAX_DESC_SIZE && isPowerOf2(descSize), `descriptor size ${descSize}`);
  return descSize;
}

type Groups = Pick<Geometry, 'blocks' | 'firstDataBlock' | 'groups' | 'inodes'>;

function groupsOf(
  sb: SuperblockView,
  { blockSize, blocksPerGroup, inodesPerGroup, firstIno }: Clusters & Pick<Inodes, 'inodesPerGroup' | 'firstIno'>,
): Groups {
  const { firstDataBlock } = sb;
  const bit64 = hasBit64(sb);
  demand(!(bit64 && sb.blocksCountHi >= 0x10_0000), 'block count beyond the format');
  const blocks = wide(sb.blocksCountLo, sb.blocksCountHi, bit64);
  demand(blocks > firstDataBlock, `first data block ${firstDataBlock} of ${blocks}`);
  demand(firstDataBlock > 0 || blockSize > 1024 || hasBigalloc(sb), 'first data block 0 with blocks of 1 KiB');
  demand(firstDataBlock <= 1, `first data block ${firstDataBlock}`);
  const groups = Math.ceil((blocks - firstDataBlock) / blocksPerGroup);
  demand(sb.inodesCount === groups * inodesPerGroup, `${sb.inodesCount} inodes in ${groups} groups`);
  demand(sb.inodesCount >= firstIno - 1, `${sb.inodesCount} inodes`);
  return { blocks, firstDataBlock, groups, inodes: sb.inodesCount };
}

function descriptorsOf(
  sb: SuperblockView,
  { blockSize, groups, descSize }: Pick<Geometry, 'blockSize' | 'groups' | 'descSize'>,
): Pick<Geometry, 'descSize' | 'descPerBlock' | 'descBlocks' | 'firstMetaBg' | 'reservedGdtBlocks'> {
  const descPerBlock = blockSize / descSize;
  const descBlocks = Math.ceil(groups / descPerBlock);
  const metaBg = (sb.featureIncompat & INCOMPAT.META_BG) !== 0;
  const { reservedGdtBlocks } = sb;
  demand(!metaBg || sb.firstMetaBg <= descBlocks, `first meta block group ${sb.firstMetaBg}`);
  demand(reservedGdtBlocks <= blockSize / 4, `${reservedGdtBlocks} reserved descriptor blocks`);
  return { descSize, descPerBlock, descBlocks, firstMetaBg: metaBg ? sb.firstMetaBg : descBlocks, reservedGdtBlocks };
}

/** UnsupportedError naming the first bit that refuses the mount. */
function refuseUnknown(set: FeatureSet, bits: number): void {
  for (let bit = 1, i = 0; i < 32; i++, bit = (bit << 1) >>> 0) {
    if ((bits & bit) >>> 0 === 0) continue;
    const known = FEATURES.find((f) => f.set === set && f.bit === bit);
    if (known?.read === true) continue;
    const name = known === undefined ? 'unknown' : `"${known.name}": ${String(known.write)}`;
    throw new UnsupportedError(`${set} feature 0x${bit.toString(16)} (${name})`);
  }
}

/** Why the image may only be read: each read-only-compatible feature that is unknown or that we do not write. */
export function unwritableFeatures(geo: Geometry): string[] {
  const reasons: string[] = [];
  for (let bit = 1, i = 0; i < 32; i++, bit = (bit << 1) >>> 0) {
    for (const set of ['compat', 'incompat', 'roCompat'] as const) {
      if ((geo[set] & bit) >>> 0 === 0) continue;
      const known = FEATURES.find((f) => f.set === set && f.bit === bit);
      if (known === undefined && set === 'roCompat') reasons.push(`unknown ro_compat feature 0x${bit.toString(16)}`);
      else if (known !== undefined && known.write !== true) reasons.push(`feature ${known.name}: ${known.write}`);
    }
  }
  if (hasIncompat(geo, INCOMPAT.CASEFOLD) && geo.encoding !== ENCODING_UTF8_12_1)
    reasons.push(`feature casefold: unknown encoding ${geo.encoding}`);
  return reasons;
}

export const superblockChecksum = (raw: Uint8Array): number =>
  crc32c(0xffffffff, raw, 0, Superblock.offsetOf('checksum'));

/**
 * The superblock's bytes on a device: the primary, or with `sb=` a copy. The number counts KiB, as mount(8)'s does; a
 * number of file system blocks, as dumpe2fs prints them, is found as well.
 */
export function readSuperblock(
  mp: Mount,
  where: string | true | undefined,
): { readonly raw: Uint8Array; readonly offset: number } {
  if (where === undefined) return { raw: readAt(mp, SUPERBLOCK_OFFSET), offset: SUPERBLOCK_OFFSET };
  const block = where === true || !/^[0-9]{1,15}$/.test(where) ? undefined : Number(where);
  if (block === undefined) throw new FsError('EINVAL', { what: `-o sb=${String(where)}: a block number is wanted` });
  for (let unit = 1024; unit <= 65536; unit *= 2) {
    const offset = Math.max(block * unit, SUPERBLOCK_OFFSET);
    if (offset + SUPERBLOCK_SIZE > mp.device.sizeBytes) break;
    const raw = readAt(mp, offset);
    const sb = Superblock.at(raw, 0);
    if (sb.magic !== EXT2_MAGIC || sb.logBlockSize > MAX_LOG_BLOCK_SIZE) continue;
    if (unit === 1024 || unit === 1024 << sb.logBlockSize) return { raw, offset };
  }
  throw new FsError('EFTYPE', { what: `no superblock at block ${block}` });
}

function readAt(mp: Mount, offset: number): Uint8Array {
  if (mp.device.sizeBytes < offset + SUPERBLOCK_SIZE)
    throw new FsError('EFTYPE', { what: 'too small for a superblock' });
  const raw = new Uint8Array(SUPERBLOCK_SIZE);
  mp.device.read(raw, offset);
  return raw;
}

/** Look at the superblock in its buffer. The view must not outlive `use`. */
export function withSuperblock<T>(mp: Mount<Ext2Mount>, use: (sb: SuperblockView, raw: Uint8Array) => T): T {
  const { sbOffset } = mp.data;
  const bp = mp.bufs.bread(Math.floor(sbOffset / mp.blockSize));
  try {
    const raw = bp.data.subarray(sbOffset % mp.blockSize, (sbOffset % mp.blockSize) + SUPERBLOCK_SIZE);
    return use(Superblock.at(raw, 0), raw);
  } finally {
    mp.bufs.brelse(bp);
  }
}

/** Change the superblock in its buffer; its checksum follows when the buffer is staged. */
export function updateSuperblock(mp: Mount<Ext2Mount>, change: (sb: SuperblockView) => void): void {
  const { sbOffset, geo } = mp.data;
  const at = sbOffset % mp.blockSize;
  const bp = mp.bufs.bread(Math.floor(sbOffset / mp.blockSize));
  try {
    change(Superblock.at(bp.data, at));
    if (geo.metadataCsum) {
      bp.seal ??= (data) => {
        const raw = data.subarray(at, at + SUPERBLOCK_SIZE);
        Superblock.at(raw, 0).checksum = superblockChecksum(raw);
      };
    }
    mp.bufs.markDirty(bp);
  } finally {
    mp.bufs.brelse(bp);
  }
}

/** The superblock's bytes without the "cleanly unmounted" bit: other tools then check before they trust. */
export function dirtyMark(old: Uint8Array): Uint8Array {
  const marked = old.slice();
  const sb = Superblock.at(marked, 0);
  const hadChecksum = sb.checksum === superblockChecksum(marked);
  sb.state &= ~STATE.VALID;
  if (hadChecksum) sb.checksum = superblockChecksum(marked);
  return marked;
}

/** First block of a group. */
export const groupFirstBlock = (geo: Geometry, group: number): FsBlock =>
  geo.firstDataBlock + group * geo.blocksPerGroup;
/** Blocks in a group: the last one may be short. */
export const groupBlocks = (geo: Geometry, group: number): number =>
  Math.min(geo.blocksPerGroup, geo.blocks - groupFirstBlock(geo, group));
/** First group of the flex group that a group belongs to (itself without flex_bg), and how many that one has. */
export function flexOf(geo: Geometry, group: number): { readonly first: number; readonly count: number } {
  const first = group - (group % geo.flexGroups);
  return { first, count: Math.min(geo.flexGroups, geo.groups - first) };
}
/** Bits of a group's block bitmap: clusters, which are blocks without bigalloc. */
export const groupClusters = (geo: Geometry, group: number): number =>
  Math.ceil(groupBlocks(geo, group) / geo.clusterBlocks);

function isPowerOf(n: number, base: number): boolean {
  let power = base;
  while (power < n) power *= base;
  return power === n;
}

/** Does the group hold a copy of the superblock (and, without meta_bg, of the descriptors)? */
export function groupHasSuper(geo: Pick<Geometry, 'compat' | 'roCompat' | 'backupGroups'>, group: number): boolean {
  if (group === 0) return true;
  if (hasCompat(geo, COMPAT.SPARSE_SUPER2)) return geo.backupGroups.includes(group);
  if (group === 1 || !hasRoCompat(geo, RO_COMPAT.SPARSE_SUPER)) return true;
  return (group & 1) === 1 && (isPowerOf(group, 3) || isPowerOf(group, 5) || isPowerOf(group, 7));
}

/** The superblock as a block number: 0, or 1 where blocks are 1 KiB. */
export const superblockBlock = (geo: Geometry, offset = SUPERBLOCK_OFFSET): FsBlock =>
  Math.floor(offset / geo.blockSize);

/**
 * Where block `index` of the descriptor table lies, for the superblock at byte `sbOffset`.
 * With meta_bg, blocks from firstMetaBg on lie in the first group of those that they describe, behind its superblock.
 */
export function descBlockLocation(geo: Geometry, sbOffset: number, index: number): FsBlock {
  const superblock = superblockBlock(geo, sbOffset);
  if (index < geo.firstMetaBg) return superblock + 1 + index;
  const group = geo.descPerBlock * index;
  let skip = groupHasSuper(geo, group) ? 1 : 0;
  // With 1 KiB blocks and clusters the superblock is block 1 of group 0, not block 0.
  if (geo.blockSize === 1024 && index === 0 && geo.firstDataBlock === 0) skip++;
  return groupFirstBlock(geo, group) + skip;
}
