/**
 * Attribute blocks that could be shared: which block has which list of attributes, by the list's hash, as far as this mount
 * wrote or read it. The kernel keeps the same kind of cache.
 *
 * What is remembered must be an attribute block still: whoever frees or rewrites one says so first. Spec: "Extended
 * Attributes".
 */
import type { FsBlock } from '../../kern/ids.ts';
import type { Mount } from '../../vfs/mount.ts';
import type { Ext2Mount } from './ext2mount.ts';
import { XATTR_MAGIC, XattrHeader } from './format.ts';

/** Inodes that may share one block (Linux EXT4_XATTR_REFCOUNT_MAX). */
const SHARERS_MAX = 1024;
const REMEMBERED_MAX = 4096;

/** The block's list has this hash now. A hash of 0 says that it is not to be shared. */
export function rememberBlock(mp: Mount<Ext2Mount>, block: FsBlock, hash: number): void {
  if (hash === 0 || mp.readOnly) return;
  const blocks = (mp.data.attributeBlocks ??= new Map());
  if (blocks.size >= REMEMBERED_MAX) blocks.clear();
  blocks.set(hash, block);
}

/** The block is about to be something else. `hash` is that of its list until now. */
export function forgetBlock(mp: Mount<Ext2Mount>, block: FsBlock, hash: number): void {
  if (mp.data.attributeBlocks?.get(hash) === block) mp.data.attributeBlocks.delete(hash);
}

/** A block that holds the same list as `wanted`, a whole block, and may have one more owner. */
export function findTwin(mp: Mount<Ext2Mount>, wanted: Uint8Array): FsBlock | undefined {
  const { hash } = XattrHeader.at(wanted, 0);
  const block = mp.data.attributeBlocks?.get(hash);
  if (block === undefined || hash === 0) return undefined;
  const bp = mp.bufs.bread(block);
  try {
    const header = XattrHeader.at(bp.data, 0);
    const mayShare = header.magic === XATTR_MAGIC && header.hash === hash && header.refcount < SHARERS_MAX;
    const isSame = (byte: number, i: number): boolean => byte === bp.data[XattrHeader.size + i];
    return mayShare && wanted.subarray(XattrHeader.size).every(isSame) ? block : undefined;
  } finally {
    mp.bufs.brelse(bp);
  }
}
