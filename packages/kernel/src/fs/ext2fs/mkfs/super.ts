/** The superblock of a new file system, from its plan. Spec: "Super Block". */
import { crc32c } from '../../../kern/checksum/crc32c.ts';
import { getLe32 } from '../../../kern/struct.ts';
import { COMPAT, INCOMPAT, RO_COMPAT } from '../features.ts';
import {
  CHECKSUM_CRC32C,
  DEFM,
  ENCODING_UTF8_12_1,
  EXT2_MAGIC,
  GOOD_OLD_FIRST_INO,
  GOOD_OLD_INODE_SIZE,
  INO,
  OS,
  SB_FLAG,
  STATE,
  SUPERBLOCK_SIZE,
  Superblock,
  type SuperblockView,
} from '../format.ts';
import { has } from './options.ts';
import type { MkfsPlan } from './plan.ts';
import { superblockChecksum } from '../superblock.ts';

const TWO32 = 0x1_0000_0000;
/** Bytes of an inode's extra fields, and how many of them each inode must have. */
const EXTRA_ISIZE = 32;
/** s_jnl_backup_type: the journal inode's map and size are in s_jnl_blocks. */
const BACKUP_BLOCKS = 1;
/** AES-256-XTS for contents, AES-256-CTS for names. */
const ENCRYPT_ALGOS = Uint8Array.of(1, 4, 0, 0);

const log2 = (n: number): number => Math.round(Math.log2(n));

/** 1024 bytes, with the checksum of the primary. */
export function superblockBytes(p: MkfsPlan): Uint8Array {
  const raw = new Uint8Array(SUPERBLOCK_SIZE);
  const sb = Superblock.at(raw, 0);
  setCounts(sb, p);
  setTimes(sb, p);
  sb.magic = EXT2_MAGIC;
  sb.state = STATE.VALID;
  sb.errors = p.o.errors;
  sb.creatorOs = OS.LINUX;
  sb.uuid = p.o.uuid;
  sb.volumeName = p.o.label;
  sb.lastMounted = p.o.lastMounted;
  sb.maxMntCount = 0xffff;
  sb.firstIno = GOOD_OLD_FIRST_INO;
  sb.inodeSize = p.o.inodeSize;
  sb.hashSeed = [0, 4, 8, 12].map((at) => getLe32(p.o.hashSeed, at));
  sb.defHashVersion = p.o.hashVersion;
  sb.flags = SB_FLAG.SIGNED_HASH;
  if (p.o.revision > 0) setRevisionOne(sb, p);
  setSpecial(sb, p);
  sealSuperblock(raw, p, 0);
  return raw;
}

/** The copy that a group holds says which group that is. */
export function sealSuperblock(raw: Uint8Array, p: MkfsPlan, group: number): void {
  const sb = Superblock.at(raw, 0);
  sb.blockGroupNr = group & 0xffff;
  // Only the primary says that all is well: whoever needs a copy is to check first.
  if (group > 0) sb.state &= ~STATE.VALID;
  if (has(p.o.features, 'roCompat', RO_COMPAT.METADATA_CSUM)) sb.checksum = superblockChecksum(raw);
}

function setCounts(sb: SuperblockView, p: MkfsPlan): void {
  const { o, s } = p;
  const free = p.freeClusters * o.clusterBlocks;
  sb.inodesCount = s.inodes;
  sb.freeInodesCount = p.freeInodes;
  sb.blocksCountLo = s.blocks % TWO32;
  sb.rBlocksCountLo = s.reservedBlocks % TWO32;
  sb.freeBlocksCountLo = free % TWO32;
  sb.blocksCountHi = Math.floor(s.blocks / TWO32);
  sb.rBlocksCountHi = Math.floor(s.reservedBlocks / TWO32);
  sb.freeBlocksCountHi = Math.floor(free / TWO32);
  sb.firstDataBlock = s.firstDataBlock;
  sb.logBlockSize = log2(o.blockSize / 1024);
  sb.logClusterSize = log2((o.blockSize * o.clusterBlocks) / 1024);
  sb.blocksPerGroup = s.blocksPerGroup;
  sb.clustersPerGroup = s.clustersPerGroup;
  sb.inodesPerGroup = s.inodesPerGroup;
}

function setTimes(sb: SuperblockView, { now }: MkfsPlan): void {
  const low = now.sec % TWO32;
  const high = Math.floor(now.sec / TWO32) & 0xff;
  sb.wtime = low;
  sb.wtimeHi = high;
  sb.lastcheck = low;
  sb.lastcheckHi = high;
  sb.mkfsTime = low;
  sb.mkfsTimeHi = high;
}

function setRevisionOne(sb: SuperblockView, { o, s, journal }: MkfsPlan): void {
  sb.revLevel = 1;
  const lost = journal === undefined ? COMPAT.HAS_JOURNAL | COMPAT.ORPHAN_FILE | COMPAT.FAST_COMMIT : 0;
  sb.featureCompat = (o.features.compat & ~lost) >>> 0;
  sb.featureIncompat = o.features.incompat;
  sb.featureRoCompat = o.features.roCompat;
  sb.reservedGdtBlocks = s.reservedGdtBlocks;
  if (has(o.features, 'incompat', INCOMPAT.BIT64)) sb.descSize = s.descSize;
  if (o.inodeSize >= GOOD_OLD_INODE_SIZE + EXTRA_ISIZE) {
    sb.minExtraIsize = EXTRA_ISIZE;
    sb.wantExtraIsize = EXTRA_ISIZE;
  }
  sb.defaultMountOpts = DEFM.XATTR_USER | DEFM.ACL;
  sb.raidStride = o.stride;
  sb.raidStripeWidth = o.stripeWidth;
  if (o.flexGroups > 1) sb.logGroupsPerFlex = log2(o.flexGroups);
  sb.backupBgs = s.backupGroups;
  if (has(o.features, 'roCompat', RO_COMPAT.METADATA_CSUM)) sb.checksumType = CHECKSUM_CRC32C;
  if (has(o.features, 'incompat', INCOMPAT.CSUM_SEED)) sb.checksumSeed = crc32c(0xffffffff, o.uuid);
  if (has(o.features, 'incompat', INCOMPAT.ENCRYPT)) sb.encryptAlgos = ENCRYPT_ALGOS;
  if (has(o.features, 'incompat', INCOMPAT.CASEFOLD)) {
    sb.encoding = ENCODING_UTF8_12_1;
    sb.encodingFlags = o.encodingFlags;
  }
}

function setSpecial(sb: SuperblockView, p: MkfsPlan): void {
  sb.overheadBlocks = p.overheadClusters;
  for (const file of p.files) {
    if (file.kind === 'user') sb.usrQuotaInum = file.ino;
    if (file.kind === 'group') sb.grpQuotaInum = file.ino;
    if (file.kind === 'project') sb.prjQuotaInum = file.ino;
    if (file.kind === 'orphan') sb.orphanFileInum = file.ino;
    if (file.kind !== 'journal') continue;
    sb.journalInum = INO.JOURNAL;
    sb.jnlBackupType = BACKUP_BLOCKS;
    const pointers = Array.from({ length: 15 }, (_, i) => getLe32(file.map.root, 4 * i));
    sb.jnlBlocks = [...pointers, Math.floor(file.size / TWO32), file.size % TWO32];
  }
  if (p.mmpBlock > 0) {
    sb.mmpBlock = p.mmpBlock;
    sb.mmpInterval = p.o.mmpInterval;
  }
}
