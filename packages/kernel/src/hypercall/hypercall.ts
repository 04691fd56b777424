/**
 * What the kernel asks of its host: the successor of NetBSD's rumpuser(3).
 *
 * One synchronous, versioned interface. All paths are host paths. Every method throws FsError with the host's errno
 * name when it fails, unless its comment says otherwise; an I/O failure is EIO.
 */
import type { Timespec } from '../kern/time.ts';

/** boot() refuses a host of another version with EPROGMISMATCH. */
export const HYPERCALL_VERSION = 1;

export type HostFileType = 'reg' | 'dir' | 'blk' | 'chr' | 'other';

export interface HostStat {
  readonly type: HostFileType;
  /** Bytes; for block devices the device's size. */
  readonly size: number;
  /** Bytes that the host has really allocated (holes take none). */
  readonly allocated: number;
  /** Identity that survives renames: device and inode number, as decimal text (they may exceed 2^53). */
  readonly dev: string;
  readonly ino: string;
  readonly nlink: number;
  /** Permission bits (0o7777). */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly mtime: Timespec;
  /** Birth time, or zero where the host has none. */
  readonly birthtime: Timespec;
}

/** An open host file. Positions are bytes; there is no file pointer. */
export interface HostFile {
  stat(): HostStat;
  /** Fill `dst` from `offset`; returns bytes read, short only at end of file. */
  read(dst: Uint8Array, offset: number): number;
  /** Write all of `src` at `offset`, extending the file as needed. */
  write(src: Uint8Array, offset: number): void;
  /** Set the size; growth is a hole. */
  truncate(size: number): void;
  /** Durable when it returns: data and the size. Never retried after a failure (errors are reported once by Linux). */
  fsync(): void;
  close(): void;
}

export interface OpenMode {
  readonly write: boolean;
  /** Create exclusively with this mode (EEXIST if the name exists, also as a dangling link). */
  readonly create?: number;
  /** Refuse a symbolic link as last component (ELOOP). */
  readonly nofollow?: boolean;
}

/** Who else uses an image, where that can be seen: "mounted on /mnt", "attached to /dev/loop3". */
export type Holder = { readonly kind: 'mounted' | 'loop' | 'locked'; readonly detail: string };

export interface Host {
  readonly version: number;
  /** For messages: "node", "memory". */
  readonly name: string;

  // files
  open(path: string, mode: OpenMode): HostFile;
  /** undefined when there is no such file; follows links unless told. */
  stat(path: string, options?: { readonly nofollow?: boolean }): HostStat | undefined;
  /** Absolute path without links; ENOENT as usual. */
  realpath(path: string): string;
  /** Names in a directory, without `.` and `..`, in no promised order. */
  readdir(path: string): string[];
  rename(from: string, to: string): void;
  unlink(path: string): void;
  /** Make creations, renames and removals in the directory durable. */
  fsyncDir(path: string): void;
  /** Free bytes a writer may use on the file system holding `path`. */
  freeBytes(path: string): number;
  /** False when names can surely not be created in this directory (permission, read-only file system). Makes nothing. */
  writableDir(path: string): boolean;

  // ownership of an image
  /** Whole-file exclusive lock on this open description, without waiting; released by close() or the process's end. */
  lock(file: HostFile): 'locked' | 'busy' | 'unsupported';
  /** Mounted, attached to a loop device, … as far as the host can tell; undefined when nobody is seen. */
  holder(path: string): Holder | undefined;

  // parameters, time, chance
  /** Who runs us, to tell our own files from other people's; undefined where the host has no users. */
  whoami(): { readonly uid: number; readonly gid: number } | undefined;
  /** RUMP_VERBOSE, RUMP_MEMLIMIT, SOURCE_DATE_EPOCH, TMPDIR …; undefined when unset. */
  getparam(name: string): string | undefined;
  now(): Timespec;
  /** Nanoseconds from an arbitrary start; never goes back. */
  monotonic(): number;
  /** Identity bytes of the world (UUIDs, seeds); a deterministic host repeats them. */
  random(dst: Uint8Array): void;
  /** Bytes that never repeat, also on a deterministic or seeded host: log salts. */
  salt(dst: Uint8Array): void;

  // console and signals
  /** Kernel messages; goes to stderr, never stdout. */
  console(text: string): void;
  /** Hold back SIGINT, SIGTERM and SIGHUP (true) or let them act again (false): the apply stretch of a commit. */
  holdSignals(held: boolean): void;
  /**
   * Did one come while they are held back? Seen only once the caller has let the host's event loop turn: the kernel never
   * asks, and whoever can wait does so before a commit that may still be called off.
   */
  signalled(): boolean;
}
