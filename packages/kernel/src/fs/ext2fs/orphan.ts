/**
 * Orphans: inodes without a name that could not be removed yet, and files whose truncation was cut short. On disk they are
 * a list that begins in the superblock and goes on through the inodes' deletion times, or entries of the orphan file.
 *
 * A writer clears what it finds when it mounts. What it leaves itself (files unlinked while open) is noted before each
 * commit, always as a list: every implementation that knows the orphan file reads that too. Spec: "Orphan file".
 */
import { CorruptError } from '../../kern/errno.ts';
import type { Ino } from '../../kern/ids.ts';
import { getLe32 } from '../../kern/struct.ts';
import type { Mount } from '../../vfs/mount.ts';
import type { VType } from '../../vfs/vattr.ts';
import { releaseAttributes } from './attrwrite.ts';
import { bfree } from './balloc.ts';
import { bmap } from './bmap.ts';
import { setOrphanBlockCsum, verifyOrphanBlock } from './csum.ts';
import type { Ext2Mount } from './ext2mount.ts';
import { RO_COMPAT } from './features.ts';
import { ORPHAN_BLOCK_MAGIC, OrphanBlockTail } from './format.ts';
import { isInline } from './inline.ts';
import { deleteInode, storeInode } from './inode-store.ts';
import { Inode, isFastSymlink, loadInode } from './inode.ts';
import { hasRoCompat, updateSuperblock, withSuperblock } from './superblock.ts';

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
  if (hasRoCompat(mp.data.geo, RO_COMPAT.ORPHAN_PRESENT)) {
    updateSuperblock(mp, (sb) => (sb.featureRoCompat &= ~RO_COMPAT.ORPHAN_PRESENT));
    mp.data.geo = Object.freeze({ ...mp.data.geo, roCompat: mp.data.geo.roCompat & ~RO_COMPAT.ORPHAN_PRESENT });
  }
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

/** The orphan file's entries, which are all zero afterwards. */
function emptyOrphanFile(mp: Mount<Ext2Mount>): Ino[] {
  const { geo } = mp.data;
  const found = new Set<Ino>();
  if (geo.orphanFileInum === 0 || !hasRoCompat(geo, RO_COMPAT.ORPHAN_PRESENT)) return [];
  const file = loadInode(mp, geo.orphanFileInum);
  const blocks = Math.min(Math.ceil(file.size / geo.blockSize), geo.blocks);
  for (let fileBlock = 0; fileBlock < blocks; fileBlock++) {
    const { block } = bmap(file, fileBlock, 1);
    if (block === undefined) throw new CorruptError('hole in the orphan file', { ino: file.ino });
    const bp = mp.bufs.bread(block);
    try {
      const end = geo.blockSize - OrphanBlockTail.size;
      const isSound =
        OrphanBlockTail.at(bp.data, end).magic === ORPHAN_BLOCK_MAGIC &&
        verifyOrphanBlock(geo, file.seed, { fsBlock: block, block: bp.data });
      if (!isSound) throw new CorruptError('orphan file block', { ino: file.ino, block });
      const before = found.size;
      for (let at = 0; at < end; at += 4) {
        const ino = getLe32(bp.data, at);
        if (ino === 0) continue;
        if (ino < geo.firstIno || ino > geo.inodes) throw new CorruptError('orphan file entry', { ino, block });
        found.add(ino);
      }
      if (found.size === before) continue;
      bp.data.fill(0, 0, end);
      bp.seal = (data) => setOrphanBlockCsum(geo, file.seed, { fsBlock: block, block: data });
      mp.bufs.markDirty(bp);
    } finally {
      mp.bufs.brelse(bp);
    }
  }
  return [...found];
}

/**
 * Before a commit: files that have no name but are still there go on the list, all others off it. They are open, or
 * freeing them failed when they were closed.
 */
export function noteOrphans(mp: Mount<Ext2Mount>): void {
  let next: Ino = 0;
  for (const { data } of mp.vnodes.values()) {
    if (!(data instanceof Inode) || data.nlink > 0) continue;
    if (data.dtime !== next) {
      data.dtime = next;
      storeInode(data);
    }
    next = data.ino;
  }
  if (withSuperblock(mp, (sb) => sb.lastOrphan) !== next) updateSuperblock(mp, (sb) => (sb.lastOrphan = next));
}
