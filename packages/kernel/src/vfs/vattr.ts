/** Attributes of a vnode, as VOP_GETATTR gives and VOP_SETATTR takes them. */
import type { Timespec } from '../kern/time.ts';

/** NetBSD's vtypes, in the words of ls and find. `undefined` type in a dirent means the format does not say. */
export type VType = 'reg' | 'dir' | 'blk' | 'chr' | 'lnk' | 'sock' | 'fifo';

/** Device numbers, already decoded from whatever packing the format uses. */
export interface Rdev {
  readonly major: number;
  readonly minor: number;
}

export interface Vattr {
  readonly type: VType;
  /** Permission bits with set-id and sticky, 0o7777. */
  readonly mode: number;
  readonly nlink: number;
  readonly uid: number;
  readonly gid: number;
  readonly ino: number;
  /** Bytes. For symbolic links the length of the target; for devices 0. */
  readonly size: number;
  /** Bytes of disk really used, metadata blocks of the file included where the format counts them. */
  readonly bytes: number;
  /** Best I/O size, bytes. */
  readonly blockSize: number;
  readonly atime: Timespec;
  readonly mtime: Timespec;
  readonly ctime: Timespec;
  /** Creation time, where the format has one. */
  readonly birthtime: Timespec | undefined;
  /** Generation number; 0 where the format has none. */
  readonly gen: number;
  /** chflags(2) flags, SF_* and UF_* below. */
  readonly flags: number;
  readonly rdev: Rdev | undefined;
}

/** What VOP_SETATTR may change; absent members stay. */
export interface SetAttr {
  readonly mode?: number;
  readonly uid?: number;
  readonly gid?: number;
  /** Truncate or extend (with a hole) to this many bytes. */
  readonly size?: number;
  readonly atime?: Timespec;
  readonly mtime?: Timespec;
  /** Status-change time instead of now: for an access time that only follows a read, which changes no status. */
  readonly ctime?: Timespec;
  readonly birthtime?: Timespec;
  readonly flags?: number;
}

/** What a new file gets from its maker. */
export interface NewFile {
  readonly type: VType;
  readonly mode: number;
  /** The mode before the umask cut it: what counts where the directory has a default access control list. */
  readonly askedMode?: number;
  readonly uid: number;
  readonly gid: number;
  readonly rdev?: Rdev;
}

/** chflags(2). Source: NetBSD sys/stat.h via chflags(2). */
export const FileFlag = {
  UF_NODUMP: 0x1,
  UF_IMMUTABLE: 0x2,
  UF_APPEND: 0x4,
  UF_OPAQUE: 0x8,
  SF_ARCHIVED: 0x10000,
  SF_IMMUTABLE: 0x20000,
  SF_APPEND: 0x40000,
  SF_SNAPSHOT: 0x200000,
} as const;

/** File-type bits of st_mode (POSIX sys/stat.h), shared by every format that stores them. */
export const S_IFMT = 0o170000;
const typeBits: Readonly<Record<VType, number>> = {
  fifo: 0o010000,
  chr: 0o020000,
  dir: 0o040000,
  blk: 0o060000,
  reg: 0o100000,
  lnk: 0o120000,
  sock: 0o140000,
};
const typeOfBits = new Map(Object.entries(typeBits).map(([type, bits]) => [bits, type as VType]));
export const modeOfType = (type: VType): number => typeBits[type];
/** VType of a stored mode, or undefined when the bits mean nothing. */
export const typeOfMode = (mode: number): VType | undefined => typeOfBits.get(mode & S_IFMT);
