/** Bitmaps and counters of the groups and the superblock against what was found in use. Spec: "Block and inode Bitmaps". */
import { countSet, findClear, findSet, setBit, setRange } from '../../../kern/bitmap.ts';
import { setBitmapCsum, verifyBitmap, type BitmapKind } from '../csum.ts';
import { BG, FT } from '../format.ts';
import { breadGroupRaw, Group } from '../group.ts';
import { groupBlocks, hasIncompat, withSuperblock } from '../superblock.ts';
import { INCOMPAT } from '../features.ts';
import { editGroup } from './groups.ts';
import { KIND } from './inode-facts.ts';
import type { Check } from './state.ts';

export function checkBitmaps(c: Check): void {
  let clusters = 0;
  let inodes = 0;
  const maps = { block: new Uint8Array(c.geo.blockSize), inode: new Uint8Array(c.geo.blockSize) };
  for (let group = 0; group < c.geo.groups; group++) {
    c.pause();
    const free = checkGroup(c, group, maps);
    clusters += free.blocks;
    inodes += free.inodes;
  }
  c.free = { clusters, inodes };
  checkSuperblock(c, c.free);
}

/** What a group should say, and whether anything is to be rewritten. */
interface GroupCase {
  readonly c: Check;
  readonly group: number;
  readonly maps: { readonly block: Uint8Array; readonly inode: Uint8Array };
  isWrong: boolean;
}

function checkGroup(
  c: Check,
  group: number,
  maps: GroupCase['maps'],
): { readonly blocks: number; readonly inodes: number } {
  const { geo } = c;
  const found: GroupCase = { c, group, maps, isWrong: false };
  const clusters = Math.ceil(groupBlocks(geo, group) / geo.clusterBlocks);
  maps.block.fill(0);
  c.claims.used.copyTo(maps.block.subarray(0, geo.clustersPerGroup / 8), group * geo.clustersPerGroup);
  const blocks = clusters - countSet(maps.block, 0, clusters);
  compare(found, { kind: 'block', expected: maps.block, bits: clusters });
  maps.inode.fill(0);
  const { usedInodes, directories } = markInodes(c, group, maps.inode);
  const inodes = geo.inodesPerGroup - usedInodes;
  compare(found, { kind: 'inode', expected: maps.inode, bits: geo.inodesPerGroup });
  const bp = breadGroupRaw(c.mp, group);
  try {
    const g = new Group(bp.data, (group % geo.descPerBlock) * geo.descSize, geo.descSize);
    counter(found, { code: 'group-free-blocks', what: 'free blocks', stored: g.freeBlocks, counted: blocks });
    counter(found, { code: 'group-free-inodes', what: 'free inodes', stored: g.freeInodes, counted: inodes });
    counter(found, { code: 'group-directories', what: 'directories', stored: g.usedDirs, counted: directories });
  } finally {
    c.mp.bufs.brelse(bp);
  }
  if (found.isWrong) rewrite(found, { clusters, blocks, inodes, directories });
  return { blocks, inodes };
}

/** A fix: everything of the group is made anew from what was found in use. */
const wrong = (found: GroupCase) => (): void => void (found.isWrong = true);

function rewrite(
  { c, group, maps }: GroupCase,
  now: { readonly clusters: number; readonly blocks: number; readonly inodes: number; readonly directories: number },
): void {
  const { geo, groups } = c;
  setRange(maps.block, now.clusters, maps.block.length * 8);
  setRange(maps.inode, geo.inodesPerGroup, maps.inode.length * 8);
  const blockBitmap = groups.blockBitmap[group] ?? 0;
  const inodeBitmap = groups.inodeBitmap[group] ?? 0;
  if (blockBitmap !== 0) c.writeBlock(blockBitmap, maps.block);
  if (inodeBitmap !== 0) c.writeBlock(inodeBitmap, maps.inode);
  editGroup(c, group, (g, desc) => {
    g.flags &= ~BG.BLOCK_UNINIT;
    if (now.inodes < geo.inodesPerGroup) g.flags &= ~BG.INODE_UNINIT;
    g.freeBlocks = now.blocks;
    g.freeInodes = now.inodes;
    g.usedDirs = now.directories;
    setBitmapCsum(geo, 'block', { map: maps.block, desc });
    setBitmapCsum(geo, 'inode', { map: maps.inode, desc });
  });
}

function counter(
  found: GroupCase,
  at: { readonly code: string; readonly what: string; readonly stored: number; readonly counted: number },
): void {
  const { code, what, stored, counted } = at;
  if (stored === counted) return;
  const message = `${what}: ${stored} are counted, ${counted} are there`;
  found.c.report({ code, message, where: { group: found.group }, repair: 'safe' }, wrong(found));
}

function markInodes(
  c: Check,
  group: number,
  map: Uint8Array,
): { readonly usedInodes: number; readonly directories: number } {
  let usedInodes = 0;
  let directories = 0;
  const kinds = c.inodes.kindsOf(group);
  if (kinds === undefined) return { usedInodes, directories };
  for (let i = 0; i < kinds.length; i++) {
    const kind = kinds[i] ?? 0;
    if (kind === 0) continue;
    setBit(map, i);
    usedInodes++;
    if ((kind & 0x0f) === FT.DIR && (kind & KIND.UNKNOWN) === 0) directories++;
  }
  return { usedInodes, directories };
}

function compare(
  found: GroupCase,
  at: { readonly kind: BitmapKind; readonly expected: Uint8Array; readonly bits: number },
): void {
  const { c, group } = found;
  const { kind, expected, bits } = at;
  const block = (kind === 'block' ? c.groups.blockBitmap : c.groups.inodeBitmap)[group] ?? 0;
  if (block === 0) return;
  const where = { group, block };
  const uninit = kind === 'block' ? BG.BLOCK_UNINIT : BG.INODE_UNINIT;
  if (((c.groups.flags[group] ?? 0) & uninit) !== 0) {
    if (kind === 'block') compareUninit(found, { expected, bits });
    else if (findSet(expected, 0, bits) >= 0) {
      const message = 'inodes in use in a group marked as uninitialized';
      c.report({ code: 'inode-bitmap', message, where, repair: 'safe' }, wrong(found));
    }
    return;
  }
  const bp = c.mp.bufs.bread(block);
  try {
    const map = bp.data;
    if (!isChecksumRight(c, group, { kind, map })) {
      const message = `checksum of the ${kind} bitmap`;
      c.report({ code: `${kind}-bitmap-checksum`, message, where, repair: 'safe' }, wrong(found));
    }
    difference(found, { kind, map, expected, bits, where });
    if (findClear(map, bits, map.length * 8) >= 0) {
      const message = `padding of the ${kind} bitmap is not set`;
      c.report({ code: `${kind}-bitmap-padding`, message, where, repair: 'safe' }, wrong(found));
    }
  } finally {
    c.mp.bufs.brelse(bp);
  }
}

function difference(
  found: GroupCase,
  at: {
    readonly kind: BitmapKind;
    readonly map: Uint8Array;
    readonly expected: Uint8Array;
    readonly bits: number;
    readonly where: { readonly group: number; readonly block: number };
  },
): void {
  const { kind, map, expected, bits, where } = at;
  let free = 0;
  let used = 0;
  for (let byte = 0; byte * 8 < bits; byte++) {
    const diff = (map[byte] ?? 0) ^ (expected[byte] ?? 0);
    if (diff === 0) continue;
    for (let bit = byte * 8; bit < Math.min(bits, byte * 8 + 8); bit++) {
      if ((diff & (1 << (bit & 7))) === 0) continue;
      if (((expected[byte] ?? 0) & (1 << (bit & 7))) !== 0) free++;
      else used++;
    }
  }
  if (free + used === 0) return;
  const message = `${kind} bitmap: ${free} in use are called free, ${used} free ones in use`;
  found.c.report({ code: `${kind}-bitmap`, message, where, repair: 'safe' }, wrong(found));
}

/** A bitmap that was never written stands for: fixed metadata only. */
function compareUninit(found: GroupCase, at: { readonly expected: Uint8Array; readonly bits: number }): void {
  const { c, group } = found;
  const fixed = new Uint8Array(at.expected.length);
  c.claims.fixed.copyTo(fixed.subarray(0, c.geo.clustersPerGroup / 8), group * c.geo.clustersPerGroup);
  if (countSet(fixed, 0, at.bits) === countSet(at.expected, 0, at.bits)) return;
  const message = 'blocks in use in a group marked as uninitialized';
  c.report({ code: 'block-bitmap', message, where: { group }, repair: 'safe' }, wrong(found));
}

function isChecksumRight(
  c: Check,
  group: number,
  at: { readonly kind: BitmapKind; readonly map: Uint8Array },
): boolean {
  const { geo } = c;
  const bp = breadGroupRaw(c.mp, group);
  try {
    const from = (group % geo.descPerBlock) * geo.descSize;
    return verifyBitmap(geo, at.kind, { map: at.map, desc: bp.data.subarray(from, from + geo.descSize) });
  } finally {
    c.mp.bufs.brelse(bp);
  }
}

/** Told once: not in a round that another one follows. */
function checkSuperblock(c: Check, free: { readonly clusters: number; readonly inodes: number }): void {
  if (c.changed) return;
  withSuperblock(c.mp, (sb) => {
    const high = hasIncompat(c.geo, INCOMPAT.BIT64) ? sb.freeBlocksCountHi * 0x1_0000_0000 : 0;
    const blocks = sb.freeBlocksCountLo + high;
    const counted = free.clusters * c.geo.clusterBlocks;
    if (blocks !== counted && blocks !== free.clusters) {
      c.report({
        code: 'super-free-blocks',
        severity: 'note',
        message: `free blocks: ${blocks} are counted, ${counted} are there`,
      });
    }
    if (sb.freeInodesCount !== free.inodes) {
      c.report({
        code: 'super-free-inodes',
        severity: 'note',
        message: `free inodes: ${sb.freeInodesCount} are counted, ${free.inodes} are there`,
      });
    }
  });
}
