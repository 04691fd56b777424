/**
 * Quota files, version 1 of the format that Linux calls vfsv1: what each user, group or project uses and may use. A file is
 * a row of 1 KiB blocks whatever the file system's block size: block 0 holds header and info, block 1 the root of a tree of
 * block numbers with one level for each byte of an id, and the leaves hold entries. No I/O, no logic.
 *
 * Source: quota files made by mke2fs and e2fsck 1.47.0, read with debugfs (list_quota).
 */
import { le16, le32, le64, struct, type StructView } from '../../kern/struct.ts';

export const QUOTA_BLOCK_SIZE = 1024;
/** Block of the tree's root. */
export const QUOTA_ROOT = 1;
/** Bytes of an id, and so levels of the tree. */
export const QUOTA_LEVELS = 4;

export const QuotaHeader = struct('quota file header', 8, [
  [0x0, 'magic', le32],
  [0x4, 'version', le32],
]);
/** Of user, group and project files. */
export const QUOTA_MAGIC = { user: 0xd9c01f11, group: 0xd9c01927, project: 0xd9c03f14 } as const;
export const QUOTA_VERSION = 1;

/** Behind the header. Block numbers of 0 end a list. */
export const QuotaInfo = struct('quota file info', 24, [
  [0x00, 'blockGrace', le32],
  [0x04, 'inodeGrace', le32],
  [0x08, 'flags', le32],
  [0x0c, 'blocks', le32],
  [0x10, 'freeBlock', le32],
  [0x14, 'freeEntry', le32],
]);

/** At the start of a leaf. Leaves with room for another entry are a doubly linked list. */
export const QuotaLeaf = struct('quota leaf header', 16, [
  [0x0, 'nextFree', le32],
  [0x4, 'prevFree', le32],
  [0x8, 'entries', le16],
  [0xa, 'pad1', le16],
  [0xc, 'pad2', le32],
]);

/** An entry of all zeros is not in use. Block limits count KiB, `space` bytes. */
export const QuotaEntry = struct('quota entry', 72, [
  [0x00, 'id', le32],
  [0x04, 'pad', le32],
  [0x08, 'inodeHardLimit', le64],
  [0x10, 'inodeSoftLimit', le64],
  [0x18, 'inodes', le64],
  [0x20, 'blockHardLimit', le64],
  [0x28, 'blockSoftLimit', le64],
  [0x30, 'space', le64],
  [0x38, 'blockTime', le64],
  [0x40, 'inodeTime', le64],
]);
export type QuotaEntryView = StructView<typeof QuotaEntry>;
