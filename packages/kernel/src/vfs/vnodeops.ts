/**
 * The VOP table: every operation on a vnode, with its contract (≙ NetBSD's vnode_if.src).
 *
 * For all of them: nothing runs concurrently, so there are no locks; an operation never re-enters the VFS with a path;
 * it consumes no references, and vnodes it returns carry one for the caller. The system-call layer has checked names
 * (length, no `/` or NUL, not `.` or `..`), permissions, read-only mounts and rename(2)'s rules before it calls.
 * When an operation returns, its effects are in the buffers of the mount or in the stage; when it throws, the
 * system-call layer rolls the stage back and calls the type's reload(). Default for an absent entry: genfs.
 */
import type { Cred } from '../kern/cred.ts';
import type { FileBlock, FsBlock } from '../kern/ids.ts';
import type { Dirent } from './dirent.ts';
import type { NewFile, SetAttr, Vattr } from './vattr.ts';
import type { Vnode } from './vnode.ts';

/**
 * Where a lookup found a name: opaque to all but the type that made it, valid until the directory changes. (A rename
 * within one directory that adds the new name first must therefore find the old one again.)
 */
export type Slot = unknown;

export interface LookupResult<D = unknown> {
  readonly vp: Vnode<D>;
  readonly slot: Slot;
}

/** `count` blocks of the file lie at device block `block` one after the other; undefined: a hole (or unwritten). */
export interface Run {
  readonly block: FsBlock | undefined;
  readonly count: number;
}

interface RenameFlags {
  /** Swap the two entries; the target exists. */
  readonly exchange?: boolean;
}

export type PathconfName = 'linkMax' | 'nameMax' | 'pathMax' | 'noTrunc' | 'symlinkMax' | 'fileSizeBits';

export interface VnodeOps<D = unknown> {
  /**
   * The entry `name` of `dvp`, `..` included (`.` never comes here), or undefined when there is none.
   * Errors: EIO.
   */
  lookup(dvp: Vnode<D>, name: string): LookupResult<D> | undefined;
  /**
   * Create a regular file; `name` does not exist.
   * Errors: EINVAL the format cannot hold such a name, ENAMETOOLONG it is too long for this type, ENOSPC, EDQUOT, EIO.
   */
  create(dvp: Vnode<D>, name: string, attr: NewFile): Vnode<D>;
  /** Create a device, fifo or socket. Errors: as create; EINVAL when the format cannot hold the numbers. */
  mknod(dvp: Vnode<D>, name: string, attr: NewFile): Vnode<D>;
  /** Create a directory with `.` and `..`; dvp's nlink grows by one. Errors: as create; EMLINK. */
  mkdir(dvp: Vnode<D>, name: string, attr: NewFile): Vnode<D>;
  /** Create a symbolic link to `target` (bytes as a name string). Errors: as create; ENAMETOOLONG. */
  symlink(dvp: Vnode<D>, name: string, attr: NewFile, target: string): Vnode<D>;
  /** Another name for `vp`, not a directory, of the same mount. Errors: EMLINK, ENOSPC, EIO. */
  link(dvp: Vnode<D>, vp: Vnode<D>, name: string): void;
  /**
   * Unlink `name`, which is not a directory; vp and slot are what lookup gave.
   * After: the name is gone and vp's nlink is one less; its blocks stay until the last reference goes (inactive).
   */
  remove(dvp: Vnode<D>, vp: Vnode<D>, name: string, slot: Slot): void;
  /** Remove an empty directory. Errors, first that applies: ENOTEMPTY, EIO. dvp's nlink shrinks by one. */
  rmdir(dvp: Vnode<D>, vp: Vnode<D>, name: string, slot: Slot): void;
  /**
   * Move an entry. `to.found`, when present, is replaced (or swapped with flags.exchange); both are resolved, of this
   * mount, of fitting types, not the same file, and `from` is not an ancestor of `to.dvp`. A replaced directory must
   * be empty: ENOTEMPTY. `..` of a moved directory and both parents' nlink are this operation's duty.
   * Where a directory folds names, `to.found` may be the same file: by the same entry, whose spelling then changes, or by
   * another, and then nothing happens.
   */
  rename(
    from: { readonly dvp: Vnode<D>; readonly vp: Vnode<D>; readonly name: string; readonly slot: Slot },
    to: { readonly dvp: Vnode<D>; readonly name: string; readonly found: LookupResult<D> | undefined },
    flags: RenameFlags,
  ): void;

  /** Called for each open(2) and close(2); devices act on it. Errors: ENXIO. */
  open(vp: Vnode<D>, write: boolean): void;
  close(vp: Vnode<D>, write: boolean): void;
  /** May `cred` do all of `want` (ACCESS bits)? Errors: EACCES, EPERM (immutable), EROFS is the caller's. */
  access(vp: Vnode<D>, want: number, cred: Cred): void;
  getattr(vp: Vnode<D>): Vattr;
  /**
   * Change attributes; ctime becomes now unless attr.ctime says otherwise. A size, even the same one, also updates mtime;
   * cutting frees and growing makes a hole. Set-id bits are the caller's to clear. Errors: EFBIG, ENOSPC, EINVAL, EOPNOTSUPP, EIO.
   */
  setattr(vp: Vnode<D>, attr: SetAttr): void;
  /** Bytes read into `dst` from byte `offset`; 0 at end of file. Access time is the caller's. */
  read(vp: Vnode<D>, dst: Uint8Array, offset: number): number;
  /**
   * Bytes of `src` written at byte `offset`, growing the file; mtime and ctime are updated.
   * Fewer than src.length only when space ran out after some were written. Errors: ENOSPC, EFBIG, EIO.
   */
  write(vp: Vnode<D>, src: Uint8Array, offset: number): number;
  /** Nothing to do beyond the contract above for most types. */
  fsync(vp: Vnode<D>): void;
  /** Up to `max` entries after `cookie` (0: from the start); empty at the end. */
  readdir(vp: Vnode<D>, cookie: number, max: number): Dirent[];
  /** Target of a symbolic link. */
  readlink(vp: Vnode<D>): string;
  /**
   * The last reference went. A file without links frees its inode and blocks now. Returns true when the vnode is of
   * no further use and must be reclaimed.
   */
  inactive(vp: Vnode<D>): boolean;
  /** The vnode leaves memory; drop what hangs on it. Must not write. */
  reclaim(vp: Vnode<D>): void;
  /** Where file block `fileBlock` lies, and for how many blocks on (at most `max`) it goes on so. */
  bmap(vp: Vnode<D>, fileBlock: FileBlock, max: number): Run;
  /**
   * First byte at or after `offset` that is data, or that lies in a hole (the end of the file is one); undefined when
   * there is none before the end. genfs asks bmap; types without block maps answer themselves or call all of it data.
   */
  seek(vp: Vnode<D>, offset: number, what: 'data' | 'hole'): number | undefined;
  pathconf(vp: Vnode<D>, name: PathconfName): number;
  /** Space for [offset, offset + length) without writing data; the size grows unless keepSize. EOPNOTSUPP by default. */
  allocate(vp: Vnode<D>, offset: number, length: number, options: { readonly keepSize: boolean }): void;
  /** Free the whole blocks of the range and zero its edges. EOPNOTSUPP by default. */
  punch(vp: Vnode<D>, offset: number, length: number): void;

  /** Extended attributes; names carry their namespace ("user.x", "security.selinux"). undefined: no such attribute. */
  getextattr(vp: Vnode<D>, name: string): Uint8Array | undefined;
  /** Errors: ENOSPC, EOPNOTSUPP. */
  setextattr(vp: Vnode<D>, name: string, value: Uint8Array): void;
  listextattr(vp: Vnode<D>): string[];
  /** Errors: ENOATTR. */
  deleteextattr(vp: Vnode<D>, name: string): void;
}

/** Bits of VOP_ACCESS's `want`. */
export const ACCESS = { EXEC: 1, WRITE: 2, READ: 4 } as const;
