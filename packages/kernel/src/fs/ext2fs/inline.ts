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

/** All inline bytes, as many as the file's size says (zeros for what is missing, as after growing a hole). */
export function inlineData(inode: Inode): Uint8Array {
  const rest = inlineRest(inode);
  if (inode.size > I_BLOCK_SIZE + rest.length) throw new CorruptError('inline data size', { ino: inode.ino });
  const data = new Uint8Array(inode.size);
  data.set(inode.block.subarray(0, Math.min(I_BLOCK_SIZE, data.length)));
  if (data.length > I_BLOCK_SIZE) data.set(rest.subarray(0, data.length - I_BLOCK_SIZE), I_BLOCK_SIZE);
  return data;
}
