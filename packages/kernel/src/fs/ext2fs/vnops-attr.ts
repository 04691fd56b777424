/** The VOPs that change a file's contents and attributes: setattr, write, allocate, punch. Names are in vnops-write.ts. */
import { FsError } from '../../kern/errno.ts';
import { FileFlag } from '../../vfs/vattr.ts';
import type { VnodeOps } from '../../vfs/vnodeops.ts';
import { changeXattr, followMode } from './aclwrite.ts';
import { deleteXattr } from './attrwrite.ts';
import { IFLAG } from './format.ts';
import { mayChangeContents } from './guard.ts';
import { storeInode, touch } from './inode-store.ts';
import type { Inode } from './inode.ts';
import { allocateRange, punchRange, truncate, writeData } from './truncate.ts';

type AttrOps = Pick<VnodeOps<Inode>, 'setattr' | 'write' | 'allocate' | 'punch' | 'setextattr' | 'deleteextattr'>;

/** i_flags that chflags(2) knows, and what it calls them. Only the super-user sets chattr's `i` and `a`. */
export const FLAG_MAP = [
  [IFLAG.IMMUTABLE, FileFlag.SF_IMMUTABLE],
  [IFLAG.APPEND, FileFlag.SF_APPEND],
  [IFLAG.NODUMP, FileFlag.UF_NODUMP],
] as const;

export const attrOps: AttrOps = {
  setattr(vp, attr) {
    const ip = vp.data;
    if (attr.size !== undefined) {
      if (vp.type !== 'reg') throw new FsError(vp.type === 'dir' ? 'EISDIR' : 'EINVAL');
      mayChangeContents(ip);
      truncate(ip, attr.size);
      touch(ip, 'contents');
    }
    if (attr.mode !== undefined) {
      ip.mode = (ip.mode & ~0o7777) | (attr.mode & 0o7777);
      if (vp.type !== 'lnk') followMode(ip);
    }
    if (attr.uid !== undefined) ip.uid = checkId(attr.uid);
    if (attr.gid !== undefined) ip.gid = checkId(attr.gid);
    if (attr.atime !== undefined) ip.atime = attr.atime;
    if (attr.mtime !== undefined) ip.mtime = attr.mtime;
    if (attr.birthtime !== undefined) ip.birthtime = attr.birthtime;
    if (attr.flags !== undefined) setFlags(ip, attr.flags);
    ip.ctime = attr.ctime ?? vp.mount.now();
    storeInode(ip);
  },

  write(vp, src, offset) {
    if (vp.type !== 'reg') throw new FsError('EINVAL');
    mayChangeContents(vp.data);
    const written = writeData(vp.data, src, offset);
    touch(vp.data, 'contents');
    storeInode(vp.data);
    return written;
  },

  allocate(vp, offset, length, options) {
    mayChangeContents(vp.data);
    allocateRange(vp.data, { offset, length, keepSize: options.keepSize });
    touch(vp.data, 'contents');
    storeInode(vp.data);
  },

  punch(vp, offset, length) {
    mayChangeContents(vp.data);
    punchRange(vp.data, { offset, length });
    touch(vp.data, 'contents');
    storeInode(vp.data);
  },

  setextattr(vp, name, value) {
    changeXattr(vp.data, vp.type, { name, value });
    touch(vp.data, 'status');
    storeInode(vp.data);
  },

  deleteextattr(vp, name) {
    deleteXattr(vp.data, name);
    touch(vp.data, 'status');
    storeInode(vp.data);
  },
};

function checkId(id: number): number {
  if (!Number.isInteger(id) || id < 0 || id > 0xffff_ffff) throw new FsError('EINVAL');
  return id;
}

function setFlags(ip: Inode, flags: number): void {
  let bits = ip.flags;
  for (const [ours, theirs] of FLAG_MAP) bits = (flags & theirs) === 0 ? bits & ~ours : bits | ours;
  ip.flags = bits;
}
