/**
 * Inline data: small files and directories that live in i_block and, beyond 60 bytes, in the attribute system.data of
 * their own inode. Spec: "Inline Data".
 */
import { CorruptError } from '../../kern/errno.ts';
import { I_BLOCK_SIZE, IFLAG, XATTR_INDEX } from './format.ts';
import type { Inode } from './inode.ts';
import { ibodyXattrs, recordValue, sameBytes } from './xattr.ts';

const DATA = Uint8Array.from('data', (c) => c.charCodeAt(0));

export const isInline = (inode: Inode): boolean => inode.hasFlag(IFLAG.INLINE_DATA);

/** What lies behind the first 60 bytes. CorruptError when the attribute that every inline inode has is missing. */
export function inlineRest(inode: Inode): Uint8Array {
  const record = ibodyXattrs(inode).find((r) => r.index === XATTR_INDEX.SYSTEM && sameBytes(r.name, DATA));
  if (record === undefined) throw new CorruptError('inline data', { ino: inode.ino });
  return recordValue(inode, record);
}

/** Fill `dst` from byte `offset`; zeros where the size goes on beyond what is stored. The caller has bounded it by the size. */
export function readInline(inode: Inode, dst: Uint8Array, offset: number): void {
  dst.fill(0);
  if (offset < I_BLOCK_SIZE) dst.set(inode.block.subarray(offset, Math.min(I_BLOCK_SIZE, offset + dst.length)));
  if (offset + dst.length <= I_BLOCK_SIZE) return;
  const rest = inlineRest(inode);
  const from = Math.max(0, offset - I_BLOCK_SIZE);
  const at = Math.max(0, I_BLOCK_SIZE - offset);
  dst.set(rest.subarray(from, from + dst.length - at), at);
}
