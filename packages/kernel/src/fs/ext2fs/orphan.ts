/**
 * Orphans: inodes without a name that could not be removed yet, and files whose truncation was cut short. On disk they are
 * a list that begins in the superblock and goes on through the inodes' deletion times, or entries of the orphan file.
 *
 * A writer clears what it finds when it mounts. What it leaves itself (files unlinked while open) is noted before each
 * commit: in the orphan file (orphan-file.ts) where there is one, and what does not fit there in the list.
 */
import { CorruptError } from '../../kern/errno.ts';
import type { Ino } from '../../kern/ids.ts';
import type { Mount } from '../../vfs/mount.ts';
import type { VType } from '../../vfs/vattr.ts';
import { releaseAttributes } from './attrwrite.ts';
import { bfree } from './balloc.ts';
import type { Ext2Mount } from './ext2mount.ts';
import { isInline } from './inline.ts';
import { deleteInode, storeInode } from './inode-store.ts';
import { Inode, isFastSymlink, loadInode } from './inode.ts';
import { emptyOrphanFile, fillOrphanFile } from './orphan-file.ts';
import { updateSuperblock, withSuperblock } from './superblock.ts';

const NO_END = Number.MAX_SAFE_INTEGER;

/** The last name and the last user are gone: free the file's blocks, its attributes and its inode. */
export function destroyFile(ip: Inode, type: VType | undefined): void {
  const hasMap = type === 'reg' || type === 'dir' || (type === 'lnk' && !isFastSymlink(ip));
  if (hasMap && !isInline(ip)) bfree(ip, { from: 0, to: NO_END });
  releaseAttributes(ip);
  deleteInode(ip, { isDirectory: type === 'dir' });
}

/** Remove every orphan that the last user left; how many. Errors: CorruptError. */
export function clearOrphans(mp: Mount<Ext2Mount>): number {
  const listed = listOrphans(mp);
  const filed = emptyOrphanFile(mp);
  for (const ino of [...listed, ...filed]) {
    const ip = loadInode(mp, ino, { unlinked: true });
    if (ip.nlink === 0) destroyFile(ip, ip.type);
    else {
      // A truncation that did not get to its end.
      if (ip.type === 'reg' && !isInline(ip)) bfree(ip, { from: Math.ceil(ip.size / ip.geo.blockSize), to: NO_END });
      ip.dtime = 0;
      storeInode(ip);
    }
  }
  if (listed.length > 0) updateSuperblock(mp, (sb) => (sb.lastOrphan = 0));
  return listed.length + filed.length;
}

/** The list of the superblock, newest first. */
function listOrphans(mp: Mount<Ext2Mount>): Ino[] {
  const { geo } = mp.data;
  const found = new Set<Ino>();
  for (let ino = withSuperblock(mp, (sb) => sb.lastOrphan); ino !== 0;) {
    if (ino < geo.firstIno || ino > geo.inodes || found.has(ino)) throw new CorruptError('orphan list', { ino });
    found.add(ino);
    ino = loadInode(mp, ino, { unlinked: true }).dtime;
  }
  return [...found];
}

/**
 * Before a commit: files that have no name but are still there are noted, all others not any more. They are open, or
 * freeing them failed when they were closed. CorruptError.
 */
export function noteOrphans(mp: Mount<Ext2Mount>): void {
  const orphans = new Map<Ino, Inode>();
  for (const { data } of mp.vnodes.values()) {
    if (data instanceof Inode && data.nlink === 0) orphans.set(data.ino, data);
  }
  const listed = new Set(fillOrphanFile(mp, [...orphans.keys()]));
  let next: Ino = 0;
  for (const [ino, ip] of orphans) {
    const dtime = listed.has(ino) ? next : 0;
    if (ip.dtime !== dtime) {
      ip.dtime = dtime;
      storeInode(ip);
    }
    if (listed.has(ino)) next = ino;
  }
  if (withSuperblock(mp, (sb) => sb.lastOrphan) !== next) updateSuperblock(mp, (sb) => (sb.lastOrphan = next));
}
