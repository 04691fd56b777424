/**
 * Multi-mount protection: does another system say that it uses the image? Who says so is believed: whether the sequence still
 * goes on would take seconds to see. We write none: a transaction changes the image at its end, under the host's lock, and
 * leaves the block saying "clean". Spec: "Multiple Mount Protection".
 */
import { CorruptError, FsError } from '../../kern/errno.ts';
import type { Mount } from '../../vfs/mount.ts';
import { verifyMmp } from './csum.ts';
import type { Ext2Mount } from './ext2mount.ts';
import { INCOMPAT } from './features.ts';
import { MMP_MAGIC, MMP_SEQ, MmpBlock } from './format.ts';
import { hasIncompat } from './superblock.ts';
import { textField } from './variant.ts';

/** EBUSY, naming the holder, for a writer of an image in use; a reader gets a note. CorruptError for a writer. */
export function checkMmp(mp: Mount<Ext2Mount>): void {
  const { geo } = mp.data;
  if (!hasIncompat(geo, INCOMPAT.MMP)) return;
  const block = geo.mmpBlock;
  const problem = block <= geo.firstDataBlock || block >= geo.blocks ? 'number' : readMmp(mp, block);
  if (problem === undefined) return;
  if (typeof problem === 'string') {
    if (!mp.readOnly) throw new CorruptError(`multi-mount protection block: ${problem}`, { block });
    mp.notes.push(`the multi-mount protection block is damaged (${problem})`);
    return;
  }
  const what = `the image is in use, says its multi-mount protection block: ${problem.holder}`;
  if (!mp.readOnly) throw new FsError('EBUSY', { what: `${what} (if that is long gone: tune2fs -f -E clear_mmp)` });
  mp.notes.push(what);
}

function readMmp(mp: Mount<Ext2Mount>, block: number): string | { readonly holder: string } | undefined {
  const bp = mp.bufs.bread(block);
  try {
    const mmp = MmpBlock.at(bp.data, 0);
    if (mmp.magic !== MMP_MAGIC) return 'magic number';
    if (!verifyMmp(mp.data.geo, bp.data)) return 'checksum';
    if (mmp.seq === MMP_SEQ.CLEAN) return undefined;
    const node = textField(mmp.nodename);
    return { holder: mmp.seq === MMP_SEQ.FSCK ? `a check runs on ${node}` : `mounted on ${node}` };
  } finally {
    mp.bufs.brelse(bp);
  }
}
