/**
 * The plan of a new file system: from options and a size to every number and every place in it. Pure: the same input gives
 * the same plan, and nothing is written. write.ts carries it out.
 */
import type { Timespec } from '../../../kern/time.ts';
import { planFiles, type Ground, type SpecialFiles } from './files.ts';
import { firstBlockOf, endBlockOf, headOf, layTables, type Tables } from './layout.ts';
import type { Ext2MkfsOptions } from './options.ts';
import { hasGroupChecksums, shapeOf, type Shape } from './shape.ts';
import { Space } from './space.ts';
import { BG } from '../format.ts';

export interface MkfsPlan extends SpecialFiles {
  readonly o: Ext2MkfsOptions;
  readonly s: Shape;
  readonly now: Timespec;
  readonly tables: Tables;
  /** Everything that is taken, with bigalloc in whole clusters. */
  readonly space: Space;
  /** Clusters that files can never have: heads, tables, journal. */
  readonly overheadClusters: number;
  /** Clusters. */
  readonly freeClusters: number;
  readonly freeInodes: number;
  /** Highest inode in use. */
  readonly lastIno: number;
}

/** Errors: EINVAL: the size and the options do not go together. */
export function planMkfs(o: Ext2MkfsOptions, sizeBytes: number, now: Timespec): MkfsPlan {
  const s = shapeOf(o, sizeBytes);
  const space = new Space(s.firstDataBlock, s.blocks);
  const tables = layTables(o, s, space);
  space.useUnits(o.clusterBlocks);
  const ground: Ground = { o, s, tables, space };
  const fixed = s.firstDataBlock + space.taken(s.firstDataBlock, s.blocks);
  const special = planFiles(ground);
  const last = Math.max(...special.files.map(({ ino }) => ino));
  return {
    ...special,
    o,
    s,
    now,
    tables,
    space,
    overheadClusters: fixed + Math.ceil((special.journal?.blocks ?? 0) / o.clusterBlocks),
    freeClusters: Math.floor((s.blocks - s.firstDataBlock) / o.clusterBlocks) - space.taken(s.firstDataBlock, s.blocks),
    freeInodes: s.inodes - last,
    lastIno: last,
  };
}

/** What one group's descriptor says. */
export interface GroupPlan {
  readonly freeClusters: number;
  readonly freeInodes: number;
  readonly directories: number;
  readonly unusedInodes: number;
  readonly flags: number;
}

export function groupPlan(p: MkfsPlan, group: number, options: { readonly tablesZeroed: boolean }): GroupPlan {
  const { o, s, space } = p;
  const first = firstBlockOf(s, group);
  const end = endBlockOf(s, group);
  const freeClusters = Math.ceil((end - first) / o.clusterBlocks) - space.taken(first, end);
  const usedInodes = Math.min(Math.max(p.lastIno - group * s.inodesPerGroup, 0), s.inodesPerGroup);
  const checksums = hasGroupChecksums(o);
  let flags = options.tablesZeroed ? BG.INODE_ZEROED : 0;
  if (checksums) {
    if (usedInodes === 0) flags |= BG.INODE_UNINIT;
    if (group < s.groups - 1 && isUntouched(p, group)) flags |= BG.BLOCK_UNINIT;
  }
  return {
    freeClusters,
    freeInodes: s.inodesPerGroup - usedInodes,
    directories: directoriesIn(p, group),
    unusedInodes: checksums ? s.inodesPerGroup - usedInodes : 0,
    flags,
  };
}

/** Nothing is in the group but what its descriptor and number tell: its head, and without flex_bg its own tables. */
function isUntouched({ o, s, space, tables }: MkfsPlan, group: number): boolean {
  const first = firstBlockOf(s, group);
  const end = endBlockOf(s, group);
  const head = headOf(o, s, group);
  let own = Math.ceil((head.end - first) / o.clusterBlocks) * o.clusterBlocks;
  if (o.flexGroups === 1) {
    const inodeTable = tables.inodeTable[group] ?? 0;
    const low = Math.min(tables.blockBitmap[group] ?? 0, tables.inodeBitmap[group] ?? 0, inodeTable);
    if (low >= first && inodeTable < end && o.clusterBlocks === 1) own = head.end - first + 2 + s.inodeTableBlocks;
  }
  return space.taken(first, end) * o.clusterBlocks <= own;
}

const directoriesIn = ({ files, s }: MkfsPlan, group: number): number =>
  files.filter(({ mode, ino }) => (mode & 0o170000) === 0o40000 && Math.floor((ino - 1) / s.inodesPerGroup) === group)
    .length;
