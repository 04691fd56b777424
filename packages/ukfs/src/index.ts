/** ukfs: open a disk image and get a file API. */
export {
  diskMeant,
  formatAddress,
  formatSelector,
  parseAddress,
  parseSelector,
  parseSize,
  wholeDisk,
} from './address.ts';
export type { Address, IsFile, Selector } from './address.ts';
export { ImageChangedError, NotRecognisedError, SelectionError } from './errors.ts';
export type * from './handle.ts';
export { transaction } from './transaction.ts';
export { copyBytes, openBytes } from './imagebytes.ts';
export type { OpenBytes } from './imagebytes.ts';
export { check, fstypes, inspect, open, recover } from './ukfs.ts';
export { defaultHost } from './where.ts';
export { NESTED_IS_READ } from './nestedhost.ts';
export { makeFs } from './makefs.ts';
export type { MakeFsOptions, MakeFsReport } from './makefs.ts';
export { populate } from './populate.ts';
export type { PopulateOptions } from './populate.ts';
export { ACL_ACCESS, ACL_DEFAULT, decodeAcl, encodeAcl, sortedAcl } from './acl.ts';
export type { AclEntry, AclTag } from './acl.ts';
export { fflagsOf, fflagsText } from './fileflags.ts';
export { mtreeEntries, mtreeKeyword, unvis, vis } from './mtree.ts';
export type { MtreeEntry } from './mtree.ts';
export { compareNames } from './nameorder.ts';
export { untar, untarSteps } from './tarfill.ts';
export type { UntarOptions } from './tarfill.ts';
export { tarEntries } from './tar.ts';
export type { ByteSource, TarEntry, TarRun } from './tar.ts';
export type { TarFormat, TarType } from './tarformat.ts';
export { tarTree } from './tartree.ts';
export type { TarRoot, TarTreeOptions } from './tartree.ts';
export { TarWriter } from './tarwrite.ts';
export type { ByteSink, TarHeader } from './tarwrite.ts';
export { walk, Walk } from './walk.ts';
export type { WalkEntry, WalkOptions, WalkName, WalkOrder, WalkSource } from './walk.ts';
export { writeAll } from './writeall.ts';
// What a user of the handle meets of the kernel, so that one import is enough.
export {
  ACCESS,
  asFsError,
  CommitError,
  CorruptError,
  Errno,
  errnoText,
  FileFlag,
  FsError,
  isWellFormedName,
  modeOfType,
  nameFromBytes,
  nameToBytes,
  O,
  SEEK,
  typeOfMode,
  UnsupportedError,
} from '@ukfs/kernel';
export type {
  CheckSummary,
  CommitHow,
  CommitProgress,
  Dirent,
  DirentPlus,
  ErrnoName,
  ErrorContext,
  FeatureReport,
  Finding,
  FindingPlace,
  FsInfo,
  SpacePart,
  FsTraits,
  Host,
  MountOptions,
  Rdev,
  ReadOnlyReason,
  Stat,
  Statvfs,
  Timespec,
  UtimeSpec,
  VType,
} from '@ukfs/kernel';
export type { RecoverAction, RecoverOptions, RecoverReport } from '@ukfs/kernel/all';
export { treeChanges } from './changed.ts';
export type { TreeChange } from './changed.ts';
export { aspects, aspectsOf, usualAspects } from './aspects.ts';
export type { Aspect } from './aspects.ts';
export { compareTrees } from './compare.ts';
export type { ComparedDir, ComparedEntry, ComparedTree, CompareOptions, CompareSide, Difference } from './compare.ts';
export { copyContents, copyTree } from './copy.ts';
export type { CopiedLinks, CopyOptions, CopyReport, LossReport } from './copy.ts';
export { realPath } from './realpath.ts';
export { describeHead } from './recognise/recognise.ts';
export { removeTree } from './remove.ts';
export type { RemoveOptions } from './remove.ts';
export { isSafeName } from './tree.ts';
export type { Loss, TreeAttr, TreeDir, TreeEntry, TreeFile, TreePlace, TreeRun, TreeStat } from './tree.ts';
export { ukfsTree } from './ukfstree.ts';
