/**
 * Entries of directories: made, removed, linked and renamed, for who has found where one belongs: system calls by path
 * (sys-name.ts), and whoever holds a directory's vnode and a name (SysContext.walkAt). The savepoint around each, permission
 * and rename(2)'s rules live here once, for every type. Errors and their order: vfs/sys.ts.
 */
import { FsError } from '../kern/errno.ts';
import { PATH_MAX } from '../kern/limits.ts';
import { nameByteLength } from '../kern/name.ts';
import { cachePurge } from './namecache.ts';
import type { Namei } from './namei.ts';
import { newMode, newOwner } from './sys-file.ts';
import type { SysContext } from './sysctx.ts';
import type { NewFile, Rdev, VType } from './vattr.ts';
import { ACCESS } from './vnodeops.ts';
import { vref, vrele, type Vnode } from './vnode.ts';

/** Make what must not exist yet. */
function make(sys: SysContext, nd: Namei, type: VType, act: (dvp: Vnode, name: string) => Vnode | void): void {
  const { dvp, name } = nd;
  if (nd.vp !== undefined) throw new FsError('EEXIST');
  if (nd.mustBeDirectory && type !== 'dir') throw new FsError('ENOENT');
  sys.mayChangeDirectory(dvp);
  const made = sys.vfs.modify(dvp.mount, () => act(dvp, name));
  cachePurge(dvp, name);
  if (made !== undefined) sys.vfs.vput(made);
}

const newFile = (sys: SysContext, dvp: Vnode, type: VType, mode: number): NewFile => ({
  type,
  ...newMode(sys, mode),
  ...newOwner(sys, dvp),
});

export function makeDirectory(sys: SysContext, nd: Namei, mode: number): void {
  make(sys, nd, 'dir', (dvp, name) => dvp.ops.mkdir(dvp, name, newFile(sys, dvp, 'dir', mode)));
}

export function makeNode(
  sys: SysContext,
  nd: Namei,
  { type, mode, rdev }: { readonly type: VType; readonly mode: number; readonly rdev?: Rdev | undefined },
): void {
  make(sys, nd, type, (dvp, name) => {
    const attr = { ...newFile(sys, dvp, type, mode), ...(rdev === undefined ? {} : { rdev }) };
    return type === 'reg' ? dvp.ops.create(dvp, name, attr) : dvp.ops.mknod(dvp, name, attr);
  });
}

export function makeSymlink(sys: SysContext, nd: Namei, target: string): void {
  if (target.includes('\0')) throw new FsError('EINVAL', { what: 'target with a NUL byte' });
  if (target === '') throw new FsError('ENOENT');
  if (nameByteLength(target) >= PATH_MAX) throw new FsError('ENAMETOOLONG');
  make(sys, nd, 'lnk', (dvp, name) => {
    return dvp.ops.symlink(dvp, name, { ...newFile(sys, dvp, 'lnk', 0), mode: 0o777 }, target);
  });
}

/** Another name for `vp`. */
export function makeLink(sys: SysContext, vp: Vnode, nd: Namei): void {
  if (vp.type === 'dir') throw new FsError('EPERM');
  make(sys, nd, vp.type, (dvp, name) => {
    if (dvp.mount !== vp.mount) throw new FsError('EXDEV');
    const { uid, gid } = vp.ops.getattr(vp);
    sys.mayChangeAttributes(vp);
    sys.authorize({ action: 'hardlink', owner: uid, gid });
    dvp.ops.link(dvp, vp, name);
  });
}

export function removeDirectory(sys: SysContext, nd: Namei): void {
  const { dvp, vp, name, slot, kind } = nd;
  if (vp === undefined) throw new FsError('ENOENT');
  if (vp.type !== 'dir') throw new FsError('ENOTDIR');
  if (kind === 'dot') throw new FsError('EINVAL');
  if (kind === 'dotdot') throw new FsError('ENOTEMPTY');
  if (kind === 'root' || vp.isRoot || vp.mountedHere !== undefined) throw new FsError('EBUSY');
  sys.mayRemove(dvp, vp);
  sys.removing(nd, () => dvp.ops.rmdir(dvp, vp, name, slot));
  cachePurge(dvp, name);
  vp.names = undefined;
}

export function removeFile(sys: SysContext, nd: Namei): void {
  const { dvp, vp, name, slot, kind } = nd;
  if (vp === undefined) throw new FsError('ENOENT');
  if (vp.isRoot) throw new FsError('EBUSY');
  if (vp.type === 'dir' || kind !== 'name') throw new FsError('EPERM');
  sys.mayRemove(dvp, vp);
  sys.removing(nd, () => dvp.ops.remove(dvp, vp, name, slot));
  cachePurge(dvp, name);
}

export interface RenameHow {
  readonly noreplace?: boolean;
  readonly exchange?: boolean;
}

/** What can be refused of the source alone, before the target is looked for: the file. */
export function mayBeRenamed(from: Namei): Vnode {
  const { vp, kind } = from;
  if (vp === undefined) throw new FsError('ENOENT');
  if (kind !== 'name') throw new FsError(kind === 'root' ? 'EBUSY' : 'EINVAL');
  if (vp.isRoot || vp.mountedHere !== undefined) throw new FsError('EBUSY');
  return vp;
}

/** rename(2): everything that can be decided without knowing the format. Source: POSIX.1-2024 rename; NetBSD t_vnops. */
export function renameEntry(sys: SysContext, from: Namei, to: Namei, flags: RenameHow): void {
  const fvp = mayBeRenamed(from);
  const { dvp: fdvp } = from;
  const { dvp: tdvp, vp: tvp } = to;
  if (fdvp.mount !== tdvp.mount || (tvp !== undefined && tvp.mount !== fvp.mount)) throw new FsError('EXDEV');
  checkTarget(fvp, to, flags);
  if (to.mustBeDirectory && fvp.type !== 'dir') throw new FsError('ENOTDIR');
  // Where names fold, the same entry by another spelling may be meant: the type knows.
  if (tvp === fvp && !(fdvp === tdvp && fdvp.foldsNames && from.name !== to.name)) return;
  mayMove(sys, fvp, { fdvp, tdvp, tvp, flags });
  sys.removing(to, () => {
    const found = tvp === undefined ? undefined : { vp: tvp, slot: to.slot };
    const { exchange = false } = flags;
    fdvp.ops.rename(
      { dvp: fdvp, vp: fvp, name: from.name, slot: from.slot },
      { dvp: tdvp, name: to.name, found },
      { exchange },
    );
  });
  cachePurge(fdvp, from.name);
  cachePurge(tdvp, to.name);
}

/** Permission to take the name away here and to give one there; and no directory into itself. */
function mayMove(
  sys: SysContext,
  fvp: Vnode,
  {
    fdvp,
    tdvp,
    tvp,
    flags,
  }: { readonly fdvp: Vnode; readonly tdvp: Vnode; readonly tvp: Vnode | undefined; readonly flags: RenameHow },
): void {
  sys.mayRemove(fdvp, fvp);
  if (tvp === undefined) sys.mayChangeDirectory(tdvp);
  else sys.mayRemove(tdvp, tvp);
  if (fdvp === tdvp) return;
  // A directory whose `..` changes must be writable itself; and it must not move into its own subtree.
  if (fvp.type === 'dir') {
    fvp.ops.access(fvp, ACCESS.WRITE, sys.cred);
    notInside(fvp, tdvp);
  }
  if (flags.exchange === true && tvp?.type === 'dir') notInside(tvp, fdvp);
}

function checkTarget(fvp: Vnode, to: Namei, flags: RenameHow): void {
  const { vp: tvp } = to;
  if (to.kind !== 'name') throw new FsError(to.kind === 'dot' ? 'EISDIR' : to.kind === 'root' ? 'EBUSY' : 'EINVAL');
  if (flags.exchange === true) {
    if (flags.noreplace === true) throw new FsError('EINVAL');
    if (tvp === undefined) throw new FsError('ENOENT');
  }
  if (tvp === undefined) return;
  if (tvp.isRoot || tvp.mountedHere !== undefined) throw new FsError('EBUSY');
  if (flags.noreplace === true) throw new FsError('EEXIST');
  if (flags.exchange === true || tvp === fvp) return;
  if (fvp.type === 'dir' && tvp.type !== 'dir') throw new FsError('ENOTDIR');
  if (fvp.type !== 'dir' && tvp.type === 'dir') throw new FsError('EISDIR');
}

/** EINVAL when directory `dvp` is `vp` or lies below it. The walk up is bounded: a damaged image may have a loop. */
function notInside(vp: Vnode, dvp: Vnode): void {
  const seen = new Set<number>();
  let at = vref(dvp);
  try {
    for (;;) {
      if (at === vp) throw new FsError('EINVAL');
      if (at.isRoot || seen.has(at.ino)) return;
      seen.add(at.ino);
      const up = at.ops.lookup(at, '..');
      if (up === undefined) return;
      vrele(at);
      at = up.vp;
    }
  } finally {
    vrele(at);
  }
}
