/**
 * Group descriptors: are they sound, where do bitmaps and inode tables lie, and is that possible? Claims the fixed metadata.
 * Spec: "Block Group Descriptors".
 */
import type { FsBlock } from '../../../kern/ids.ts';
import { INCOMPAT } from '../features.ts';
import { BG } from '../format.ts';
import { breadGroupRaw, Group, groupChecksum } from '../group.ts';
import { headBlocks } from '../zones.ts';
import { descBlockLocation, groupBlocks, groupFirstBlock, groupHasSuper, hasIncompat } from '../superblock.ts';
import type { Check } from './state.ts';

export function checkGroups(c: Check): void {
  const { geo } = c;
  for (let group = 0; group < geo.groups; group++) claimHead(c, group);
  if (geo.mmpBlock > geo.firstDataBlock && geo.mmpBlock < geo.blocks) c.claims.claimFixed(geo.mmpBlock, 1);
  eachGroup(c, (group, g, sound) => {
    checkFlags(c, group, g);
    c.groups.flags[group] = sound && (geo.metadataCsum || geo.gdtCsum) ? g.flags : 0;
    checkPlaces(c, group, g);
  });
}

/** Look at every descriptor, one block of them after the other; `sound`: its checksum holds, or there are none. */
function eachGroup(c: Check, look: (group: number, g: Group, sound: boolean) => void): void {
  const { geo, mp } = c;
  const hasCsum = geo.metadataCsum || geo.gdtCsum;
  for (let index = 0; index < geo.descBlocks; index++) {
    c.pause();
    const block = descBlockLocation(geo, mp.data.sbOffset, index);
    if ((block + 1) * geo.blockSize > c.device.sizeBytes) {
      c.report({
        code: 'group-unreadable',
        message: 'group descriptors beyond the end of the image',
        where: { block },
      });
      continue;
    }
    const bp = mp.bufs.bread(block);
    try {
      const end = Math.min((index + 1) * geo.descPerBlock, geo.groups);
      for (let group = index * geo.descPerBlock; group < end; group++) {
        const at = (group % geo.descPerBlock) * geo.descSize;
        const g = new Group(bp.data, at, geo.descSize);
        const sound = !hasCsum || g.lo.checksum === groupChecksum(geo, group, bp.data, at);
        if (!sound) {
          c.report({ code: 'group-checksum', message: 'checksum of a group descriptor', where: { group } }, () =>
            lookAtAll(c, group),
          );
        }
        look(group, g, sound);
      }
    } finally {
      mp.bufs.brelse(bp);
    }
  }
}

/** Superblock and descriptors at the start of a group, or their copies. */
function claimHead(c: Check, group: number): void {
  const { geo } = c;
  const blocks = headBlocks(geo, group);
  const first = groupFirstBlock(geo, group);
  // Clusters of 1 KiB blocks begin at block 0, which lies before the superblock.
  const isShifted = group === 0 && geo.blockSize === 1024 && geo.firstDataBlock === 0;
  c.claims.claimFixed(first, Math.min(blocks + (isShifted ? 1 : 0), groupBlocks(geo, group)));
}

function checkFlags(c: Check, group: number, g: Group): void {
  const { geo } = c;
  const where = { group };
  if (!geo.metadataCsum && !geo.gdtCsum) {
    if ((g.flags & BG.INODE_UNINIT) !== 0 || g.itableUnused !== 0) {
      c.report({ code: 'group-uninit', message: 'group is marked as uninitialized without the feature', where }, () =>
        lookAtAll(c, group),
      );
    }
    return;
  }
  if (g.itableUnused > geo.inodesPerGroup) {
    c.report({ code: 'group-unused-inodes', message: `${g.itableUnused} unused inodes in a group`, where }, () =>
      lookAtAll(c, group),
    );
  }
  if (group === geo.groups - 1 && (g.flags & BG.BLOCK_UNINIT) !== 0) {
    c.report(
      { code: 'group-uninit', message: 'block bitmap of the last group is marked as uninitialized', where },
      () => lookAtAll(c, group),
    );
  }
}

function checkPlaces(c: Check, group: number, g: Group): void {
  const { geo, groups } = c;
  groups.blockBitmap[group] = place(c, group, { block: g.blockBitmap, count: 1, what: 'block bitmap' });
  groups.inodeBitmap[group] = place(c, group, { block: g.inodeBitmap, count: 1, what: 'inode bitmap' });
  groups.inodeTable[group] = place(c, group, { block: g.inodeTable, count: geo.inodeTableBlocks, what: 'inode table' });
  const unused = geo.metadataCsum || geo.gdtCsum ? Math.min(g.itableUnused, geo.inodesPerGroup) : 0;
  const isUninit = ((groups.flags[group] ?? 0) & BG.INODE_UNINIT) !== 0;
  groups.inodesInUse[group] = isUninit ? 0 : geo.inodesPerGroup - unused;
}

/** The block when fixed metadata can lie there, now claimed for it, or 0. */
function place(
  c: Check,
  group: number,
  at: { readonly block: FsBlock; readonly count: number; readonly what: string },
): FsBlock {
  const { geo } = c;
  const { block, count, what } = at;
  const isFlex = hasIncompat(geo, INCOMPAT.FLEX_BG);
  const first = isFlex ? geo.firstDataBlock : groupFirstBlock(geo, group);
  const end = isFlex ? geo.blocks : groupFirstBlock(geo, group) + groupBlocks(geo, group);
  const where = { group, block };
  if (block < first || block + count > end || !c.isOnDisk(block, count)) {
    const message = `${what} lies outside its group or the file system`;
    c.report({ code: 'group-place', message, where }, copyOf(c, group));
    return 0;
  }
  if (isTaken(c, block, count)) {
    c.report({ code: 'group-conflict', message: `${what} lies on other metadata`, where }, copyOf(c, group));
  }
  c.claims.claimFixed(block, count);
  return block;
}

/** Clusters may hold several structures; single blocks may not. */
function isTaken(c: Check, block: FsBlock, count: number): boolean {
  if (c.geo.clusterBlocks > 1) return false;
  const first = c.claims.clusterOf(block);
  return c.claims.fixed.findSet(first, first + count) >= 0;
}

/** Change a descriptor, whatever its checksum was; it is right afterwards. */
export function editGroup(c: Check, group: number, edit: (g: Group, raw: Uint8Array) => void): void {
  const { geo, mp } = c;
  const bp = breadGroupRaw(mp, group);
  try {
    const at = (group % geo.descPerBlock) * geo.descSize;
    const g = new Group(bp.data, at, geo.descSize);
    edit(g, bp.data.subarray(at, at + geo.descSize));
    if (geo.metadataCsum || geo.gdtCsum) g.lo.checksum = groupChecksum(geo, group, bp.data, at);
    c.device.write(bp.data, bp.block * geo.blockSize);
  } finally {
    mp.bufs.brelse(bp);
  }
}

/** Trust nothing that the group says of what was never used. */
export function lookAtAll(c: Check, group: number): void {
  editGroup(c, group, (g) => {
    g.flags &= ~(BG.INODE_UNINIT | BG.BLOCK_UNINIT);
    g.itableUnused = 0;
  });
}

/** A fix that takes the descriptor from the first copy whose is sound and another; undefined: there is none. */
function copyOf(c: Check, group: number): (() => void) | undefined {
  const { geo } = c;
  const index = Math.floor(group / geo.descPerBlock);
  if (index >= geo.firstMetaBg) return undefined;
  const at = (group % geo.descPerBlock) * geo.descSize;
  for (let holder = 1; holder < geo.groups; holder++) {
    if (!groupHasSuper(geo, holder)) continue;
    const block = groupFirstBlock(geo, holder) + 1 + index;
    if (!c.isOnDisk(block)) continue;
    const data = new Uint8Array(geo.blockSize);
    c.device.read(data, block * geo.blockSize);
    const copy = new Group(data, at, geo.descSize);
    const fits =
      c.isOnDisk(copy.blockBitmap) && c.isOnDisk(copy.inodeBitmap) && c.isOnDisk(copy.inodeTable, geo.inodeTableBlocks);
    if (!fits || !differs(c, group, copy)) continue;
    return () => {
      editGroup(c, group, (_, raw) => raw.set(data.subarray(at, at + geo.descSize)));
      lookAtAll(c, group);
    };
  }
  return undefined;
}

function differs(c: Check, group: number, copy: Group): boolean {
  const bp = breadGroupRaw(c.mp, group);
  try {
    const g = new Group(bp.data, (group % c.geo.descPerBlock) * c.geo.descSize, c.geo.descSize);
    return g.blockBitmap !== copy.blockBitmap || g.inodeBitmap !== copy.inodeBitmap || g.inodeTable !== copy.inodeTable;
  } finally {
    c.mp.bufs.brelse(bp);
  }
}
