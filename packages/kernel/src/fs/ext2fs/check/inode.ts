/**
 * One inode in use: its fields, its map with every block claimed, its size and its count of blocks. What only makes sense
 * for one kind of file is in the table at the end. Spec: "Index Nodes".
 */
import type { FileBlock, FsBlock } from '../../../kern/ids.ts';
import { getLe16, getLe32 } from '../../../kern/struct.ts';
import { S_IFMT } from '../../../vfs/vattr.ts';
import { verifyInode } from '../csum.ts';
import { COMPAT, INCOMPAT, RO_COMPAT } from '../features.ts';
import { EXTENT_MAGIC, FT, GOOD_OLD_INODE_SIZE, I_BLOCK_OFFSET, I_BLOCK_SIZE, IFLAG, INO, OS } from '../format.ts';
import { inlineRest } from '../inline.ts';
import type { Inode } from '../inode.ts';
import { hasCompat, hasIncompat, hasRoCompat } from '../superblock.ts';
import type { ClusterCursor } from './claims.ts';
import { KIND } from './inode-facts.ts';
import { walkMap } from './map.ts';
import { checkResizeInode } from './resize.ts';
import { checkSymlink } from './symlink.ts';
import type { Check, Told } from './state.ts';
import { checkAttributes } from './xattrs.ts';

const EXTRA_ISIZE_MIN = 4;
const FT_OF_MODE: Readonly<Record<number, number>> = {
  0o100000: FT.REG,
  0o040000: FT.DIR,
  0o020000: FT.CHR,
  0o060000: FT.BLK,
  0o010000: FT.FIFO,
  0o140000: FT.SOCK,
  0o120000: FT.LNK,
};

/** What walking the map of a file told. */
export interface MapFacts {
  /** Clusters claimed: data, and the map's own. */
  clusters: number;
  /** First file block behind the last mapped one, and behind the last that is not unwritten. */
  end: FileBlock;
  writtenEnd: FileBlock;
  problems: number;
  /** First block of the file, 0 for none. */
  first: FsBlock;
  hasUnwritten: boolean;
}

/** Free inodes must look so. */
export function checkFreeInode(c: Check, inode: Inode): void {
  const { ino } = inode;
  if (ino < c.geo.firstIno) {
    if (ino !== INO.ROOT) c.inodes.add(ino, { kind: KIND.HIDDEN, links: 0 });
    return;
  }
  if (inode.mode !== 0 && inode.dtime === 0) {
    c.report({ code: 'inode-dtime', message: 'deleted inode without a time of deletion', where: { ino } });
  }
}

export function checkInode(c: Check, inode: Inode): void {
  const { ino } = inode;
  if (ino === INO.RESIZE) checkResizeInode(c, inode);
  const tell = (told: Told): void => void c.report({ ...told, where: { ino, ...told.where } });
  if (!verifyInode(c.geo, inode.seed, inode.raw)) tell({ code: 'inode-checksum', message: 'inode checksum' });
  const isReserved = ino < c.geo.firstIno && ino !== INO.ROOT;
  const type = FT_OF_MODE[inode.mode & S_IFMT];
  const isHidden = isReserved || isNamedBySuperblock(c, inode);
  let kind = type ?? KIND.UNKNOWN;
  if (isHidden) kind |= KIND.HIDDEN;
  if (inode.hasFlag(IFLAG.EA_INODE)) kind |= KIND.EA_INODE;
  if (c.orphans.has(ino)) kind |= KIND.ORPHAN;
  c.inodes.add(ino, { kind, links: inode.nlink });
  if (type !== undefined && !isReserved) c.filesByType[type] = (c.filesByType[type] ?? 0) + 1;
  if (type === undefined && !isReserved) tell({ code: 'inode-mode', message: `mode 0${inode.mode.toString(8)}` });
  if (inode.nlink > 0 && inode.dtime !== 0 && !c.orphans.has(ino) && !isReserved) {
    tell({ code: 'inode-dtime', message: 'inode in use has a time of deletion' });
  }
  if (!isReserved) checkFields(c, inode, { type, tell });
  if (ino === INO.RESIZE || (isReserved && type === undefined && ino !== INO.BAD)) return;
  checkContents(c, inode, { type, tell, isReserved });
}

/** Files that only the superblock names. */
function isNamedBySuperblock(c: Check, { ino }: Inode): boolean {
  return ino === c.geo.orphanFileInum || ino === c.geo.journalInum || c.quotaInodes.includes(ino);
}

function checkFields(
  c: Check,
  inode: Inode,
  { type, tell }: { readonly type: number | undefined; readonly tell: (told: Told) => void },
): void {
  const { geo } = c;
  const { core } = inode;
  const { extraIsize } = inode;
  const room = geo.inodeSize - GOOD_OLD_INODE_SIZE;
  if (room > 0 && extraIsize !== 0 && (extraIsize < EXTRA_ISIZE_MIN || extraIsize > room || (extraIsize & 3) !== 0)) {
    tell({ code: 'inode-extra-size', message: `${extraIsize} bytes of extra fields` });
  }
  if (core.obsoFaddr !== 0) tell({ code: 'inode-fragment', message: 'address of a fragment' });
  if (!hasIncompat(geo, INCOMPAT.BIT64) && geo.creatorOs === OS.LINUX && core.fileAclHigh !== 0) {
    tell({ code: 'inode-attribute-block', message: 'upper half of the attribute block without 64bit' });
  }
  if (!hasRoCompat(geo, RO_COMPAT.HUGE_FILE) && geo.creatorOs === OS.LINUX && core.blocksHigh !== 0) {
    tell({ code: 'inode-blocks', message: 'upper half of the block count without huge_file' });
  }
  if (type === FT.LNK && core.sizeHigh !== 0) tell({ code: 'symlink', message: 'target of more than 4 GiB' });
  if (type === FT.DIR && core.sizeHigh !== 0 && !hasIncompat(geo, INCOMPAT.LARGEDIR)) {
    tell({ code: 'inode-size', message: 'directory of more than 4 GiB' });
  }
  if (inode.hasFlag(IFLAG.IMAGIC) && !hasCompat(geo, COMPAT.IMAGIC_INODES)) {
    tell({ code: 'inode-flags', message: 'imagic flag without the feature' });
  }
}

function checkContents(
  c: Check,
  inode: Inode,
  at: { readonly type: number | undefined; readonly tell: (told: Told) => void; readonly isReserved: boolean },
): void {
  const { type, tell, isReserved } = at;
  const { ino } = inode;
  const attributes = checkAttributes(c, inode);
  const isInline = inode.hasFlag(IFLAG.INLINE_DATA) && hasIncompat(c.geo, INCOMPAT.INLINE_DATA);
  checkMapFlags(c, inode, { type, tell, isInline });
  const mapped = type === FT.REG || type === FT.DIR || type === FT.LNK || ino === INO.BAD;
  let facts: MapFacts | undefined;
  if (mapped && !isInline && !(type === FT.LNK && looksFast(inode, attributes.blocks))) {
    facts = claimMap(c, inode, { tell });
    if (facts.problems > 0) c.inodes.mark(ino, KIND.DAMAGED);
  }
  if (isInline) checkInlineSize(c, inode, tell);
  if (type === FT.LNK) checkSymlink(c, inode, { facts, tell, isInline });
  if (type === FT.CHR || type === FT.BLK || type === FT.FIFO || type === FT.SOCK) checkSpecial(inode, type, tell);
  if (type === FT.DIR) c.dirs.add(ino);
  if (facts !== undefined && facts.problems === 0 && !isReserved) checkSize(c, inode, { facts, type, tell });
  if ((facts === undefined || facts.problems === 0) && ino !== INO.BAD) {
    checkBlockCount(c, inode, { clusters: facts?.clusters ?? 0, attributeBlocks: attributes.blocks, tell });
  }
}

function checkInlineSize(c: Check, inode: Inode, tell: (told: Told) => void): void {
  const rest = c.attempt('inline-data', { ino: inode.ino }, () => inlineRest(inode).length);
  // Zeros may go on beyond what is stored, as far as in any file.
  if (rest !== undefined && inode.size > maxSize(c, inode)) {
    tell({ code: 'inode-size', message: `size ${inode.size} with ${I_BLOCK_SIZE + rest} bytes in the inode` });
  }
}

/** A target that fits in i_block, without blocks besides those of attributes. */
function looksFast(inode: Inode, attributeBlocks: number): boolean {
  const sectors = attributeBlocks * (inode.geo.blockSize / 512);
  return inode.size < I_BLOCK_SIZE && inode.sectors <= sectors && !hasExtentRoot(inode);
}

const hasExtentRoot = (inode: Inode): boolean =>
  inode.hasFlag(IFLAG.EXTENTS) && getLe16(inode.raw, I_BLOCK_OFFSET) === EXTENT_MAGIC;

function checkMapFlags(
  c: Check,
  inode: Inode,
  at: { readonly type: number | undefined; readonly tell: (told: Told) => void; readonly isInline: boolean },
): void {
  const { geo } = c;
  const { type, tell, isInline } = at;
  const hasExtents = inode.hasFlag(IFLAG.EXTENTS);
  if (hasExtents && !hasIncompat(geo, INCOMPAT.EXTENTS)) {
    tell({ code: 'inode-flags', message: 'extents flag without the feature' });
  }
  if (hasExtents && type !== FT.REG && type !== FT.DIR && type !== FT.LNK && type !== undefined) {
    tell({ code: 'inode-flags', message: 'extents flag on a special file' });
  }
  if (inode.hasFlag(IFLAG.INLINE_DATA)) {
    if (!isInline) tell({ code: 'inode-flags', message: 'inline data flag without the feature' });
    if (hasExtents) tell({ code: 'inode-flags', message: 'inline data and extents at once' });
  }
  if (inode.hasFlag(IFLAG.INDEX)) {
    if (type !== FT.DIR) tell({ code: 'inode-flags', message: 'hash tree flag on a file that is no directory' });
    else if (!hasCompat(geo, COMPAT.DIR_INDEX)) {
      tell({ code: 'inode-flags', message: 'hash tree flag without the feature' });
    }
  }
  if (inode.hasFlag(IFLAG.HUGE_FILE) && !hasRoCompat(geo, RO_COMPAT.HUGE_FILE)) {
    tell({ code: 'inode-flags', message: 'huge file flag without the feature' });
  }
}

/** Walk the map and claim what it names. */
export function claimMap(c: Check, inode: Inode, at: { readonly tell: (told: Told) => void }): MapFacts {
  const { tell } = at;
  const cursor: ClusterCursor = { last: -1 };
  const facts: MapFacts = { clusters: 0, end: 0, writtenEnd: 0, problems: 0, first: 0, hasUnwritten: false };
  const take = (block: FsBlock, count: number, from: ClusterCursor): boolean => {
    const { clusters, taken } = c.claims.claim(block, count, from);
    facts.clusters += clusters;
    if (taken < 0) return true;
    tell({
      code: 'block-shared',
      message: 'block in use by something else as well',
      where: { block: Math.max(block, blockOf(c, taken)) },
    });
    return false;
  };
  walkMap(c, inode, {
    run({ fileBlock, block, count, unwritten }) {
      take(block, count, cursor);
      if ((block - fileBlock) % c.geo.clusterBlocks !== 0) {
        tell({ code: 'extent-cluster', message: 'blocks that lie askew in their cluster', where: { block } });
      }
      if (facts.end === 0 && fileBlock === 0) facts.first = block;
      facts.end = fileBlock + count;
      if (unwritten) facts.hasUnwritten = true;
      else facts.writtenEnd = fileBlock + count;
    },
    node: (block) => take(block, 1, { last: -1 }),
    problem({ block, ...told }) {
      facts.problems++;
      tell(block === undefined ? told : { ...told, where: { block } });
    },
  });
  return facts;
}

const blockOf = (c: Check, cluster: number): FsBlock => c.geo.firstDataBlock + cluster * c.geo.clusterBlocks;

function checkSize(
  c: Check,
  inode: Inode,
  at: { readonly facts: MapFacts; readonly type: number | undefined; readonly tell: (told: Told) => void },
): void {
  const { facts, type, tell } = at;
  const { blockSize } = c.geo;
  const { size } = inode;
  const bad = (): void => tell({ code: 'inode-size', message: `size ${size} with ${facts.end} blocks mapped` });
  if (type === FT.DIR) {
    const blocks = size / blockSize;
    if (facts.hasUnwritten) tell({ code: 'dir-unwritten', message: 'directory with unwritten blocks' });
    if (!Number.isInteger(blocks) || blocks > facts.end || facts.end === 0) bad();
    else if (blocks < facts.end) bad();
    return;
  }
  if (type !== FT.REG) return;
  // A map of pointers may end one block late, as may an empty file's; other extents may not, unless they are unwritten.
  const end = inode.hasFlag(IFLAG.EXTENTS) && size > 0 ? Math.ceil(size / blockSize) : Math.floor(size / blockSize) + 1;
  if (end < facts.writtenEnd && !inode.hasFlag(IFLAG.VERITY)) bad();
  else if (size > maxSize(c, inode)) bad();
}

/** Largest size of a file, by the kind of its map. */
function maxSize(c: Check, inode: Inode): number {
  const { blockSize } = c.geo;
  if (inode.hasFlag(IFLAG.EXTENTS)) return 0x1_0000_0000 * blockSize - 1;
  const perBlock = blockSize / 4;
  return (12 + perBlock + perBlock ** 2 + perBlock ** 3) * blockSize;
}

function checkBlockCount(
  c: Check,
  inode: Inode,
  at: { readonly clusters: number; readonly attributeBlocks: number; readonly tell: (told: Told) => void },
): void {
  const { geo } = c;
  const expected = (at.clusters * geo.clusterBlocks + at.attributeBlocks) * (geo.blockSize / 512);
  if (inode.sectors !== expected) {
    at.tell({ code: 'inode-blocks', message: `${inode.sectors} sectors are counted, ${expected} are used` });
  }
}

function checkSpecial(inode: Inode, type: number, tell: (told: Told) => void): void {
  const isDevice = type === FT.CHR || type === FT.BLK;
  if (inode.core.sizeLo !== 0 || inode.core.sizeHigh !== 0)
    tell({ code: 'special-size', message: `special file of ${inode.core.sizeLo} bytes` });
  let rest = 0;
  for (let at = isDevice ? 16 : 0; at < I_BLOCK_SIZE; at += 4) rest |= getLe32(inode.raw, I_BLOCK_OFFSET + at);
  if (rest !== 0) tell({ code: 'special-blocks', message: 'special file with blocks' });
}
