/** A directory as a row of blocks: how many, and each with its checksum verified. What lies in them is dir.ts. */
import { CorruptError } from '../../kern/errno.ts';
import type { FileBlock } from '../../kern/ids.ts';
import { getLe32 } from '../../kern/struct.ts';
import type { Buf } from '../../vfs/buf.ts';
import { bmap } from './bmap.ts';
import { verifyDirLeaf, verifyDxNode } from './csum.ts';
import { recLenAt } from './dirblock.ts';
import { COMPAT } from './features.ts';
import { DX_NODE_ENTRIES, DX_ROOT_ENTRIES, IFLAG } from './format.ts';
import type { Inode } from './inode.ts';
import { hasCompat } from './superblock.ts';

export const isIndexed = (dir: Inode): boolean => dir.hasFlag(IFLAG.INDEX) && hasCompat(dir.geo, COMPAT.DIR_INDEX);

/** Blocks of a directory. CorruptError when it claims more than the disk has: every scan is bounded by that. */
export function dirBlocks(dir: Inode): number {
  const blocks = Math.ceil(dir.size / dir.geo.blockSize);
  if (blocks > dir.geo.blocks) throw new CorruptError('directory size', { ino: dir.ino });
  return blocks;
}

/** A directory block with its checksum verified, pinned; undefined where the directory has a hole. */
export function breadDirBlock(dir: Inode, fileBlock: FileBlock): Buf | undefined {
  const { block } = bmap(dir, fileBlock, 1);
  if (block === undefined) return undefined;
  const bp = dir.mp.bufs.bread(block);
  if (!bp.verified) {
    if (!verifyDirBlock(dir, bp.data, fileBlock)) {
      dir.mp.bufs.brelse(bp);
      throw new CorruptError('directory block checksum', { ino: dir.ino, block });
    }
    bp.verified = true;
  }
  return bp;
}

/** Index blocks carry another kind of checksum than leaves do. */
function verifyDirBlock(dir: Inode, data: Uint8Array, fileBlock: FileBlock): boolean {
  const { geo } = dir;
  if (!geo.metadataCsum) return true;
  if (isIndexed(dir)) {
    const isNode = getLe32(data, 0) === 0 && recLenAt(data, 0) === geo.blockSize;
    if (fileBlock === 0) return verifyDxNode(geo, dir.seed, { block: data, entriesAt: DX_ROOT_ENTRIES });
    if (isNode) return verifyDxNode(geo, dir.seed, { block: data, entriesAt: DX_NODE_ENTRIES });
  }
  return verifyDirLeaf(geo, dir.seed, data);
}
