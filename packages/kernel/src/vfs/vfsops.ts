/**
 * A file-system type as a plain value: what boot() is handed, what mount(2) calls.
 *
 * Boot registers only FileSystemModule values (names and a probe); load() brings the FileSystemType when an image
 * needs it, so that listing a FAT image never loads ext2fs.
 */
import type { BlockDevice } from '../dev/blockdev.ts';
import type { ReadOnlyCause } from '../kern/errno.ts';
import type { Ino } from '../kern/ids.ts';
import type { Timespec } from '../kern/time.ts';
import type { CheckOptions, CheckSummary } from './check.ts';
import type { Mount } from './mount.ts';
import type { Vnode } from './vnode.ts';

/** What a type can do: tests and tools ask this, never a name. */
export interface FsTraits {
  readonly write: boolean;
  readonly hardLinks: boolean;
  readonly symlinks: boolean;
  readonly devices: boolean;
  readonly sparse: boolean;
  readonly caseSensitive: boolean;
  readonly xattr: boolean;
  /** chflags(2) flags that can be stored, as a mask of FileFlag. */
  readonly flags: number;
  readonly owners: boolean;
  readonly timeGranularityNs: number;
  readonly nameMaxBytes: number;
  readonly symlinkMaxBytes: number;
  readonly linkMax: number;
  readonly unlinkOpen: boolean;
  readonly needsDevice: boolean;
}

/** A bounded look at the start of an image (or slice): up to `length` bytes at `offset`; shorter past the end. */
export type ProbeRead = (offset: number, length: number) => Uint8Array;

export interface ProbeResult {
  /** Words for a person: "ext4 file system". */
  readonly description: string;
  /** 'maybe' yields to any 'yes'. */
  readonly certainty: 'yes' | 'maybe';
  readonly label?: string;
  readonly uuid?: string;
}

export interface FileSystemModule {
  readonly name: string;
  readonly aliases: readonly string[];
  /** Pure; undefined when the image is of another type. Never throws on any bytes. */
  probe?(read: ProbeRead): ProbeResult | undefined;
  load(): Promise<FileSystemType>;
}

export interface Statvfs {
  readonly fstypename: string;
  readonly blockSize: number;
  readonly fragmentSize: number;
  /** In fragments. */
  readonly blocks: number;
  readonly freeBlocks: number;
  readonly availBlocks: number;
  readonly files: number;
  readonly freeFiles: number;
  readonly nameMax: number;
  readonly readOnly: boolean;
  readonly mountedOn: string;
  readonly mountedFrom: string;
}

/** One line of `fsu info`: a format feature, whether the image has it, and what we do with it. */
export interface FeatureReport {
  readonly name: string;
  readonly set: 'compat' | 'incompat' | 'roCompat' | 'other';
  readonly bit: number;
  readonly present: boolean;
  readonly read: boolean;
  /** true, or why writing is refused. */
  readonly write: true | string;
}

/** One thing that keeps a mount read-only. */
export interface ReadOnlyReason {
  readonly cause: ReadOnlyCause;
  /** For a person: "feature quota: …". */
  readonly what: string;
}

/** Parts that a map of the free space has at most, however large the device. */
export const SPACE_PARTS = 512;

/** What of a part of the device is free, in bytes. */
export interface SpacePart {
  readonly sizeBytes: number;
  readonly freeBytes: number;
}

/** What `fsu info` tells of a mounted image. */
export interface FsInfo {
  /** The variant people know: "ext4". */
  readonly variant: string;
  readonly label: string;
  readonly uuid: string;
  readonly features: readonly FeatureReport[];
  /** Ordered name → value pairs: sizes, counts, journal state, times. */
  readonly details: Readonly<Record<string, string | number | boolean>>;
  /** Things a person should know: replayed in memory, mounted read-only because … */
  readonly notes: readonly string[];
  /** Where space is free: the device from its beginning, in at most SPACE_PARTS parts. Absent: the type does not tell. */
  readonly space?: readonly SpacePart[];
  /** Why the type keeps the mount read-only, whatever mount(2) was told; empty when it does not. */
  readonly readOnlyReasons: readonly ReadOnlyReason[];
}

/** Options given to mount(2): words of -o. */
export type MountOptions = Readonly<Record<string, string | true>>;

/** What a new file system is to be like. */
export interface MkfsRequest {
  /** The name it was asked for by: the type's own, or one of its aliases ("ext4"), which may mean other defaults. */
  readonly variant: string;
  /** Words of the type's MkfsType.options; others are EINVAL. */
  readonly options: Readonly<Record<string, string | true>>;
  /** The device is known to read as zeros. */
  readonly blank: boolean;
  /** So many files, at least, are to be made in it; what `options` say of their number holds against it. */
  readonly leastFiles?: number;
  /** Every time that is stamped. */
  readonly now: Timespec;
  /** Identity bytes: UUIDs, seeds. The same bytes and the same request give the same file system. */
  random(dst: Uint8Array): void;
}

/** What came of it. */
export interface MkfsReport {
  readonly uuid: string;
  readonly blockSize: number;
  /** What the file system occupies: the device, or a little less. */
  readonly sizeBytes: number;
  /** For data of files; what is reserved for the superuser counts. */
  readonly freeBytes: number;
  readonly files: number;
  readonly freeFiles: number;
  /** Things a person should know: what was asked for and could not be. */
  readonly notes: readonly string[];
}

/** How a type makes new file systems. */
export interface MkfsType {
  /** Words of MkfsRequest.options with their help. */
  readonly options: Readonly<Record<string, string>>;
  /** What make() would report on a device of that size. Pure. Errors: as make(). */
  plan(sizeBytes: number, request: MkfsRequest): MkfsReport;
  /** An empty file system on `device`, whatever was there before. Errors: EINVAL options or size; EROFS; EIO. */
  make(device: BlockDevice, request: MkfsRequest): MkfsReport;
}

export interface FileSystemType {
  readonly name: string;
  readonly aliases: readonly string[];
  readonly traits: FsTraits;
  /** Names may come and go without a system call (host directories shown by etfs): no name cache. */
  readonly uncached?: boolean;
  /**
   * A path below the type's root that begins with a whole key, slashes and all (etfs in rumpfs): its vnode, with a
   * reference, and how many characters of the path it takes.
   */
  lookupKey?(mp: Mount, path: string): { readonly vp: Vnode; readonly length: number } | undefined;
  /** Type-specific -o words with their help; others are EINVAL. */
  readonly options: Readonly<Record<string, string>>;

  /** Absent: this kernel only uses what others made. */
  readonly mkfs?: MkfsType;

  /**
   * Bring up mp from mp.device with mp.options; sets mp.data and mp.blockSize. Writes nothing, stamps nothing.
   * May call mp.keepReadOnly (unknown ro_compat feature …).
   * Errors: EFTYPE not this type, CorruptError, UnsupportedError, EIO.
   */
  mount(mp: Mount): void;
  /**
   * mount(2) with MNT.UPDATE turns the mount read-only or read-write; the caller has checked for open writers.
   * Absent: always fine. Errors: EROFS when the image must stay read-only.
   */
  update?(mp: Mount, options: { readonly readOnly: boolean }): void;
  /** All in-core state is clean by contract; drop it. Must not write except what the format needs to be left clean. */
  unmount(mp: Mount): void;
  root(mp: Mount): Vnode;
  /** In-core file of an inode number for vget(), which caches it. ESTALE when the inode is free, CorruptError. */
  loadVnode(mp: Mount, ino: Ino): Vnode;
  /**
   * Everything in memory that mirrors the disk is stale (the stage was rolled back): read it again. Vnodes in
   * mp.vnodes stay valid where their inode still is the same file; the others are revoked with vrevoke().
   */
  reload(mp: Mount): void;
  /**
   * Bring delayed state into the stage; called before a commit.
   * EBUSY when an unlinked file is still open and the type cannot note it on disk.
   */
  sync(mp: Mount): void;
  /** The transaction is durable: space freed in it may be used again without care. */
  committed?(mp: Mount): void;
  statvfs(mp: Mount): Statvfs;
  /**
   * Check the file system on a device, which need not be fit for mounting, and repair what the options ask for. A journal
   * is replayed first: in memory, or on the device when anything is to be repaired.
   * Errors: EFTYPE not this type, UnsupportedError it cannot be checked, EIO. What is damaged is no error but a finding.
   */
  check?(device: BlockDevice, options: CheckOptions): CheckSummary;
  info?(mp: Mount): FsInfo;
  /** File handle ↔ vnode (NFS-style, for fhopen(2) and FUSE): ino and generation as bytes. ESTALE. */
  vptofh?(vp: Vnode): Uint8Array;
  fhtovp?(mp: Mount, handle: Uint8Array): Vnode;
}
