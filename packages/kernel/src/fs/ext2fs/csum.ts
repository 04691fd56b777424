/**
 * Metadata checksums of inodes, bitmaps and blocks: what each covers, and where it is kept. Verifying and setting share one computation.
 * (Those of the superblock and of group descriptors are with their accessors.)
 *
 * With metadata_csum everything has a crc32c that starts from a seed of the file system; what belongs to a file goes on
 * from a seed of that inode (its csumSeed), so that a block found in the wrong place does not verify. Without it, verifiers
 * say true and setters do nothing. Source: Linux Documentation/filesystems/ext4 "Checksums".
 */
import { crc32c } from '../../kern/checksum/crc32c.ts';
import { getLe16, getLe32, setLe16, setLe32, setLe64 } from '../../kern/struct.ts';
import {
  DIR_TAIL_FT,
  DirTail,
  DX_ENTRY_SIZE,
  DxTail,
  EXTENT_ENTRY_SIZE,
  ExtentHeader,
  GOOD_OLD_INODE_SIZE,
  GroupDesc,
  GroupDescHigh,
  InodeCore,
  InodeExtra,
  MmpBlock,
  OrphanBlockTail,
  XattrHeader,
} from './format.ts';

/** What the computations need to know of a file system; its Geometry has it all. */
interface CsumContext {
  readonly metadataCsum: boolean;
  readonly csumSeed: number;
  readonly descSize: number;
  readonly clustersPerGroup: number;
  readonly inodesPerGroup: number;
}

const zeros = new Uint8Array(4);
const word = new Uint8Array(8);

/** Goes on from `seed` over bytes [0, end) of `data` with `length` bytes at `hole` taken as zeros. */
function crcAround(seed: number, data: Uint8Array, hole: { at: number; length: number; end: number }): number {
  const crc = crc32c(crc32c(seed, data, 0, hole.at), zeros, 0, hole.length);
  return crc32c(crc, data, hole.at + hole.length, hole.end);
}

// bitmaps, whose checksums the group descriptors keep

export type BitmapKind = 'block' | 'inode';
const BITMAP_CSUM = {
  block: { lo: GroupDesc.offsetOf('blockBitmapCsumLo'), hi: 32 + GroupDescHigh.offsetOf('blockBitmapCsumHi') },
  inode: { lo: GroupDesc.offsetOf('inodeBitmapCsumLo'), hi: 32 + GroupDescHigh.offsetOf('inodeBitmapCsumHi') },
} as const;

function bitmapCsum(fs: CsumContext, kind: BitmapKind, map: Uint8Array): number {
  const bits = kind === 'block' ? fs.clustersPerGroup : fs.inodesPerGroup;
  return crc32c(fs.csumSeed, map, 0, Math.floor(bits / 8));
}
export function verifyBitmap(
  fs: CsumContext,
  kind: BitmapKind,
  options: { map: Uint8Array; desc: Uint8Array },
): boolean {
  if (!fs.metadataCsum) return true;
  const crc = bitmapCsum(fs, kind, options.map);
  const { lo, hi } = BITMAP_CSUM[kind];
  if (getLe16(options.desc, lo) !== (crc & 0xffff)) return false;
  return fs.descSize < hi + 2 || getLe16(options.desc, hi) === crc >>> 16;
}
export function setBitmapCsum(fs: CsumContext, kind: BitmapKind, options: { map: Uint8Array; desc: Uint8Array }): void {
  if (!fs.metadataCsum) return;
  const crc = bitmapCsum(fs, kind, options.map);
  const { lo, hi } = BITMAP_CSUM[kind];
  setLe16(options.desc, lo, crc & 0xffff);
  if (fs.descSize >= hi + 2) setLe16(options.desc, hi, crc >>> 16);
}

// inodes

const I_CHECKSUM_LO = InodeCore.offsetOf('checksumLo');
const I_EXTRA_ISIZE = GOOD_OLD_INODE_SIZE + InodeExtra.offsetOf('extraIsize');
const I_CHECKSUM_HI = GOOD_OLD_INODE_SIZE + InodeExtra.offsetOf('checksumHi');

/** What everything that belongs to an inode is seeded with. */
export function inodeSeed(fs: CsumContext, ino: number, generation: number): number {
  setLe32(word, 0, ino);
  setLe32(word, 4, generation);
  return crc32c(fs.csumSeed, word, 0, 8);
}

/** Do the extra fields of `raw`, one inode, reach as far as the upper half of the checksum? */
const hasChecksumHi = (raw: Uint8Array): boolean =>
  raw.length > GOOD_OLD_INODE_SIZE && GOOD_OLD_INODE_SIZE + getLe16(raw, I_EXTRA_ISIZE) >= I_CHECKSUM_HI + 2;

function inodeCsum(seed: number, raw: Uint8Array): number {
  const crc = crcAround(seed, raw, { at: I_CHECKSUM_LO, length: 2, end: GOOD_OLD_INODE_SIZE });
  if (raw.length <= GOOD_OLD_INODE_SIZE) return crc;
  if (!hasChecksumHi(raw)) return crc32c(crc, raw, GOOD_OLD_INODE_SIZE);
  return crc32c(crc32c(crc32c(crc, raw, GOOD_OLD_INODE_SIZE, I_CHECKSUM_HI), zeros, 0, 2), raw, I_CHECKSUM_HI + 2);
}
export function verifyInode(fs: CsumContext, seed: number, raw: Uint8Array): boolean {
  if (!fs.metadataCsum) return true;
  const crc = inodeCsum(seed, raw);
  if (getLe16(raw, I_CHECKSUM_LO) !== (crc & 0xffff)) return false;
  return !hasChecksumHi(raw) || getLe16(raw, I_CHECKSUM_HI) === crc >>> 16;
}
export function setInodeCsum(fs: CsumContext, seed: number, raw: Uint8Array): void {
  if (!fs.metadataCsum) return;
  const crc = inodeCsum(seed, raw);
  setLe16(raw, I_CHECKSUM_LO, crc & 0xffff);
  if (hasChecksumHi(raw)) setLe16(raw, I_CHECKSUM_HI, crc >>> 16);
}

// extent tree blocks: the tail stands behind the last possible entry

const EH_MAX = ExtentHeader.offsetOf('max');

/** Where the checksum is, or -1 when the node's `max` leaves no room for it. */
function extentTailAt(block: Uint8Array): number {
  const at = ExtentHeader.size + getLe16(block, EH_MAX) * EXTENT_ENTRY_SIZE;
  return at + 4 <= block.length ? at : -1;
}
export function verifyExtentBlock(fs: CsumContext, seed: number, block: Uint8Array): boolean {
  if (!fs.metadataCsum) return true;
  const at = extentTailAt(block);
  return at >= 0 && getLe32(block, at) === crc32c(seed, block, 0, at);
}
export function setExtentBlockCsum(fs: CsumContext, seed: number, block: Uint8Array): void {
  if (!fs.metadataCsum) return;
  const at = extentTailAt(block);
  if (at >= 0) setLe32(block, at, crc32c(seed, block, 0, at));
}

// directory leaf blocks: the tail is an entry without a name at the very end

/** Byte offset of the tail, or -1: blocks written before the feature was switched on may have none. */
export function dirTailAt(block: Uint8Array): number {
  const at = block.length - DirTail.size;
  const isTail =
    getLe32(block, at) === 0 &&
    getLe16(block, at + 4) === DirTail.size &&
    block[at + 6] === 0 &&
    block[at + 7] === DIR_TAIL_FT;
  return isTail ? at : -1;
}
export function initDirTail(block: Uint8Array): void {
  const tail = DirTail.at(block, block.length - DirTail.size);
  tail.reservedZero1 = 0;
  tail.recLen = DirTail.size;
  tail.reservedZero2 = 0;
  tail.reservedFt = DIR_TAIL_FT;
}
export function verifyDirLeaf(fs: CsumContext, seed: number, block: Uint8Array): boolean {
  if (!fs.metadataCsum) return true;
  const at = dirTailAt(block);
  return at >= 0 && getLe32(block, at + DirTail.offsetOf('checksum')) === crc32c(seed, block, 0, at);
}
export function setDirLeafCsum(fs: CsumContext, seed: number, block: Uint8Array): void {
  if (!fs.metadataCsum) return;
  const at = dirTailAt(block);
  if (at >= 0) setLe32(block, at + DirTail.offsetOf('checksum'), crc32c(seed, block, 0, at));
}

// htree nodes: entries in use, then the tail behind the last possible entry

/** `entriesAt` is where count and limit stand: DX_ROOT_ENTRIES or DX_NODE_ENTRIES. -1: no room for a tail. */
function dxParts(block: Uint8Array, entriesAt: number): { usedEnd: number; tailAt: number } | undefined {
  const usedEnd = entriesAt + getLe16(block, entriesAt + 2) * DX_ENTRY_SIZE;
  const tailAt = entriesAt + getLe16(block, entriesAt) * DX_ENTRY_SIZE;
  return usedEnd <= tailAt && tailAt + DxTail.size <= block.length ? { usedEnd, tailAt } : undefined;
}
function dxCsum(seed: number, block: Uint8Array, { usedEnd, tailAt }: { usedEnd: number; tailAt: number }): number {
  return crc32c(crc32c(crc32c(seed, block, 0, usedEnd), block, tailAt, tailAt + 4), zeros);
}
export function verifyDxNode(fs: CsumContext, seed: number, node: { block: Uint8Array; entriesAt: number }): boolean {
  if (!fs.metadataCsum) return true;
  const parts = dxParts(node.block, node.entriesAt);
  return parts !== undefined && getLe32(node.block, parts.tailAt + 4) === dxCsum(seed, node.block, parts);
}
export function setDxNodeCsum(fs: CsumContext, seed: number, node: { block: Uint8Array; entriesAt: number }): void {
  if (!fs.metadataCsum) return;
  const parts = dxParts(node.block, node.entriesAt);
  if (parts !== undefined) setLe32(node.block, parts.tailAt + 4, dxCsum(seed, node.block, parts));
}

// attribute blocks (seeded by their place, because inodes share them), orphan blocks, the mmp block

const XH_CHECKSUM = XattrHeader.offsetOf('checksum');

function xattrBlockCsum(fs: CsumContext, fsBlock: number, block: Uint8Array): number {
  setLe64(word, 0, fsBlock);
  return crcAround(crc32c(fs.csumSeed, word, 0, 8), block, { at: XH_CHECKSUM, length: 4, end: block.length });
}
export const verifyXattrBlock = (fs: CsumContext, fsBlock: number, block: Uint8Array): boolean =>
  !fs.metadataCsum || getLe32(block, XH_CHECKSUM) === xattrBlockCsum(fs, fsBlock, block);
export function setXattrBlockCsum(fs: CsumContext, fsBlock: number, block: Uint8Array): void {
  if (fs.metadataCsum) setLe32(block, XH_CHECKSUM, xattrBlockCsum(fs, fsBlock, block));
}

function orphanBlockCsum(seed: number, fsBlock: number, block: Uint8Array): number {
  setLe64(word, 0, fsBlock);
  return crc32c(crc32c(seed, word, 0, 8), block, 0, block.length - OrphanBlockTail.size);
}
/** `seed` is the orphan file's csumSeed. */
export const verifyOrphanBlock = (fs: CsumContext, seed: number, at: { fsBlock: number; block: Uint8Array }): boolean =>
  !fs.metadataCsum || getLe32(at.block, at.block.length - 4) === orphanBlockCsum(seed, at.fsBlock, at.block);
export function setOrphanBlockCsum(fs: CsumContext, seed: number, at: { fsBlock: number; block: Uint8Array }): void {
  if (fs.metadataCsum) setLe32(at.block, at.block.length - 4, orphanBlockCsum(seed, at.fsBlock, at.block));
}

export const verifyMmp = (fs: CsumContext, block: Uint8Array): boolean =>
  !fs.metadataCsum ||
  getLe32(block, MmpBlock.offsetOf('checksum')) === crc32c(fs.csumSeed, block, 0, MmpBlock.offsetOf('checksum'));
export function setMmpCsum(fs: CsumContext, block: Uint8Array): void {
  const at = MmpBlock.offsetOf('checksum');
  if (fs.metadataCsum) setLe32(block, at, crc32c(fs.csumSeed, block, 0, at));
}
