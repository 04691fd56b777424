/** An inode as it lies on the disk, whatever its state: the other readers refuse one that is damaged. */
import type { Ino } from '../../../kern/ids.ts';
import { Inode, inodeLocation } from '../inode.ts';
import type { Check } from './state.ts';

/** CorruptError: the group's inode table cannot be where it is said to be. */
export function loadRaw(c: Check, ino: Ino): Inode {
  const { block, offset, left } = inodeLocation(c.mp, ino);
  const bp = c.mp.bufs.bread(block, left);
  try {
    return new Inode(c.mp, ino, bp.data.slice(offset, offset + c.geo.inodeSize));
  } finally {
    c.mp.bufs.brelse(bp);
  }
}
