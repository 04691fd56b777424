/**
 * The handle: what a program holds of an open image. Types only; ukfs.ts implements them.
 *
 * Calls carry the system calls' names with node:fs's argument order. All are synchronous; only open() is not, because it
 * may load a file system's code. Arguments and results can be cloned to another thread, iteration is by descriptor, so a
 * remote client can mirror the interface. Every call throws FsError with `code`, `context.op` and `context.path`.
 * Paths are name strings inside the image (invalid UTF-8 is escaped, see nameFromBytes); relative ones start at the
 * handle's current directory. docs/ukfs.md maps every call of NetBSD's ukfs(3) to its counterpart here.
 */
import type {
  CheckSummary,
  CommitHow,
  Dirent,
  DirentPlus,
  Extent,
  Finding,
  Flock,
  FsInfo,
  FsTraits,
  Host,
  MountOptions,
  PathconfName,
  Rdev,
  Stat,
  Statvfs,
  Timespec,
  UtimeSpec,
} from '@ukfs/kernel';
import type { Partition } from '@ukfs/kernel/all';
import type { Address, Selector } from './address.ts';
import type { Kind } from './recognise/signatures.ts';

export type { Kind, Partition };

/** What open() is asked to open: an address as text (`disk.img:2/etc`), or its parts, which need no parsing. */
export type AddressLike =
  | string
  | {
      readonly image: string;
      /** Each as text (`2`, `label=root`) or parsed. */
      readonly selectors?: readonly (string | Selector)[];
      readonly path?: string;
    };

export interface OpenOptions {
  /** Default: the Node host, which is loaded only then. */
  readonly host?: Host;
  /** Open for writing: takes the image's lock and may stage changes. Default false. */
  readonly write?: boolean;
  /** Mount as this type (name or alias) and look at no magic. */
  readonly type?: string;
  /** The words of -o, as a record or as mount(8) spells them ("ro,sb=8193"). */
  readonly options?: MountOptions | string;
  /** Who acts; default root (0, 0, [0]). */
  readonly uid?: number;
  readonly gid?: number;
  readonly groups?: readonly number[];
  /** Default 0o022. */
  readonly umask?: number;
  /** false: write without the image's lock (a host that offers none, --no-lock). */
  readonly lock?: boolean;
  /** Write although the image has several hard links, or its file system was not left clean. */
  readonly force?: boolean;
  /** Where the redo log goes when the image is a block device: a file on a persistent file system. */
  readonly log?: string;
  /** Bytes that staged changes and caches may take together; default 64 MiB. */
  readonly memLimit?: number;
  /** Check the file system before each commit: one that would leave errors that were not there is refused (CorruptError). */
  readonly verify?: boolean;
  /** Edits work and are seen, but commit() refuses: the image is opened read-only and nothing of it changes. */
  readonly dryRun?: boolean;
  /** Identities that are drawn by lot (inode generations) follow from this text: the same edits then give the same bytes. */
  readonly seed?: string;
  /**
   * Called when an image is open for writing, locked and without a log, before anything is mounted from it: a chance to keep
   * it as it was. What it throws, open() throws, and nothing has been changed.
   */
  readonly locked?: (image: ImageBytes) => Promise<void> | void;
  /** Share another handle's kernel, and with it the stage of images that are open there. Default: a kernel of its own. */
  readonly session?: Session;
}

/**
 * One kernel with the images open in it. Handles of one session on the same image share its stage: one transaction, one
 * lock; handles on the same file system share its mount. Ends with its last handle.
 */
export interface Session {
  readonly host: Host;
  /** Handles open in it. */
  readonly handles: number;
}

/** An image as bytes. */
export interface ImageBytes {
  /** Real path. */
  readonly path: string;
  readonly host: Host;
  readonly sizeBytes: number;
  /** True: its host file alone holds these bytes; false: a log beside it is part of them. */
  readonly isPlain: boolean;
  /** Fill `dst` from `offset`. Errors: EINVAL beyond the end. */
  read(dst: Uint8Array, offset: number): void;
}

/** Types open() accepts in place of a number, as in node:fs. */
export type OpenFlag = 'r' | 'r+' | 'w' | 'wx' | 'w+' | 'wx+' | 'a' | 'ax' | 'a+' | 'ax+';

export interface MkdirOptions {
  /** Make missing parents too; an existing directory is no error. */
  readonly recursive?: boolean;
  /** Default 0o777, less the umask. */
  readonly mode?: number;
}

export interface RmOptions {
  /** Remove directories with all they hold. */
  readonly recursive?: boolean;
  /** A missing path is no error. */
  readonly force?: boolean;
}

export interface WriteFileOptions {
  /** Of a new file; default 0o666, less the umask. */
  readonly mode?: number;
  /** Default 'w' (appendFile: 'a'). */
  readonly flag?: OpenFlag | number;
}

export interface NofollowOption {
  /** Act on a symbolic link itself. */
  readonly nofollow?: boolean;
}

/** A mark in the transaction to come back to. */
export type Savepoint = number;

/** What the transaction holds at the moment. */
export interface Changes {
  /** Bytes that differ from what the image had, in whole sectors. */
  readonly bytes: number;
  /** Where in the image, in ascending order, neighbours joined. */
  readonly extents: readonly Extent[];
}

/** One file of changedFiles(). */
export interface ChangedFile {
  readonly path: string;
  readonly change: 'added' | 'removed' | 'content' | 'metadata' | 'replaced';
}

/** Where a run of a file lies; `deviceOffset` counts from the start of the file system's device, undefined: a hole. */
export interface FileRun {
  readonly fileOffset: number;
  readonly length: number;
  readonly deviceOffset: number | undefined;
}

export interface Ukfs {
  // what is open
  /** The address, resolved: `image` is the host path as given, `path` the part after the selectors ("/" if none). */
  readonly address: Address;
  /** The slice of the image that holds the file system; `device.offset` 0 and no table: the whole image. */
  readonly device: DeviceInfo;
  /** Name of the file-system type: "ext2fs". */
  readonly type: string;
  readonly traits: FsTraits;
  /** No edits: not opened for writing, or the mount refused them (fsinfo().readOnlyReasons). */
  readonly readOnly: boolean;
  /** Errors: EROFS on a handle that is readOnly, with the mount's reasons; `context.readOnly` is the worst of their causes. */
  checkWritable(): void;
  readonly session: Session;

  // descriptors
  /** Errors: EEXIST, EISDIR, EROFS, ENOSPC, EMFILE, EINVAL, ELOOP. `flags`: O bits or node's letters, default 'r'. */
  open(path: string, flags?: number | OpenFlag, mode?: number): number;
  /** Close a descriptor. Errors: EBADF. */
  close(fd: number): void;
  /**
   * End the handle. Uncommitted changes are discarded. When the image was only read: fails with ImageChangedError if
   * somebody changed it meanwhile (what was read may be of two states); the handle is closed all the same.
   */
  close(): void;
  /**
   * Bytes read into `buffer` at `offset` (default 0), at most `length` (default: to its end), from byte `position` of
   * the file; without it from the descriptor's position, which moves. 0 at the end.
   */
  read(fd: number, buffer: Uint8Array, offset?: number, length?: number, position?: number): number;
  /** Counterpart of read(); fewer bytes than asked only when space ran out. */
  write(fd: number, buffer: Uint8Array, offset?: number, length?: number, position?: number): number;
  /** `whence`: SEEK.SET, CUR, END, DATA, HOLE. */
  lseek(fd: number, offset: number, whence: number): number;
  dup(fd: number): number;
  fstat(fd: number): Stat;
  ftruncate(fd: number, size?: number): void;
  fchmod(fd: number, mode: number): void;
  /** -1 leaves an id. */
  fchown(fd: number, uid: number, gid: number): void;
  futimes(fd: number, atime: UtimeSpec, mtime: UtimeSpec): void;
  fchflags(fd: number, flags: number): void;
  fsync(fd: number): void;
  fchdir(fd: number): void;
  fstatvfs(fd: number): Statvfs;
  fpathconf(fd: number, name: PathconfName): number;
  setlk(fd: number, lock: Flock): void;
  getlk(fd: number, lock: Flock): (Flock & { readonly pid: number }) | undefined;
  /** Reserve space; the file grows to hold it. EOPNOTSUPP where the type cannot. */
  fallocate(fd: number, offset: number, length: number): void;
  /** Make a hole; the size stays. */
  punch(fd: number, offset: number, length: number): void;

  // directories
  /** Names without `.` and `..`, in directory order. For huge directories use opendir(). */
  readdir(path: string, options?: { readonly withFileTypes?: false; readonly withStats?: false }): string[];
  readdir(path: string, options: { readonly withStats: true; readonly withFileTypes?: boolean }): DirentPlus[];
  readdir(path: string, options: { readonly withFileTypes: true; readonly withStats?: false }): Dirent[];
  /** A descriptor for getdents() and getdentsplus(); close() it. Errors: ENOTDIR. */
  opendir(path: string): number;
  /** The next entries, `.` and `..` included where the format has them, at most `max` (default 512); empty at the end. */
  getdents(fd: number, max?: number): Dirent[];
  /** As getdents with each entry's attributes (links not followed), in one pass. */
  getdentsplus(fd: number, max?: number): DirentPlus[];

  // names
  stat(path: string): Stat;
  lstat(path: string): Stat;
  /** Does something answer to the path (links followed)? Only absence is false; other failures throw. */
  exists(path: string): boolean;
  /** `mode`: ACCESS bits; default 0, existence. */
  access(path: string, mode?: number): void;
  mkdir(path: string, options?: MkdirOptions | number): void;
  rmdir(path: string): void;
  unlink(path: string): void;
  /** Remove a file, or with `recursive` a tree: bounded memory, crosses no mount, follows no link. */
  rm(path: string, options?: RmOptions): void;
  rename(from: string, to: string, flags?: { readonly noreplace?: boolean; readonly exchange?: boolean }): void;
  link(existing: string, path: string, options?: { readonly follow?: boolean }): void;
  symlink(target: string, path: string): void;
  readlink(path: string): string;
  mknod(path: string, type: 'chr' | 'blk' | 'fifo' | 'sock' | 'reg', mode: number, rdev?: Rdev): void;
  mkfifo(path: string, mode?: number): void;
  truncate(path: string, size?: number): void;
  chmod(path: string, mode: number): void;
  lchmod(path: string, mode: number): void;
  /** -1 leaves an id. */
  chown(path: string, uid: number, gid: number): void;
  lchown(path: string, uid: number, gid: number): void;
  utimes(path: string, atime: UtimeSpec, mtime: UtimeSpec): void;
  lutimes(path: string, atime: UtimeSpec, mtime: UtimeSpec): void;
  setbirthtime(path: string, birthtime: Timespec, options?: NofollowOption): void;
  chflags(path: string, flags: number): void;
  lchflags(path: string, flags: number): void;
  pathconf(path: string, name: PathconfName): number;
  /** undefined: no such attribute. */
  getxattr(path: string, name: string, options?: NofollowOption): Uint8Array | undefined;
  setxattr(path: string, name: string, value: Uint8Array, options?: NofollowOption): void;
  listxattr(path: string, options?: NofollowOption): string[];
  removexattr(path: string, name: string, options?: NofollowOption): void;
  bmap(path: string): FileRun[];
  getfh(path: string): Uint8Array;
  fhopen(handle: Uint8Array, flags?: number | OpenFlag): number;

  // whole files
  /** All of a file in memory: for files of a size you know. EFBIG beyond memLimit's worth is the caller's to avoid. */
  readFile(path: string): Uint8Array;
  readFile(path: string, encoding: 'utf8'): string;
  writeFile(path: string, data: Uint8Array | string, options?: WriteFileOptions): void;
  appendFile(path: string, data: Uint8Array | string, options?: WriteFileOptions): void;

  // the process
  chdir(path: string): void;
  getcwd(): string;
  /** Sets the mask, returns the old one. */
  umask(mask: number): number;
  /** Act as somebody else from now on; nothing is checked, the library's user is the image's owner. */
  setcred(cred: { readonly uid: number; readonly gid: number; readonly groups?: readonly number[] }): void;

  // the file system
  statvfs(path?: string): Statvfs;
  fsinfo(path?: string): FsInfo;
  /** Check the file system as it is with all that was changed. Errors: UnsupportedError the type cannot be checked; EIO. */
  check(how?: CheckHow): CheckResult;
  /**
   * What `verify` in the options does before a commit, at any time: CorruptError when the file system has errors that it did
   * not have at the last commit. Nothing to do when nothing changed.
   */
  verify(how?: CheckHow): void;
  /** Bring every mount's delayed state into the stage; durable only with commit(). */
  sync(): void;

  // the transaction
  /**
   * Make all changes since the last commit durable, wholly or not at all, and begin the next transaction. Nothing to do
   * when nothing changed. Errors before the commit point leave the image as it was (ENOSPC, EIO, ESTALE: the image is
   * not ours any more). EROFS on a handle opened for reading or a dry run.
   */
  commit(how?: CommitHow): CommitResult;
  /** Forget all changes since the last commit; open descriptors to files that no longer exist give ESTALE. */
  discard(): void;
  savepoint(): Savepoint;
  /** Back to the mark, which is used up, with all later ones. Errors: EINVAL unknown mark. */
  rollback(savepoint: Savepoint): void;
  /** Forget the mark and keep what was done since. */
  releaseSavepoint(savepoint: Savepoint): void;
  /**
   * Make the calls of `act` one: all of what they do is staged, or nothing of it. What `act` throws comes out again, and so
   * does the failure of a modifying call that `act` swallowed; calls after one that failed are ECANCELED. Many small calls
   * are several times as fast in groups of a hundred or so. No commit, savepoint or rollback inside: EBUSY. On types that
   * have no disk (tmpfs) nothing is taken back.
   */
  together<T>(act: () => T): T;
  changes(): Changes;
  /** What commit() would change, file by file: a comparison of the two trees. */
  changedFiles(): ChangedFile[];
  /**
   * The image as it was committed last, read beside this handle, which may go on: what `treeChanges()` compares with. The
   * caller closes it, before the next commit. undefined: a type without a disk.
   */
  committed(): Ukfs | undefined;
}

export interface CommitResult {
  /** False: there was nothing to do. */
  readonly changed: boolean;
  /** Bytes written by way of the log, and straight in place. */
  readonly bytesLogged: number;
  readonly bytesInPlace: number;
}

/** The piece of the image that a file system lies in. */
export interface DeviceInfo {
  /** Bytes from the start of the image. */
  readonly offset: number;
  readonly sizeBytes: number;
  readonly sectorSize: number;
  /** undefined: not chosen through a partition table. */
  readonly partition: Partition | undefined;
}

/** What was found at one place of an image. */
export interface Candidate {
  /** How to select it: "2", "1:a"; "" is the whole image. */
  readonly selector: string;
  readonly device: DeviceInfo;
  /** Type that would be mounted; undefined: known by name only, or nothing known (`description` is "" then). */
  readonly type: string | undefined;
  /** Only 'fs' is a file system; the rest is known by name. */
  readonly kind: Kind;
  /** "ext4 file system", "XFS file system", "Linux swap area". */
  readonly description: string;
  readonly label: string;
  readonly uuid: string;
  /** Why it cannot be opened and what helps; empty when it can. */
  readonly advice: string;
}

/** How check() goes about it: as open(), and … */
export interface CheckImageOptions extends OpenOptions, CheckHow {
  /** Which errors to repair: none (the image is only read), those whose repair loses nothing, or all that can be. */
  readonly repair?: 'none' | 'safe' | 'all';
  /** Told of each finding as it is met. */
  readonly report?: (finding: Finding) => void;
}

/** For those who have other work to do while a check runs. */
export interface CheckHow {
  /** Called again and again during the check; the file system may be read, not changed. What it throws ends the check. */
  readonly pause?: () => void;
}

export interface CheckReport extends CheckSummary {
  /** Name of the file-system type. */
  readonly type: string;
  /** The image was repaired. When errors are left, nothing of it changed. */
  readonly changed: boolean;
}

export interface CheckResult extends CheckSummary {
  /** The first thousand of them. */
  readonly findings: readonly Finding[];
}

/** What inspect() tells of an image. */
export interface ImageReport {
  readonly image: string;
  readonly sizeBytes: number;
  readonly table: 'mbr' | 'gpt' | 'disklabel' | undefined;
  /** Things a person should know: "primary GPT header is damaged, the backup is used". */
  readonly notes: readonly string[];
  /** The whole image first when something is recognised there, then its partitions, nested ones after their parent. */
  readonly candidates: readonly Candidate[];
}
