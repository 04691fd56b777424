/**
 * The journal (jbd2), read: where its log lies, which transactions in it are complete, and which blocks they hold. Nothing
 * is written here; recover.ts applies the answer. Decisions about damage are the Linux kernel's: a log ends at the first
 * block that does not belong to the expected transaction; a checksum that is wrong before that end refuses the image.
 * Spec: "Journal (jbd2)"; docs/adr/0005-jbd2-replay.md.
 */
import type { BlockDevice } from '../../dev/blockdev.ts';
import { crc32be } from '../../kern/checksum/crc32be.ts';
import { crc32c } from '../../kern/checksum/crc32c.ts';
import { CorruptError, UnsupportedError } from '../../kern/errno.ts';
import type { FsBlock } from '../../kern/ids.ts';
import { getBe16, getBe32, getBe64, setBe32 } from '../../kern/struct.ts';
import type { Mount } from '../../vfs/mount.ts';
import { bmap } from './bmap.ts';
import type { Ext2Mount } from './ext2mount.ts';
import { loadInode, type Inode } from './inode.ts';
import {
  CommitHeader,
  JBD2,
  JBD2_MAGIC,
  JOURNAL_CHECKSUM,
  JOURNAL_COMPAT,
  JOURNAL_DEFAULT_FC_BLOCKS,
  JOURNAL_INCOMPAT,
  JournalSuperblock,
  RevokeHeader,
  TAG,
} from './journal-format.ts';

/** Fast commits get their own blocks only in journals of at least this many besides. */
const MIN_BLOCKS = 1024;
const HEADER_SIZE = 12;
const TAIL_SIZE = 4;
const UUID_SIZE = 16;
const CRC_START = 0xffffffff;
/** The commit header as Linux lays it out in memory: what an interrupted write of the block has of it. */
const COMMIT_HEADER_SIZE = 64;
const KNOWN_INCOMPAT = Object.values(JOURNAL_INCOMPAT).reduce((all, bit) => all | bit, 0);

/** The journal of a mount: its superblock, checked, and how to read its blocks. */
export interface Log {
  readonly inode: Inode;
  /** The disk as it was found: a replay in memory must not read its own answers. */
  readonly device: BlockDevice;
  readonly blockSize: number;
  /** Log blocks are [first, last); a transaction that reaches `last` goes on at `first`. */
  readonly first: number;
  readonly last: number;
  /** Blocks of fast commits: [fcFirst, fcLast], none when fcFirst is 0. */
  readonly fcFirst: number;
  readonly fcLast: number;
  /** Blocks of the journal, its superblock included. */
  readonly total: number;
  /** First block and first transaction of what is to be replayed; start 0: nothing. */
  readonly start: number;
  readonly sequence: number;
  readonly errno: number;
  readonly csumVersion: 0 | 1 | 2 | 3;
  readonly csumSeed: number;
  readonly hasBit64: boolean;
  readonly isAsyncCommit: boolean;
  readonly tagBytes: number;
}

/** CorruptError, or UnsupportedError for features of the journal that we do not know. */
export function openLog(mp: Mount<Ext2Mount>): Log {
  const { geo } = mp.data;
  const inode = loadInode(mp, geo.journalInum, { unlinked: true });
  const bad = (what: string): CorruptError => new CorruptError(`journal ${what}`, { ino: inode.ino });
  if (inode.type !== 'reg' || inode.size < geo.blockSize) throw bad('inode');
  const raw = new Uint8Array(geo.blockSize);
  readLogBlock({ inode, device: mp.device, blockSize: geo.blockSize, total: 1 }, 0, raw);
  const sb = JournalSuperblock.at(raw, 0);
  if (sb.magic !== JBD2_MAGIC) throw bad('superblock');
  if (sb.blocktype !== JBD2.SUPERBLOCK_V1 && sb.blocktype !== JBD2.SUPERBLOCK_V2) throw bad('superblock type');
  const isV2 = sb.blocktype === JBD2.SUPERBLOCK_V2;
  const incompat = isV2 ? sb.featureIncompat : 0;
  const unknown = (incompat & ~KNOWN_INCOMPAT) >>> 0;
  if (unknown !== 0) throw new UnsupportedError(`journal feature 0x${unknown.toString(16)}`);
  if (isV2 && sb.featureRoCompat !== 0)
    throw new UnsupportedError(`journal ro_compat feature 0x${sb.featureRoCompat.toString(16)}`);
  const csumVersion = checksumVersion(incompat, isV2 ? sb.featureCompat : 0);
  if (csumVersion === undefined) throw bad('with two kinds of checksum');
  if (csumVersion >= 2) {
    if (sb.checksumType !== JOURNAL_CHECKSUM.CRC32C) throw bad(`checksum type ${sb.checksumType}`);
    if (sb.checksum !== journalSuperblockChecksum(raw)) throw bad('superblock checksum');
  }
  if (sb.blocksize !== geo.blockSize) throw bad(`block size ${sb.blocksize}`);
  if (sb.maxlen > Math.floor(inode.size / geo.blockSize)) throw bad('is shorter than its superblock says');
  if (sb.maxlen > geo.blocks) throw bad('is larger than the file system');
  if (sb.first === 0 || sb.first >= sb.maxlen) throw bad('first block');
  const fcBlocks = (incompat & JOURNAL_INCOMPAT.FAST_COMMIT) === 0 ? 0 : sb.numFcBlks || JOURNAL_DEFAULT_FC_BLOCKS;
  const hasFc = fcBlocks > 0 && sb.maxlen - fcBlocks >= MIN_BLOCKS;
  const last = hasFc ? sb.maxlen - fcBlocks : sb.maxlen;
  if (last <= sb.first) throw bad('without room for a log');
  const hasBit64 = (incompat & JOURNAL_INCOMPAT.BIT64) !== 0;
  return {
    inode,
    device: mp.device,
    blockSize: geo.blockSize,
    first: sb.first,
    last,
    fcFirst: fcBlocks > 0 ? last + 1 : 0,
    fcLast: sb.maxlen,
    total: sb.maxlen,
    start: sb.start,
    sequence: sb.sequence,
    errno: isV2 ? sb.errno : 0,
    csumVersion,
    csumSeed: crc32c(CRC_START, sb.uuid),
    hasBit64,
    isAsyncCommit: (incompat & JOURNAL_INCOMPAT.ASYNC_COMMIT) !== 0,
    tagBytes: csumVersion === 3 ? 16 : 8 + (hasBit64 ? 4 : 0) + (csumVersion === 2 ? 2 : 0),
  };
}

function checksumVersion(incompat: number, compat: number): Log['csumVersion'] | undefined {
  const isV2 = (incompat & JOURNAL_INCOMPAT.CSUM_V2) !== 0;
  const isV3 = (incompat & JOURNAL_INCOMPAT.CSUM_V3) !== 0;
  const isV1 = (compat & JOURNAL_COMPAT.CHECKSUM) !== 0;
  if ((isV2 && isV3) || (isV1 && (isV2 || isV3))) return undefined;
  return isV3 ? 3 : isV2 ? 2 : isV1 ? 1 : 0;
}

const ZERO4 = new Uint8Array(4);
/** crc32c of [0, end) with the four bytes at `hole` taken as zeros. */
function crcAround(seed: number, data: Uint8Array, hole: number, end = data.length): number {
  return crc32c(crc32c(crc32c(seed, data, 0, hole), ZERO4), data, hole + 4, end);
}
export const journalSuperblockChecksum = (raw: Uint8Array): number =>
  crcAround(CRC_START, raw, JournalSuperblock.offsetOf('checksum'), JournalSuperblock.size);

/** Where a block of the journal lies on the device. CorruptError beyond its end or in a hole. */
export function logBlockAddress(log: Pick<Log, 'inode' | 'total'>, block: number): FsBlock {
  const where = { ino: log.inode.ino, block };
  if (block >= log.total) throw new CorruptError('journal block beyond its end', where);
  const { block: address } = bmap(log.inode, block, log.total - block);
  if (address === undefined) throw new CorruptError('hole in the journal', where);
  return address;
}

export function readLogBlock(
  log: Pick<Log, 'inode' | 'device' | 'total' | 'blockSize'>,
  block: number,
  dst: Uint8Array,
): void {
  log.device.read(dst, logBlockAddress(log, block) * log.blockSize);
}

/** A block that a transaction logged. */
interface Tag {
  readonly block: FsBlock;
  /** Its copy in the log. */
  readonly logBlock: number;
  readonly flags: number;
  readonly checksum: number;
  readonly sequence: number;
}

/** What a replay would do: the newest copy of each block, and where the log ends. */
export interface Replay {
  /** Target block → twice the block where its copy lies, plus 1 when its first four bytes were escaped. */
  readonly copies: ReadonlyMap<FsBlock, number>;
  readonly transactions: number;
  /** The transaction that would have come next. */
  readonly endSequence: number;
  readonly revokes: number;
}

/** Transaction numbers wrap. */
const isAtLeast = (a: number, b: number): boolean => ((a - b) | 0) >= 0;

/**
 * Read the whole log. CorruptError when it is damaged in a way that cannot be the end of an interrupted write: the kernel
 * refuses such an image too.
 */
export function scanLog(log: Log): Replay {
  const scan = new Scan(log);
  if (log.start !== 0) scan.run();
  return scan.result();
}

class Scan {
  readonly #log: Log;
  readonly #tags: Tag[] = [];
  readonly #revoked = new Map<FsBlock, number>();
  /** Revokes and tags of the transaction being read, which count only once it is committed. */
  #pendingRevokes: FsBlock[] = [];
  #pendingTags: Tag[] = [];
  #sequence: number;
  #next: number;
  #consumed = 0;
  #crc = CRC_START;
  #lastCommitSec = 0;
  /** A descriptor or revoke block did not check: what its commit block says decides. */
  #isDoubtful = false;
  /** First transaction whose commit did not check (asynchronous commits only): nothing from there on is replayed. */
  #endSequence: number | undefined;

  constructor(log: Log) {
    this.#log = log;
    this.#sequence = log.sequence;
    this.#next = log.start;
  }

  run(): void {
    const log = this.#log;
    const data = new Uint8Array(log.blockSize);
    for (;;) {
      readLogBlock(log, this.#advance(), data);
      if (getBe32(data, 0) !== JBD2_MAGIC || getBe32(data, 8) !== this.#sequence) return;
      switch (getBe32(data, 4)) {
        case JBD2.DESCRIPTOR:
          this.#descriptor(data);
          break;
        case JBD2.REVOKE:
          this.#revoke(data);
          break;
        case JBD2.COMMIT:
          if (!this.#commit(data)) return;
          break;
        default:
          return;
      }
    }
  }

  result(): Replay {
    const log = this.#log;
    const end = this.#endSequence ?? this.#sequence;
    const copies = new Map<FsBlock, number>();
    const data = new Uint8Array(log.blockSize);
    for (const tag of this.#tags) {
      if (isAtLeast(tag.sequence, end)) continue;
      const revokedBy = this.#revoked.get(tag.block);
      if (revokedBy !== undefined && isAtLeast(revokedBy, tag.sequence)) continue;
      this.#verifyCopy(tag, data);
      const { geo } = log.inode;
      if (tag.block >= geo.blocks) throw new CorruptError('journal tag beyond the file system', { block: tag.block });
      copies.set(tag.block, logBlockAddress(log, tag.logBlock) * 2 + (tag.flags & TAG.ESCAPE));
    }
    const transactions = (end - log.sequence) | 0;
    return { copies, transactions, endSequence: end, revokes: this.#revoked.size };
  }

  /** The next block of the log. One lap is all there can be. */
  #advance(): number {
    const log = this.#log;
    if (this.#consumed++ > log.last - log.first)
      throw new CorruptError('journal goes in circles', { ino: log.inode.ino });
    const block = this.#next++;
    if (this.#next >= log.last) this.#next -= log.last - log.first;
    return block;
  }

  #descriptor(data: Uint8Array): void {
    const log = this.#log;
    if (!this.#hasSoundTail(data)) this.#isDoubtful = true;
    if (log.csumVersion === 1) this.#crc = crc32be(this.#crc, data);
    const end = log.blockSize - (log.csumVersion >= 2 ? TAIL_SIZE : 0);
    const copy = new Uint8Array(log.csumVersion === 1 ? log.blockSize : 0);
    for (let at = HEADER_SIZE; at + log.tagBytes <= end;) {
      const isV3 = log.csumVersion === 3;
      const flags = isV3 ? getBe32(data, at + 4) : getBe16(data, at + 6);
      const high = log.hasBit64 ? getBe32(data, at + 8) : 0;
      const logBlock = this.#advance();
      this.#pendingTags.push({
        block: high * 0x1_0000_0000 + getBe32(data, at),
        logBlock,
        flags,
        checksum: isV3 ? getBe32(data, at + 12) : getBe16(data, at + 4),
        sequence: this.#sequence,
      });
      if (log.csumVersion === 1) {
        readLogBlock(log, logBlock, copy);
        this.#crc = crc32be(this.#crc, copy);
      }
      at += log.tagBytes + ((flags & TAG.SAME_UUID) === 0 ? UUID_SIZE : 0);
      if ((flags & TAG.LAST) !== 0) return;
    }
  }

  #revoke(data: Uint8Array): void {
    const log = this.#log;
    if (!this.#hasSoundTail(data)) {
      this.#isDoubtful = true;
      return;
    }
    const count = getBe32(data, RevokeHeader.offsetOf('count'));
    if (count > log.blockSize - (log.csumVersion >= 2 ? TAIL_SIZE : 0)) {
      throw new CorruptError('journal revoke block', { ino: log.inode.ino });
    }
    const size = log.hasBit64 ? 8 : 4;
    for (let at = RevokeHeader.size; at + size <= count; at += size) {
      // A number beyond what we can hold is beyond any file system as well.
      if (log.hasBit64 && getBe32(data, at) >= 0x20_0000) continue;
      this.#pendingRevokes.push(log.hasBit64 ? getBe64(data, at) : getBe32(data, at));
    }
  }

  /** Take the transaction's end in; false: the log ends here. */
  #commit(data: Uint8Array): boolean {
    const log = this.#log;
    const commit = CommitHeader.at(data, 0);
    // Seconds beyond 2^53 are not believed, nor allowed to stop us.
    const seconds = getBe32(data, CommitHeader.offsetOf('commitSec')) >= 0x20_0000 ? 0 : commit.commitSec;
    const bad = (): CorruptError =>
      new CorruptError(`journal transaction ${this.#sequence} is damaged (checksum)`, { ino: log.inode.ino });
    // Older than what came before: a left-over of an earlier lap, not damage.
    const isStale = seconds < this.#lastCommitSec;
    if (this.#isDoubtful) {
      if (isStale) return false;
      throw bad();
    }
    if (log.csumVersion === 1 && this.#endSequence !== undefined) throw bad();
    if (!this.#hasSoundCommit(commit.chksum[0] ?? 0, data)) {
      if (isStale) return false;
      if (!log.isAsyncCommit) throw bad();
      this.#endSequence ??= this.#sequence;
    }
    this.#lastCommitSec = seconds;
    this.#tags.push(...this.#pendingTags.splice(0));
    for (const block of this.#pendingRevokes.splice(0)) {
      if (this.#endSequence === undefined) this.#revoked.set(block, this.#sequence);
    }
    this.#sequence = (this.#sequence + 1) >>> 0;
    return true;
  }

  #hasSoundTail(data: Uint8Array): boolean {
    const log = this.#log;
    if (log.csumVersion < 2) return true;
    const at = log.blockSize - TAIL_SIZE;
    return getBe32(data, at) === crcAround(log.csumSeed, data, at);
  }

  #hasSoundCommit(found: number, data: Uint8Array): boolean {
    const log = this.#log;
    const at = CommitHeader.offsetOf('chksum');
    if (log.csumVersion >= 2) {
      if (found === crcAround(log.csumSeed, data, at)) return true;
      // The header reached the disk and the rest of the block, all zeros when it was written, did not.
      const partial = new Uint8Array(log.blockSize);
      partial.set(data.subarray(0, COMMIT_HEADER_SIZE));
      return found === crcAround(log.csumSeed, partial, at);
    }
    if (log.csumVersion === 0) return true;
    const { chksumType, chksumSize } = CommitHeader.at(data, 0);
    const crc = this.#crc;
    this.#crc = CRC_START;
    const isUnused = chksumType === 0 && chksumSize === 0 && found === 0;
    return isUnused || (chksumType === JOURNAL_CHECKSUM.CRC32 && chksumSize === 4 && found === crc);
  }

  /** CorruptError unless a logged block is what its tag says. */
  #verifyCopy(tag: Tag, data: Uint8Array): void {
    const log = this.#log;
    if (log.csumVersion < 2) return;
    readLogBlock(log, tag.logBlock, data);
    const sequence = new Uint8Array(4);
    setBe32(sequence, 0, tag.sequence);
    const crc = crc32c(crc32c(log.csumSeed, sequence), data);
    if (tag.checksum === (log.csumVersion === 3 ? crc : crc & 0xffff)) return;
    throw new CorruptError('checksum of a block in the journal', { ino: log.inode.ino, block: tag.block });
  }
}

/** The bytes of a copy, as they belong on the disk. */
export function readCopy(log: Pick<Log, 'device' | 'blockSize'>, copy: number, dst: Uint8Array): void {
  log.device.read(dst, Math.floor(copy / 2) * log.blockSize);
  if (copy % 2 === 1) setBe32(dst, 0, JBD2_MAGIC);
}
