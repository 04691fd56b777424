/**
 * The in-core inode: its raw bytes as on disk, read and changed through typed accessors, so that fields we know nothing
 * of survive. Loading with checks; where an inode lies; times, sizes and device numbers as the format packs them.
 * Storing is inode-store.ts. Spec: "Index Nodes".
 */
import { CorruptError, FsError } from '../../kern/errno.ts';
import type { FileBlock, FsBlock, Ino } from '../../kern/ids.ts';
import { getLe32, setLe32 } from '../../kern/struct.ts';
import type { Timespec } from '../../kern/time.ts';
import type { Mount } from '../../vfs/mount.ts';
import { S_IFMT, typeOfMode, type Rdev, type VType } from '../../vfs/vattr.ts';
import { inodeSeed, verifyInode } from './csum.ts';
import type { Ext2Mount } from './ext2mount.ts';
import { INCOMPAT, RO_COMPAT } from './features.ts';
import {
  GOOD_OLD_INODE_SIZE,
  I_BLOCK_OFFSET,
  I_BLOCK_SIZE,
  IFLAG,
  InodeCore,
  InodeExtra,
  type InodeCoreView,
  type InodeExtraView,
} from './format.ts';
import { inodeTableBlock, inodesUninit, withGroup } from './group.ts';
import { hasIncompat, hasRoCompat, type Geometry } from './superblock.ts';

const TWO32 = 0x1_0000_0000;
/** Bytes beyond 128 that an inode must claim for each extra field to count. */
const EXTRA_END = Object.fromEntries(
  InodeExtra.rows.map(([offset, name, field]) => [name, offset + field.size]),
) as Readonly<Record<(typeof InodeExtra.rows)[number][1], number>>;

/** Whom an inode is charged to, and for what: quota.ts. */
export interface Charge {
  readonly user: number;
  readonly group: number;
  readonly project: number;
  /** Bytes. */
  readonly space: number;
  readonly inodes: number;
}

/** The last answer of bmap, kept because reading goes on where it stopped. */
export interface MapRun {
  readonly fileBlock: FileBlock;
  readonly count: number;
  readonly block: FsBlock | undefined;
}

export class Inode {
  readonly mp: Mount<Ext2Mount>;
  readonly ino: Ino;
  /** The inode as on disk, all inodeSize bytes: the one source of truth. */
  readonly raw: Uint8Array;
  readonly core: InodeCoreView;
  readonly extra: InodeExtraView | undefined;
  /** bmap.ts. Whoever changes the map of the file sets it to undefined. */
  lastRun: MapRun | undefined;
  /** What the quota files say of it: as it was loaded or last stored; undefined: nothing. */
  charged: Charge | undefined;
  /** Attribute values in inodes of their own, more (or less) than when it was loaded: each is charged like an inode. */
  moreValues = 0;
  #seed: number | undefined;

  constructor(mp: Mount<Ext2Mount>, ino: Ino, raw: Uint8Array) {
    this.mp = mp;
    this.ino = ino;
    this.raw = raw;
    this.core = InodeCore.at(raw, 0);
    this.extra = raw.length > GOOD_OLD_INODE_SIZE ? InodeExtra.at(raw, GOOD_OLD_INODE_SIZE) : undefined;
  }

  /** Take over what was read again: the disk below went back in time. */
  replace(now: Inode): void {
    this.raw.set(now.raw);
    this.lastRun = undefined;
    this.charged = now.charged;
    this.moreValues = 0;
    this.#seed = undefined;
  }

  /** What it uses as it is now; nothing when it is about to be freed (`inodes` 0). Of values only those since loading. */
  usage(inodes: 0 | 1): Charge {
    const space = inodes === 0 ? 0 : this.sectors * 512;
    return { user: this.uid, group: this.gid, project: this.projid, space, inodes: inodes + this.moreValues };
  }

  get geo(): Geometry {
    return this.mp.data.geo;
  }

  /** Type and permission bits as stored. */
  get mode(): number {
    return this.core.mode;
  }
  set mode(x: number) {
    this.core.mode = x;
  }
  get type(): VType | undefined {
    return typeOfMode(this.core.mode);
  }
  get uid(): number {
    return this.core.uidLo + this.core.uidHigh * 0x10000;
  }
  set uid(x: number) {
    this.core.uidLo = x & 0xffff;
    this.core.uidHigh = x >>> 16;
  }
  get gid(): number {
    return this.core.gidLo + this.core.gidHigh * 0x10000;
  }
  set gid(x: number) {
    this.core.gidLo = x & 0xffff;
    this.core.gidHigh = x >>> 16;
  }
  get nlink(): number {
    return this.core.linksCount;
  }
  set nlink(x: number) {
    this.core.linksCount = x;
  }
  get flags(): number {
    return this.core.flags;
  }
  set flags(x: number) {
    this.core.flags = x >>> 0;
  }
  hasFlag(bit: number): boolean {
    return (this.core.flags & bit) !== 0;
  }
  get dtime(): number {
    return this.core.dtime;
  }
  set dtime(x: number) {
    this.core.dtime = x;
  }
  get gen(): number {
    return this.core.generation;
  }
  set gen(x: number) {
    this.core.generation = x >>> 0;
    this.#seed = undefined;
  }

  /** Of regular files, and of directories with large_dir, the size has 64 bits. */
  get #wideSize(): boolean {
    return (this.core.mode & S_IFMT) === 0o100000 || hasIncompat(this.geo, INCOMPAT.LARGEDIR);
  }
  get size(): number {
    return this.core.sizeLo + (this.#wideSize ? this.core.sizeHigh * TWO32 : 0);
  }
  set size(x: number) {
    this.core.sizeLo = x % TWO32;
    if (this.#wideSize) this.core.sizeHigh = Math.floor(x / TWO32);
  }

  /** Space used in 512-byte sectors, however the format counts it. */
  get sectors(): number {
    if (!hasRoCompat(this.geo, RO_COMPAT.HUGE_FILE)) return this.core.blocksLo;
    const count = this.core.blocksLo + this.core.blocksHigh * TWO32;
    return this.hasFlag(IFLAG.HUGE_FILE) ? count * (this.geo.blockSize / 512) : count;
  }
  /** EFBIG when the count does not fit the format. */
  set sectors(x: number) {
    if (!hasRoCompat(this.geo, RO_COMPAT.HUGE_FILE)) {
      if (x >= TWO32) throw new FsError('EFBIG', { ino: this.ino });
      this.core.blocksLo = x;
      return;
    }
    // 48 bits of sectors; beyond that 48 bits of blocks, said by a flag.
    const inBlocks = x >= TWO32 * 0x10000;
    const count = inBlocks ? x / (this.geo.blockSize / 512) : x;
    this.flags = inBlocks ? this.flags | IFLAG.HUGE_FILE : this.flags & ~IFLAG.HUGE_FILE;
    this.core.blocksLo = count % TWO32;
    this.core.blocksHigh = Math.floor(count / TWO32);
  }

  /** Block of extended attributes, 0 for none. */
  get fileAcl(): FsBlock {
    return this.core.fileAclLo + (hasIncompat(this.geo, INCOMPAT.BIT64) ? this.core.fileAclHigh * TWO32 : 0);
  }
  set fileAcl(x: FsBlock) {
    this.core.fileAclLo = x % TWO32;
    if (hasIncompat(this.geo, INCOMPAT.BIT64)) this.core.fileAclHigh = Math.floor(x / TWO32);
  }

  /** i_block, live: map, extent root, short symlink target, device number or inline data. */
  get block(): Uint8Array {
    return this.raw.subarray(I_BLOCK_OFFSET, I_BLOCK_OFFSET + I_BLOCK_SIZE);
  }

  /** Bytes beyond the first 128 that hold fields; in-inode attributes begin behind them. */
  get extraIsize(): number {
    return this.extra?.extraIsize ?? 0;
  }
  set extraIsize(x: number) {
    if (this.extra !== undefined) this.extra.extraIsize = x;
  }
  /** The extra fields, if they reach as far as `field`. */
  extraWith(field: keyof typeof EXTRA_END): InodeExtraView | undefined {
    return this.extra !== undefined && this.extra.extraIsize >= EXTRA_END[field] ? this.extra : undefined;
  }

  get projid(): number {
    return hasRoCompat(this.geo, RO_COMPAT.PROJECT) ? (this.extraWith('projid')?.projid ?? 0) : 0;
  }
  set projid(x: number) {
    const extra = this.extraWith('projid');
    if (extra !== undefined && hasRoCompat(this.geo, RO_COMPAT.PROJECT)) extra.projid = x;
  }

  get atime(): Timespec {
    return decodeTime(this.core.atime, this.extraWith('atimeExtra')?.atimeExtra);
  }
  set atime(t: Timespec) {
    const extra = this.extraWith('atimeExtra');
    this.core.atime = encodeSeconds(t, extra !== undefined);
    if (extra !== undefined) extra.atimeExtra = encodeExtra(t);
  }
  get mtime(): Timespec {
    return decodeTime(this.core.mtime, this.extraWith('mtimeExtra')?.mtimeExtra);
  }
  set mtime(t: Timespec) {
    const extra = this.extraWith('mtimeExtra');
    this.core.mtime = encodeSeconds(t, extra !== undefined);
    if (extra !== undefined) extra.mtimeExtra = encodeExtra(t);
  }
  get ctime(): Timespec {
    return decodeTime(this.core.ctime, this.extraWith('ctimeExtra')?.ctimeExtra);
  }
  set ctime(t: Timespec) {
    const extra = this.extraWith('ctimeExtra');
    this.core.ctime = encodeSeconds(t, extra !== undefined);
    if (extra !== undefined) extra.ctimeExtra = encodeExtra(t);
  }
  get birthtime(): Timespec | undefined {
    const seconds = this.extraWith('crtime');
    return seconds === undefined ? undefined : decodeTime(seconds.crtime, this.extraWith('crtimeExtra')?.crtimeExtra);
  }
  /** Ignored by inodes that have no room for it. */
  set birthtime(t: Timespec | undefined) {
    const seconds = this.extraWith('crtime');
    if (seconds === undefined || t === undefined) return;
    const extra = this.extraWith('crtimeExtra');
    seconds.crtime = encodeSeconds(t, extra !== undefined);
    if (extra !== undefined) extra.crtimeExtra = encodeExtra(t);
  }

  /** Device numbers: 16 bits in the first word of i_block, or, if that is 0, 32 bits in the second. */
  get rdev(): Rdev {
    const old = getLe32(this.raw, I_BLOCK_OFFSET);
    if (old !== 0) return { major: (old >>> 8) & 0xff, minor: old & 0xff };
    const dev = getLe32(this.raw, I_BLOCK_OFFSET + 4);
    return { major: (dev >>> 8) & 0xfff, minor: (dev & 0xff) | ((dev >>> 12) & 0xfff00) };
  }
  /** EINVAL when the numbers do not fit. */
  set rdev({ major, minor }: Rdev) {
    if (!(major >= 0 && major < 0x1000 && minor >= 0 && minor < 0x100000)) throw new FsError('EINVAL');
    const isOld = major < 0x100 && minor < 0x100;
    const now = (((minor & 0xfff00) << 12) | (major << 8) | (minor & 0xff)) >>> 0;
    setLe32(this.raw, I_BLOCK_OFFSET, isOld ? (major << 8) | minor : 0);
    setLe32(this.raw, I_BLOCK_OFFSET + 4, isOld ? 0 : now);
    if (isOld) setLe32(this.raw, I_BLOCK_OFFSET + 8, 0);
  }

  /** Start of the checksum of the inode itself and of every block that belongs to it. */
  get seed(): number {
    return (this.#seed ??= inodeSeed(this.geo, this.ino, this.core.generation));
  }
}

const NSEC_MAX = 999_999_999;
/** Seconds that 32 + 2 bits reach: to the year 2446. */
const SEC_MIN = -0x8000_0000;
const SEC_MAX_32 = 0x7fff_ffff;
const SEC_MAX_34 = 0x3_7fff_ffff;

/** 32 signed bits of seconds; the extra word holds two more (counted upwards from them) and the nanoseconds. */
function decodeTime(seconds: number, extra: number | undefined): Timespec {
  const low = seconds | 0;
  if (extra === undefined) return { sec: low, nsec: 0 };
  return { sec: low + (extra & 3) * TWO32, nsec: Math.min(extra >>> 2, NSEC_MAX) };
}
const clampSeconds = (sec: number, isWide: boolean): number =>
  Math.min(Math.max(sec, SEC_MIN), isWide ? SEC_MAX_34 : SEC_MAX_32);
const encodeSeconds = (t: Timespec, isWide: boolean): number => clampSeconds(t.sec, isWide) >>> 0;
function encodeExtra(t: Timespec): number {
  const sec = clampSeconds(t.sec, true);
  const epoch = Math.floor((sec + 0x8000_0000) / TWO32);
  // The first and the last second stand for all that lies beyond, as on Linux: without a fraction.
  const nsec = sec === SEC_MIN || sec === SEC_MAX_34 ? 0 : t.nsec;
  return ((nsec << 2) | epoch) >>> 0;
}

/** Group of an inode. */
export const groupOfIno = (geo: Geometry, ino: Ino): number => Math.floor((ino - 1) / geo.inodesPerGroup);

interface InodePlace {
  readonly block: FsBlock;
  readonly offset: number;
  /** Blocks of the group's inode table from there to its end. */
  readonly left: number;
}

/** Block and byte within it where an inode lies. CorruptError for a number that the image does not have. */
export function inodeLocation(mp: Mount<Ext2Mount>, ino: Ino): InodePlace {
  const { geo } = mp.data;
  if (!(ino >= 1 && ino <= geo.inodes)) throw new CorruptError('inode number', { ino });
  const group = groupOfIno(geo, ino);
  const index = ino - 1 - group * geo.inodesPerGroup;
  const inTable = Math.floor(index / geo.inodesPerBlock);
  return {
    block: inodeTableBlock(mp, group) + inTable,
    offset: (index % geo.inodesPerBlock) * geo.inodeSize,
    left: geo.inodeTableBlocks - inTable,
  };
}

/** Inodes to one allocation: a buffer of its own would cost each several times what all else about it does. */
const ROOM_INODES = 16;

export function roomForInode(m: Ext2Mount): Uint8Array {
  const { inodeSize } = m.geo;
  let room = m.inodeRoom;
  if (room === undefined || room.used + inodeSize > room.bytes.length) {
    room = m.inodeRoom = { bytes: new Uint8Array(ROOM_INODES * inodeSize), used: 0 };
  }
  const at = room.used;
  room.used += inodeSize;
  return room.bytes.subarray(at, at + inodeSize);
}

/**
 * The inode with its checksum and extents of fields verified. A free one is ESTALE, unless `unlinked` asks for any
 * (orphans have no links but are there). CorruptError.
 */
export function loadInode(mp: Mount<Ext2Mount>, ino: Ino, options: { readonly unlinked?: boolean } = {}): Inode {
  const { geo } = mp.data;
  const { block, offset, left } = inodeLocation(mp, ino);
  const bp = mp.bufs.bread(block, left);
  const raw = roomForInode(mp.data);
  try {
    raw.set(bp.data.subarray(offset, offset + geo.inodeSize));
  } finally {
    mp.bufs.brelse(bp);
  }
  const inode = new Inode(mp, ino, raw);
  const { extraIsize } = inode;
  if (extraIsize > geo.inodeSize - GOOD_OLD_INODE_SIZE || (extraIsize & 3) !== 0) {
    throw new CorruptError(`inode extra size ${extraIsize}`, { ino, block });
  }
  if (!verifyInode(geo, inode.seed, raw)) {
    // A table that was never initialized holds anything; say so before blaming the inode.
    if (isUninit(mp, ino)) throw new FsError('ESTALE', { ino });
    throw new CorruptError('inode checksum', { ino, block });
  }
  if (options.unlinked !== true && inode.nlink === 0) throw new FsError('ESTALE', { ino });
  if (inode.core.sizeHigh >= 0x20_0000 && inode.size > Number.MAX_SAFE_INTEGER) {
    throw new CorruptError('inode size', { ino, block });
  }
  if (mp.data.quota !== undefined) inode.charged = inode.usage(1);
  return inode;
}

const isUninit = (mp: Mount<Ext2Mount>, ino: Ino): boolean => {
  const { geo } = mp.data;
  return withGroup(mp, groupOfIno(geo, ino), (g) => inodesUninit(geo, g));
};

/**
 * Does the symlink keep its target in i_block? By the blocks it uses, as old images have no other sign; where attribute
 * values count among those, by its size, as Linux does.
 */
export function isFastSymlink(inode: Inode): boolean {
  if (inode.hasFlag(IFLAG.EA_INODE) || inode.hasFlag(IFLAG.INLINE_DATA)) return false;
  if (hasIncompat(inode.geo, INCOMPAT.EA_INODE)) return inode.size < I_BLOCK_SIZE;
  const attributeSectors = inode.fileAcl === 0 ? 0 : (inode.geo.clusterBlocks * inode.geo.blockSize) / 512;
  return inode.sectors <= attributeSectors && inode.size < I_BLOCK_SIZE;
}
