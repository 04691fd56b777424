/**
 * Blocks that are no file's, whatever bitmaps and file maps say: superblocks, descriptors with the room that they keep to
 * grow, bitmaps, inode tables, the multi-mount protection block, the journal's and the orphan file's. Before a block is
 * written as a file's, allocated or freed, it is looked up here.
 *
 * One sorted table for the mount, made when a writer first asks: readers never pay for it. Descriptors are read as they
 * lie (a group's bitmaps may be anywhere); each is verified when its group is used.
 */
import { CorruptError } from '../../kern/errno.ts';
import type { FsBlock, Ino } from '../../kern/ids.ts';
import { getLe32 } from '../../kern/struct.ts';
import type { Mount } from '../../vfs/mount.ts';
import { bmap } from './bmap.ts';
import type { Ext2Mount } from './ext2mount.ts';
import { GroupDesc, GroupDescHigh } from './format.ts';
import { loadInode } from './inode.ts';
import { descBlockLocation, groupFirstBlock, groupHasSuper, type Geometry } from './superblock.ts';

/** Blocks [start, end) of the device. */
export interface Range {
  readonly start: FsBlock;
  readonly end: FsBlock;
}

export class Zones {
  readonly #ranges: readonly Range[];
  /** The gap between two zones that the last lookup fell into: the next one is mostly there too. */
  #gapStart = 0;
  #gapEnd = 0;

  constructor(ranges: Range[]) {
    this.#ranges = merged(ranges);
  }

  /** Does any block of the run belong to the system? */
  overlaps(block: FsBlock, count: number): boolean {
    if (block >= this.#gapStart && block + count <= this.#gapEnd) return false;
    const next = this.#firstEndingBehind(block);
    const start = this.#ranges[next]?.start ?? Infinity;
    if (start < block + count) return true;
    this.#gapStart = this.#ranges[next - 1]?.end ?? 0;
    this.#gapEnd = start;
    return false;
  }

  /** The zones within [start, end), cut to it. */
  within(start: FsBlock, end: FsBlock): Range[] {
    const found: Range[] = [];
    for (let i = this.#firstEndingBehind(start); i < this.#ranges.length; i++) {
      const range = this.#ranges[i];
      if (range === undefined || range.start >= end) break;
      found.push({ start: Math.max(start, range.start), end: Math.min(end, range.end) });
    }
    return found;
  }

  #firstEndingBehind(block: FsBlock): number {
    let low = 0;
    let high = this.#ranges.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#ranges[middle]?.end ?? 0) > block) high = middle;
      else low = middle + 1;
    }
    return low;
  }
}

interface Growing {
  readonly start: FsBlock;
  end: FsBlock;
}

function merged(ranges: Range[]): Range[] {
  ranges.sort((a, b) => a.start - b.start);
  const out: Range[] = [];
  for (const range of ranges) {
    const before = out.at(-1);
    if (before !== undefined && range.start <= before.end) {
      if (range.end > before.end) out[out.length - 1] = { start: before.start, end: range.end };
    } else out.push(range);
  }
  return out;
}

/** The table of a mount. Errors: CorruptError when the journal's map cannot be followed, EIO. */
export const systemZones = (mp: Mount<Ext2Mount>): Zones => (mp.data.zones ??= new Zones(allRanges(mp)));

/** CorruptError when a block of the run is not a file's to have; `ino` names the file that claims it. */
export function refuseSystem(mp: Mount<Ext2Mount>, run: { block: FsBlock; count: number }, ino?: Ino): void {
  if (!systemZones(mp).overlaps(run.block, run.count)) return;
  throw new CorruptError('blocks of the file system itself in the map of a file', {
    block: run.block,
    ...(ino === undefined ? {} : { ino }),
  });
}

function allRanges(mp: Mount<Ext2Mount>): Range[] {
  const { geo } = mp.data;
  const ranges: Range[] = [{ start: 0, end: geo.firstDataBlock }];
  for (let group = 0; group < geo.groups; group++) {
    const count = headBlocks(geo, group);
    const start = groupFirstBlock(geo, group);
    if (count > 0) ranges.push({ start, end: start + count });
  }
  addDescribed(mp, ranges);
  if (geo.mmpBlock !== 0) ranges.push({ start: geo.mmpBlock, end: geo.mmpBlock + 1 });
  for (const ino of [geo.journalInum, geo.orphanFileInum]) if (ino !== 0) addFile(mp, ino, ranges);
  return ranges;
}

/** Descriptors read at once. */
const READ_BYTES = 256 * 1024;
const BLOCK_BITMAP = GroupDesc.offsetOf('blockBitmapLo');
const INODE_BITMAP = GroupDesc.offsetOf('inodeBitmapLo');
const INODE_TABLE = GroupDesc.offsetOf('inodeTableLo');
/** The upper halves of the three stand as far apart as the lower ones, in the second half of a descriptor. */
const TO_HIGH = GroupDesc.size + GroupDescHigh.offsetOf('blockBitmapHi') - BLOCK_BITMAP;
const TWO32 = 0x1_0000_0000;

const placeAt = (geo: Geometry, data: Uint8Array, at: number): FsBlock =>
  getLe32(data, at) + (geo.descSize >= 64 ? getLe32(data, at + TO_HIGH) * TWO32 : 0);

/** Bitmaps and inode tables, as the descriptors say. Neighbours are joined at once: there may be 100,000s. */
function addDescribed(mp: Mount<Ext2Mount>, ranges: Range[]): void {
  const { geo, sbOffset } = mp.data;
  const found: [blockBitmaps: Growing[], inodeBitmaps: Growing[], tables: Growing[]] = [[], [], []];
  const join = (to: Growing[], start: FsBlock, count: number): void => {
    const last = to.at(-1);
    if (last !== undefined && last.end === start) last.end = start + count;
    else to.push({ start, end: start + count });
  };
  const most = Math.max(1, Math.min(geo.descBlocks, Math.floor(READ_BYTES / geo.blockSize)));
  const buffer = new Uint8Array(most * geo.blockSize);
  for (let index = 0; index < geo.descBlocks;) {
    const block = descBlockLocation(geo, sbOffset, index);
    let count = 1;
    const adjoins = (): boolean => descBlockLocation(geo, sbOffset, index + count) === block + count;
    while (count < most && index + count < geo.descBlocks && adjoins()) count++;
    const data = buffer.subarray(0, count * geo.blockSize);
    mp.device.read(data, block * geo.blockSize);
    const descs = Math.min(count * geo.descPerBlock, geo.groups - index * geo.descPerBlock);
    for (let at = 0; at < descs * geo.descSize; at += geo.descSize) {
      join(found[0], placeAt(geo, data, at + BLOCK_BITMAP), 1);
      join(found[1], placeAt(geo, data, at + INODE_BITMAP), 1);
      join(found[2], placeAt(geo, data, at + INODE_TABLE), geo.inodeTableBlocks);
    }
    index += count;
  }
  for (const kind of found) for (const range of kind) ranges.push(range);
}

function addFile(mp: Mount<Ext2Mount>, ino: Ino, ranges: Range[]): void {
  const file = loadInode(mp, ino, { unlinked: true });
  const blocks = Math.min(Math.ceil(file.size / mp.blockSize), mp.data.geo.blocks);
  for (let at = 0; at < blocks;) {
    const run = bmap(file, at, blocks - at);
    if (run.block !== undefined) ranges.push({ start: run.block, end: run.block + run.count });
    at += run.count;
  }
}

/** Blocks at the start of a group that hold copies of the superblock and descriptors, room to grow included. */
export function headBlocks(geo: Geometry, group: number): number {
  const hasSuper = groupHasSuper(geo, group);
  const metaBg = Math.floor(group / geo.descPerBlock);
  if (metaBg < geo.firstMetaBg) return hasSuper ? 1 + geo.firstMetaBg + geo.reservedGdtBlocks : 0;
  const inMeta = group % geo.descPerBlock;
  const hasDesc = inMeta === 0 || inMeta === 1 || inMeta === geo.descPerBlock - 1;
  return (hasSuper ? 1 : 0) + (hasDesc ? 1 : 0);
}
