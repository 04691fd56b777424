/**
 * Quota files of a new file system: a header, a tree of four levels that is indexed by the bytes of an id, and one block of
 * records for the owners of the root directory and lost+found. Format: Linux's vfsv1 ("quota format version 1"), blocks of
 * 1 KiB whatever the file system's.
 */
import { setLe32 } from '../../../kern/struct.ts';
import type { Ext2MkfsOptions } from './options.ts';
import {
  QUOTA_BLOCK_SIZE,
  QUOTA_LEVELS,
  QUOTA_MAGIC,
  QUOTA_ROOT,
  QUOTA_VERSION,
  QuotaEntry,
  QuotaHeader,
  QuotaInfo,
  QuotaLeaf,
} from '../quota-format.ts';

/** Seven days. */
const GRACE_SECONDS = 604800;

/** What an id has. */
export interface QuotaUse {
  readonly id: number;
  readonly inodes: number;
  /** Bytes. */
  readonly space: number;
}

export type QuotaKind = keyof typeof QUOTA_MAGIC;

/** Ids that own something in an empty file system of these options. */
const idsOf = (o: Ext2MkfsOptions, kind: QuotaKind): number[] => {
  const id = kind === 'user' ? o.rootOwner.uid : kind === 'group' ? o.rootOwner.gid : 0;
  return [...new Set([0, id])];
};

/** Bytes of a quota file. */
export const quotaSize = (o: Ext2MkfsOptions, kind: QuotaKind): number =>
  treeOf(idsOf(o, kind)).blocks * QUOTA_BLOCK_SIZE;

/** File blocks in the order in which they get their place; undefined: ascending. */
export function quotaBlockOrder(o: Ext2MkfsOptions, blocks: number): number[] | undefined {
  if (o.blockSize > QUOTA_BLOCK_SIZE || o.clusterBlocks > 1) return undefined;
  return [0, ...Array.from({ length: blocks - 2 }, (_, i) => i + 2), 1];
}

interface Tree {
  /** [block, index, where it leads]. */
  readonly pointers: readonly (readonly [number, number, number])[];
  readonly records: number;
  readonly blocks: number;
}

/** The root is block 1; each new one takes the next number. */
function treeOf(ids: readonly number[]): Tree {
  const nodes = new Map<string, number>();
  const pointers: (readonly [number, number, number])[] = [];
  let next = 2;
  let records = 0;
  for (const id of ids) {
    let at = QUOTA_ROOT;
    for (let level = QUOTA_LEVELS - 1; level >= 0; level--) {
      const index = Math.floor(id / 256 ** level) % 256;
      const key = `${level}:${Math.floor(id / 256 ** level)}`;
      let to = level === 0 && records > 0 ? records : nodes.get(key);
      if (to === undefined) {
        to = next++;
        nodes.set(key, to);
      } else if (level > 0) {
        at = to;
        continue;
      }
      pointers.push([at, index, to]);
      if (level === 0) records = to;
      at = to;
    }
  }
  return { pointers, records, blocks: next };
}

/** The file. `used` has what root and its like have; ids without anything have no record. */
export function quotaFileBytes(o: Ext2MkfsOptions, kind: QuotaKind, used: readonly QuotaUse[]): Uint8Array {
  const file = new Uint8Array(quotaSize(o, kind));
  const { pointers, records, blocks } = treeOf(used.map(({ id }) => id));
  const header = QuotaHeader.at(file, 0);
  header.magic = QUOTA_MAGIC[kind];
  header.version = QUOTA_VERSION;
  const info = QuotaInfo.at(file, QuotaHeader.size);
  info.blockGrace = GRACE_SECONDS;
  info.inodeGrace = GRACE_SECONDS;
  info.blocks = blocks;
  info.freeEntry = records;
  for (const [block, index, to] of pointers) setLe32(file, block * QUOTA_BLOCK_SIZE + 4 * index, to);
  QuotaLeaf.at(file, records * QUOTA_BLOCK_SIZE).entries = used.length;
  used.forEach(({ id, inodes, space }, i) => {
    const record = QuotaEntry.at(file, records * QUOTA_BLOCK_SIZE + QuotaLeaf.size + i * QuotaEntry.size);
    record.id = id;
    record.inodes = inodes;
    record.space = space;
  });
  return file;
}
