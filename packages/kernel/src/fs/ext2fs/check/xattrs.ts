/**
 * Extended attributes of an inode: the list in the inode, the attribute block (looked at once, counted for each inode that
 * refers to it), and references to inodes of values. Spec: "Extended Attributes".
 */
import { CorruptError } from '../../../kern/errno.ts';
import type { FsBlock } from '../../../kern/ids.ts';
import { COMPAT } from '../features.ts';
import { XattrHeader } from '../format.ts';
import type { Inode } from '../inode.ts';
import { hasCompat } from '../superblock.ts';
import { blockXattrs, ibodyXattrs, type XattrRecord } from '../xattr.ts';
import type { Check } from './state.ts';

/** `blocks`: what the attributes add to the inode's count of blocks. */
export function checkAttributes(c: Check, inode: Inode): { readonly blocks: number } {
  const { ino } = inode;
  let blocks = 0;
  try {
    blocks += countValues(c, ibodyXattrs(inode));
  } catch (e) {
    if (!(e instanceof CorruptError)) throw e;
    c.report({ code: 'xattr', message: `${e.message} in the inode`, where: { ino } });
  }
  const block = inode.fileAcl;
  if (block !== 0) {
    blocks += checkBlock(c, inode, block);
  }
  return { blocks };
}

function checkBlock(c: Check, inode: Inode, block: FsBlock): number {
  const where = { ino: inode.ino, block };
  if (!hasCompat(c.geo, COMPAT.EXT_ATTR)) {
    c.report({ code: 'xattr-block', message: 'attribute block without the feature', where });
    return 0;
  }
  if (!c.isOnDisk(block)) {
    c.report({ code: 'xattr-block', message: 'attribute block outside the file system', where });
    return 0;
  }
  const known = c.attributeBlocks.get(block);
  if (known !== undefined) {
    c.attributeBlocks.set(block, { ...known, users: known.users + 1 });
    return known.cost;
  }
  let cost = c.geo.clusterBlocks;
  if (c.claims.claim(block, 1, { last: -1 }).taken >= 0) {
    c.report({ code: 'block-shared', message: 'attribute block in use by something else as well', where });
  }
  try {
    cost += countValues(c, blockXattrs(inode));
  } catch (e) {
    if (!(e instanceof CorruptError)) throw e;
    c.report({ code: 'xattr-block', message: e.message, where });
  }
  c.attributeBlocks.set(block, { users: 1, cost });
  return cost;
}

/** Blocks that values in inodes of their own add to the count of whoever has the attribute. */
function countValues(c: Check, records: readonly XattrRecord[]): number {
  const { blockSize, clusterBlocks } = c.geo;
  let blocks = 0;
  for (const { valueInum, valueSize } of records) {
    if (valueInum === 0) continue;
    c.attributeInodes.set(valueInum, (c.attributeInodes.get(valueInum) ?? 0) + 1);
    blocks += Math.ceil(valueSize / (blockSize * clusterBlocks)) * clusterBlocks;
  }
  return blocks;
}

/** Once all inodes are known: does each attribute block count as many users as it has? */
export function checkAttributeBlocks(c: Check): void {
  for (const [block, { users }] of c.attributeBlocks) {
    const bp = c.mp.bufs.bread(block);
    try {
      const { refcount } = XattrHeader.at(bp.data, 0);
      if (refcount === users) continue;
      c.report({
        code: 'xattr-refcount',
        message: `attribute block counts ${refcount} users and has ${users}`,
        where: { block },
      });
    } finally {
      c.mp.bufs.brelse(bp);
    }
  }
}
