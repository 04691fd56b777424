/**
 * The file system calls: their names, arguments and errors. vfs/syscalls.ts fills them into the kernel's system-call
 * table; the library, the remote server and the tests all call through it.
 *
 * Every call acts for the current process (kern/lwproc.ts): its credentials, umask, root, current directory and
 * descriptors. Paths are name strings (kern/name.ts). Errors are thrown as FsError with `op` and `path` filled in. Any
 * call on a path may give ENOENT, ENOTDIR, EACCES, ELOOP, ENAMETOOLONG, EIO; only others are listed.
 */
import type { Cred } from '../kern/cred.ts';
import type { Timespec } from '../kern/time.ts';
import type { Dirent } from './dirent.ts';
import type { Rdev, Vattr } from './vattr.ts';
import type { PathconfName } from './vnodeops.ts';
import type { FsInfo, MountOptions, Statvfs } from './vfsops.ts';

/** open(2) flags: NetBSD's values. */
export const O = {
  RDONLY: 0,
  WRONLY: 1,
  RDWR: 2,
  ACCMODE: 3,
  APPEND: 0x8,
  CREAT: 0x200,
  TRUNC: 0x400,
  EXCL: 0x800,
  NOFOLLOW: 0x100,
  SYNC: 0x80,
  DIRECTORY: 0x200000,
} as const;

export const SEEK = { SET: 0, CUR: 1, END: 2, DATA: 3, HOLE: 4 } as const;

/** mount(2) flags: NetBSD's values. */
export const MNT = { RDONLY: 0x1, UPDATE: 0x10000, FORCE: 0x80000 } as const;

/** stat(2)'s answer: the attributes and which mount they are of. */
export interface Stat extends Vattr {
  /** Number of the mount in this kernel: equal for files of one file system. */
  readonly dev: number;
}

export interface DirentPlus extends Dirent {
  /** undefined when the entry names a damaged inode; `error` says why. */
  readonly stat: Stat | undefined;
  readonly error?: Error;
}

/** A time for utimensat: a stamp, the clock's now, or leave as it is. */
export type UtimeSpec = Timespec | 'now' | 'omit';

export interface FollowOption {
  /** Act on a symbolic link itself instead of its target. */
  readonly nofollow?: boolean;
}

export interface Flock {
  readonly type: 'read' | 'write' | 'unlock';
  readonly start: number;
  /** Bytes; 0: to the end of the file, however it grows. */
  readonly length: number;
}

/** How mount(2) is told what to mount. */
export interface MountArgs {
  /** Device node in the kernel's namespace ("/dev/rumpfs"); types that need none ignore it. */
  readonly from?: string;
  readonly flags?: number;
  readonly options?: MountOptions;
}

export interface VfsSyscalls {
  // descriptors
  /** Errors: EEXIST, EISDIR, EROFS, ENOSPC, ENXIO, EMFILE, EINVAL, EFTYPE (O.NOFOLLOW met a link: ELOOP). */
  open(path: string, flags: number, mode?: number): number;
  /** Errors: EBADF. */
  close(fd: number): void;
  read(fd: number, dst: Uint8Array): number;
  write(fd: number, src: Uint8Array): number;
  pread(fd: number, dst: Uint8Array, offset: number): number;
  pwrite(fd: number, src: Uint8Array, offset: number): number;
  /** New position. Errors: EBADF, EINVAL, ESPIPE, ENXIO (SEEK.DATA/HOLE past the end). */
  lseek(fd: number, offset: number, whence: number): number;
  dup(fd: number): number;
  fstat(fd: number): Stat;
  ftruncate(fd: number, size: number): void;
  fchmod(fd: number, mode: number): void;
  /** -1 leaves an id. */
  fchown(fd: number, uid: number, gid: number): void;
  futimens(fd: number, atime: UtimeSpec, mtime: UtimeSpec): void;
  fchflags(fd: number, flags: number): void;
  fsync(fd: number): void;
  fchdir(fd: number): void;
  /** Up to `max` entries from the descriptor's position (default 512); empty at the end. Errors: EINVAL not a directory. */
  getdents(fd: number, max?: number): Dirent[];
  /** As getdents with each entry's attributes (of the entry itself: links are not followed), in one pass. */
  getdentsplus(fd: number, max?: number): DirentPlus[];
  /** Advisory range locks per process. Errors: EAGAIN, EBADF, EINVAL. */
  setlk(fd: number, lock: Flock): void;
  /** The lock that would stop this one, with its holder's pid; undefined if none. */
  getlk(fd: number, lock: Flock): (Flock & { readonly pid: number }) | undefined;
  fpathconf(fd: number, name: PathconfName): number;
  /** Reserve space; EOPNOTSUPP where the type cannot. */
  posix_fallocate(fd: number, offset: number, length: number): void;
  /** Deallocate a range; reads as zeros afterwards. */
  fdiscard(fd: number, offset: number, length: number): void;

  // names
  stat(path: string): Stat;
  lstat(path: string): Stat;
  /** `mode`: ACCESS bits, 0 for existence. Errors: EINVAL, EROFS. */
  access(path: string, mode: number): void;
  mkdir(path: string, mode: number): void;
  /** Errors: ENOTEMPTY, EBUSY (a mount point), EINVAL (`.`). */
  rmdir(path: string): void;
  /** Errors: EPERM (a directory), EBUSY. */
  unlink(path: string): void;
  /** Errors: EEXIST, EXDEV, EPERM, EMLINK. The last component of `existing` is followed only on request. */
  link(existing: string, path: string, options?: { readonly follow?: boolean }): void;
  symlink(target: string, path: string): void;
  readlink(path: string): string;
  /** rename(2), all of its rules. Errors: EINVAL, EISDIR, ENOTDIR, ENOTEMPTY, EXDEV, EBUSY, EEXIST (noreplace). */
  rename(from: string, to: string, flags?: { readonly noreplace?: boolean; readonly exchange?: boolean }): void;
  mknod(path: string, type: 'chr' | 'blk' | 'fifo' | 'sock' | 'reg', mode: number, rdev?: Rdev): void;
  mkfifo(path: string, mode: number): void;
  truncate(path: string, size: number): void;
  chmod(path: string, mode: number, options?: FollowOption): void;
  chown(path: string, uid: number, gid: number, options?: FollowOption): void;
  utimens(path: string, atime: UtimeSpec, mtime: UtimeSpec, options?: FollowOption): void;
  /** Set birth time as well, where the type has one. EOPNOTSUPP otherwise. */
  setbirthtime(path: string, birthtime: Timespec, options?: FollowOption): void;
  chflags(path: string, flags: number, options?: FollowOption): void;
  pathconf(path: string, name: PathconfName): number;
  getxattr(path: string, name: string, options?: FollowOption): Uint8Array | undefined;
  setxattr(path: string, name: string, value: Uint8Array, options?: FollowOption): void;
  listxattr(path: string, options?: FollowOption): string[];
  /** Errors: ENOATTR. */
  removexattr(path: string, name: string, options?: FollowOption): void;
  /** Runs of a regular file: device byte offset (undefined: hole), file offset and length in bytes. */
  bmap(
    path: string,
  ): { readonly fileOffset: number; readonly length: number; readonly deviceOffset: number | undefined }[];

  // the process
  chdir(path: string): void;
  chroot(path: string): void;
  getcwd(): string;
  umask(mask: number): number;
  setcred(cred: Cred): void;

  // file systems
  /** Errors: ENODEV type not loaded, EBUSY, EINVAL, EFTYPE, ENOTBLK, ENXIO. */
  mount(type: string, path: string, args: MountArgs): void;
  /** Errors: EBUSY unless MNT.FORCE, EINVAL not a mount point. */
  unmount(path: string, flags?: number): void;
  statvfs(path: string): Statvfs;
  fstatvfs(fd: number): Statvfs;
  getvfsstat(): Statvfs[];
  /** What `fsu info` shows of the mount holding `path`. */
  fsinfo(path: string): FsInfo;
  /** Bring every mount's delayed state into the stages. */
  sync(): void;
  /** File handle of a path, and back. Errors: EOPNOTSUPP, ESTALE, EPERM (root only). */
  getfh(path: string): Uint8Array;
  fhopen(handle: Uint8Array, flags: number): number;
}
