/**
 * The inode of an ordinary file, taken in without a closer look: a few extents in the inode, no attributes, every number as
 * it should be. Most inodes are such, and nothing is allocated for them. Whatever else there is about one, inode.ts
 * decides; nothing is claimed or noted here unless all of it is right.
 */
import type { Ino } from '../../../kern/ids.ts';
import { getLe16, getLe32 } from '../../../kern/struct.ts';
import { inodeSeed, verifyInode } from '../csum.ts';
import { depthOf, entriesOf, maxOf, nodeCapacity } from '../extent-node.ts';
import {
  Extent,
  EXTENT_ENTRY_SIZE,
  EXTENT_INIT_MAX,
  EXTENT_MAGIC,
  ExtentHeader,
  FT,
  GOOD_OLD_INODE_SIZE,
  I_BLOCK_OFFSET,
  I_BLOCK_SIZE,
  IFLAG,
  InodeCore,
  InodeExtra,
  XATTR_MAGIC,
} from '../format.ts';
import type { Check } from './state.ts';

const at = (field: Parameters<typeof InodeCore.offsetOf>[0]): number => InodeCore.offsetOf(field);
const MODE = at('mode');
const SIZE_LO = at('sizeLo');
const DTIME = at('dtime');
const LINKS = at('linksCount');
const BLOCKS_LO = at('blocksLo');
const FLAGS = at('flags');
const GENERATION = at('generation');
const FILE_ACL = at('fileAclLo');
const SIZE_HIGH = at('sizeHigh');
const FRAGMENT = at('obsoFaddr');
/** Upper halves of the block count and of the attribute block. */
const HIGH_HALVES = at('blocksHigh');
/** Larger files need a feature. */
const SIZE_MAX = 0x7fff_ffff;
const EXTRA_ISIZE = GOOD_OLD_INODE_SIZE + InodeExtra.offsetOf('extraIsize');
const EXTRA_MIN = 32;
const S_IFMT = 0o170000;
const S_IFREG = 0o100000;
const LEN = Extent.offsetOf('len');
const START_HI = Extent.offsetOf('startHi');
const START_LO = Extent.offsetOf('startLo');

/** True: it is in use, sound, and noted. */
export function takePlainInode(c: Check, ino: Ino, raw: Uint8Array): boolean {
  const { geo } = c;
  const isPlain =
    c.mayBePlain &&
    ino >= geo.firstIno &&
    (getLe16(raw, MODE) & S_IFMT) === S_IFREG &&
    getLe16(raw, LINKS) > 0 &&
    getLe32(raw, FLAGS) === IFLAG.EXTENTS &&
    hasNothingRare(raw) &&
    hasPlainExtra(raw) &&
    !c.orphans.has(ino) &&
    !c.namedInodes.includes(ino) &&
    verifyInode(geo, inodeSeed(geo, ino, getLe32(raw, GENERATION)), raw);
  if (!isPlain) return false;
  const node = raw.subarray(I_BLOCK_OFFSET, I_BLOCK_OFFSET + I_BLOCK_SIZE);
  const blocks = plainBlocks(c, node, getLe32(raw, SIZE_LO));
  if (blocks < 0 || getLe32(raw, BLOCKS_LO) !== blocks * (geo.blockSize / 512)) return false;
  for (let i = 0; i < entriesOf(node); i++) c.claims.take(startOf(node, i), countOf(node, i));
  c.inodes.add(ino, FT.REG, getLe16(raw, LINKS));
  c.filesByType[FT.REG] = (c.filesByType[FT.REG] ?? 0) + 1;
  return true;
}

/** Fields that are zero: what else they say needs a closer look. */
const hasNothingRare = (raw: Uint8Array): boolean =>
  getLe32(raw, DTIME) === 0 &&
  getLe32(raw, FILE_ACL) === 0 &&
  getLe32(raw, SIZE_HIGH) === 0 &&
  getLe32(raw, FRAGMENT) === 0 &&
  getLe32(raw, HIGH_HALVES) === 0 &&
  getLe32(raw, SIZE_LO) <= SIZE_MAX;

/** The extra fields are all there, and no attributes behind them. */
function hasPlainExtra(raw: Uint8Array): boolean {
  const end = GOOD_OLD_INODE_SIZE + EXTRA_MIN;
  if (raw.length <= end) return false;
  return getLe16(raw, EXTRA_ISIZE) === EXTRA_MIN && getLe32(raw, end) !== XATTR_MAGIC;
}

const entryAt = (i: number): number => ExtentHeader.size + i * EXTENT_ENTRY_SIZE;
const countOf = (node: Uint8Array, i: number): number => getLe16(node, entryAt(i) + LEN);
const startOf = (node: Uint8Array, i: number): number =>
  getLe16(node, entryAt(i) + START_HI) * 0x1_0000_0000 + getLe32(node, entryAt(i) + START_LO);

/** Blocks of extents that are in order, written, on the disk and nobody's; -1 for anything else. */
function plainBlocks(c: Check, node: Uint8Array, size: number): number {
  const entries = entriesOf(node);
  const isRoot = getLe16(node, 0) === EXTENT_MAGIC && depthOf(node) === 0 && maxOf(node) === nodeCapacity(node.length);
  if (!isRoot || entries > maxOf(node)) return -1;
  let next = 0;
  let blocks = 0;
  for (let i = 0; i < entries; i++) {
    const first = getLe32(node, entryAt(i));
    const count = countOf(node, i);
    const start = startOf(node, i);
    if (first < next || count === 0 || count > EXTENT_INIT_MAX || !c.isOnDisk(start, count)) return -1;
    if (c.claims.isTaken(start, count)) return -1;
    next = first + count;
    blocks += count;
  }
  return next <= Math.ceil(size / c.geo.blockSize) ? blocks : -1;
}
