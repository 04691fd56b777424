/** System calls on descriptors. Contracts: vfs/sys.ts. */
import { CorruptError, FsError } from '../kern/errno.ts';
import { OFFSET_MAX } from '../kern/limits.ts';
import { cacheEnter, cachePurge } from './namecache.ts';
import type { Namei } from './namei.ts';
import { O, SEEK, type DirentPlus, type Stat, type VfsSyscalls } from './sys.ts';
import type { SysContext } from './sysctx.ts';
import type { VnodeFile } from './file.ts';
import { ACCESS } from './vnodeops.ts';
import { vgone, vrele, type Vnode } from './vnode.ts';

/** Entries a getdents call returns when the caller does not say. */
const DEFAULT_DIRENTS = 512;

type FileCalls = Pick<
  VfsSyscalls,
  | 'open'
  | 'close'
  | 'read'
  | 'write'
  | 'pread'
  | 'pwrite'
  | 'lseek'
  | 'dup'
  | 'fstat'
  | 'ftruncate'
  | 'fchmod'
  | 'fchown'
  | 'futimens'
  | 'fchflags'
  | 'fsync'
  | 'getdents'
  | 'getdentsplus'
  | 'setlk'
  | 'getlk'
  | 'fpathconf'
  | 'posix_fallocate'
  | 'fdiscard'
>;

export function fileCalls(sys: SysContext): FileCalls {
  const { vfs } = sys;

  const readAt = (file: VnodeFile, dst: Uint8Array, offset: number): number => {
    if (!file.readable) throw new FsError('EBADF');
    if (file.vp.type === 'dir') throw new FsError('EISDIR');
    checkOffset(offset);
    return file.vp.ops.read(file.vp, dst, offset);
  };
  const writeAt = (file: VnodeFile, src: Uint8Array, offset: number): number => {
    const { vp } = file;
    if (!file.writable) throw new FsError('EBADF');
    checkOffset(offset);
    if (offset + src.length > OFFSET_MAX) throw new FsError('EFBIG');
    if (src.length === 0) return 0;
    sys.mayWriteAt(vp, offset);
    return vfs.modify(vp.mount, () => {
      const written = vp.ops.write(vp, src, offset);
      sys.dropSetid(vp);
      return written;
    });
  };
  const endOf = (file: VnodeFile): number => file.vp.ops.getattr(file.vp).size;

  /** The file to open, created where asked; its reference belongs to `nd` unless it is new. */
  const openNode = (nd: Namei, flags: number, mode: number): { vp: Vnode; created: boolean } => {
    if (nd.vp !== undefined) {
      if ((flags & (O.CREAT | O.EXCL)) === (O.CREAT | O.EXCL)) throw new FsError('EEXIST');
      return { vp: nd.vp, created: false };
    }
    if ((flags & O.CREAT) === 0) throw new FsError('ENOENT');
    if (nd.mustBeDirectory) throw new FsError('EISDIR');
    const { dvp, name } = nd;
    // The group is its directory's, as newOwner has it.
    const { gid } = sys.mayChangeDirectory(dvp);
    const attr = { type: 'reg' as const, ...newMode(sys, mode), uid: sys.cred.uid, gid };
    const vp = vfs.modify(dvp.mount, () => dvp.ops.create(dvp, name, attr));
    cachePurge(dvp, name);
    cacheEnter(dvp, name, vp.ino);
    return { vp, created: true };
  };

  /** Emptied last, when nothing else of open(2) can fail any more. */
  const emptyOpened = (fd: number, vp: Vnode): void => {
    try {
      sys.truncate(vp, 0);
    } catch (e) {
      sys.proc.fds.close(fd);
      throw e;
    }
  };

  return {
    open: (path, flags, mode = 0o666) =>
      sys.call('open', path, () => {
        const how = flags & O.ACCMODE;
        if (how === O.ACCMODE) throw new FsError('EINVAL');
        sys.proc.fds.checkRoom();
        const access = { readable: how !== O.WRONLY, writable: how !== O.RDONLY, append: (flags & O.APPEND) !== 0 };
        // O_EXCL must see a dangling link itself, not create what it points to.
        const follow = (flags & O.NOFOLLOW) === 0 && (flags & (O.CREAT | O.EXCL)) !== (O.CREAT | O.EXCL);
        return sys.walk(path, { follow }, (nd) => {
          const { vp, created } = openNode(nd, flags, mode);
          try {
            if (vp.type === 'lnk') throw new FsError('ELOOP');
            if (vp.type !== 'dir' && (nd.mustBeDirectory || (flags & O.DIRECTORY) !== 0)) throw new FsError('ENOTDIR');
            if (vp.type === 'sock') throw new FsError('EOPNOTSUPP');
            if (vp.type === 'dir' && (access.writable || (flags & O.CREAT) !== 0)) throw new FsError('EISDIR');
            const truncate = (flags & O.TRUNC) !== 0;
            if (!created) {
              const want = (access.readable ? ACCESS.READ : 0) | (access.writable || truncate ? ACCESS.WRITE : 0);
              sys.access(vp, want);
            }
            const fd = sys.openFile(vp, access);
            if (truncate && !created && vp.type === 'reg') emptyOpened(fd, vp);
            return fd;
          } finally {
            if (created) vfs.vput(vp);
          }
        });
      }),
    close: (fd) => sys.call('close', undefined, () => sys.proc.fds.close(fd)),

    read: (fd, dst) =>
      sys.call('read', undefined, () => {
        const file = sys.fd(fd);
        const n = readAt(file, dst, file.offset);
        file.offset += n;
        return n;
      }),
    write: (fd, src) =>
      sys.call('write', undefined, () => {
        const file = sys.fd(fd);
        if (file.append) file.offset = endOf(file);
        const n = writeAt(file, src, file.offset);
        file.offset += n;
        return n;
      }),
    pread: (fd, dst, offset) => sys.call('pread', undefined, () => readAt(sys.fd(fd), dst, offset)),
    pwrite: (fd, src, offset) => sys.call('pwrite', undefined, () => writeAt(sys.fd(fd), src, offset)),
    lseek: (fd, offset, whence) =>
      sys.call('lseek', undefined, () => {
        const file = sys.fd(fd);
        if (file.vp.type === 'fifo' || file.vp.type === 'sock') throw new FsError('ESPIPE');
        file.offset = seekTarget(file, offset, whence);
        return file.offset;
      }),
    dup: (fd) => sys.call('dup', undefined, () => sys.proc.fds.add(sys.fd(fd))),
    fstat: (fd) => sys.call('fstat', undefined, () => sys.stat(sys.fd(fd).vp)),
    ftruncate: (fd, size) =>
      sys.call('ftruncate', undefined, () => {
        const file = sys.fd(fd);
        if (!file.writable) throw new FsError('EINVAL');
        sys.truncate(file.vp, size);
      }),
    fchmod: (fd, mode) => sys.call('fchmod', undefined, () => sys.chmod(sys.fd(fd).vp, mode)),
    fchown: (fd, uid, gid) => sys.call('fchown', undefined, () => sys.chown(sys.fd(fd).vp, uid, gid)),
    futimens: (fd, a, m) => sys.call('futimens', undefined, () => sys.utimens(sys.fd(fd).vp, a, m)),
    fchflags: (fd, flags) => sys.call('fchflags', undefined, () => sys.chflags(sys.fd(fd).vp, flags)),
    fsync: (fd) =>
      sys.call('fsync', undefined, () => {
        const { vp } = sys.fd(fd);
        if (!vp.mount.readOnly) vfs.modify(vp.mount, () => vp.ops.fsync(vp));
      }),

    getdents: (fd, max = DEFAULT_DIRENTS) =>
      sys.call('getdents', undefined, () => {
        const file = directory(sys.fd(fd));
        const entries = file.vp.ops.readdir(file.vp, file.offset, max);
        file.offset = entries.at(-1)?.next ?? file.offset;
        return entries;
      }),
    getdentsplus: (fd, max = DEFAULT_DIRENTS) =>
      sys.call('getdents', undefined, () => {
        const file = directory(sys.fd(fd));
        const entries = file.vp.ops.readdir(file.vp, file.offset, max);
        file.offset = entries.at(-1)?.next ?? file.offset;
        return entries.map((entry): DirentPlus => {
          const { name, ino, type, next } = entry;
          try {
            return { name, ino, type, next, stat: statEntry(sys, file.vp, name, ino) };
          } catch (e) {
            return { ...entry, stat: undefined, error: e instanceof Error ? e : new FsError('EIO') };
          }
        });
      }),

    setlk: (fd, lock) => sys.call('fcntl', undefined, () => vfs.locks.set(sys.fd(fd).vp, sys.proc.pid, lock)),
    getlk: (fd, lock) => sys.call('fcntl', undefined, () => vfs.locks.find(sys.fd(fd).vp, sys.proc.pid, lock)),
    fpathconf: (fd, name) => sys.call('fpathconf', undefined, () => pathconf(sys.fd(fd).vp, name)),
    posix_fallocate: (fd, offset, length) =>
      sys.call('posix_fallocate', undefined, () => {
        const { vp, writable } = sys.fd(fd);
        if (!writable) throw new FsError('EBADF');
        checkOffset(offset);
        if (length <= 0) throw new FsError('EINVAL');
        vfs.modify(vp.mount, () => vp.ops.allocate(vp, offset, length, { keepSize: false }));
      }),
    fdiscard: (fd, offset, length) =>
      sys.call('fdiscard', undefined, () => {
        const { vp, writable } = sys.fd(fd);
        if (!writable) throw new FsError('EBADF');
        checkOffset(offset);
        if (length < 0) throw new FsError('EINVAL');
        sys.mayWriteAt(vp, offset);
        vfs.modify(vp.mount, () => vp.ops.punch(vp, offset, length));
      }),
  };

  function seekTarget(file: VnodeFile, offset: number, whence: number): number {
    const target = seekFrom(file, offset, whence);
    if (!Number.isSafeInteger(target) || target < 0) throw new FsError('EINVAL');
    return target;
  }

  function seekFrom(file: VnodeFile, offset: number, whence: number): number {
    switch (whence) {
      case SEEK.SET:
        return offset;
      case SEEK.CUR:
        return file.offset + offset;
      case SEEK.END:
        return endOf(file) + offset;
      case SEEK.DATA:
      case SEEK.HOLE: {
        if (offset < 0) throw new FsError('ENXIO');
        const found = file.vp.ops.seek(file.vp, offset, whence === SEEK.DATA ? 'data' : 'hole');
        if (found === undefined) throw new FsError('ENXIO');
        return found;
      }
      default:
        throw new FsError('EINVAL');
    }
  }
}

/** The file that an entry just read names. CorruptError: there is none. */
function loadEntry({ mount }: Vnode, ino: number): Vnode {
  try {
    return mount.type.loadVnode(mount, ino);
  } catch (e) {
    if (e instanceof FsError && e.code === 'ESTALE') throw new CorruptError('directory entry of a free inode', { ino });
    throw e;
  }
}

/** Attributes of a directory's entry, by inode number where that is the same thing as by name. */
function statEntry(sys: SysContext, dvp: Vnode, name: string, ino: number): Stat {
  const uncached = dvp.mount.type.uncached === true;
  if (name === '..' && dvp.isRoot) return sys.stat(dvp);
  if (uncached && name !== '.') {
    const found = dvp.ops.lookup(dvp, name);
    if (found === undefined) throw new FsError('ENOENT');
    try {
      return sys.stat(found.vp);
    } finally {
      vrele(found.vp);
    }
  }
  const { mount } = dvp;
  const cached = mount.vnodes.get(ino);
  if (cached !== undefined) return sys.stat(cached);
  // A vnode for this one answer: entering each file of a listing would push out of the cache what is in use.
  const vp = loadEntry(dvp, ino);
  try {
    return sys.stat(vp);
  } finally {
    vp.usecount = 0;
    vgone(vp);
  }
}

export function pathconf(vp: Vnode, name: Parameters<VfsSyscalls['pathconf']>[1]): number {
  return vp.ops.pathconf(vp, name);
}

/** BSD rule: a new file belongs to its maker and to its directory's group. */
export function newOwner(sys: SysContext, dvp: Vnode): { uid: number; gid: number } {
  return { uid: sys.cred.uid, gid: dvp.ops.getattr(dvp).gid };
}

/** The mode asked for, and what the umask leaves of it. */
export function newMode(sys: SysContext, mode: number): { mode: number; askedMode: number } {
  const askedMode = mode & 0o7777;
  return { mode: askedMode & ~sys.proc.umask, askedMode };
}

function directory(file: VnodeFile): VnodeFile {
  if (file.vp.type !== 'dir') throw new FsError('EINVAL');
  if (!file.readable) throw new FsError('EBADF');
  return file;
}

function checkOffset(offset: number): void {
  if (!Number.isSafeInteger(offset) || offset < 0) throw new FsError('EINVAL');
}
