/** Symbolic links: is the target as long as the size says, wherever it is kept? */
import { IFLAG, I_BLOCK_SIZE } from '../format.ts';
import { inlineRest } from '../inline.ts';
import type { InodeCase } from './inode-case.ts';
import type { MapFacts } from './inode-map.ts';

export function checkSymlink(
  found: InodeCase,
  { facts, isInline }: { readonly facts: MapFacts | undefined; readonly isInline: boolean },
): void {
  const { c, inode } = found;
  const { size } = inode;
  // Ciphertext: any byte may be zero.
  const isCipher = inode.hasFlag(IFLAG.ENCRYPT);
  const bad = (message: string): void => void found.tell({ code: 'symlink', message }, found.doom);
  if (size === 0) {
    bad('symbolic link without a target');
    return;
  }
  if (isInline) {
    const rest =
      size > I_BLOCK_SIZE ? (c.attempt('inline-data', { ino: inode.ino }, () => inlineRest(inode).length) ?? 0) : 0;
    const head = isCipher ? I_BLOCK_SIZE : targetLength(inode.block);
    if (size > I_BLOCK_SIZE ? head + rest < size : head < size) bad('length of the target');
    return;
  }
  if (facts === undefined) {
    if (inode.hasFlag(IFLAG.EXTENTS)) bad('target in the inode, and extents');
    else if (!isCipher && targetLength(inode.block) !== size) bad('length of the target');
    return;
  }
  if (facts.problems > 0) return;
  if (facts.first === 0 || facts.end !== 1 || size >= c.geo.blockSize) {
    bad(`target of ${size} bytes in ${facts.end} blocks`);
    return;
  }
  if (isCipher) return;
  const bp = c.mp.bufs.bread(facts.first);
  try {
    if (targetLength(bp.data) !== size) bad('length of the target');
  } finally {
    c.mp.bufs.brelse(bp);
  }
}

function targetLength(bytes: Uint8Array): number {
  const end = bytes.indexOf(0);
  return end < 0 ? bytes.length : end;
}
