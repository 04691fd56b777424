/**
 * Inline data, read: small files and directories that live in i_block and, beyond 60 bytes, in the attribute system.data of
 * their own inode. Changing them is inlinewrite.ts and inlinedir.ts. Spec: "Inline Data".
 */
import { CorruptError } from '../../kern/errno.ts';
import type { Ino } from '../../kern/ids.ts';
import { getLe32 } from '../../kern/struct.ts';
import { I_BLOCK_SIZE, IFLAG, XATTR_INDEX } from './format.ts';
import type { Inode } from './inode.ts';
import { ibodyXattrs, recordValue, sameBytes } from './xattr.ts';

/** The attribute that holds what i_block does not. Every inline inode has it, empty or not. */
export const INLINE_ATTRIBUTE = {
  index: XATTR_INDEX.SYSTEM,
  name: Uint8Array.from('data', (c) => c.charCodeAt(0)),
} as const;

export const isInline = (inode: Inode): boolean => inode.hasFlag(IFLAG.INLINE_DATA);

/** What lies behind the first 60 bytes. CorruptError when the attribute that every inline inode has is missing. */
export function inlineRest(inode: Inode): Uint8Array {
  const { index, name } = INLINE_ATTRIBUTE;
  const record = ibodyXattrs(inode).find((r) => r.index === index && sameBytes(r.name, name));
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

/** Where the records of an inline directory are: in i_block behind the parent's number, or in the attribute. */
export const INLINE_IBODY = -1;
export const INLINE_XATTR = -2;
export const INLINE_FIRST = 4;

/** `..` of an inline directory, which has no record. CorruptError. */
export function inlineParent(dir: Inode): Ino {
  const ino = getLe32(dir.block, 0);
  if (ino === 0 || ino > dir.geo.inodes) throw new CorruptError('parent of an inline directory', { ino: dir.ino });
  return ino;
}
