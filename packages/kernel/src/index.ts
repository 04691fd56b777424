/** The kernel's public surface. Components and file systems come from ./all; hosts from ./host/*. */
export type { BlockDevice, Extent, SuperblockHint, Transaction } from './dev/blockdev.ts';
export { HYPERCALL_VERSION } from './hypercall/hypercall.ts';
export type { Holder, Host, HostFile, HostFileType, HostStat, OpenMode } from './hypercall/hypercall.ts';
export { rootCred } from './kern/cred.ts';
export type { Cred } from './kern/cred.ts';
export { asFsError, CorruptError, Errno, errnoText, FsError, UnsupportedError, withContext } from './kern/errno.ts';
export type { ErrnoName, ErrorContext } from './kern/errno.ts';
export * from './kern/limits.ts';
export { isWellFormedName, nameByteLength, nameFromBytes, nameToBytes } from './kern/name.ts';
export { timespecCompare, timespecEqual } from './kern/time.ts';
export type { Timespec } from './kern/time.ts';
export type { Dirent } from './vfs/dirent.ts';
export { MNT, O, SEEK } from './vfs/sys.ts';
export type { DirentPlus, Flock, FollowOption, MountArgs, Stat, UtimeSpec, VfsSyscalls } from './vfs/sys.ts';
export { FileFlag, modeOfType, S_IFMT, typeOfMode } from './vfs/vattr.ts';
export type { Rdev, SetAttr, Vattr, VType } from './vfs/vattr.ts';
export type {
  FeatureReport, FileSystemModule, FileSystemType, FsInfo, FsTraits, MountOptions, ProbeRead, ProbeResult, Statvfs,
} from './vfs/vfsops.ts';
export { ACCESS } from './vfs/vnodeops.ts';
export type { PathconfName } from './vfs/vnodeops.ts';
