/** What a mounted ext2/3/4 keeps in memory. Everything that changes on disk stays in the buffers; see the files named. */
import type { AllocState } from './groupmap.ts';
import type { QuotaFile, QuotaKind } from './quota-file.ts';
import type { Geometry } from './superblock.ts';
import type { Zones } from './zones.ts';

export interface Ext2Mount {
  /** superblock.ts; replaced as a whole when the stage was rolled back. */
  geo: Geometry;
  /** Byte offset of the superblock in use: 1024, or that of a copy (`sb=`, read-only). */
  readonly sbOffset: number;
  /** First block of each group's inode table, as far as it was looked up and found sound: group.ts. */
  readonly inodeTables: Map<number, number>;
  /** May a writer call extents fresh? Not after the journal was replayed or the image was not clean: vfsops.ts. */
  allowFresh: boolean;
  /** Hints of the allocators, once something was written: groupmap.ts. */
  alloc?: AllocState | undefined;
  /** The quota files of a mount that is written and has the feature: quota.ts. */
  quota?: readonly QuotaFile[] | undefined;
  /** Of which of them the limits count: the mount's options. */
  quotaLimits?: ReadonlySet<QuotaKind>;
  /** Blocks that are no file's, once a writer asked: zones.ts. */
  zones?: Zones | undefined;
  /** Hash of an attribute value → the inode that once held it: eavalue.ts. Nobody trusts it without looking. */
  values?: Map<number, number> | undefined;
  /** Hash of a list of attributes → the block that has it: attrshare.ts. */
  attributeBlocks?: Map<number, number> | undefined;
  /** Where the next inodes read go, several to one allocation: inode.ts. */
  inodeRoom?: { readonly bytes: Uint8Array; used: number } | undefined;
  /** Room for a block that is put together before it is written: truncate.ts. */
  blockRoom?: Uint8Array | undefined;
  /** Was it fit for writing when it was mounted: features, journal, state? Only then may an update make it writable. */
  mayWrite: boolean;
  /** What mounting found in the journal, for info.ts. */
  journalState: string;
}
