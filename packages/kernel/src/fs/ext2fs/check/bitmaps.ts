/** Bitmaps and counters of the groups and the superblock against what was found in use. Spec: "Block and inode Bitmaps". */
import { countSet, findClear, findSet, setBit } from '../../../kern/bitmap.ts';
import { verifyBitmap, type BitmapKind } from '../csum.ts';
import { BG, FT } from '../format.ts';
import { breadGroupRaw, Group } from '../group.ts';
import { groupBlocks, hasIncompat, withSuperblock } from '../superblock.ts';
import { INCOMPAT } from '../features.ts';
import { KIND } from './inode-facts.ts';
import type { Check } from './state.ts';

interface Totals {
  freeClusters: number;
  freeInodes: number;
}

export function checkBitmaps(c: Check): void {
  const totals: Totals = { freeClusters: 0, freeInodes: 0 };
  const expected = new Uint8Array(c.geo.blockSize);
  for (let group = 0; group < c.geo.groups; group++) {
    checkGroup(c, group, { expected, totals });
  }
  checkSuperblock(c, totals);
}

function checkGroup(c: Check, group: number, at: { readonly expected: Uint8Array; readonly totals: Totals }): void {
  const { geo } = c;
  const { expected, totals } = at;
  const clusters = Math.ceil(groupBlocks(geo, group) / geo.clusterBlocks);
  expected.fill(0);
  c.claims.used.copyTo(expected.subarray(0, geo.clustersPerGroup / 8), group * geo.clustersPerGroup);
  const usedClusters = countSet(expected, 0, clusters);
  compare(c, group, { kind: 'block', expected, bits: clusters });
  expected.fill(0);
  const { usedInodes, directories } = markInodes(c, group, expected);
  compare(c, group, { kind: 'inode', expected, bits: geo.inodesPerGroup });
  const bp = breadGroupRaw(c.mp, group);
  try {
    const g = new Group(bp.data, (group % geo.descPerBlock) * geo.descSize, geo.descSize);
    counter(c, group, {
      code: 'group-free-blocks',
      what: 'free blocks',
      stored: g.freeBlocks,
      counted: clusters - usedClusters,
    });
    counter(c, group, {
      code: 'group-free-inodes',
      what: 'free inodes',
      stored: g.freeInodes,
      counted: geo.inodesPerGroup - usedInodes,
    });
    counter(c, group, { code: 'group-directories', what: 'directories', stored: g.usedDirs, counted: directories });
  } finally {
    c.mp.bufs.brelse(bp);
  }
  totals.freeClusters += clusters - usedClusters;
  totals.freeInodes += geo.inodesPerGroup - usedInodes;
}

function counter(
  c: Check,
  group: number,
  at: { readonly code: string; readonly what: string; readonly stored: number; readonly counted: number },
): void {
  const { code, what, stored, counted } = at;
  if (stored === counted) return;
  c.report({ code, message: `${what}: ${stored} are counted, ${counted} are there`, where: { group } });
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
  for (const [i, kind] of kinds.entries()) {
    if (kind === 0) continue;
    setBit(map, i);
    usedInodes++;
    if ((kind & 0x0f) === FT.DIR && (kind & KIND.UNKNOWN) === 0) directories++;
  }
  return { usedInodes, directories };
}

function compare(
  c: Check,
  group: number,
  at: { readonly kind: BitmapKind; readonly expected: Uint8Array; readonly bits: number },
): void {
  const { kind, expected, bits } = at;
  const block = (kind === 'block' ? c.groups.blockBitmap : c.groups.inodeBitmap)[group] ?? 0;
  if (block === 0) return;
  const where = { group, block };
  const uninit = kind === 'block' ? BG.BLOCK_UNINIT : BG.INODE_UNINIT;
  if (((c.groups.flags[group] ?? 0) & uninit) !== 0) {
    if (kind === 'block') compareUninit(c, group, { expected, bits });
    else if (findSet(expected, 0, bits) >= 0) {
      c.report({ code: 'inode-bitmap', message: 'inodes in use in a group marked as uninitialized', where });
    }
    return;
  }
  const bp = c.mp.bufs.bread(block);
  try {
    const map = bp.data;
    if (!isChecksumRight(c, group, { kind, map })) {
      c.report({ code: `${kind}-bitmap-checksum`, message: `checksum of the ${kind} bitmap`, where });
    }
    difference(c, { kind, map, expected, bits, where });
    if (findClear(map, bits, map.length * 8) >= 0) {
      c.report({ code: `${kind}-bitmap-padding`, message: `padding of the ${kind} bitmap is not set`, where });
    }
  } finally {
    c.mp.bufs.brelse(bp);
  }
}

function difference(
  c: Check,
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
  c.report({ code: `${kind}-bitmap`, message, where });
}

/** A bitmap that was never written stands for: fixed metadata only. */
function compareUninit(c: Check, group: number, at: { readonly expected: Uint8Array; readonly bits: number }): void {
  const fixed = new Uint8Array(at.expected.length);
  c.claims.fixed.copyTo(fixed.subarray(0, c.geo.clustersPerGroup / 8), group * c.geo.clustersPerGroup);
  if (countSet(fixed, 0, at.bits) === countSet(at.expected, 0, at.bits)) return;
  c.report({ code: 'block-bitmap', message: 'blocks in use in a group marked as uninitialized', where: { group } });
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

function checkSuperblock(c: Check, { freeClusters, freeInodes }: Totals): void {
  withSuperblock(c.mp, (sb) => {
    const high = hasIncompat(c.geo, INCOMPAT.BIT64) ? sb.freeBlocksCountHi * 0x1_0000_0000 : 0;
    const blocks = sb.freeBlocksCountLo + high;
    const counted = freeClusters * c.geo.clusterBlocks;
    if (blocks !== counted && blocks !== freeClusters) {
      c.report({
        code: 'super-free-blocks',
        severity: 'note',
        message: `free blocks: ${blocks} are counted, ${freeClusters} are there`,
      });
    }
    if (sb.freeInodesCount !== freeInodes) {
      c.report({
        code: 'super-free-inodes',
        severity: 'note',
        message: `free inodes: ${sb.freeInodesCount} are counted, ${freeInodes} are there`,
      });
    }
  });
}
