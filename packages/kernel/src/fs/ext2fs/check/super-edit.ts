/** Repairs in the superblock, and of what goes with a feature that is given up. */
import type { Mount } from '../../../vfs/mount.ts';
import type { Ext2Mount } from '../ext2mount.ts';
import { COMPAT, RO_COMPAT } from '../features.ts';
import type { SuperblockView } from '../format.ts';
import { updateSuperblock } from '../superblock.ts';
import { storeRaw } from './inode-case.ts';
import { loadRaw } from './raw-inode.ts';
import type { Check } from './state.ts';

/** Change the superblock on the device; its checksum follows. */
export function editSuper(mp: Mount<Ext2Mount>, edit: (sb: SuperblockView) => void): void {
  updateSuperblock(mp, edit);
  mp.bufs.flush();
}

/** Do without the file of orphans. */
export function dropOrphanFile(c: Check): void {
  const ino = c.geo.orphanFileInum;
  editSuper(c.mp, (sb) => {
    sb.featureCompat &= ~COMPAT.ORPHAN_FILE;
    sb.featureRoCompat &= ~RO_COMPAT.ORPHAN_PRESENT;
    sb.orphanFileInum = 0;
  });
  if (ino < c.geo.firstIno || ino > c.geo.inodes) return;
  const inode = loadRaw(c, ino);
  inode.raw.fill(0);
  inode.dtime = Math.max(1, c.options.now().sec % 0x1_0000_0000);
  storeRaw(c, inode);
}
