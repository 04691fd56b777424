/**
 * The journal (jbd2) on disk: big-endian structures, and the little-endian records of ext4's fast commits in its tail.
 * No I/O, no logic. Source: Linux Documentation/filesystems/ext4 "Journal (jbd2)".
 */
import { array, be16, be32, be64, bytes, le16, le32, struct, u8 } from '../../kern/struct.ts';

export const JBD2_MAGIC = 0xc03b3998;
/** h_blocktype. */
export const JBD2 = { DESCRIPTOR: 1, COMMIT: 2, SUPERBLOCK_V1: 3, SUPERBLOCK_V2: 4, REVOKE: 5 } as const;
export const JOURNAL_COMPAT = { CHECKSUM: 0x1 } as const;
export const JOURNAL_INCOMPAT = {
  REVOKE: 0x1,
  BIT64: 0x2,
  ASYNC_COMMIT: 0x4,
  CSUM_V2: 0x8,
  CSUM_V3: 0x10,
  FAST_COMMIT: 0x20,
} as const;
/** t_flags of a block tag. */
export const TAG = { ESCAPE: 1, SAME_UUID: 2, DELETED: 4, LAST: 8 } as const;
/** s_checksum_type, h_chksum_type. */
export const JOURNAL_CHECKSUM = { CRC32: 1, MD5: 2, SHA1: 3, CRC32C: 4 } as const;

export const JournalHeader = struct('jbd2 block header', 12, [
  [0x0, 'magic', be32],
  [0x4, 'blocktype', be32],
  [0x8, 'sequence', be32],
]);

export const JournalSuperblock = struct('jbd2 superblock', 1024, [
  [0x000, 'magic', be32],
  [0x004, 'blocktype', be32],
  [0x008, 'headerSequence', be32],
  [0x00c, 'blocksize', be32],
  [0x010, 'maxlen', be32],
  [0x014, 'first', be32],
  [0x018, 'sequence', be32],
  [0x01c, 'start', be32],
  [0x020, 'errno', be32],
  // Version 2 only.
  [0x024, 'featureCompat', be32],
  [0x028, 'featureIncompat', be32],
  [0x02c, 'featureRoCompat', be32],
  [0x030, 'uuid', bytes(16)],
  [0x040, 'nrUsers', be32],
  [0x044, 'dynsuper', be32],
  [0x048, 'maxTransaction', be32],
  [0x04c, 'maxTransData', be32],
  [0x050, 'checksumType', u8],
  [0x051, 'padding2', bytes(3)],
  /** Blocks at the end of the log that fast commits use; 0 means the default. */
  [0x054, 'numFcBlks', be32],
  /** Where the next transaction would have begun, of a clean journal. */
  [0x058, 'head', be32],
  [0x05c, 'padding', bytes(160)],
  [0x0fc, 'checksum', be32],
  [0x100, 'users', bytes(768)],
]);
export const JOURNAL_DEFAULT_FC_BLOCKS = 256;

/** Tag of a logged block in a descriptor: 8 bytes, or 12 with 64-bit numbers. */
export const BlockTag = struct('jbd2 block tag', 8, [
  [0x0, 'blocknr', be32],
  [0x4, 'checksum', be16],
  [0x6, 'flags', be16],
]);
/** The same with checksum version 3: always 16 bytes. */
export const BlockTag3 = struct('jbd2 block tag, version 3', 16, [
  [0x0, 'blocknr', be32],
  [0x4, 'flags', be32],
  [0x8, 'blocknrHigh', be32],
  [0xc, 'checksum', be32],
]);
/** Last four bytes of descriptor and revoke blocks with checksum version 2 or 3. */
export const JournalBlockTail = struct('jbd2 block tail', 4, [[0x0, 'checksum', be32]]);

export const RevokeHeader = struct('jbd2 revoke header', 16, [
  [0x0, 'magic', be32],
  [0x4, 'blocktype', be32],
  [0x8, 'sequence', be32],
  /** Bytes used, this header included. */
  [0xc, 'count', be32],
]);

export const CommitHeader = struct('jbd2 commit block', 60, [
  [0x00, 'magic', be32],
  [0x04, 'blocktype', be32],
  [0x08, 'sequence', be32],
  [0x0c, 'chksumType', u8],
  [0x0d, 'chksumSize', u8],
  [0x0e, 'padding', bytes(2)],
  [0x10, 'chksum', array(be32, 8)],
  [0x30, 'commitSec', be64],
  [0x38, 'commitNsec', be32],
]);

/** Fast commits: tag, length, value. */
export const FcTag = struct('fast commit tag', 4, [
  [0x0, 'tag', le16],
  [0x2, 'len', le16],
]);
export const FC = {
  ADD_RANGE: 1,
  DEL_RANGE: 2,
  CREAT: 3,
  LINK: 4,
  UNLINK: 5,
  INODE: 6,
  PAD: 7,
  TAIL: 8,
  HEAD: 9,
} as const;
export const FcHead = struct('fast commit head', 8, [
  [0x0, 'features', le32],
  [0x4, 'tid', le32],
]);
/** The extent is an Extent of format.ts. */
export const FcAddRange = struct('fast commit add range', 16, [
  [0x0, 'ino', le32],
  [0x4, 'extent', bytes(12)],
]);
export const FcDelRange = struct('fast commit delete range', 12, [
  [0x0, 'ino', le32],
  [0x4, 'lblk', le32],
  [0x8, 'len', le32],
]);
/** The name follows, to the tag's end. */
export const FcDentry = struct('fast commit directory entry', 8, [
  [0x0, 'parentIno', le32],
  [0x4, 'ino', le32],
]);
/** The raw inode follows, to the tag's end. */
export const FcInode = struct('fast commit inode', 4, [[0x0, 'ino', le32]]);
export const FcTail = struct('fast commit tail', 8, [
  [0x0, 'tid', le32],
  [0x4, 'crc', le32],
]);
