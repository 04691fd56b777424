/** The blocks of a directory: reading one to change it, marking it changed with its kind of checksum, adding one at the end. */
import { CorruptError } from '../../kern/errno.ts';
import type { FileBlock } from '../../kern/ids.ts';
import type { Buf } from '../../vfs/buf.ts';
import { balloc } from './balloc.ts';
import { initDirTail, setDirLeafCsum, setDxNodeCsum } from './csum.ts';
import { breadDirBlock } from './dir-read.ts';
import { initRecords } from './dirblock.ts';
import { DirTail } from './format.ts';
import type { Inode } from './inode.ts';
import { refuseSystem, systemZones } from './zones.ts';

/** Where records end: in front of the checksum. */
export const recordsEnd = ({ geo }: Inode): number => geo.blockSize - (geo.metadataCsum ? DirTail.size : 0);

/** A block of the directory, verified and pinned. */
export function breadDir(dir: Inode, fileBlock: FileBlock): Buf {
  const bp = breadDirBlock(dir, fileBlock);
  if (bp === undefined) throw new CorruptError('hole in a directory', { ino: dir.ino });
  if (systemZones(dir.mp).overlaps(bp.block, 1)) {
    dir.mp.bufs.brelse(bp);
    refuseSystem(dir.mp, { block: bp.block, count: 1 }, dir.ino);
  }
  return bp;
}

/** A changed block of records: its checksum follows when it is staged. Stays pinned. */
export function leafChanged(dir: Inode, bp: Buf): void {
  bp.seal = dir.geo.metadataCsum ? (data) => setDirLeafCsum(dir.geo, dir.seed, data) : undefined;
  bp.verified = true;
  dir.mp.bufs.markDirty(bp);
}

/** The same for an index block. */
export function indexChanged(dir: Inode, bp: Buf, entriesAt: number): void {
  bp.seal = dir.geo.metadataCsum ? (block) => setDxNodeCsum(dir.geo, dir.seed, { block, entriesAt }) : undefined;
  bp.verified = true;
  dir.mp.bufs.markDirty(bp);
}

/** Another block at the directory's end, zero-filled and pinned. Errors: ENOSPC. */
export function appendDirBlock(dir: Inode): { readonly bp: Buf; readonly fileBlock: FileBlock } {
  const fileBlock = dir.size / dir.geo.blockSize;
  if (!Number.isInteger(fileBlock)) throw new CorruptError('directory size', { ino: dir.ino });
  const { block } = balloc(dir, fileBlock, 1);
  dir.size += dir.geo.blockSize;
  return { bp: dir.mp.bufs.newblk(block), fileBlock };
}

/** An empty block of records. */
export function initLeaf(dir: Inode, bp: Buf): void {
  initRecords(bp.data, 0, recordsEnd(dir));
  if (dir.geo.metadataCsum) initDirTail(bp.data);
  leafChanged(dir, bp);
}
