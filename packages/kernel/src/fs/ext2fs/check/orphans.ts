/**
 * Orphans: inodes on the list of the superblock or in the orphan file. They need no name, and are in use although they
 * may count no links. Spec: "Orphan file".
 */
import { FsError } from '../../../kern/errno.ts';
import { getLe32 } from '../../../kern/struct.ts';
import { bmap } from '../bmap.ts';
import { setOrphanBlockCsum, verifyOrphanBlock } from '../csum.ts';
import { RO_COMPAT } from '../features.ts';
import { ORPHAN_BLOCK_MAGIC, OrphanBlockTail } from '../format.ts';
import type { Inode } from '../inode.ts';
import { hasRoCompat, withSuperblock } from '../superblock.ts';
import { storeRaw } from './inode-case.ts';
import { loadRaw } from './raw-inode.ts';
import type { Check } from './state.ts';
import { dropOrphanFile, editSuper } from './super-edit.ts';

export function checkOrphans(c: Check): void {
  const { geo } = c;
  let waiting = 0;
  let ino = withSuperblock(c.mp, (sb) => sb.lastOrphan);
  while (ino !== 0) {
    if (ino < geo.firstIno || ino > geo.inodes || c.orphans.has(ino)) {
      // Who removes orphans stops there as well: nothing else is wrong because of it.
      c.report({ code: 'orphan-list', severity: 'note', message: 'orphan list that leads nowhere', where: { ino } });
      break;
    }
    const orphan = c.attempt('orphan-list', { ino }, () => loadRaw(c, ino));
    if (orphan === undefined || orphan.mode === 0) break;
    c.orphans.add(ino);
    if (orphan.nlink === 0) waiting++;
    ino = orphan.dtime;
  }
  const listed = c.orphans.size;
  if (geo.orphanFileInum !== 0) checkOrphanFile(c);
  const inFile = c.orphans.size - listed;
  const all = waiting + inFile;
  if (all === 0) return;
  c.report({ code: 'orphans', message: `${all} files wait to be removed or cut`, repair: 'safe' }, () => letGo(c));
}

/** Nobody waits for them any more: those without links are gone, and the bitmaps follow. */
function letGo(c: Check): void {
  for (const ino of c.orphans) {
    const inode = loadRaw(c, ino);
    if (inode.nlink > 0) inode.dtime = 0;
    else {
      inode.raw.fill(0);
      inode.dtime = Math.max(1, c.options.now().sec % 0x1_0000_0000);
    }
    storeRaw(c, inode);
  }
  if (c.geo.orphanFileInum !== 0) emptyOrphanFile(c);
  editSuper(c.mp, (sb) => {
    sb.lastOrphan = 0;
    sb.featureRoCompat &= ~RO_COMPAT.ORPHAN_PRESENT;
  });
}

/** Every block of it anew, without entries. */
function emptyOrphanFile(c: Check): void {
  const { geo } = c;
  const file = loadRaw(c, geo.orphanFileInum);
  const data = new Uint8Array(geo.blockSize);
  const blocks = Math.min(file.size / geo.blockSize, geo.blocks);
  for (let fileBlock = 0; fileBlock < blocks; fileBlock++) {
    const { block } = bmap(file, fileBlock, 1);
    if (block === undefined) return;
    data.fill(0);
    OrphanBlockTail.at(data, geo.blockSize - OrphanBlockTail.size).magic = ORPHAN_BLOCK_MAGIC;
    setOrphanBlockCsum(geo, file.seed, { fsBlock: block, block: data });
    c.writeBlock(block, data);
  }
}

function checkOrphanFile(c: Check): void {
  const ino = c.geo.orphanFileInum;
  const where = { ino };
  if (ino > c.geo.inodes || ino < c.geo.firstIno) {
    c.report({ code: 'orphan-file', message: 'number of the orphan file', where }, () => dropOrphanFile(c));
    return;
  }
  try {
    checkBlocks(c, loadRaw(c, ino));
  } catch (e) {
    if (!(e instanceof FsError)) throw e;
    c.report({ code: 'orphan-file', message: e.message, where }, () => dropOrphanFile(c));
  }
}

function checkBlocks(c: Check, file: Inode): void {
  const { geo } = c;
  const { ino } = file;
  const isPresent = hasRoCompat(geo, RO_COMPAT.ORPHAN_PRESENT);
  const bad = (message: string, block?: number): void =>
    void c.report({ code: 'orphan-file', message, where: { ino, ...(block === undefined ? {} : { block }) } }, () =>
      block === undefined ? dropOrphanFile(c) : emptyOrphanFile(c),
    );
  if (file.type !== 'reg' || file.nlink === 0 || file.size === 0 || file.size % geo.blockSize !== 0) {
    bad('orphan file that is none');
    return;
  }
  const blocks = Math.min(file.size / geo.blockSize, geo.blocks);
  const end = geo.blockSize - OrphanBlockTail.size;
  for (let fileBlock = 0; fileBlock < blocks; fileBlock++) {
    const { block } = bmap(file, fileBlock, 1);
    if (block === undefined) {
      bad(`orphan file with a hole at block ${fileBlock}`);
      return;
    }
    const bp = c.mp.bufs.bread(block);
    try {
      const { data } = bp;
      if (OrphanBlockTail.at(data, end).magic !== ORPHAN_BLOCK_MAGIC)
        bad('orphan block without its magic number', block);
      else if (!verifyOrphanBlock(geo, file.seed, { fsBlock: block, block: data })) bad('orphan block checksum', block);
      for (let at = 0; at < end; at += 4) noteEntry(c, getLe32(data, at), { isPresent, bad, block });
    } finally {
      c.mp.bufs.brelse(bp);
    }
  }
}

function noteEntry(
  c: Check,
  ino: number,
  at: { readonly isPresent: boolean; readonly bad: (message: string, block: number) => void; readonly block: number },
): void {
  if (ino === 0) return;
  if (!at.isPresent) at.bad(`orphan file names inode ${ino} though nothing is said to be in it`, at.block);
  else if (ino < c.geo.firstIno || ino > c.geo.inodes) at.bad(`orphan file names inode ${ino}`, at.block);
  else c.orphans.add(ino);
}
