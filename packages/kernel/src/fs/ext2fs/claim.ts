/** Marking blocks and inodes used whose place is given, used already or not: for replays, which know where things went. */
import { findClear, findSet, setBit, setRange, testBit } from '../../kern/bitmap.ts';
import { CorruptError } from '../../kern/errno.ts';
import type { FsBlock, Ino } from '../../kern/ids.ts';
import type { Mount } from '../../vfs/mount.ts';
import type { Ext2Mount } from './ext2mount.ts';
import { countFree } from './group.ts';
import { bitmapChanged, breadBitmap } from './groupmap.ts';
import { groupOfIno } from './inode.ts';
import { groupBlocks, groupFirstBlock, updateSuperblock } from './superblock.ts';

/** CorruptError beyond the file system, or with clusters (whose replays we do not do). */
export function claimBlocks(mp: Mount<Ext2Mount>, run: { readonly block: FsBlock; readonly count: number }): void {
  const { geo } = mp.data;
  if (run.block <= geo.firstDataBlock || run.block + run.count > geo.blocks) {
    throw new CorruptError('block beyond the file system', { block: run.block });
  }
  for (let block = run.block; block < run.block + run.count;) {
    const group = Math.floor((block - geo.firstDataBlock) / geo.blocksPerGroup);
    const first = groupFirstBlock(geo, group);
    const end = Math.min(run.block + run.count, first + groupBlocks(geo, group));
    claimInGroup(mp, group, { from: block - first, to: end - first });
    block = end;
  }
}

function claimInGroup(mp: Mount<Ext2Mount>, group: number, { from, to }: { from: number; to: number }): void {
  const bp = breadBitmap(mp, group, 'block');
  try {
    let count = 0;
    for (let bit = findClear(bp.data, from, to); bit >= 0 && bit < to; bit = findClear(bp.data, bit, to)) {
      const set = findSet(bp.data, bit, to);
      const end = set < 0 ? to : Math.min(set, to);
      setRange(bp.data, bit, end);
      count += end - bit;
      bit = end;
      if (bit >= to) break;
    }
    if (count > 0)
      bitmapChanged(mp, group, { kind: 'block', bp, count: (g) => (g.freeBlocks -= Math.min(count, g.freeBlocks)) });
  } finally {
    mp.bufs.brelse(bp);
  }
}

/** Was the inode free until now? */
export function claimInode(mp: Mount<Ext2Mount>, ino: Ino, options: { readonly isDirectory: boolean }): boolean {
  const { geo } = mp.data;
  if (!(ino >= 1 && ino <= geo.inodes)) throw new CorruptError('inode number', { ino });
  const group = groupOfIno(geo, ino);
  const bit = ino - 1 - group * geo.inodesPerGroup;
  const bp = breadBitmap(mp, group, 'inode');
  try {
    if (testBit(bp.data, bit)) return false;
    setBit(bp.data, bit);
    bitmapChanged(mp, group, {
      kind: 'inode',
      bp,
      count: (g) => {
        g.freeInodes -= Math.min(1, g.freeInodes);
        if (options.isDirectory) g.usedDirs += 1;
        if (geo.metadataCsum || geo.gdtCsum) g.itableUnused = Math.min(g.itableUnused, geo.inodesPerGroup - bit - 1);
      },
    });
    return true;
  } finally {
    mp.bufs.brelse(bp);
  }
}

/** The superblock's counts of what is free, summed anew: the kernel does not keep them in the journal. */
export function recountFree(mp: Mount<Ext2Mount>): void {
  const free = countFree(mp);
  const blocks = free.clusters * mp.data.geo.clusterBlocks;
  updateSuperblock(mp, (sb) => {
    sb.freeBlocksCountLo = blocks % 0x1_0000_0000;
    if (blocks >= 0x1_0000_0000) sb.freeBlocksCountHi = Math.floor(blocks / 0x1_0000_0000);
    else if (sb.freeBlocksCountHi !== 0) sb.freeBlocksCountHi = 0;
    sb.freeInodesCount = free.inodes;
  });
}
