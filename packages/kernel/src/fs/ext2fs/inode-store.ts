/**
 * Inodes on their way to the disk: a new one's fields, storing, and the end of one. Spec: "Index Nodes".
 */
import { CorruptError } from '../../kern/errno.ts';
import { getLe32 } from '../../kern/struct.ts';
import type { Timespec } from '../../kern/time.ts';
import type { Mount } from '../../vfs/mount.ts';
import { modeOfType, type NewFile } from '../../vfs/vattr.ts';
import type { Ext2Mount } from './ext2mount.ts';
import { initExtentRoot } from './extents.ts';
import { INCOMPAT, RO_COMPAT } from './features.ts';
import { GOOD_OLD_INODE_SIZE, IFLAG, INO, Superblock, SUPERBLOCK_SIZE } from './format.ts';
import { allocState } from './groupmap.ts';
import { allocInode, freeInode } from './ialloc.ts';
import { Inode, roomForInode } from './inode.ts';
import { writeInode } from './inode-write.ts';
import { settleQuota } from './quota.ts';
import {
  groupHasSuper,
  groupFirstBlock,
  hasIncompat,
  hasRoCompat,
  superblockChecksum,
  updateSuperblock,
} from './superblock.ts';

/** Size of the extra fields up to and including the project id. */
const EXTRA_ISIZE = 32;
/** What a file takes over from its directory's flags, by what it is. Linux chattr(1), ext4(5). */
const INHERITED = {
  dir:
    IFLAG.SECRM |
    IFLAG.UNRM |
    IFLAG.COMPR |
    IFLAG.NOCOMPR |
    IFLAG.SYNC |
    IFLAG.NODUMP |
    IFLAG.NOATIME |
    IFLAG.JOURNAL_DATA |
    IFLAG.NOTAIL |
    IFLAG.DIRSYNC |
    IFLAG.PROJINHERIT |
    IFLAG.CASEFOLD |
    IFLAG.DAX,
  reg:
    IFLAG.SECRM |
    IFLAG.UNRM |
    IFLAG.COMPR |
    IFLAG.NOCOMPR |
    IFLAG.SYNC |
    IFLAG.NODUMP |
    IFLAG.NOATIME |
    IFLAG.JOURNAL_DATA |
    IFLAG.NOTAIL |
    IFLAG.DAX,
  other: IFLAG.NODUMP | IFLAG.NOATIME,
} as const;

/** The inode into its buffer, and its usage to its owners' account. Errors: ENOSPC (a quota file must grow). */
export function storeInode(ip: Inode): void {
  const { quota } = ip.mp.data;
  if (quota !== undefined) settleQuota(ip, quota, 1);
  writeInode(ip);
}

/** A new inode in `dir`, without links, blocks or a name yet; not stored. Errors: ENOSPC, EINVAL. */
export function newInode(dir: Inode, attr: NewFile): Inode {
  const { mp, geo } = dir;
  const isDirectory = attr.type === 'dir';
  const apart = dir.ino === INO.ROOT || dir.hasFlag(IFLAG.TOPDIR);
  const ino = allocInode(mp, { parent: dir.ino, isDirectory, apart });
  if (mp.vnodes.has(ino)) throw new CorruptError('inode bitmap calls an inode free that is in use', { ino });
  const ip = new Inode(mp, ino, roomForInode(mp.data));
  ip.gen = randomGeneration(mp);
  if (geo.inodeSize > GOOD_OLD_INODE_SIZE) ip.extraIsize = extraIsize(mp);
  ip.mode = modeOfType(attr.type) | (attr.mode & 0o7777);
  ip.uid = attr.uid;
  ip.gid = attr.gid;
  const now = mp.now();
  ip.atime = now;
  ip.mtime = now;
  ip.ctime = now;
  ip.birthtime = now;
  const inherits = attr.type === 'dir' ? INHERITED.dir : attr.type === 'reg' ? INHERITED.reg : INHERITED.other;
  ip.flags = dir.flags & inherits;
  if (dir.hasFlag(IFLAG.PROJINHERIT) && hasRoCompat(geo, RO_COMPAT.PROJECT)) ip.projid = dir.projid;
  if (attr.rdev !== undefined) ip.rdev = attr.rdev;
  else if (hasIncompat(geo, INCOMPAT.EXTENTS) && (isDirectory || attr.type === 'reg')) {
    ip.flags |= IFLAG.EXTENTS;
    initExtentRoot(ip);
  }
  return ip;
}

function randomGeneration(mp: Mount<Ext2Mount>): number {
  const { random } = allocState(mp);
  if (random.used + 4 > random.bytes.length) {
    mp.services.random(random.bytes);
    random.used = 0;
  }
  random.used += 4;
  return getLe32(random.bytes, random.used - 4);
}

function extraIsize({ data: { geo } }: Mount<Ext2Mount>): number {
  const wanted = Math.max(EXTRA_ISIZE, geo.wantExtraIsize, geo.minExtraIsize);
  return Math.min(wanted - (wanted % 4), geo.inodeSize - GOOD_OLD_INODE_SIZE);
}

/** The file is gone and its blocks are free: mark the inode deleted and give its number back. */
export function deleteInode(ip: Inode, options: { readonly isDirectory: boolean }): void {
  ip.size = 0;
  ip.nlink = 0;
  // A deletion time that could be an inode number would look like a link of the orphan list.
  ip.dtime = Math.max(ip.mp.now().sec, ip.geo.inodes + 1) % 0x1_0000_0000;
  const { quota } = ip.mp.data;
  if (quota !== undefined) settleQuota(ip, quota, 0);
  writeInode(ip);
  freeInode(ip, options);
}

/** ctime, and mtime when contents changed. */
export function touch(ip: Inode, what: 'status' | 'contents', now: Timespec = ip.mp.now()): void {
  ip.ctime = now;
  if (what === 'contents') ip.mtime = now;
}

/** A file passes 2 GiB for the first time: older kernels must know. The copies of the superblock say so too. */
export function requireLargeFile(mp: Mount<Ext2Mount>): void {
  const { geo } = mp.data;
  if (hasRoCompat(geo, RO_COMPAT.LARGE_FILE)) return;
  mp.data.geo = Object.freeze({ ...geo, roCompat: geo.roCompat | RO_COMPAT.LARGE_FILE });
  updateSuperblock(mp, (sb) => (sb.featureRoCompat |= RO_COMPAT.LARGE_FILE));
  for (let group = 1; group < geo.groups; group++) {
    if (!groupHasSuper(geo, group)) continue;
    const bp = mp.bufs.bread(groupFirstBlock(geo, group));
    const sb = Superblock.at(bp.data, 0);
    sb.featureRoCompat |= RO_COMPAT.LARGE_FILE;
    if (geo.metadataCsum) sb.checksum = superblockChecksum(bp.data.subarray(0, SUPERBLOCK_SIZE));
    mp.bufs.bdwrite(bp);
  }
}
