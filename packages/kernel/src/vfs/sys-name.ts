/** System calls on names. Contracts: vfs/sys.ts; what happens to a directory's entry: entry.ts. */
import { CorruptError, FsError } from '../kern/errno.ts';
import {
  makeDirectory,
  makeLink,
  makeNode,
  makeSymlink,
  mayBeRenamed,
  removeDirectory,
  removeFile,
  renameEntry,
} from './entry.ts';
import type { Namei } from './namei.ts';
import { pathconf } from './sys-file.ts';
import type { VfsSyscalls } from './sys.ts';
import type { SysContext } from './sysctx.ts';
import { ACCESS } from './vnodeops.ts';
import type { Vnode } from './vnode.ts';

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

  /** A call on the entry that a path names. */
  const entry = (op: string, path: string, act: (nd: Namei) => void): void =>
    sys.call(op, path, () => sys.walk(path, { follow: false, modify: true }, act));
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
    mkdir: (path, mode) => entry('mkdir', path, (nd) => makeDirectory(sys, nd, mode)),
    rmdir: (path) => entry('rmdir', path, (nd) => removeDirectory(sys, nd)),
    unlink: (path) => entry('unlink', path, (nd) => removeFile(sys, nd)),
    link: (existing, path, options) =>
      sys.call('link', path, () =>
        sys.file(existing, options?.follow === true, (vp) => {
          if (vp.type === 'dir') throw new FsError('EPERM');
          sys.walk(path, { follow: false, modify: true }, (nd) => makeLink(sys, vp, nd));
        }),
      ),
    symlink: (target, path) => entry('symlink', path, (nd) => makeSymlink(sys, nd, target)),
    readlink: (path) =>
      on('readlink', path, true, (vp) => {
        if (vp.type !== 'lnk') throw new FsError('EINVAL');
        return vp.ops.readlink(vp);
      }),
    rename: (fromPath, toPath, flags = {}) =>
      entry('rename', fromPath, (from) => {
        mayBeRenamed(from);
        sys.walk(toPath, { follow: false, modify: true }, (to) => renameEntry(sys, from, to, flags));
      }),
    mknod: (path, type, mode, rdev) => {
      const needsRdev = type === 'chr' || type === 'blk';
      return sys.call('mknod', path, () => {
        if (needsRdev !== (rdev !== undefined)) throw new FsError('EINVAL');
        if (needsRdev) sys.authorize({ action: 'mknod' });
        entry('mknod', path, (nd) => makeNode(sys, nd, { type, mode, rdev }));
      });
    },
    mkfifo: (path, mode) => entry('mkfifo', path, (nd) => makeNode(sys, nd, { type: 'fifo', mode })),
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
