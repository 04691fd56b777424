/**
 * Carrying out a plan: everything that must be on the disk is written, and nothing else. A disk that holds other things is
 * given zeros wherever old bytes could be taken for new ones: unwritten tables, the journal, signatures of other systems.
 */
import type { BlockDevice } from '../../../dev/blockdev.ts';
import { setRange } from '../../../kern/bitmap.ts';
import { setBitmapCsum, setExtentBlockCsum, setMmpCsum, inodeSeed } from '../csum.ts';
import { BG, MMP_MAGIC, MMP_SEQ, MmpBlock, SUPERBLOCK_OFFSET, SUPERBLOCK_SIZE } from '../format.ts';
import { Group, groupChecksum } from '../group.ts';
import { blocksOfFile } from './contents.ts';
import { inodeTableStart } from './inodes.ts';
import { endBlockOf, firstBlockOf } from './layout.ts';
import { groupPlan, type GroupPlan, type MkfsPlan } from './plan.ts';
import { hasGroupChecksums } from './shape.ts';
import { sealSuperblock, superblockBytes } from './super.ts';
import { descBlockLocation, groupHasSuper, parseSuperblock, type Geometry } from '../superblock.ts';

/** Bytes of zeros written at a time. */
const PIECE = 1024 * 1024;
/** Where other systems put their marks: labels, superblocks of RAID and of other file systems. */
const SIGNATURES = { head: 128 * 1024, tail: 128 * 1024 } as const;

interface Site {
  readonly p: MkfsPlan;
  readonly geo: Geometry;
  readonly device: BlockDevice;
  /** The disk reads as zeros. */
  readonly blank: boolean;
}

export function writePlan(p: MkfsPlan, device: BlockDevice, options: { readonly blank: boolean }): void {
  const superblock = superblockBytes(p);
  const site: Site = { p, geo: parseSuperblock(superblock), device, blank: options.blank };
  if (!site.blank) {
    wipe(site, 0, Math.min(SIGNATURES.head, device.sizeBytes));
    const tail = Math.max(SIGNATURES.head, device.sizeBytes - SIGNATURES.tail);
    wipe(site, tail, device.sizeBytes - tail);
  }
  writeFiles(site);
  writeGroups(site);
  writeCopies(site, superblock);
  device.write(superblock, SUPERBLOCK_OFFSET);
}

function wipe({ device }: Site, offset: number, length: number): void {
  const zeros = new Uint8Array(Math.min(PIECE, Math.max(length, 0)));
  for (let at = 0; at < length; at += PIECE) {
    device.write(zeros.subarray(0, Math.min(PIECE, length - at)), offset + at);
  }
}

function writeFiles(site: Site): void {
  const { p, geo, device, blank } = site;
  for (const file of p.files) {
    const seed = inodeSeed(geo, file.ino, 0);
    if (file.kind === 'journal' && !blank) {
      for (const { start, end } of file.runs) wipe(site, start * geo.blockSize, (end - start) * geo.blockSize);
    }
    for (const { block, bytes } of blocksOfFile(p, geo, file)) device.write(bytes, block * geo.blockSize);
    for (const { block, bytes, kind } of file.map.blocks) {
      if (kind === 'extents') setExtentBlockCsum(geo, seed, bytes);
      device.write(bytes, block * geo.blockSize);
    }
  }
  if (p.mmpBlock > 0) device.write(mmpBytes(site), p.mmpBlock * geo.blockSize);
}

function mmpBytes({ p, geo }: Site): Uint8Array {
  const bytes = new Uint8Array(geo.blockSize);
  const mmp = MmpBlock.at(bytes, 0);
  mmp.magic = MMP_MAGIC;
  mmp.seq = MMP_SEQ.CLEAN;
  mmp.time = p.now.sec;
  mmp.checkInterval = p.o.mmpInterval;
  setMmpCsum(geo, bytes);
  return bytes;
}

/** Bitmaps and inode tables of every group, as far as they hold anything, and the descriptors of all. */
function writeGroups(site: Site): void {
  const { p, geo } = site;
  const tablesZeroed = site.blank || !p.o.lazyTables;
  const blocks = Array.from({ length: geo.descBlocks }, () => new Uint8Array(geo.blockSize));
  for (let group = 0; group < geo.groups; group++) {
    const plan = groupPlan(p, group, { tablesZeroed });
    const block = blocks[Math.floor(group / geo.descPerBlock)] ?? new Uint8Array(geo.blockSize);
    const at = (group % geo.descPerBlock) * geo.descSize;
    const g = new Group(block, at, geo.descSize);
    g.blockBitmap = p.tables.blockBitmap[group] ?? 0;
    g.inodeBitmap = p.tables.inodeBitmap[group] ?? 0;
    g.inodeTable = p.tables.inodeTable[group] ?? 0;
    g.freeBlocks = plan.freeClusters;
    g.freeInodes = plan.freeInodes;
    g.usedDirs = plan.directories;
    g.itableUnused = plan.unusedInodes;
    g.flags = plan.flags;
    const desc = block.subarray(at, at + geo.descSize);
    writeBitmaps(site, { group, plan, desc });
    writeTable(site, group, plan);
    if (hasGroupChecksums(p.o)) g.lo.checksum = groupChecksum(geo, group, block, at);
  }
  writeDescriptors(site, blocks);
}

function writeBitmaps(
  { p, geo, device }: Site,
  { group, plan, desc }: { readonly group: number; readonly plan: GroupPlan; readonly desc: Uint8Array },
): void {
  if ((plan.flags & BG.BLOCK_UNINIT) === 0) {
    const map = new Uint8Array(geo.blockSize);
    const first = firstBlockOf(p.s, group);
    const end = endBlockOf(p.s, group);
    for (const run of p.space.takenRuns(first, end)) {
      setRange(
        map,
        Math.floor((run.start - first) / geo.clusterBlocks),
        Math.ceil((run.end - first) / geo.clusterBlocks),
      );
    }
    setRange(map, Math.ceil((end - first) / geo.clusterBlocks), geo.blockSize * 8);
    setBitmapCsum(geo, 'block', { map, desc });
    device.write(map, (p.tables.blockBitmap[group] ?? 0) * geo.blockSize);
  }
  if ((plan.flags & BG.INODE_UNINIT) === 0) {
    const map = new Uint8Array(geo.blockSize);
    setRange(map, 0, geo.inodesPerGroup - plan.freeInodes);
    setRange(map, geo.inodesPerGroup, geo.blockSize * 8);
    setBitmapCsum(geo, 'inode', { map, desc });
    device.write(map, (p.tables.inodeBitmap[group] ?? 0) * geo.blockSize);
  }
}

/** Inodes in use; and zeros over the rest where nothing says that it was never used. */
function writeTable(site: Site, group: number, plan: GroupPlan): void {
  const { p, geo, device, blank } = site;
  const offset = (p.tables.inodeTable[group] ?? 0) * geo.blockSize;
  const used = inodeTableStart(p, geo, group);
  if (used.length > 0) device.write(used, offset);
  const isLazy = hasGroupChecksums(p.o) && (plan.flags & BG.INODE_ZEROED) === 0;
  if (blank || isLazy) return;
  wipe(site, offset + used.length, geo.inodeTableBlocks * geo.blockSize - used.length);
}

function writeDescriptors({ geo, device }: Site, blocks: readonly Uint8Array[]): void {
  blocks.forEach((bytes, index) => {
    for (const block of descriptorPlaces(geo, index)) device.write(bytes, block * geo.blockSize);
  });
}

/** The primary place of a block of descriptors and its copies. */
function descriptorPlaces(geo: Geometry, index: number): number[] {
  const primary = descBlockLocation(geo, SUPERBLOCK_OFFSET, index);
  if (index >= geo.firstMetaBg) {
    const first = index * geo.descPerBlock;
    const copies = [first + 1, first + geo.descPerBlock - 1].filter((group) => group < geo.groups && group !== first);
    const places = [...new Set(copies)].map(
      (group) => geo.firstDataBlock + group * geo.blocksPerGroup + (groupHasSuper(geo, group) ? 1 : 0),
    );
    return [primary, ...places];
  }
  const places = [primary];
  for (let group = 1; group < geo.groups; group++) {
    if (groupHasSuper(geo, group)) places.push(geo.firstDataBlock + group * geo.blocksPerGroup + 1 + index);
  }
  return places;
}

/** Copies of the superblock, each with its group's number, alone in its block; and zeros in the room for descriptors. */
function writeCopies(site: Site, superblock: Uint8Array): void {
  const { p, geo, device } = site;
  for (let group = 1; group < geo.groups; group++) {
    if (!groupHasSuper(geo, group)) continue;
    const bytes = new Uint8Array(geo.blockSize);
    bytes.set(superblock);
    sealSuperblock(bytes.subarray(0, SUPERBLOCK_SIZE), p, group);
    const first = firstBlockOf(p.s, group);
    device.write(bytes, first * geo.blockSize);
    if (!site.blank && geo.reservedGdtBlocks > 0) {
      wipe(site, (first + 1 + geo.descBlocks) * geo.blockSize, geo.reservedGdtBlocks * geo.blockSize);
    }
  }
}
