/**
 * ext2, ext3 and ext4 on disk: every structure as a table, the magic numbers and the flag bits. No I/O, no logic.
 *
 * Source: Linux Documentation/filesystems/ext4 (super, group_descr, inodes, ifork, directory, attributes, mmp, orphan;
 * see docs/fs/ext2fs.md). Field names are the specification's in camelCase without their prefix (s_first_data_block is
 * firstDataBlock). All little-endian; the journal's own, big-endian structures are in journal-format.ts, the feature bits
 * in features.ts.
 */
import { array, bytes, le16, le32, le64, struct, u8, type StructView } from '../../kern/struct.ts';

/** Byte offset of the primary superblock, and the size of any. */
export const SUPERBLOCK_OFFSET = 1024;
export const SUPERBLOCK_SIZE = 1024;
export const EXT2_MAGIC = 0xef53;

/** Spec: "Super Block". 64-bit counts are split in lo and hi halves, as the format grew. */
export const Superblock = struct('ext4 superblock', 1024, [
  [0x000, 'inodesCount', le32],
  [0x004, 'blocksCountLo', le32],
  [0x008, 'rBlocksCountLo', le32],
  [0x00c, 'freeBlocksCountLo', le32],
  [0x010, 'freeInodesCount', le32],
  [0x014, 'firstDataBlock', le32],
  [0x018, 'logBlockSize', le32],
  [0x01c, 'logClusterSize', le32],
  [0x020, 'blocksPerGroup', le32],
  [0x024, 'clustersPerGroup', le32],
  [0x028, 'inodesPerGroup', le32],
  [0x02c, 'mtime', le32],
  [0x030, 'wtime', le32],
  [0x034, 'mntCount', le16],
  [0x036, 'maxMntCount', le16],
  [0x038, 'magic', le16],
  [0x03a, 'state', le16],
  [0x03c, 'errors', le16],
  [0x03e, 'minorRevLevel', le16],
  [0x040, 'lastcheck', le32],
  [0x044, 'checkinterval', le32],
  [0x048, 'creatorOs', le32],
  [0x04c, 'revLevel', le32],
  [0x050, 'defResuid', le16],
  [0x052, 'defResgid', le16],
  // Dynamic revision (revLevel >= 1) only.
  [0x054, 'firstIno', le32],
  [0x058, 'inodeSize', le16],
  [0x05a, 'blockGroupNr', le16],
  [0x05c, 'featureCompat', le32],
  [0x060, 'featureIncompat', le32],
  [0x064, 'featureRoCompat', le32],
  [0x068, 'uuid', bytes(16)],
  [0x078, 'volumeName', bytes(16)],
  [0x088, 'lastMounted', bytes(64)],
  [0x0c8, 'algorithmUsageBitmap', le32],
  [0x0cc, 'preallocBlocks', u8],
  [0x0cd, 'preallocDirBlocks', u8],
  [0x0ce, 'reservedGdtBlocks', le16],
  [0x0d0, 'journalUuid', bytes(16)],
  [0x0e0, 'journalInum', le32],
  [0x0e4, 'journalDev', le32],
  [0x0e8, 'lastOrphan', le32],
  [0x0ec, 'hashSeed', array(le32, 4)],
  [0x0fc, 'defHashVersion', u8],
  [0x0fd, 'jnlBackupType', u8],
  [0x0fe, 'descSize', le16],
  [0x100, 'defaultMountOpts', le32],
  [0x104, 'firstMetaBg', le32],
  [0x108, 'mkfsTime', le32],
  /** Copy of the journal inode: i_block[15], i_size_high, i_size. */
  [0x10c, 'jnlBlocks', array(le32, 17)],
  [0x150, 'blocksCountHi', le32],
  [0x154, 'rBlocksCountHi', le32],
  [0x158, 'freeBlocksCountHi', le32],
  [0x15c, 'minExtraIsize', le16],
  [0x15e, 'wantExtraIsize', le16],
  [0x160, 'flags', le32],
  [0x164, 'raidStride', le16],
  [0x166, 'mmpInterval', le16],
  [0x168, 'mmpBlock', le64],
  [0x170, 'raidStripeWidth', le32],
  [0x174, 'logGroupsPerFlex', u8],
  [0x175, 'checksumType', u8],
  [0x176, 'encryptionLevel', u8],
  [0x177, 'reservedPad', u8],
  [0x178, 'kbytesWritten', le64],
  [0x180, 'snapshotInum', le32],
  [0x184, 'snapshotId', le32],
  [0x188, 'snapshotRBlocksCount', le64],
  [0x190, 'snapshotList', le32],
  [0x194, 'errorCount', le32],
  [0x198, 'firstErrorTime', le32],
  [0x19c, 'firstErrorIno', le32],
  [0x1a0, 'firstErrorBlock', le64],
  [0x1a8, 'firstErrorFunc', bytes(32)],
  [0x1c8, 'firstErrorLine', le32],
  [0x1cc, 'lastErrorTime', le32],
  [0x1d0, 'lastErrorIno', le32],
  [0x1d4, 'lastErrorLine', le32],
  [0x1d8, 'lastErrorBlock', le64],
  [0x1e0, 'lastErrorFunc', bytes(32)],
  [0x200, 'mountOpts', bytes(64)],
  [0x240, 'usrQuotaInum', le32],
  [0x244, 'grpQuotaInum', le32],
  [0x248, 'overheadBlocks', le32],
  [0x24c, 'backupBgs', array(le32, 2)],
  [0x254, 'encryptAlgos', bytes(4)],
  [0x258, 'encryptPwSalt', bytes(16)],
  [0x268, 'lpfIno', le32],
  [0x26c, 'prjQuotaInum', le32],
  [0x270, 'checksumSeed', le32],
  [0x274, 'wtimeHi', u8],
  [0x275, 'mtimeHi', u8],
  [0x276, 'mkfsTimeHi', u8],
  [0x277, 'lastcheckHi', u8],
  [0x278, 'firstErrorTimeHi', u8],
  [0x279, 'lastErrorTimeHi', u8],
  [0x27a, 'firstErrorErrcode', u8],
  [0x27b, 'lastErrorErrcode', u8],
  [0x27c, 'encoding', le16],
  [0x27e, 'encodingFlags', le16],
  [0x280, 'orphanFileInum', le32],
  [0x284, 'defResuidHi', le16],
  [0x286, 'defResgidHi', le16],
  [0x288, 'reserved', bytes(372)],
  [0x3fc, 'checksum', le32],
]);
export type SuperblockView = StructView<typeof Superblock>;

/** s_state. */
export const STATE = { VALID: 1, ERROR: 2, ORPHAN: 4 } as const;
/** s_creator_os whose inodes have Linux's osd2 fields. */
export const OS = { LINUX: 0, HURD: 1, MASIX: 2, FREEBSD: 3, LITES: 4 } as const;
/** s_flags. */
export const SB_FLAG = { SIGNED_HASH: 1, UNSIGNED_HASH: 2, TEST_FILESYS: 4 } as const;
/** s_checksum_type: crc32c is the only one. */
export const CHECKSUM_CRC32C = 1;
/** s_default_mount_opts that change how space is counted. (Others are the mounting system's business.) */
export const DEFM = { XATTR_USER: 0x4, ACL: 0x8, UID16: 0x10 } as const;
/** s_encoding and s_encoding_flags (casefold). */
export const ENCODING_UTF8_12_1 = 1;
export const ENCODING_STRICT = 1;

/** Reserved inodes. */
export const INO = {
  BAD: 1,
  ROOT: 2,
  USR_QUOTA: 3,
  GRP_QUOTA: 4,
  BOOT_LOADER: 5,
  UNDEL_DIR: 6,
  RESIZE: 7,
  JOURNAL: 8,
  EXCLUDE: 9,
  REPLICA: 10,
} as const;
/** First inode of ordinary files in revision 0, and its inode size. */
export const GOOD_OLD_FIRST_INO = 11;
export const GOOD_OLD_INODE_SIZE = 128;

/** Spec: "Block Group Descriptors", the first 32 bytes, which all have. */
export const GroupDesc = struct('ext4 group descriptor', 32, [
  [0x00, 'blockBitmapLo', le32],
  [0x04, 'inodeBitmapLo', le32],
  [0x08, 'inodeTableLo', le32],
  [0x0c, 'freeBlocksCountLo', le16],
  [0x0e, 'freeInodesCountLo', le16],
  [0x10, 'usedDirsCountLo', le16],
  [0x12, 'flags', le16],
  [0x14, 'excludeBitmapLo', le32],
  [0x18, 'blockBitmapCsumLo', le16],
  [0x1a, 'inodeBitmapCsumLo', le16],
  [0x1c, 'itableUnusedLo', le16],
  [0x1e, 'checksum', le16],
]);
/** Bytes 32 to 63, with the 64bit feature and descSize >= 64. */
export const GroupDescHigh = struct('ext4 group descriptor, high half', 32, [
  [0x00, 'blockBitmapHi', le32],
  [0x04, 'inodeBitmapHi', le32],
  [0x08, 'inodeTableHi', le32],
  [0x0c, 'freeBlocksCountHi', le16],
  [0x0e, 'freeInodesCountHi', le16],
  [0x10, 'usedDirsCountHi', le16],
  [0x12, 'itableUnusedHi', le16],
  [0x14, 'excludeBitmapHi', le32],
  [0x18, 'blockBitmapCsumHi', le16],
  [0x1a, 'inodeBitmapCsumHi', le16],
  [0x1c, 'reserved', le32],
]);
export type GroupDescView = StructView<typeof GroupDesc>;
export type GroupDescHighView = StructView<typeof GroupDescHigh>;
/** bg_flags. */
export const BG = { INODE_UNINIT: 1, BLOCK_UNINIT: 2, INODE_ZEROED: 4 } as const;

/** Spec: "Index Nodes", the 128 bytes that all have. osd1 and osd2 as Linux uses them. */
export const InodeCore = struct('ext4 inode', 128, [
  [0x00, 'mode', le16],
  [0x02, 'uidLo', le16],
  [0x04, 'sizeLo', le32],
  [0x08, 'atime', le32],
  [0x0c, 'ctime', le32],
  [0x10, 'mtime', le32],
  [0x14, 'dtime', le32],
  [0x18, 'gidLo', le16],
  [0x1a, 'linksCount', le16],
  [0x1c, 'blocksLo', le32],
  [0x20, 'flags', le32],
  [0x24, 'version', le32],
  [0x28, 'block', bytes(60)],
  [0x64, 'generation', le32],
  [0x68, 'fileAclLo', le32],
  [0x6c, 'sizeHigh', le32],
  [0x70, 'obsoFaddr', le32],
  [0x74, 'blocksHigh', le16],
  [0x76, 'fileAclHigh', le16],
  [0x78, 'uidHigh', le16],
  [0x7a, 'gidHigh', le16],
  [0x7c, 'checksumLo', le16],
  [0x7e, 'reserved', le16],
]);
/** Bytes 128 to 159 of inodes larger than 128; each field counts only as far as extraIsize reaches. */
export const InodeExtra = struct('ext4 inode, extra fields', 32, [
  [0x00, 'extraIsize', le16],
  [0x02, 'checksumHi', le16],
  [0x04, 'ctimeExtra', le32],
  [0x08, 'mtimeExtra', le32],
  [0x0c, 'atimeExtra', le32],
  [0x10, 'crtime', le32],
  [0x14, 'crtimeExtra', le32],
  [0x18, 'versionHi', le32],
  [0x1c, 'projid', le32],
]);
export type InodeCoreView = StructView<typeof InodeCore>;
export type InodeExtraView = StructView<typeof InodeExtra>;
/** Byte offset of i_block in the inode, its size, and its number of 32-bit pointers. */
export const I_BLOCK_OFFSET = 0x28;
export const I_BLOCK_SIZE = 60;
/** Direct pointers, then one single, one double and one triple indirect. */
export const NDIR_BLOCKS = 12;

/** i_flags. */
export const IFLAG = {
  SECRM: 0x1,
  UNRM: 0x2,
  COMPR: 0x4,
  SYNC: 0x8,
  IMMUTABLE: 0x10,
  APPEND: 0x20,
  NODUMP: 0x40,
  NOATIME: 0x80,
  DIRTY: 0x100,
  COMPRBLK: 0x200,
  NOCOMPR: 0x400,
  ENCRYPT: 0x800,
  INDEX: 0x1000,
  IMAGIC: 0x2000,
  JOURNAL_DATA: 0x4000,
  NOTAIL: 0x8000,
  DIRSYNC: 0x10000,
  TOPDIR: 0x20000,
  HUGE_FILE: 0x40000,
  EXTENTS: 0x80000,
  VERITY: 0x100000,
  EA_INODE: 0x200000,
  DAX: 0x2000000,
  INLINE_DATA: 0x10000000,
  PROJINHERIT: 0x20000000,
  CASEFOLD: 0x40000000,
  RESERVED: 0x80000000,
} as const;

/** Spec: "Extent Tree". One header per node, then entries of 12 bytes, then (outside the inode) the tail. */
export const ExtentHeader = struct('ext4 extent header', 12, [
  [0x0, 'magic', le16],
  [0x2, 'entries', le16],
  [0x4, 'max', le16],
  [0x6, 'depth', le16],
  [0x8, 'generation', le32],
]);
/** Inner node entry: the node that covers file blocks from `block` on. */
export const ExtentIndex = struct('ext4 extent index', 12, [
  [0x0, 'block', le32],
  [0x4, 'leafLo', le32],
  [0x8, 'leafHi', le16],
  [0xa, 'unused', le16],
]);
/** Leaf entry: `len` blocks; above EXTENT_INIT_MAX it is unwritten and that much is to be subtracted. */
export const Extent = struct('ext4 extent', 12, [
  [0x0, 'block', le32],
  [0x4, 'len', le16],
  [0x6, 'startHi', le16],
  [0x8, 'startLo', le32],
]);
/** Behind the last possible entry of a node block. */
export const ExtentTail = struct('ext4 extent tail', 4, [[0x0, 'checksum', le32]]);
export const EXTENT_MAGIC = 0xf30a;
export const EXTENT_ENTRY_SIZE = 12;
export const EXTENT_INIT_MAX = 32768;
export const EXTENT_MAX_DEPTH = 5;

/** Spec: "Directory Entries", the fixed part; the name follows. Without `filetype`, nameLen is 16 bits wide. */
export const DirEntry = struct('ext4 directory entry', 8, [
  [0x0, 'inode', le32],
  [0x4, 'recLen', le16],
  [0x6, 'nameLen', u8],
  [0x7, 'fileType', u8],
]);
export const DIRENT_HEADER = 8;
/** After the name (rounded up to 4) in directories that are both encrypted and casefolded. */
export const DirEntryHash = struct('ext4 directory entry hash', 8, [
  [0x0, 'hash', le32],
  [0x4, 'minorHash', le32],
]);
/** Last 12 bytes of a leaf block with metadata checksums: an empty entry that holds one. */
export const DirTail = struct('ext4 directory tail', 12, [
  [0x0, 'reservedZero1', le32],
  [0x4, 'recLen', le16],
  [0x6, 'reservedZero2', u8],
  [0x7, 'reservedFt', u8],
  [0x8, 'checksum', le32],
]);
export const DIR_TAIL_FT = 0xde;
/** file_type in directory entries. */
export const FT = { UNKNOWN: 0, REG: 1, DIR: 2, CHR: 3, BLK: 4, FIFO: 5, SOCK: 6, LNK: 7 } as const;

/** Spec: "Hash Tree Directories". What follows the entries `.` and `..` in the first block of an indexed directory. */
export const DxRootInfo = struct('htree root info', 8, [
  [0x0, 'reservedZero', le32],
  [0x4, 'hashVersion', u8],
  [0x5, 'infoLength', u8],
  [0x6, 'indirectLevels', u8],
  [0x7, 'unusedFlags', u8],
]);
/** Where the info lies in the root block, and where the count and limit lie in root (after info) and inner nodes. */
export const DX_ROOT_INFO_OFFSET = 0x18;
export const DX_ROOT_ENTRIES = 0x20;
export const DX_NODE_ENTRIES = 0x08;
/** Takes the place of the hash of the first entry, which is always 0. */
export const DxCountLimit = struct('htree count and limit', 4, [
  [0x0, 'limit', le16],
  [0x2, 'count', le16],
]);
export const DxEntry = struct('htree entry', 8, [
  [0x0, 'hash', le32],
  [0x4, 'block', le32],
]);
export const DX_ENTRY_SIZE = 8;
/** Behind the last possible entry, with metadata checksums. */
export const DxTail = struct('htree tail', 8, [
  [0x0, 'reserved', le32],
  [0x4, 'checksum', le32],
]);
/** Bits of DxEntry.block that number the block. */
export const DX_BLOCK_MASK = 0x0fffffff;
/** hash_version. SIPHASH is never stored as a default: it is what encrypted + casefolded directories use. */
export const HASH = {
  LEGACY: 0,
  HALF_MD4: 1,
  TEA: 2,
  LEGACY_UNSIGNED: 3,
  HALF_MD4_UNSIGNED: 4,
  TEA_UNSIGNED: 5,
  SIPHASH: 6,
} as const;
/** Hash value that means "end of directory"; a name that hashes to it gets the one before. */
export const HTREE_EOF = 0x7fffffff;

/** Spec: "Extended Attributes". In the inode, behind the extra fields. */
export const XattrIbodyHeader = struct('ext4 xattr header in the inode', 4, [[0x0, 'magic', le32]]);
/** Of a block of attributes, which several inodes may share. */
export const XattrHeader = struct('ext4 xattr block header', 32, [
  [0x00, 'magic', le32],
  [0x04, 'refcount', le32],
  [0x08, 'blocks', le32],
  [0x0c, 'hash', le32],
  [0x10, 'checksum', le32],
  [0x14, 'reserved', bytes(12)],
]);
/** The fixed part; the name follows, then padding to 4. Four zero bytes end the list. */
export const XattrEntry = struct('ext4 xattr entry', 16, [
  [0x0, 'nameLen', u8],
  [0x1, 'nameIndex', u8],
  [0x2, 'valueOffs', le16],
  [0x4, 'valueInum', le32],
  [0x8, 'valueSize', le32],
  [0xc, 'hash', le32],
]);
export const XATTR_MAGIC = 0xea020000;
export const XATTR_ENTRY_SIZE = 16;
/** Name prefix of each e_name_index. */
export const XATTR_PREFIX: Readonly<Record<number, string>> = {
  0: '',
  1: 'user.',
  2: 'system.posix_acl_access',
  3: 'system.posix_acl_default',
  4: 'trusted.',
  6: 'security.',
  7: 'system.',
  8: 'system.richacl',
  9: 'encryption.',
  10: 'gnu.',
};
export const XATTR_INDEX = {
  USER: 1,
  ACL_ACCESS: 2,
  ACL_DEFAULT: 3,
  TRUSTED: 4,
  SECURITY: 6,
  SYSTEM: 7,
  RICHACL: 8,
  ENCRYPTION: 9,
  HURD: 10,
} as const;

/** Multi-mount protection block. Spec: "Multiple Mount Protection". */
export const MmpBlock = struct('ext4 mmp block', 1024, [
  [0x000, 'magic', le32],
  [0x004, 'seq', le32],
  [0x008, 'time', le64],
  [0x010, 'nodename', bytes(64)],
  [0x050, 'bdevname', bytes(32)],
  [0x070, 'checkInterval', le16],
  [0x072, 'pad1', le16],
  [0x074, 'pad2', bytes(904)],
  [0x3fc, 'checksum', le32],
]);
export const MMP_MAGIC = 0x004d4d50;
export const MMP_SEQ = { CLEAN: 0xff4d4d50, FSCK: 0xe24d4d50, MAX: 0xe24d4d4f } as const;

/** Last 8 bytes of each block of the orphan file; le32 inode numbers fill the rest. Spec: "Orphan file". */
export const OrphanBlockTail = struct('ext4 orphan block tail', 8, [
  [0x0, 'magic', le32],
  [0x4, 'checksum', le32],
]);
export const ORPHAN_BLOCK_MAGIC = 0x0b10ca04;
