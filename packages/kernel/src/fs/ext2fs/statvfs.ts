/** Space of a mounted file system, counted as Linux's statfs(2) does: blocks that only hold structure are not offered. */
import type { Mount } from '../../vfs/mount.ts';
import type { Statvfs } from '../../vfs/vfsops.ts';
import type { Ext2Mount } from './ext2mount.ts';
import { COMPAT, INCOMPAT, RO_COMPAT } from './features.ts';
import { countFree } from './group.ts';
import { loadInode } from './inode.ts';
import { groupHasSuper, hasCompat, hasIncompat, hasRoCompat, withSuperblock, type Geometry } from './superblock.ts';

const NAME_MAX = 255;
/** Linux keeps up to this many clusters, or a fiftieth, back for delayed allocation. */
const RESERVED_CLUSTERS = 4096;
const RESERVED_PART = 50;

/** Blocks of the descriptor table that lie in a group. */
function groupDescBlocks(geo: Geometry, group: number): number {
  const metaGroup = Math.floor(group / geo.descPerBlock);
  if (!hasIncompat(geo, INCOMPAT.META_BG)) return groupHasSuper(geo, group) ? geo.descBlocks : 0;
  if (metaGroup < geo.firstMetaBg) return groupHasSuper(geo, group) ? geo.firstMetaBg : 0;
  const first = metaGroup * geo.descPerBlock;
  return group === first || group === first + 1 || group === first + geo.descPerBlock - 1 ? 1 : 0;
}

/** Clusters of superblocks, descriptors, bitmaps, inode tables and the journal. */
function overheadClusters(mp: Mount<Ext2Mount>): number {
  const { geo } = mp.data;
  const totalClusters = Math.ceil(geo.blocks / geo.clusterBlocks);
  if (hasRoCompat(geo, RO_COMPAT.BIGALLOC)) {
    // Structures share clusters; whoever made the image counted them.
    const noted = withSuperblock(mp, (sb) => sb.overheadBlocks);
    if (noted !== 0 && noted <= totalClusters) return noted;
  }
  let blocks = geo.firstDataBlock;
  for (let group = 0; group < geo.groups; group++) {
    const copy = groupHasSuper(geo, group) ? 1 + geo.reservedGdtBlocks : 0;
    blocks += copy + groupDescBlocks(geo, group) + geo.inodeTableBlocks + 2;
  }
  if (hasCompat(geo, COMPAT.HAS_JOURNAL) && geo.journalInum !== 0) {
    blocks += Math.floor(loadInode(mp, geo.journalInum, { unlinked: true }).size / geo.blockSize);
  }
  return Math.min(Math.ceil(blocks / geo.clusterBlocks), totalClusters);
}

export function statvfs(mp: Mount<Ext2Mount>): Statvfs {
  const { geo } = mp.data;
  const free = countFree(mp);
  const freeBlocks = free.clusters * geo.clusterBlocks;
  const forRoot = withSuperblock(
    mp,
    (sb) => sb.rBlocksCountLo + (hasIncompat(geo, INCOMPAT.BIT64) ? sb.rBlocksCountHi * 0x1_0000_0000 : 0),
  );
  const clusters = Math.floor(geo.blocks / geo.clusterBlocks);
  const kept = hasIncompat(geo, INCOMPAT.EXTENTS)
    ? Math.min(Math.floor(clusters / RESERVED_PART), RESERVED_CLUSTERS)
    : 0;
  return {
    fstypename: mp.type.name,
    blockSize: geo.blockSize,
    fragmentSize: geo.blockSize,
    blocks: geo.blocks - overheadClusters(mp) * geo.clusterBlocks,
    freeBlocks,
    availBlocks: Math.max(0, freeBlocks - forRoot - kept * geo.clusterBlocks),
    files: geo.inodes,
    freeFiles: free.inodes,
    nameMax: NAME_MAX,
    readOnly: mp.readOnly,
    mountedOn: mp.on,
    mountedFrom: mp.from,
  };
}
