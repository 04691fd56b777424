/**
 * The resize inode, which keeps the room behind the descriptors: its one double-indirect block names the reserved blocks
 * of the primary table, and each of these the same block of every copy.
 */
import type { FsBlock } from '../../../kern/ids.ts';
import { getLe32 } from '../../../kern/struct.ts';
import { COMPAT } from '../features.ts';
import { I_BLOCK_OFFSET, I_BLOCK_SIZE, INO, NDIR_BLOCKS } from '../format.ts';
import type { Inode } from '../inode.ts';
import { groupHasSuper, hasCompat, superblockBlock } from '../superblock.ts';
import { storeRaw } from './inode-case.ts';
import type { Check } from './state.ts';
import { editSuper } from './super-edit.ts';

const DOUBLE_INDIRECT = NDIR_BLOCKS + 1;

export function checkResizeInode(c: Check, inode: Inode): void {
  const where = { ino: INO.RESIZE };
  const hasFeature = hasCompat(c.geo, COMPAT.RESIZE_INODE);
  const root = getLe32(inode.raw, I_BLOCK_OFFSET + DOUBLE_INDIRECT * 4);
  if (!hasFeature) {
    if (inode.block.some((byte) => byte !== 0)) {
      c.report({ code: 'resize-inode', message: 'resize inode with blocks, without the feature', where }, () => {
        inode.raw.fill(0);
        storeRaw(c, inode);
      });
    }
    return;
  }
  if (!isShaped(inode) || !c.isOnDisk(root)) {
    c.report({ code: 'resize-inode', message: 'resize inode that is none', where }, () => dropFeature(c, inode));
    return;
  }
  if (c.claims.claim(root, 1, { last: -1 }).taken >= 0) {
    const told = { code: 'block-shared', message: 'block in use by something else as well' };
    c.report({ ...told, where: { ...where, block: root } }, () => dropFeature(c, inode));
    return;
  }
  const wrong = wrongBlock(c, root);
  if (wrong >= 0) {
    const told = { code: 'resize-inode', message: 'resize inode that names other blocks' };
    c.report({ ...told, where: { ...where, block: wrong } }, () => dropFeature(c, inode));
  }
}

/** A regular file with a double-indirect block and nothing else. */
function isShaped(inode: Inode): boolean {
  if (inode.nlink === 0 || inode.type !== 'reg') return false;
  for (let at = 0; at < I_BLOCK_SIZE; at += 4) {
    if (at !== DOUBLE_INDIRECT * 4 && getLe32(inode.raw, I_BLOCK_OFFSET + at) !== 0) return false;
  }
  return true;
}

/** A block of the tree that names others than it should, or -1. */
function wrongBlock(c: Check, root: FsBlock): number {
  const { geo } = c;
  const perBlock = geo.blockSize / 4;
  const copies: number[] = [];
  for (let group = 1; group < geo.groups; group++) {
    if (groupHasSuper(geo, group)) copies.push(group * geo.blocksPerGroup);
  }
  const first = superblockBlock(geo) + 1 + geo.descBlocks;
  const table = readWhole(c, root);
  if (countPointers(table) !== geo.reservedGdtBlocks) return root;
  for (let i = 0; i < geo.reservedGdtBlocks; i++) {
    const block = first + i;
    if (getLe32(table, ((geo.descBlocks + i) % perBlock) * 4) !== block) return root;
    if (!c.isOnDisk(block)) return block;
    const named = readWhole(c, block);
    if (countPointers(named) !== Math.min(copies.length, perBlock)) return block;
    if (copies.some((copy, n) => n < perBlock && getLe32(named, n * 4) !== block + copy)) return block;
  }
  return -1;
}

function countPointers(table: Uint8Array): number {
  let count = 0;
  for (let at = 0; at < table.length; at += 4) if (getLe32(table, at) !== 0) count++;
  return count;
}

function readWhole(c: Check, block: FsBlock): Uint8Array {
  const data = new Uint8Array(c.geo.blockSize);
  c.device.read(data, block * c.geo.blockSize);
  return data;
}

/** Do without the room to grow: its blocks are free then. */
function dropFeature(c: Check, inode: Inode): void {
  inode.raw.fill(0);
  storeRaw(c, inode);
  editSuper(c.mp, (sb) => {
    sb.featureCompat &= ~COMPAT.RESIZE_INODE;
    sb.reservedGdtBlocks = 0;
  });
}
