/**
 * What a copy works between: trees of files as directories that are open, and names in them.
 *
 * Safe by its shape. Nothing takes a path: an operation names an entry of a directory that is open, as openat(2) and its
 * kin do, and never follows a symbolic link, so that no name in an image and no link that it brought can lead a copy out
 * of its target. The host's tree is made by who knows the host (fsu-cli); an image's is ukfsTree().
 *
 * Everything throws FsError. Names are name strings; implementations refuse what isSafeName() refuses, and what their
 * own side cannot hold (EINVAL, EILSEQ, ENAMETOOLONG).
 */
import type { Rdev, Timespec, VType } from '@ukfs/kernel';

export interface TreeStat {
  readonly type: VType;
  /** Permission bits, 0o7777. */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly size: number;
  readonly atime: Timespec;
  readonly mtime: Timespec;
  readonly birthtime: Timespec | undefined;
  /** chflags(2) flags; 0 where there are none. */
  readonly flags: number;
  readonly rdev: Rdev | undefined;
  readonly nlink: number;
  /** Uses less space than its size: there may be holes in it. */
  readonly sparse: boolean;
  /** Equal for names of one file. */
  readonly id: string;
}

export interface TreeEntry {
  readonly name: string;
  readonly stat: TreeStat;
}

/** Attributes to give; absent ones stay. */
export type TreeAttr = Partial<Pick<TreeStat, 'mode' | 'uid' | 'gid' | 'atime' | 'mtime' | 'birthtime' | 'flags'>>;

/** What could not be kept: words for a summary. */
export type Loss =
  | 'owner'
  | 'mode'
  | 'times'
  | 'birth time'
  | 'flags'
  | 'extended attribute'
  | 'hard link'
  | 'symbolic link'
  | 'device'
  | 'fifo'
  | 'socket'
  | 'hole'
  | 'name';

export interface TreeRun {
  readonly offset: number;
  readonly length: number;
}

export interface TreeFile {
  /** Bytes read; 0 at the end. */
  read(dst: Uint8Array, offset: number): number;
  /** All of `src`. Errors: ENOSPC, EFBIG, EIO. */
  write(src: Uint8Array, offset: number): void;
  /** Cut, or grow with a hole. */
  truncate(size: number): void;
  /** Set what can be set of a file that was created, and tell the rest. */
  setattr(attr: TreeAttr): readonly Loss[];
  /** Runs that hold data, ascending; between and after them are holes. undefined: nobody can tell. */
  data(): Iterable<TreeRun> | undefined;
  close(): void;
}

/** A name in an open directory. */
export interface TreePlace {
  readonly dir: TreeDir;
  readonly name: string;
}

/** An open directory. */
export interface TreeDir {
  /** Entries without `.` and `..`; may be read once only. An entry that cannot be looked at comes with its error. */
  list(): Iterable<TreeEntry | { readonly name: string; readonly error: Error }>;
  /** `.` is the directory itself. */
  lstat(name: string): TreeStat | undefined;
  /** Errors: ENOTDIR, also for a link to a directory. */
  opendir(name: string): TreeDir;
  /** For reading. Errors: ELOOP a link; EISDIR. */
  open(name: string): TreeFile;
  readlink(name: string): string;
  /** `.` is the directory itself. */
  xattrs(name: string): ReadonlyMap<string, Uint8Array>;
  /**
   * Where a symbolic link leads, every link on the way followed; whoever asks closes the directory. Only for who was asked to
   * follow links. undefined: nowhere.
   */
  follow?(name: string): TreePlace | undefined;

  /**
   * A new file for writing, open to its owner only; with `mode` at once where nobody sees it before it is whole.
   * Errors: EEXIST, also for a dangling link.
   */
  create(name: string, mode?: number): TreeFile;
  /**
   * A regular file that is there, emptied, for writing. Absent where a half-written file might be left, or be somebody else's
   * file by another name. Errors: ELOOP a link.
   */
  overwrite?(name: string): TreeFile;
  /** A new directory, open to its owner only. */
  mkdir(name: string): void;
  symlink(target: string, name: string): void;
  /** Another name for `name` of `from`, a directory of the same tree. Errors: EXDEV, EMLINK, EPERM, EOPNOTSUPP. */
  link(from: TreeDir, existing: string, name: string): void;
  mknod(name: string, type: 'chr' | 'blk' | 'fifo' | 'sock', rdev: Rdev | undefined): void;
  /** Set what can be set, and tell the rest. */
  setattr(name: string, attr: TreeAttr): readonly Loss[];
  /** Errors: EOPNOTSUPP, EPERM, ENOSPC. */
  setxattr(name: string, attribute: string, value: Uint8Array): void;
  unlink(name: string): void;
  /**
   * Put `name` in the place of the file or link `target`, in one step. Absent where nobody sees the steps: an image's
   * changes are one transaction.
   */
  rename?(name: string, target: string): void;
  rmdir(name: string): void;
  /** Do all that `act` does, or nothing of it: faster than call by call. Absent where nothing can be taken back. */
  readonly together?: (<T>(act: () => T) => T) | undefined;
  close(): void;
}

/** Names that are entries: nothing that leads elsewhere or ends a C string. */
export const isSafeName = (name: string): boolean =>
  name !== '' && name !== '.' && name !== '..' && !name.includes('/') && !name.includes('\0');
