/**
 * One inode in use: its fields, its map with every block claimed, its size and its count of blocks (inode-map.ts).
 * Repairs are made in the inode, which is stored once all has been told. Spec: "Index Nodes".
 */
import { getLe16, getLe32 } from '../../../kern/struct.ts';
import { S_IFMT } from '../../../vfs/vattr.ts';
import { verifyInode } from '../csum.ts';
import { COMPAT, INCOMPAT, RO_COMPAT } from '../features.ts';
import { EXTENT_MAGIC, FT, GOOD_OLD_INODE_SIZE, I_BLOCK_OFFSET, I_BLOCK_SIZE, IFLAG, INO, OS } from '../format.ts';
import type { Inode } from '../inode.ts';
import { hasCompat, hasIncompat, hasRoCompat } from '../superblock.ts';
import { InodeCase, storeRaw } from './inode-case.ts';
import { KIND } from './inode-facts.ts';
import { checkBlockCount, checkInlineSize, checkSize, claimMap, type MapFacts } from './inode-map.ts';
import { checkResizeInode } from './resize.ts';
import type { Check } from './state.ts';
import { checkSymlink } from './symlink.ts';
import { checkAttributes } from './xattrs.ts';

const EXTRA_ISIZE_MIN = 4;
/** Larger files need the feature large_file. */
const SMALL_SIZE_MAX = 0x7fff_ffff;
/** Size of the extra fields that there are. */
const EXTRA_ISIZE = 32;
const FT_OF_MODE: Readonly<Record<number, number>> = {
  0o100000: FT.REG,
  0o040000: FT.DIR,
  0o020000: FT.CHR,
  0o060000: FT.BLK,
  0o010000: FT.FIFO,
  0o140000: FT.SOCK,
  0o120000: FT.LNK,
};

/** Free inodes must look so. */
export function checkFreeInode(c: Check, inode: Inode): void {
  const { ino } = inode;
  // What no file has ever used has no checksum either.
  const isBlank = inode.raw.every((byte) => byte === 0);
  if (!isBlank && !verifyInode(c.geo, inode.seed, inode.raw)) {
    c.report({ code: 'inode-checksum', message: 'inode checksum', where: { ino } }, () => storeRaw(c, inode));
  }
  if (ino < c.geo.firstIno) {
    if (ino !== INO.ROOT) c.inodes.add(ino, KIND.HIDDEN, 0);
    return;
  }
  checkOldOrphan(c, inode);
  if (inode.mode === 0 || inode.dtime !== 0) return;
  const found = new InodeCase(c, inode, { type: undefined, isReserved: false });
  found.tell({ code: 'inode-dtime', message: 'deleted inode without a time of deletion', repair: 'safe' }, () => {
    inode.dtime = Math.max(1, c.options.now().sec % 0x1_0000_0000);
  });
  found.settle();
}

/** A time of deletion that is no time but an inode number: it was on a list of orphans that was lost. */
function checkOldOrphan(c: Check, inode: Inode): void {
  const { ino } = inode;
  const isNumber = inode.dtime !== 0 && inode.dtime <= c.geo.inodes && !c.hasEarlyTimes;
  if (!isNumber || c.orphans.has(ino)) return;
  const message = 'deleted inode that was on a list of orphans';
  c.report({ code: 'orphan-list', message, where: { ino }, repair: 'safe' }, () => {
    inode.dtime = Math.max(1, c.options.now().sec % 0x1_0000_0000);
    storeRaw(c, inode);
  });
}

export function checkInode(c: Check, inode: Inode): void {
  const { ino } = inode;
  const isReserved = ino < c.geo.firstIno && ino !== INO.ROOT;
  const type = FT_OF_MODE[inode.mode & S_IFMT];
  const found = new InodeCase(c, inode, { type, isReserved });
  if (!verifyInode(c.geo, inode.seed, inode.raw)) {
    found.tell({ code: 'inode-checksum', message: 'inode checksum' }, found.keep);
  }
  const isHidden = note(found);
  if (type === undefined && !isReserved) {
    found.tell(
      { code: 'inode-mode', message: `mode 0${inode.mode.toString(8)}` },
      ino === INO.ROOT ? undefined : found.doom,
    );
  }
  if (inode.nlink > 0 && inode.dtime !== 0 && !c.orphans.has(ino) && !isHidden) {
    found.tell({ code: 'inode-dtime', message: 'inode in use has a time of deletion', repair: 'safe' }, () => {
      inode.dtime = 0;
    });
  }
  if (!isHidden) checkFields(found);
  if (ino === INO.RESIZE) checkResizeInode(c, inode);
  else if (!isReserved || type !== undefined || ino === INO.BAD) checkContents(found);
  found.settle();
}

/** What the other passes have to know; true for an inode that no name leads to. */
function note({ c, inode, type, isReserved }: InodeCase): boolean {
  const { ino } = inode;
  let kind = type ?? KIND.UNKNOWN;
  if (isReserved || isNamedBySuperblock(c, inode)) kind |= KIND.HIDDEN;
  if (inode.hasFlag(IFLAG.EA_INODE) && type === FT.REG) kind |= KIND.EA_INODE;
  if (c.orphans.has(ino)) kind |= KIND.ORPHAN;
  c.inodes.add(ino, kind, inode.nlink);
  if (type !== undefined && !isReserved) c.filesByType[type] = (c.filesByType[type] ?? 0) + 1;
  return (kind & KIND.HIDDEN) !== 0;
}

/** Files that only the superblock names. */
function isNamedBySuperblock(c: Check, { ino }: Inode): boolean {
  return ino === c.geo.orphanFileInum || ino === c.geo.journalInum || c.quotaInodes.includes(ino);
}

function checkFields(found: InodeCase): void {
  const { c, inode, type } = found;
  const { geo } = c;
  const { core, extraIsize } = inode;
  const room = geo.inodeSize - GOOD_OLD_INODE_SIZE;
  if (room > 0 && extraIsize !== 0 && (extraIsize < EXTRA_ISIZE_MIN || extraIsize > room || (extraIsize & 3) !== 0)) {
    found.tell({ code: 'inode-extra-size', message: `${extraIsize} bytes of extra fields` }, () => {
      inode.extraIsize = Math.min(EXTRA_ISIZE, room);
    });
  }
  if (core.obsoFaddr !== 0) {
    found.tell({ code: 'inode-fragment', message: 'address of a fragment', repair: 'safe' }, () => {
      core.obsoFaddr = 0;
    });
  }
  if (geo.creatorOs === OS.LINUX) checkHighHalves(found);
  if (type === FT.LNK && core.sizeHigh !== 0) {
    found.tell({ code: 'symlink', message: 'target of more than 4 GiB' }, () => (core.sizeHigh = 0));
  }
  if (type === FT.DIR && core.sizeHigh !== 0 && !hasIncompat(geo, INCOMPAT.LARGEDIR)) {
    found.tell({ code: 'inode-size', message: 'directory of more than 4 GiB' }, () => (core.sizeHigh = 0));
  }
  if (inode.hasFlag(IFLAG.IMAGIC) && !hasCompat(geo, COMPAT.IMAGIC_INODES)) {
    found.tell({ code: 'inode-flags', message: 'imagic flag without the feature', repair: 'safe' }, () => {
      inode.flags &= ~IFLAG.IMAGIC;
    });
  }
}

/** Linux's upper halves, which count only with their features. */
function checkHighHalves(found: InodeCase): void {
  const { c, inode } = found;
  const { core } = inode;
  if (!hasIncompat(c.geo, INCOMPAT.BIT64) && core.fileAclHigh !== 0) {
    const message = 'upper half of the attribute block without 64bit';
    found.tell({ code: 'inode-attribute-block', message, repair: 'safe' }, () => (core.fileAclHigh = 0));
  }
  if (!hasRoCompat(c.geo, RO_COMPAT.HUGE_FILE) && core.blocksHigh !== 0) {
    const message = 'upper half of the block count without huge_file';
    found.tell({ code: 'inode-blocks', message, repair: 'safe' }, () => (core.blocksHigh = 0));
  }
}

function checkContents(found: InodeCase): void {
  const { c, inode, type, ino, isReserved } = found;
  const attributes = checkAttributes(found);
  const isInline = inode.hasFlag(IFLAG.INLINE_DATA) && hasIncompat(c.geo, INCOMPAT.INLINE_DATA);
  checkMapFlags(found, isInline);
  const mapped = type === FT.REG || type === FT.DIR || type === FT.LNK || ino === INO.BAD;
  let facts: MapFacts | undefined;
  if (mapped && !isInline && !(type === FT.LNK && looksFast(inode, attributes.blocks))) {
    facts = claimMap(found);
    if (facts.problems > 0) c.inodes.mark(ino, KIND.DAMAGED);
  }
  if (isInline) checkInlineSize(found);
  if (type === FT.LNK) checkSymlink(found, { facts, isInline });
  if (type === FT.CHR || type === FT.BLK || type === FT.FIFO || type === FT.SOCK) checkSpecial(found, type);
  if (type === FT.DIR) c.dirs.add(ino);
  if (type === FT.REG && inode.size > SMALL_SIZE_MAX && !isReserved) c.hasLargeFiles = true;
  if (facts !== undefined && facts.problems === 0 && ino !== INO.BAD) checkSize(found, facts);
  if ((facts === undefined || facts.problems === 0) && ino !== INO.BAD) {
    checkBlockCount(found, { clusters: facts?.clusters ?? 0, attributeBlocks: attributes.blocks });
  }
  const hasOwner = !c.inodes.has(ino, KIND.HIDDEN | KIND.EA_INODE);
  if (hasOwner && hasRoCompat(c.geo, RO_COMPAT.QUOTA)) c.quotas.add(inode.usage(1), attributes.values);
}

/** A target that fits in i_block, without blocks besides those of attributes. */
function looksFast(inode: Inode, attributeBlocks: number): boolean {
  const sectors = attributeBlocks * (inode.geo.blockSize / 512);
  return inode.size < I_BLOCK_SIZE && inode.sectors <= sectors && !hasExtentRoot(inode);
}

const hasExtentRoot = (inode: Inode): boolean =>
  inode.hasFlag(IFLAG.EXTENTS) && getLe16(inode.raw, I_BLOCK_OFFSET) === EXTENT_MAGIC;

function checkMapFlags(found: InodeCase, isInline: boolean): void {
  const { inode, type } = found;
  const { geo } = found.c;
  const hasExtents = inode.hasFlag(IFLAG.EXTENTS);
  if (hasExtents && !hasIncompat(geo, INCOMPAT.EXTENTS)) {
    found.tell({ code: 'inode-flags', message: 'extents flag without the feature' }, found.doom);
  }
  if (hasExtents && type !== FT.REG && type !== FT.DIR && type !== FT.LNK && type !== undefined) {
    badFlag(found, 'extents flag on a special file', IFLAG.EXTENTS);
  }
  if (inode.hasFlag(IFLAG.INLINE_DATA)) {
    if (!isInline) badFlag(found, 'inline data flag without the feature', IFLAG.INLINE_DATA);
    if (hasExtents) {
      // Which of them is meant the extent root's magic number tells.
      badFlag(found, 'inline data and extents at once', hasExtentRoot(inode) ? IFLAG.INLINE_DATA : IFLAG.EXTENTS);
    }
  }
  if (inode.hasFlag(IFLAG.INDEX)) {
    if (type !== FT.DIR) badFlag(found, 'hash tree flag on a file that is no directory', IFLAG.INDEX);
    else if (!hasCompat(geo, COMPAT.DIR_INDEX)) badFlag(found, 'hash tree flag without the feature', IFLAG.INDEX);
  }
  if (inode.hasFlag(IFLAG.CASEFOLD) && (type !== FT.DIR || !hasIncompat(geo, INCOMPAT.CASEFOLD))) {
    badFlag(found, 'casefold flag without the feature, or on a file that is no directory', IFLAG.CASEFOLD);
  }
  if (inode.hasFlag(IFLAG.HUGE_FILE) && !hasRoCompat(geo, RO_COMPAT.HUGE_FILE)) {
    badFlag(found, 'huge file flag without the feature', IFLAG.HUGE_FILE);
  }
}

function badFlag(found: InodeCase, message: string, bit: number): void {
  found.tell({ code: 'inode-flags', message }, () => (found.inode.flags &= ~bit));
}

function checkSpecial(found: InodeCase, type: number): void {
  const { inode } = found;
  const { core } = inode;
  const isDevice = type === FT.CHR || type === FT.BLK;
  if (core.sizeLo !== 0 || core.sizeHigh !== 0) {
    found.tell({ code: 'special-size', message: `special file of ${core.sizeLo} bytes`, repair: 'safe' }, () => {
      core.sizeLo = 0;
      core.sizeHigh = 0;
    });
  }
  let rest = 0;
  for (let at = isDevice ? 16 : 0; at < I_BLOCK_SIZE; at += 4) rest |= getLe32(inode.raw, I_BLOCK_OFFSET + at);
  if (rest !== 0) found.tell({ code: 'special-blocks', message: 'special file with blocks' }, found.doom);
}
