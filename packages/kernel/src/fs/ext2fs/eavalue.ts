/**
 * Attribute values that have inodes of their own (ea_inode): their hash, what they count for, and which inode has which. The
 * inodes are changed in eainode.ts.
 */
import { crc32c } from '../../kern/checksum/crc32c.ts';
import type { Ino } from '../../kern/ids.ts';
import type { Mount } from '../../vfs/mount.ts';
import type { Ext2Mount } from './ext2mount.ts';
import type { Geometry } from './superblock.ts';

/** Values remembered at a time. */
const REMEMBERED_MAX = 4096;

export interface StoredValue {
  readonly ino: Ino;
  /** Of the value: a part of the attribute's own hash. */
  readonly hash: number;
}

export const valueHash = (geo: Geometry, value: Uint8Array): number => crc32c(geo.csumSeed, value) >>> 0;

/** What a value outside adds to the space that its owner is said to use: whole clusters, shared or not. */
export function valueSectors({ blockSize, clusterBlocks }: Geometry, valueSize: number): number {
  const cluster = blockSize * clusterBlocks;
  return (Math.ceil(valueSize / cluster) * cluster) / 512;
}

/** This inode holds a value with this hash. */
export function rememberValue(mp: Mount<Ext2Mount>, { ino, hash }: StoredValue): void {
  const values = (mp.data.values ??= new Map());
  if (values.size >= REMEMBERED_MAX) values.clear();
  values.set(hash, ino);
}
