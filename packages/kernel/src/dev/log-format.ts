/**
 * The redo log of a transaction, `<image>.fsu-log`: header, data, index, end record. Little-endian. docs/log-format.md.
 *
 * Data is raw units; the index says where each belongs, with the checksum of the unit and of what it replaces. All
 * checksums are raw CRC-32C registers. A log is good only as a whole: the chain over the index starts from the header's
 * salt and is repeated in the end record, so nothing of an older log can be taken for a part of this one.
 */
import { bytes, le32, le64, struct } from '../kern/struct.ts';

export const LOG_MAGIC: Uint8Array = new TextEncoder().encode('FSU-LOG\n');
export const LOG_VERSION = 1;
export const LOG_SUFFIX = '.fsu-log';
/** While it is being written: readers ignore it, writers remove it. */
export const LOG_NEW_SUFFIX = '.new';

/** Header at byte 0; data begins at DATA_OFFSET so that pages lie aligned. */
export const DATA_OFFSET = 4096;

export const LOG_COMPLETE = 1;
/** Everything is in the image: the log only waits to be removed. */
export const LOG_DONE = 2;

export const LogHeader = struct('log header', 512, [
  [0x000, 'magic', bytes(8)],
  [0x008, 'version', le32],
  /** LOG_COMPLETE or LOG_DONE: the only field that changes after the commit point, with `checksum`. */
  [0x00c, 'state', le32],
  /** Of the header with this field zero. */
  [0x010, 'checksum', le32],
  [0x014, 'unitSize', le32],
  [0x018, 'salt', bytes(16)],
  /** Identity of the image: inode number as decimal text, zero-padded, and birth time. */
  [0x028, 'ino', bytes(24)],
  [0x040, 'birthSec', le64],
  [0x048, 'birthNsec', le32],
  [0x04c, 'entries', le32],
  /** Size of the image before and after, in bytes. */
  [0x050, 'oldSize', le64],
  [0x058, 'newSize', le64],
  /** Bytes [DATA_OFFSET, indexOffset) are data. */
  [0x060, 'indexOffset', le64],
  /** Size of the whole log, end record included. */
  [0x068, 'logSize', le64],
  [0x070, 'reserved', bytes(400)],
]);

export const INDEX_BLOCK_SIZE = 4096;
export const INDEX_MAGIC = 0x58444946;
export const ENTRIES_PER_BLOCK = 127;

export const IndexBlock = struct('log index block', 32, [
  [0x00, 'magic', le32],
  /** 0, 1, 2 … */
  [0x04, 'number', le32],
  [0x08, 'count', le32],
  /** Chain: register after the previous block's chain value was the seed and this block, with this field zero, the bytes. */
  [0x0c, 'chain', le32],
  [0x10, 'reserved', bytes(16)],
]);

/** What an entry is for; also the order in which they lie in the index and are applied. */
export const ENTRY_MARK = 1;
export const ENTRY_UNIT = 2;
export const ENTRY_SUPERBLOCK = 3;

export const IndexEntry = struct('log index entry', 32, [
  /** Byte offset in the image. */
  [0x00, 'target', le64],
  /** Byte offset in the log. */
  [0x08, 'at', le64],
  [0x10, 'oldCrc', le32],
  [0x14, 'newCrc', le32],
  /** ENTRY_*. */
  [0x18, 'kind', le32],
  [0x1c, 'reserved', le32],
]);

export const END_MAGIC = 0x444e4546;

export const EndRecord = struct('log end record', 512, [
  [0x000, 'magic', le32],
  [0x004, 'entries', le32],
  /** The last index block's chain value. */
  [0x008, 'chain', le32],
  /** Of this record with this field zero, seeded with `chain`. */
  [0x00c, 'checksum', le32],
  [0x010, 'reserved', bytes(496)],
]);
