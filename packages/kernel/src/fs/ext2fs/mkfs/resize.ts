/**
 * The map of the resize inode: each block that is kept behind the descriptors is a block of pointers, which point at the
 * blocks in the same place of each copy; one more block points at these. Pure. Spec: "Special inodes", resize_inode.
 */
import { setLe32 } from '../../../kern/struct.ts';
import { headOf } from './layout.ts';
import type { MapBlock } from './map.ts';
import type { Ext2MkfsOptions } from './options.ts';
import type { Shape } from './shape.ts';

/** `double`: the block that the inode points at. */
export function resizeMap(
  o: Ext2MkfsOptions,
  s: Shape,
  double: number,
): { readonly blocks: readonly MapBlock[]; readonly copies: number } {
  const perBlock = o.blockSize / 4;
  const copies: number[] = [];
  for (let group = 1; group < s.groups; group++) {
    const { start, end } = headOf(o, s, group);
    if (end > start) copies.push(group);
  }
  const bytes = new Uint8Array(o.blockSize);
  const blocks: MapBlock[] = [{ block: double, bytes, kind: 'pointers' }];
  const superblock = o.blockSize === 1024 ? 1 : 0;
  for (let i = 0; i < s.reservedGdtBlocks; i++) {
    const index = s.descBlocks + i;
    const block = superblock + 1 + index;
    setLe32(bytes, 4 * (index % perBlock), block);
    const pointers = new Uint8Array(o.blockSize);
    copies.forEach((group, k) => setLe32(pointers, 4 * k, block + group * s.blocksPerGroup));
    blocks.push({ block, bytes: pointers, kind: 'pointers' });
  }
  return { blocks, copies: copies.length };
}
