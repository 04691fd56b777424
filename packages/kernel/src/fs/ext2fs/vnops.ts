/** The reading VOPs, and the table of all. The writing ones are vnops-write.ts. Contracts: vfs/vnodeops.ts. */
import { CorruptError, FsError } from '../../kern/errno.ts';
import { PATH_MAX } from '../../kern/limits.ts';
import { nameFromBytes } from '../../kern/name.ts';
import { genfs, genfsRead } from '../../vfs/genfs.ts';
import type { Vattr } from '../../vfs/vattr.ts';
import { vget, Vnode } from '../../vfs/vnode.ts';
import type { LookupResult, PathconfName, VnodeOps } from '../../vfs/vnodeops.ts';
import { bmap } from './bmap.ts';
import { dirFind } from './dir.ts';
import { dirList } from './dirlist.ts';
import { isCasefolded, isEncrypted } from './dirkind.ts';
import { encryptedError, noKeyTarget } from './encrypted.ts';
import { I_BLOCK_SIZE, IFLAG, INO } from './format.ts';
import { isFastSymlink, type Inode } from './inode.ts';
import { readMapped } from './inode-read.ts';
import { inlineRest, isInline, readInline } from './inline.ts';
import { attrOps, FLAG_MAP } from './vnops-attr.ts';
import { linkMax, nameOps } from './vnops-write.ts';
import { getXattr, listXattrs } from './xattr.ts';

const NO_BLOCK_MAP = 'data inline in the inode';

function flagsOf(inode: Inode): number {
  let flags = 0;
  for (const [ours, theirs] of FLAG_MAP) if (inode.hasFlag(ours)) flags |= theirs;
  return flags;
}

/** What a link names, as stored. CorruptError. */
function linkTarget(inode: Inode): Uint8Array {
  const { size, ino, geo } = inode;
  if (isFastSymlink(inode)) return inode.block.subarray(0, size);
  if (size >= geo.blockSize || size > PATH_MAX) throw new CorruptError('symbolic link size', { ino });
  const target = new Uint8Array(size);
  if (isInline(inode)) readInline(inode, target, 0);
  else readMapped(inode, target, 0);
  return target;
}

const readOps = {
  lookup(dvp: Vnode<Inode>, name: string): LookupResult<Inode> | undefined {
    const found = dirFind(dvp.data, name);
    if (found === undefined) return undefined;
    try {
      return { vp: vget(dvp.mount, found.ino) as Vnode<Inode>, slot: found.slot };
    } catch (e) {
      // A name that leads to a free inode is not a stale handle but a damaged directory.
      if (e instanceof FsError && e.code === 'ESTALE') {
        throw new CorruptError('directory entry of a free inode', { ino: found.ino });
      }
      throw e;
    }
  },

  getattr(vp: Vnode<Inode>): Vattr {
    const inode = vp.data;
    const isDevice = vp.rdev !== undefined;
    return {
      type: vp.type,
      mode: inode.mode & 0o7777,
      nlink: inode.nlink,
      uid: inode.uid,
      gid: inode.gid,
      ino: vp.ino,
      size: isDevice ? 0 : inode.size,
      bytes: inode.sectors * 512,
      blockSize: inode.geo.blockSize,
      atime: inode.atime,
      mtime: inode.mtime,
      ctime: inode.ctime,
      birthtime: inode.birthtime,
      gen: inode.gen,
      flags: flagsOf(inode),
      rdev: vp.rdev,
    };
  },

  read(vp: Vnode<Inode>, dst: Uint8Array, offset: number): number {
    const inode = vp.data;
    if (inode.hasFlag(IFLAG.ENCRYPT)) throw encryptedError(vp.ino);
    if (!isInline(inode)) return genfsRead(vp, dst, offset, inode.size);
    const length = Math.max(0, Math.min(dst.length, inode.size - offset));
    readInline(inode, dst.subarray(0, length), offset);
    return length;
  },

  readdir: (vp: Vnode<Inode>, cookie: number, max: number) => dirList(vp.data, cookie, max),

  readlink(vp: Vnode<Inode>): string {
    const inode = vp.data;
    const target = linkTarget(inode);
    if (inode.hasFlag(IFLAG.ENCRYPT)) return noKeyTarget(target);
    if (target.length === 0 || target.includes(0)) throw new CorruptError('symbolic link', { ino: vp.ino });
    return nameFromBytes(target);
  },

  bmap(vp: Vnode<Inode>, fileBlock: number, max: number) {
    if (isInline(vp.data)) throw new FsError('EOPNOTSUPP', { what: NO_BLOCK_MAP });
    return bmap(vp.data, fileBlock, max);
  },

  seek(vp: Vnode<Inode>, offset: number, what: 'data' | 'hole'): number | undefined {
    const inode = vp.data;
    if (!isInline(inode)) return genfs.seek(vp, offset, what);
    if (offset >= inode.size) return undefined;
    const stored = Math.min(inode.size, I_BLOCK_SIZE + inlineRest(inode).length);
    if (what === 'hole') return Math.max(offset, stored);
    return offset < stored ? offset : undefined;
  },

  pathconf(vp: Vnode<Inode>, name: PathconfName): number {
    if (name === 'linkMax') return linkMax(vp.data);
    // The target and its NUL fill a block at most.
    if (name === 'symlinkMax') return vp.data.geo.blockSize - 1;
    return genfs.pathconf(vp, name);
  },

  getextattr: (vp: Vnode<Inode>, name: string) => getXattr(vp.data, name),
  listextattr: (vp: Vnode<Inode>) => listXattrs(vp.data),
} satisfies Partial<VnodeOps<Inode>>;

export const vnops: VnodeOps<Inode> = { ...genfs, ...readOps, ...nameOps(makeVnode), ...attrOps };

/** The vnode of an inode, with one reference, not cached yet. CorruptError when its mode says no type. */
export function makeVnode(inode: Inode): Vnode<Inode> {
  const { type, ino, mp } = inode;
  if (type === undefined) throw new CorruptError(`inode mode 0${inode.mode.toString(8)}`, { ino });
  const rdev = type === 'blk' || type === 'chr' ? inode.rdev : undefined;
  const foldsNames = type === 'dir' && (isCasefolded(inode) || isEncrypted(inode));
  return new Vnode<Inode>({
    mount: mp,
    type,
    ino,
    data: inode,
    ops: vnops,
    isRoot: ino === INO.ROOT,
    rdev,
    foldsNames,
  });
}
