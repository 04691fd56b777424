/** Extended attributes, changed. Spec: "Extended Attributes". */
import { CorruptError } from '../../kern/errno.ts';
import { freeBlocks } from './alloc.ts';
import { setXattrBlockCsum, verifyXattrBlock } from './csum.ts';
import { XATTR_MAGIC, XattrHeader } from './format.ts';
import type { Inode } from './inode.ts';

/** The inode lets go of its attribute block, which others may still use. */
export function releaseAttributes(ip: Inode): void {
  const { mp, geo } = ip;
  const block = ip.fileAcl;
  if (block <= geo.firstDataBlock || block >= geo.blocks)
    throw new CorruptError('attribute block beyond the file system', { ino: ip.ino, block });
  const bp = mp.bufs.bread(block);
  let isShared: boolean;
  try {
    const header = XattrHeader.at(bp.data, 0);
    if (header.magic !== XATTR_MAGIC || !verifyXattrBlock(geo, block, bp.data))
      throw new CorruptError('attribute block', { ino: ip.ino, block });
    isShared = header.refcount > 1;
    if (isShared) {
      header.refcount -= 1;
      bp.seal = (data) => setXattrBlockCsum(geo, block, data);
      mp.bufs.markDirty(bp);
    }
  } finally {
    mp.bufs.brelse(bp);
  }
  if (isShared) ip.sectors -= geo.blockSize / 512;
  else freeBlocks(ip, { block, count: 1 });
  ip.fileAcl = 0;
}
