/**
 * The VOP table of tmpfs. There is no transaction below, so each operation takes all it needs (space, a node, a place in
 * a directory) before it changes anything: one that fails has changed nothing.
 */
import { assert } from '../../kern/assert.ts';
import { FsError } from '../../kern/errno.ts';
import { PATH_MAX } from '../../kern/limits.ts';
import { nameByteLength } from '../../kern/name.ts';
import { genfs } from '../../vfs/genfs.ts';
import type { NewFile, SetAttr, Vattr } from '../../vfs/vattr.ts';
import type { LookupResult, Slot, VnodeOps } from '../../vfs/vnodeops.ts';
import type { Vnode } from '../../vfs/vnode.ts';
import { CHUNK } from './data.ts';
import type { Directory, TmpDirent } from './dir.ts';
import { dataOf, directoryOf, freeNode, newNode, vnodeOf, xattrCharge, type TmpNode } from './inode.ts';

export const LINK_MAX = 2 ** 31 - 1;

type TmpVnode = Vnode<TmpNode>;

/** Times that a change brings: data or entries (mtime and ctime), or status alone (ctime). */
function touch(node: TmpNode, what: 'data' | 'status'): void {
  const now = node.fs.mp.now();
  if (what === 'data') node.mtime = now;
  node.ctime = now;
}

/** The directory to add to. ENOENT when it is removed itself (somebody's current directory). */
function liveDirectory(dvp: TmpVnode): Directory {
  const dir = directoryOf(dvp.data);
  if (dir.parent === undefined) throw new FsError('ENOENT', { ino: dvp.ino });
  return dir;
}

/** The entry of a name that lookup found: its slot, or found again when the slot is not ours or no longer alive. */
function entryOf(dvp: TmpVnode, name: string, slot: Slot): { dir: Directory; entry: TmpDirent; node: TmpNode } {
  const dir = directoryOf(dvp.data);
  const entry = dir.find(name);
  assert(entry?.node !== undefined && (slot === undefined || slot === entry), `tmpfs: no entry for ${name}`);
  return { dir, entry, node: entry.node };
}

function canLink(node: TmpNode): void {
  if (node.nlink >= LINK_MAX) throw new FsError('EMLINK', { ino: node.ino });
}

/** A new node under a new name; what create, mknod, mkdir and symlink share. */
function make(dvp: TmpVnode, name: string, attr: NewFile, target?: string): TmpVnode {
  const parent = dvp.data;
  const dir = liveDirectory(dvp);
  const { fs } = parent;
  if (attr.type === 'dir') canLink(parent);
  if (target !== undefined) fs.space.take(target.length);
  let node: TmpNode | undefined;
  try {
    node = newNode(fs, attr, target);
    dir.add(name, node);
  } catch (e) {
    if (node !== undefined) freeNode(node);
    else if (target !== undefined) fs.space.give(target.length);
    throw e;
  }
  node.nlink = 1;
  if (node.dir !== undefined) {
    node.nlink = 2;
    node.dir.parent = parent;
    parent.nlink++;
  }
  touch(parent, 'data');
  return vnodeOf(node);
}

/** A name of `node` in `parent` is gone (its entry is handled by the caller). */
function unlinked(parent: TmpNode, node: TmpNode): void {
  if (node.dir === undefined) node.nlink--;
  else {
    // Its name and its own `.` go together; `..` was a link to the parent.
    node.nlink = 0;
    node.dir.parent = undefined;
    parent.nlink--;
  }
  touch(node, 'status');
}

/** A directory moved: `..` leads elsewhere and each parent's count follows. */
function reparent(node: TmpNode, from: TmpNode, to: TmpNode): void {
  if (node.dir === undefined || from === to) return;
  node.dir.parent = to;
  from.nlink--;
  to.nlink++;
}

export const tmpfsVnops: VnodeOps<TmpNode> = {
  ...genfs,

  lookup(dvp, name): LookupResult<TmpNode> | undefined {
    const dir = directoryOf(dvp.data);
    if (name === '..') return dir.parent === undefined ? undefined : { vp: vnodeOf(dir.parent), slot: undefined };
    const entry = dir.find(name);
    return entry?.node === undefined ? undefined : { vp: vnodeOf(entry.node), slot: entry };
  },

  create: (dvp, name, attr) => make(dvp, name, attr),
  mknod: (dvp, name, attr) => make(dvp, name, attr),
  mkdir: (dvp, name, attr) => make(dvp, name, attr),

  symlink(dvp, name, attr, target) {
    if (nameByteLength(target) >= PATH_MAX) throw new FsError('ENAMETOOLONG');
    return make(dvp, name, attr, target);
  },

  link(dvp, vp, name) {
    canLink(vp.data);
    liveDirectory(dvp).add(name, vp.data);
    vp.data.nlink++;
    touch(vp.data, 'status');
    touch(dvp.data, 'data');
  },

  remove(dvp, _vp, name, slot) {
    const { dir, entry, node } = entryOf(dvp, name, slot);
    dir.remove(entry);
    unlinked(dvp.data, node);
    touch(dvp.data, 'data');
  },

  rmdir(dvp, _vp, name, slot) {
    const { dir, entry, node } = entryOf(dvp, name, slot);
    if (!directoryOf(node).isEmpty) throw new FsError('ENOTEMPTY', { ino: node.ino });
    dir.remove(entry);
    unlinked(dvp.data, node);
    touch(dvp.data, 'data');
  },

  rename(from, to, flags) {
    const source = entryOf(from.dvp, from.name, from.slot);
    const target = to.found === undefined ? undefined : entryOf(to.dvp, to.name, to.found.slot);
    const moved = source.node;
    if (target === undefined) {
      const dir = liveDirectory(to.dvp);
      if (moved.dir !== undefined && from.dvp !== to.dvp) canLink(to.dvp.data);
      if (from.dvp === to.dvp) dir.rename(source.entry, to.name);
      else {
        dir.add(to.name, moved);
        source.dir.remove(source.entry);
      }
    } else if (flags.exchange === true) {
      source.entry.node = target.node;
      target.entry.node = moved;
      reparent(target.node, to.dvp.data, from.dvp.data);
      touch(target.node, 'status');
    } else {
      if (target.node.dir?.isEmpty === false) throw new FsError('ENOTEMPTY', { ino: target.node.ino });
      // The target's entry stays, so somebody listing the directory sees the name exactly once.
      target.entry.node = moved;
      source.dir.remove(source.entry);
      unlinked(to.dvp.data, target.node);
    }
    reparent(moved, from.dvp.data, to.dvp.data);
    touch(moved, 'status');
    touch(from.dvp.data, 'data');
    touch(to.dvp.data, 'data');
  },

  getattr(vp): Vattr {
    const node = vp.data;
    return {
      type: node.type,
      mode: node.mode,
      nlink: node.nlink,
      uid: node.uid,
      gid: node.gid,
      ino: node.ino,
      size: node.data?.size ?? node.dir?.bytes ?? (node.target === undefined ? 0 : nameByteLength(node.target)),
      bytes: node.data?.bytes ?? node.dir?.bytes ?? node.target?.length ?? 0,
      blockSize: CHUNK,
      atime: node.atime,
      mtime: node.mtime,
      ctime: node.ctime,
      birthtime: node.birthtime,
      gen: node.ino,
      flags: node.flags,
      rdev: node.rdev,
    };
  },

  setattr(vp, attr: SetAttr) {
    const node = vp.data;
    // The size first: it alone can fail.
    if (attr.size !== undefined) {
      dataOf(node).resize(attr.size);
      touch(node, 'data');
    }
    if (attr.mode !== undefined) node.mode = attr.mode;
    if (attr.uid !== undefined) node.uid = attr.uid;
    if (attr.gid !== undefined) node.gid = attr.gid;
    if (attr.flags !== undefined) node.flags = attr.flags;
    if (attr.atime !== undefined) node.atime = attr.atime;
    if (attr.mtime !== undefined) node.mtime = attr.mtime;
    if (attr.birthtime !== undefined) node.birthtime = attr.birthtime;
    node.ctime = attr.ctime ?? node.fs.mp.now();
  },

  read: (vp, dst, offset) => dataOf(vp.data).read(dst, offset),

  write(vp, src, offset) {
    const written = dataOf(vp.data).write(src, offset);
    if (written > 0) touch(vp.data, 'data');
    return written;
  },

  readdir: (vp, cookie, max) => directoryOf(vp.data).readdir(vp.data, cookie, max),

  readlink(vp) {
    if (vp.data.target === undefined) throw new FsError('EINVAL', { ino: vp.ino });
    return vp.data.target;
  },

  inactive(vp) {
    if (vp.data.nlink > 0) return false;
    freeNode(vp.data);
    return true;
  },

  reclaim(vp) {
    vp.data.vnode = undefined;
  },

  seek: (vp, offset, what) => dataOf(vp.data).seek(offset, what),

  allocate(vp, offset, length, options) {
    dataOf(vp.data).allocate(offset, length, options);
    touch(vp.data, 'data');
  },

  punch(vp, offset, length) {
    dataOf(vp.data).punch(offset, length);
    touch(vp.data, 'data');
  },

  getextattr(vp, name) {
    return vp.data.xattrs.get(name)?.slice();
  },

  setextattr(vp, name, value) {
    const { xattrs, fs } = vp.data;
    const old = xattrs.get(name);
    const more = xattrCharge(name, value) - (old === undefined ? 0 : xattrCharge(name, old));
    if (more > 0) fs.space.take(more);
    else fs.space.give(-more);
    xattrs.set(name, value.slice());
    touch(vp.data, 'status');
  },

  listextattr: (vp) => [...vp.data.xattrs.keys()],

  deleteextattr(vp, name) {
    const { xattrs, fs } = vp.data;
    const value = xattrs.get(name);
    if (value === undefined) throw new FsError('ENOATTR');
    fs.space.give(xattrCharge(name, value));
    xattrs.delete(name);
    touch(vp.data, 'status');
  },
};
