/** System calls on names. Contracts: vfs/sys.ts; rename(2)'s rules live here once, for every type. */
import { CorruptError, FsError } from '../kern/errno.ts';
import { PATH_MAX } from '../kern/limits.ts';
import { nameByteLength } from '../kern/name.ts';
import { cachePurge } from './namecache.ts';
import type { Namei } from './namei.ts';
import { newMode, newOwner, pathconf } from './sys-file.ts';
import type { VfsSyscalls } from './sys.ts';
import type { SysContext } from './sysctx.ts';
import type { NewFile, VType } from './vattr.ts';
import { ACCESS } from './vnodeops.ts';
import { vref, vrele, type Vnode } from './vnode.ts';

/** Runs gathered by bmap(path): a bound on the answer's size, far above what a sane file has. */
const MAX_RUNS = 1 << 20;
/** Blocks asked of one VOP_BMAP. */
const RUN_BLOCKS = 1 << 30;

type NameCalls = Pick<
  VfsSyscalls,
  | 'stat'
  | 'lstat'
  | 'access'
  | 'mkdir'
  | 'rmdir'
  | 'unlink'
  | 'link'
  | 'symlink'
  | 'readlink'
  | 'rename'
  | 'mknod'
  | 'mkfifo'
  | 'truncate'
  | 'chmod'
  | 'chown'
  | 'utimens'
  | 'setbirthtime'
  | 'chflags'
  | 'pathconf'
  | 'getxattr'
  | 'setxattr'
  | 'listxattr'
  | 'removexattr'
  | 'bmap'
>;

export function nameCalls(sys: SysContext): NameCalls {
  const { vfs } = sys;

  /** The directory part of a path whose last name must not exist. */
  const creating = (path: string, type: VType, make: (dvp: Vnode, name: string) => Vnode | void): void =>
    sys.walk(path, { follow: false, modify: true }, ({ dvp, vp, name, mustBeDirectory }) => {
      if (vp !== undefined) throw new FsError('EEXIST');
      if (mustBeDirectory && type !== 'dir') throw new FsError('ENOENT');
      sys.mayChangeDirectory(dvp);
      const made = vfs.modify(dvp.mount, () => make(dvp, name));
      cachePurge(dvp, name);
      if (made !== undefined) vfs.vput(made);
    });
  const newFile = (dvp: Vnode, type: VType, mode: number): NewFile => ({
    type,
    ...newMode(sys, mode),
    ...newOwner(sys, dvp),
  });
  const node = (op: string, path: string, type: VType, mode: number, more: Partial<NewFile>): void =>
    sys.call(op, path, () =>
      creating(path, type, (dvp, name) => {
        const attr = { ...newFile(dvp, type, mode), ...more };
        return type === 'reg' ? dvp.ops.create(dvp, name, attr) : dvp.ops.mknod(dvp, name, attr);
      }),
    );
  /** An attribute call: the file, its link or its target. */
  const on = <T>(op: string, path: string, nofollow: boolean | undefined, use: (vp: Vnode) => T): T =>
    sys.call(op, path, () => sys.file(path, nofollow !== true, use));

  const mayReadXattr = (vp: Vnode, name: string): void => {
    if (name.startsWith('trusted.') && sys.cred.uid !== 0) throw new FsError('EPERM');
    if (name.startsWith('user.')) vp.ops.access(vp, ACCESS.READ, sys.cred);
  };
  const mayWriteXattr = (vp: Vnode, name: string): void => {
    sys.mayChangeAttributes(vp);
    if (name.startsWith('user.')) vp.ops.access(vp, ACCESS.WRITE, sys.cred);
    else sys.authorize({ action: 'extattr', owner: name.startsWith('system.') ? vp.ops.getattr(vp).uid : 0 });
  };

  return {
    stat: (path) => on('stat', path, false, (vp) => sys.stat(vp)),
    lstat: (path) => on('lstat', path, true, (vp) => sys.stat(vp)),
    access: (path, mode) =>
      on('access', path, false, (vp) => {
        if ((mode & ~(ACCESS.READ | ACCESS.WRITE | ACCESS.EXEC)) !== 0) throw new FsError('EINVAL');
        if (mode !== 0) sys.access(vp, mode);
      }),
    mkdir: (path, mode) =>
      sys.call('mkdir', path, () =>
        creating(path, 'dir', (dvp, name) => dvp.ops.mkdir(dvp, name, newFile(dvp, 'dir', mode))),
      ),
    rmdir: (path) =>
      sys.call('rmdir', path, () =>
        sys.walk(path, { follow: false, modify: true }, (nd) => {
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
        }),
      ),
    unlink: (path) =>
      sys.call('unlink', path, () =>
        sys.walk(path, { follow: false, modify: true }, (nd) => {
          const { dvp, vp, name, slot, kind } = nd;
          if (vp === undefined) throw new FsError('ENOENT');
          if (vp.isRoot) throw new FsError('EBUSY');
          if (vp.type === 'dir' || kind !== 'name') throw new FsError('EPERM');
          sys.mayRemove(dvp, vp);
          sys.removing(nd, () => dvp.ops.remove(dvp, vp, name, slot));
          cachePurge(dvp, name);
        }),
      ),
    link: (existing, path, options) =>
      sys.call('link', path, () =>
        sys.file(existing, options?.follow === true, (vp) => {
          if (vp.type === 'dir') throw new FsError('EPERM');
          creating(path, vp.type, (dvp, name) => {
            if (dvp.mount !== vp.mount) throw new FsError('EXDEV');
            const { uid, gid } = vp.ops.getattr(vp);
            sys.mayChangeAttributes(vp);
            sys.authorize({ action: 'hardlink', owner: uid, gid });
            dvp.ops.link(dvp, vp, name);
          });
        }),
      ),
    symlink: (target, path) =>
      sys.call('symlink', path, () => {
        if (target.includes('\0')) throw new FsError('EINVAL', { what: 'target with a NUL byte' });
        if (target === '') throw new FsError('ENOENT');
        if (nameByteLength(target) >= PATH_MAX) throw new FsError('ENAMETOOLONG');
        creating(path, 'lnk', (dvp, name) => {
          return dvp.ops.symlink(dvp, name, { ...newFile(dvp, 'lnk', 0), mode: 0o777 }, target);
        });
      }),
    readlink: (path) =>
      on('readlink', path, true, (vp) => {
        if (vp.type !== 'lnk') throw new FsError('EINVAL');
        return vp.ops.readlink(vp);
      }),
    rename: (from, to, flags) => sys.call('rename', from, () => rename(sys, from, to, flags ?? {})),
    mknod: (path, type, mode, rdev) => {
      const needsRdev = type === 'chr' || type === 'blk';
      return sys.call('mknod', path, () => {
        if (needsRdev !== (rdev !== undefined)) throw new FsError('EINVAL');
        if (needsRdev) sys.authorize({ action: 'mknod' });
        node('mknod', path, type, mode, rdev === undefined ? {} : { rdev });
      });
    },
    mkfifo: (path, mode) => node('mkfifo', path, 'fifo', mode, {}),
    truncate: (path, size) =>
      on('truncate', path, false, (vp) => {
        if (vp.type === 'dir') throw new FsError('EISDIR');
        sys.access(vp, ACCESS.WRITE);
        sys.truncate(vp, size);
      }),
    chmod: (path, mode, options) => on('chmod', path, options?.nofollow, (vp) => sys.chmod(vp, mode)),
    chown: (path, uid, gid, options) => on('chown', path, options?.nofollow, (vp) => sys.chown(vp, uid, gid)),
    utimens: (path, a, m, options) => on('utimens', path, options?.nofollow, (vp) => sys.utimens(vp, a, m)),
    setbirthtime: (path, birthtime, options) =>
      on('setbirthtime', path, options?.nofollow, (vp) => {
        sys.mayChangeAttributes(vp);
        sys.authorize({ action: 'utimes', owner: vp.ops.getattr(vp).uid });
        sys.setattr(vp, { birthtime });
      }),
    chflags: (path, flags, options) => on('chflags', path, options?.nofollow, (vp) => sys.chflags(vp, flags)),
    pathconf: (path, name) => on('pathconf', path, false, (vp) => pathconf(vp, name)),
    getxattr: (path, name, options) =>
      on('getxattr', path, options?.nofollow, (vp) => {
        mayReadXattr(vp, name);
        return vp.ops.getextattr(vp, name);
      }),
    setxattr: (path, name, value, options) =>
      on('setxattr', path, options?.nofollow, (vp) => {
        mayWriteXattr(vp, name);
        vfs.modify(vp.mount, () => vp.ops.setextattr(vp, name, value));
      }),
    listxattr: (path, options) =>
      on('listxattr', path, options?.nofollow, (vp) => {
        const names = vp.ops.listextattr(vp);
        return sys.cred.uid === 0 ? names : names.filter((name) => !name.startsWith('trusted.'));
      }),
    removexattr: (path, name, options) =>
      on('removexattr', path, options?.nofollow, (vp) => {
        mayWriteXattr(vp, name);
        vfs.modify(vp.mount, () => vp.ops.deleteextattr(vp, name));
      }),
    bmap: (path) => on('bmap', path, false, fileRuns),
  };
}

function fileRuns(vp: Vnode): ReturnType<VfsSyscalls['bmap']> {
  if (vp.type !== 'reg') throw new FsError('EINVAL');
  const { blockSize } = vp.mount;
  const { size } = vp.ops.getattr(vp);
  const runs: ReturnType<VfsSyscalls['bmap']> = [];
  let mapped = 0;
  for (let block = 0, end = Math.ceil(size / blockSize); block < end;) {
    if (runs.length === MAX_RUNS) throw new FsError('EFBIG');
    const run = vp.ops.bmap(vp, block, Math.min(end - block, RUN_BLOCKS));
    if (run.block !== undefined) mapped += run.count;
    if (mapped > 0 && mapped * blockSize > vp.mount.device.sizeBytes)
      throw new CorruptError('file of more blocks than the disk has', { ino: vp.ino });
    const fileOffset = block * blockSize;
    const length = Math.min(run.count * blockSize, size - fileOffset);
    runs.push({ fileOffset, length, deviceOffset: run.block === undefined ? undefined : run.block * blockSize });
    block += run.count;
  }
  return runs;
}

/** rename(2): everything that can be decided without knowing the format. Source: POSIX.1-2024 rename; NetBSD t_vnops. */
function rename(
  sys: SysContext,
  fromPath: string,
  toPath: string,
  flags: { readonly noreplace?: boolean; readonly exchange?: boolean },
): void {
  sys.walk(fromPath, { follow: false, modify: true }, (from) => {
    const { dvp: fdvp, vp: fvp } = from;
    if (fvp === undefined) throw new FsError('ENOENT');
    if (from.kind !== 'name') throw new FsError(from.kind === 'root' ? 'EBUSY' : 'EINVAL');
    if (fvp.isRoot || fvp.mountedHere !== undefined) throw new FsError('EBUSY');
    sys.walk(toPath, { follow: false, modify: true }, (to) => {
      const { dvp: tdvp, vp: tvp } = to;
      if (fdvp.mount !== tdvp.mount || (tvp !== undefined && tvp.mount !== fvp.mount)) throw new FsError('EXDEV');
      checkTarget(from, to, flags);
      if (to.mustBeDirectory && fvp.type !== 'dir') throw new FsError('ENOTDIR');
      // Where names fold, the same entry by another spelling may be meant: the type knows.
      if (tvp === fvp && !(fdvp === tdvp && fdvp.foldsNames && from.name !== to.name)) return;
      sys.mayRemove(fdvp, fvp);
      if (tvp === undefined) sys.mayChangeDirectory(tdvp);
      else sys.mayRemove(tdvp, tvp);
      if (fdvp !== tdvp) {
        // A directory whose `..` changes must be writable itself; and it must not move into its own subtree.
        if (fvp.type === 'dir') {
          fvp.ops.access(fvp, ACCESS.WRITE, sys.cred);
          notInside(fvp, tdvp);
        }
        if (flags.exchange === true && tvp?.type === 'dir') notInside(tvp, fdvp);
      }
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
    });
  });
}

function checkTarget(
  from: Namei,
  to: Namei,
  flags: { readonly noreplace?: boolean; readonly exchange?: boolean },
): void {
  const { vp: fvp } = from;
  const { vp: tvp } = to;
  if (fvp === undefined) throw new FsError('ENOENT');
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
