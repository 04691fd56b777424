/**
 * The orphan file (feature orphan_file): blocks of inode numbers, 0 for none, in place of the list through the inodes. It
 * counts only while the superblock says orphan_present. What becomes of orphans is orphan.ts. Spec: "Orphan file".
 */
import { CorruptError } from '../../kern/errno.ts';
import type { Ino } from '../../kern/ids.ts';
import { getLe32, setLe32 } from '../../kern/struct.ts';
import type { Buf } from '../../vfs/buf.ts';
import type { Mount } from '../../vfs/mount.ts';
import { bmap } from './bmap.ts';
import { setOrphanBlockCsum, verifyOrphanBlock } from './csum.ts';
import type { Ext2Mount } from './ext2mount.ts';
import { RO_COMPAT } from './features.ts';
import { ORPHAN_BLOCK_MAGIC, OrphanBlockTail } from './format.ts';
import { loadInode } from './inode.ts';
import { hasRoCompat, updateSuperblock } from './superblock.ts';

const ENTRY = 4;

const isPresent = (mp: Mount<Ext2Mount>): boolean => hasRoCompat(mp.data.geo, RO_COMPAT.ORPHAN_PRESENT);

function setPresent(mp: Mount<Ext2Mount>, present: boolean): void {
  if (isPresent(mp) === present) return;
  const change = (bits: number): number =>
    (present ? bits | RO_COMPAT.ORPHAN_PRESENT : bits & ~RO_COMPAT.ORPHAN_PRESENT) >>> 0;
  updateSuperblock(mp, (sb) => (sb.featureRoCompat = change(sb.featureRoCompat)));
  mp.data.geo = Object.freeze({ ...mp.data.geo, roCompat: change(mp.data.geo.roCompat) });
}

/** A verified block of the file; `changed` seals it. */
interface OrphanBlock {
  readonly bp: Buf;
  /** Where entries end. */
  readonly end: number;
  changed(): void;
}

/** Every block in order. CorruptError. */
function eachBlock(mp: Mount<Ext2Mount>, visit: (block: OrphanBlock) => void): void {
  const { geo } = mp.data;
  const file = loadInode(mp, geo.orphanFileInum);
  const blocks = Math.min(Math.ceil(file.size / geo.blockSize), geo.blocks);
  const end = geo.blockSize - OrphanBlockTail.size;
  for (let fileBlock = 0; fileBlock < blocks; fileBlock++) {
    const { block } = bmap(file, fileBlock, 1);
    if (block === undefined) throw new CorruptError('hole in the orphan file', { ino: file.ino });
    const bp = mp.bufs.bread(block);
    try {
      const isSound =
        OrphanBlockTail.at(bp.data, end).magic === ORPHAN_BLOCK_MAGIC &&
        (bp.verified || verifyOrphanBlock(geo, file.seed, { fsBlock: block, block: bp.data }));
      if (!isSound) throw new CorruptError('orphan file block', { ino: file.ino, block });
      bp.verified = true;
      const changed = (): void => {
        bp.seal = (data) => setOrphanBlockCsum(geo, file.seed, { fsBlock: block, block: data });
        mp.bufs.markDirty(bp);
      };
      visit({ bp, end, changed });
    } finally {
      mp.bufs.brelse(bp);
    }
  }
}

/** The file's entries, which are all zero afterwards. CorruptError. */
export function emptyOrphanFile(mp: Mount<Ext2Mount>): Ino[] {
  const { geo } = mp.data;
  const found = new Set<Ino>();
  if (geo.orphanFileInum !== 0 && isPresent(mp)) {
    eachBlock(mp, ({ bp, end, changed }) => {
      const before = found.size;
      for (let at = 0; at < end; at += ENTRY) {
        const ino = getLe32(bp.data, at);
        if (ino === 0) continue;
        if (ino < geo.firstIno || ino > geo.inodes)
          throw new CorruptError('orphan file entry', { ino, block: bp.block });
        found.add(ino);
      }
      if (found.size === before) return;
      bp.data.fill(0, 0, end);
      changed();
    });
  }
  setPresent(mp, false);
  return [...found];
}

/** Make these the file's entries, as far as they fit; those that do not. All of them without the feature. CorruptError. */
export function fillOrphanFile(mp: Mount<Ext2Mount>, orphans: readonly Ino[]): readonly Ino[] {
  if (mp.data.geo.orphanFileInum === 0) return orphans;
  if (orphans.length === 0 && !isPresent(mp)) return orphans;
  let next = 0;
  eachBlock(mp, ({ bp, end, changed }) => {
    let isChanged = false;
    for (let at = 0; at < end; at += ENTRY) {
      const ino = orphans[next++] ?? 0;
      if (getLe32(bp.data, at) === ino) continue;
      setLe32(bp.data, at, ino);
      isChanged = true;
    }
    if (isChanged) changed();
  });
  setPresent(mp, orphans.length > 0);
  return orphans.slice(next);
}
