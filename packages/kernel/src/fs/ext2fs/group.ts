/**
 * Block group descriptors: access through buffers, their checksums, and the free counts that are summed over them.
 * Spec: "Block Group Descriptors".
 */
import { crc16 } from '../../kern/checksum/crc16.ts';
import { crc32c } from '../../kern/checksum/crc32c.ts';
import { CorruptError } from '../../kern/errno.ts';
import type { FsBlock } from '../../kern/ids.ts';
import { setLe32 } from '../../kern/struct.ts';
import type { Buf } from '../../vfs/buf.ts';
import type { Mount } from '../../vfs/mount.ts';
import type { Ext2Mount } from './ext2mount.ts';
import { BG, GroupDesc, GroupDescHigh, type GroupDescHighView, type GroupDescView } from './format.ts';
import { descBlockLocation, type Geometry } from './superblock.ts';

const TWO32 = 0x1_0000_0000;
const TWO16 = 0x1_0000;
const CHECKSUM_OFFSET = GroupDesc.offsetOf('checksum');

/** A descriptor in its buffer, both halves as one: reads and writes go to the buffer. */
export class Group {
  readonly lo: GroupDescView;
  readonly hi: GroupDescHighView | undefined;

  constructor(block: Uint8Array, offset: number, descSize: number) {
    this.lo = GroupDesc.at(block, offset);
    this.hi = descSize >= 64 ? GroupDescHigh.at(block, offset + 32) : undefined;
  }

  get flags(): number {
    return this.lo.flags;
  }
  set flags(x: number) {
    this.lo.flags = x;
  }
  get blockBitmap(): FsBlock {
    return this.lo.blockBitmapLo + (this.hi?.blockBitmapHi ?? 0) * TWO32;
  }
  set blockBitmap(x: FsBlock) {
    this.lo.blockBitmapLo = x % TWO32;
    if (this.hi !== undefined) this.hi.blockBitmapHi = Math.floor(x / TWO32);
  }
  get inodeBitmap(): FsBlock {
    return this.lo.inodeBitmapLo + (this.hi?.inodeBitmapHi ?? 0) * TWO32;
  }
  set inodeBitmap(x: FsBlock) {
    this.lo.inodeBitmapLo = x % TWO32;
    if (this.hi !== undefined) this.hi.inodeBitmapHi = Math.floor(x / TWO32);
  }
  get inodeTable(): FsBlock {
    return this.lo.inodeTableLo + (this.hi?.inodeTableHi ?? 0) * TWO32;
  }
  set inodeTable(x: FsBlock) {
    this.lo.inodeTableLo = x % TWO32;
    if (this.hi !== undefined) this.hi.inodeTableHi = Math.floor(x / TWO32);
  }
  /** In clusters. */
  get freeBlocks(): number {
    return this.lo.freeBlocksCountLo + (this.hi?.freeBlocksCountHi ?? 0) * TWO16;
  }
  set freeBlocks(x: number) {
    this.lo.freeBlocksCountLo = x & 0xffff;
    if (this.hi !== undefined) this.hi.freeBlocksCountHi = x >>> 16;
  }
  get freeInodes(): number {
    return this.lo.freeInodesCountLo + (this.hi?.freeInodesCountHi ?? 0) * TWO16;
  }
  set freeInodes(x: number) {
    this.lo.freeInodesCountLo = x & 0xffff;
    if (this.hi !== undefined) this.hi.freeInodesCountHi = x >>> 16;
  }
  get usedDirs(): number {
    return this.lo.usedDirsCountLo + (this.hi?.usedDirsCountHi ?? 0) * TWO16;
  }
  set usedDirs(x: number) {
    this.lo.usedDirsCountLo = x & 0xffff;
    if (this.hi !== undefined) this.hi.usedDirsCountHi = x >>> 16;
  }
  /** Inodes at the end of the table that were never used (and may not even be zeroed). */
  get itableUnused(): number {
    return this.lo.itableUnusedLo + (this.hi?.itableUnusedHi ?? 0) * TWO16;
  }
  set itableUnused(x: number) {
    this.lo.itableUnusedLo = x & 0xffff;
    if (this.hi !== undefined) this.hi.itableUnusedHi = x >>> 16;
  }
  /** 32 bits, or 16 in a 32-byte descriptor: compare with `& csumMask`. */
  get blockBitmapCsum(): number {
    return this.lo.blockBitmapCsumLo + (this.hi?.blockBitmapCsumHi ?? 0) * TWO16;
  }
  set blockBitmapCsum(x: number) {
    this.lo.blockBitmapCsumLo = x & 0xffff;
    if (this.hi !== undefined) this.hi.blockBitmapCsumHi = x >>> 16;
  }
  get inodeBitmapCsum(): number {
    return this.lo.inodeBitmapCsumLo + (this.hi?.inodeBitmapCsumHi ?? 0) * TWO16;
  }
  set inodeBitmapCsum(x: number) {
    this.lo.inodeBitmapCsumLo = x & 0xffff;
    if (this.hi !== undefined) this.hi.inodeBitmapCsumHi = x >>> 16;
  }
  /** Which bits of a bitmap's checksum the descriptor can hold. */
  get csumMask(): number {
    return this.hi === undefined ? 0xffff : 0xffffffff;
  }
}

const scratch = (): Uint8Array => new Uint8Array(4);
const ZERO2 = new Uint8Array(2);

/** Checksum of the descriptor of `group` at `offset` of `block`; meaningful with gdt_csum or metadata_csum. */
export function groupChecksum(geo: Geometry, group: number, block: Uint8Array, offset: number): number {
  const number = scratch();
  setLe32(number, 0, group);
  const field = offset + CHECKSUM_OFFSET;
  const end = offset + geo.descSize;
  if (geo.metadataCsum) {
    let crc = crc32c(crc32c(geo.csumSeed, number), block, offset, field);
    crc = crc32c(crc, ZERO2);
    return crc32c(crc, block, field + 2, end) & 0xffff;
  }
  const crc = crc16(crc16(crc16(0xffff, geo.uuid), number), block, offset, field);
  return crc16(crc, block, field + 2, end);
}

const isSound = (geo: Geometry, group: number, block: Uint8Array, offset: number): boolean =>
  GroupDesc.at(block, offset).checksum === groupChecksum(geo, group, block, offset);

/** The pinned buffer that holds the descriptor of `group`, its checksum verified. */
export function breadGroup(mp: Mount<Ext2Mount>, group: number): Buf {
  const { geo, sbOffset } = mp.data;
  const index = Math.floor(group / geo.descPerBlock);
  const bp = mp.bufs.bread(descBlockLocation(geo, sbOffset, index));
  if (bp.verified) return bp;
  if (!geo.metadataCsum && !geo.gdtCsum) bp.verified = true;
  else {
    let all = true;
    const first = index * geo.descPerBlock;
    const count = Math.min(geo.descPerBlock, geo.groups - first);
    for (let i = 0; i < count; i++) {
      if (isSound(geo, first + i, bp.data, i * geo.descSize)) continue;
      all = false;
      if (first + i !== group) continue;
      mp.bufs.brelse(bp);
      throw new CorruptError(`checksum of group descriptor ${group}`, { block: bp.block });
    }
    bp.verified = all;
  }
  return bp;
}

/** The same whatever its checksum is: for who checks. */
export function breadGroupRaw(mp: Mount<Ext2Mount>, group: number): Buf {
  const { geo, sbOffset } = mp.data;
  return mp.bufs.bread(descBlockLocation(geo, sbOffset, Math.floor(group / geo.descPerBlock)));
}

/** Look at a group's descriptor. The view must not outlive `use`. */
export function withGroup<T>(mp: Mount<Ext2Mount>, group: number, use: (g: Group) => T): T {
  const { geo } = mp.data;
  if (!(group >= 0 && group < geo.groups)) throw new CorruptError(`group ${group} of ${geo.groups}`);
  const bp = breadGroup(mp, group);
  try {
    return use(new Group(bp.data, (group % geo.descPerBlock) * geo.descSize, geo.descSize));
  } finally {
    mp.bufs.brelse(bp);
  }
}

/** First block of a group's inode table, checked to lie on the disk as a whole. */
export function inodeTableBlock(mp: Mount<Ext2Mount>, group: number): FsBlock {
  const known = mp.data.inodeTables.get(group);
  if (known !== undefined) return known;
  const { geo } = mp.data;
  const block = withGroup(mp, group, (g) => g.inodeTable);
  if (block <= geo.firstDataBlock || block + geo.inodeTableBlocks > geo.blocks) {
    throw new CorruptError(`inode table of group ${group}`, { block });
  }
  mp.data.inodeTables.set(group, block);
  return block;
}

/** Free clusters and inodes: the sum over the groups, as the kernel counts at mount (the superblock's may be stale). */
export function countFree(mp: Mount<Ext2Mount>): { readonly clusters: number; readonly inodes: number } {
  const { geo } = mp.data;
  const clusterLimit = geo.clustersPerGroup;
  let clusters = 0;
  let inodes = 0;
  for (let group = 0; group < geo.groups; group++) {
    withGroup(mp, group, (g) => {
      clusters += Math.min(g.freeBlocks, clusterLimit);
      inodes += Math.min(g.freeInodes, geo.inodesPerGroup);
    });
  }
  return { clusters, inodes };
}

/** True when the group's inodes were never used, so that their table holds nothing (checksummed descriptors only). */
export const inodesUninit = (geo: Geometry, g: Group): boolean =>
  (geo.metadataCsum || geo.gdtCsum) && (g.flags & BG.INODE_UNINIT) !== 0;
