/** Bytes of an inode that has no vnode: attribute values, link targets, the journal, the orphan file. */
import { bmap } from './bmap.ts';
import type { Inode } from './inode.ts';

/** Fill `dst` from byte `offset` of the mapped data; holes are zeros. The caller has bounded the range by the size. */
export function readMapped(inode: Inode, dst: Uint8Array, offset: number): void {
  const { blockSize } = inode.geo;
  const end = offset + dst.length;
  for (let at = offset; at < end;) {
    const fileBlock = Math.floor(at / blockSize);
    const inBlock = at - fileBlock * blockSize;
    const run = bmap(inode, fileBlock, Math.ceil((inBlock + end - at) / blockSize));
    const stop = Math.min(end, at + run.count * blockSize - inBlock);
    const piece = dst.subarray(at - offset, stop - offset);
    if (run.block === undefined) piece.fill(0);
    else inode.mp.device.read(piece, run.block * blockSize + inBlock);
    at = stop;
  }
}
