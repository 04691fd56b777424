/** Public surface of the kernel package. */
export { boot, Rump, type BootOptions, type CheckWishes, type EtfsBoot } from './rump.ts';
export {
  Errno,
  errnoText,
  FsError,
  CorruptError,
  UnsupportedError,
  asFsError,
  type ErrnoName,
  type ReadOnlyCause,
  type ErrorContext,
} from './kern/errno.ts';
export type { Component, ComponentClass } from './kern/component.ts';
export type { Cred } from './kern/cred.ts';
export type { Lwp } from './kern/lwproc.ts';
export { RF } from './kern/lwproc.ts';
export type { Timespec } from './kern/time.ts';
export { nameFromBytes, nameToBytes, nameByteLength, isWellFormedName } from './kern/name.ts';
export { KERNEL_NAME, KERNEL_VERSION } from './kern/kernel.ts';
export { seededHost } from './hypercall/seeded.ts';
export { HYPERCALL_VERSION } from './hypercall/hypercall.ts';
export type { Host, HostFile, HostStat, Holder } from './hypercall/hypercall.ts';
export type { BlockDevice, Extent } from './dev/blockdev.ts';
export type { EtfsType, EtfsWindow } from './dev/etfs.ts';
export { CommitError } from './dev/stage.ts';
export type { CommitHow, CommitOutcome, CommitProgress, CommitResult, Stage, StageOptions } from './dev/stage.ts';
export {
  O,
  SEEK,
  MNT,
  type DirentPlus,
  type Flock,
  type FollowOption,
  type MountArgs,
  type Stat,
  type UtimeSpec,
  type VfsSyscalls,
} from './vfs/sys.ts';
export { ACCESS, type PathconfName } from './vfs/vnodeops.ts';
export { FileFlag, modeOfType, typeOfMode, type Rdev, type VType } from './vfs/vattr.ts';
export { readOnlyError } from './vfs/mount.ts';
export type { CheckOptions, CheckSummary, Finding, FindingPlace } from './vfs/check.ts';
export type { Dirent } from './vfs/dirent.ts';
export type {
  FeatureReport,
  FileSystemModule,
  FileSystemType,
  FsInfo,
  FsTraits,
  MkfsReport,
  MkfsRequest,
  MkfsType,
  MountOptions,
  ProbeRead,
  ProbeResult,
  ReadOnlyReason,
  SpacePart,
  Statvfs,
} from './vfs/vfsops.ts';
