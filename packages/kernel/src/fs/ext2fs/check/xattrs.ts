/**
 * Extended attributes of an inode: the list in the inode, the attribute block (looked at once, counted for each inode that
 * refers to it), and references to inodes of values. Spec: "Extended Attributes".
 */
import { CorruptError, FsError } from '../../../kern/errno.ts';
import type { FsBlock, Ino } from '../../../kern/ids.ts';
import { getLe32 } from '../../../kern/struct.ts';
import { setXattrBlockCsum, verifyXattrBlock } from '../csum.ts';
import { COMPAT } from '../features.ts';
import { IFLAG, XATTR_MAGIC, XattrHeader, XattrIbodyHeader } from '../format.ts';
import type { Inode } from '../inode.ts';
import { hasCompat } from '../superblock.ts';
import { ibodyXattrStart } from '../xattr.ts';
import type { InodeCase } from './inode-case.ts';
import { KIND } from './inode-facts.ts';
import { loadRaw } from './raw-inode.ts';
import type { Check } from './state.ts';
import { checkXattrList, type FarValue } from './xattr-list.ts';

/** What the attributes add to the inode's count of blocks, and how many of their values have inodes of their own. */
export interface AttributeCost {
  readonly blocks: number;
  readonly values: number;
}

export function checkAttributes(found: InodeCase): AttributeCost {
  const { c, inode } = found;
  if (inode.fileAcl === 0 && !hasIbody(inode)) return NOTHING;
  let { blocks, values } = NOTHING;
  const add = (cost: AttributeCost): void => {
    blocks += cost.blocks;
    values += cost.values;
  };
  const start = ibodyXattrStart(inode);
  if (start !== undefined && getLe32(inode.raw, start) === XATTR_MAGIC) {
    const first = start + XattrIbodyHeader.size;
    try {
      add(
        countValues(c, checkXattrList({ ...areaOf(c), area: inode.raw, start: first, base: first, mayLackHash: true })),
      );
    } catch (e) {
      if (!(e instanceof CorruptError)) throw e;
      found.tell({ code: 'xattr', message: `${e.message}, in the inode` }, () => inode.raw.fill(0, start));
    }
  }
  const block = inode.fileAcl;
  if (block !== 0) add(checkBlock(found, block));
  return { blocks, values };
}

function hasIbody(inode: Inode): boolean {
  const start = ibodyXattrStart(inode);
  return start !== undefined && getLe32(inode.raw, start) === XATTR_MAGIC;
}

const areaOf = (c: Check): { readonly valueHash: (ino: Ino) => number | undefined } => ({
  valueHash: (ino) => valueHash(c, ino),
});

function valueHash(c: Check, ino: Ino): number | undefined {
  if (ino > c.geo.inodes || ino < c.geo.firstIno) return undefined;
  try {
    const inode = loadRaw(c, ino);
    return inode.hasFlag(IFLAG.EA_INODE) && inode.nlink > 0 ? inode.core.atime : undefined;
  } catch (e) {
    if (e instanceof FsError && e.code === 'EIO') return undefined;
    throw e;
  }
}

const NOTHING: AttributeCost = { blocks: 0, values: 0 };

function checkBlock(found: InodeCase, block: FsBlock): AttributeCost {
  const { c, inode } = found;
  const where = { block };
  const drop = (): void => void (inode.fileAcl = 0);
  if (!hasCompat(c.geo, COMPAT.EXT_ATTR)) {
    found.tell({ code: 'xattr-block', message: 'attribute block without the feature', where }, drop);
    return NOTHING;
  }
  if (!c.isOnDisk(block)) {
    // Nobody comes to the attributes of an inode that has no name.
    const severity = c.inodes.has(inode.ino, KIND.HIDDEN | KIND.EA_INODE) ? 'note' : 'error';
    found.tell({ code: 'xattr-block', severity, message: 'attribute block outside the file system', where }, drop);
    return NOTHING;
  }
  const known = c.attributeBlocks.get(block);
  if (known !== undefined) {
    c.attributeBlocks.set(block, { ...known, users: known.users + 1 });
    return known.cost;
  }
  let cost: AttributeCost = { blocks: c.geo.clusterBlocks, values: 0 };
  if (c.claims.claim(block, 1, { last: -1 }).taken >= 0) {
    found.tell({ code: 'block-shared', message: 'attribute block in use by something else as well', where }, drop);
    return NOTHING;
  }
  try {
    const more = countValues(c, checkBlockList(c, block));
    cost = { blocks: cost.blocks + more.blocks, values: more.values };
  } catch (e) {
    if (!(e instanceof CorruptError)) throw e;
    found.tell({ code: 'xattr-block', message: e.message, where }, drop);
  }
  c.attributeBlocks.set(block, { users: 1, cost });
  return cost;
}

function checkBlockList(c: Check, block: FsBlock): readonly FarValue[] {
  const bp = c.mp.bufs.bread(block);
  try {
    const { data } = bp;
    const header = XattrHeader.at(data, 0);
    if (header.magic !== XATTR_MAGIC || header.blocks !== 1)
      throw new CorruptError('attribute block without its header');
    if (!verifyXattrBlock(c.geo, block, data)) throw new CorruptError('attribute block checksum');
    return checkXattrList({ ...areaOf(c), area: data, start: XattrHeader.size, base: 0, mayLackHash: false });
  } finally {
    c.mp.bufs.brelse(bp);
  }
}

/** Blocks that values in inodes of their own add to the count of whoever has the attribute. */
function countValues(c: Check, values: readonly FarValue[]): AttributeCost {
  const { blockSize, clusterBlocks } = c.geo;
  let blocks = 0;
  for (const { ino, size } of values) {
    c.attributeInodes.set(ino, (c.attributeInodes.get(ino) ?? 0) + 1);
    blocks += Math.ceil(size / (blockSize * clusterBlocks)) * clusterBlocks;
  }
  return { blocks, values: values.length };
}

/** Once all inodes are known: does each attribute block count as many users as it has? */
export function checkAttributeBlocks(c: Check): void {
  for (const [block, { users }] of c.attributeBlocks) {
    c.pause();
    const bp = c.mp.bufs.bread(block);
    try {
      const { refcount } = XattrHeader.at(bp.data, 0);
      if (refcount === users) continue;
      const data = bp.data.slice();
      c.report(
        {
          code: 'xattr-refcount',
          repair: 'safe',
          message: `attribute block counts ${refcount} users and has ${users}`,
          where: { block },
        },
        () => {
          XattrHeader.at(data, 0).refcount = users;
          setXattrBlockCsum(c.geo, block, data);
          c.writeBlock(block, data);
        },
      );
    } finally {
      c.mp.bufs.brelse(bp);
    }
  }
}
