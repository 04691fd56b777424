/** Where the rest of inline data lies in its inode: attributes are read as copies, and a repair has to put one back. */
import { getLe16, getLe32 } from '../../../kern/struct.ts';
import { XATTR_ENTRY_SIZE, XATTR_MAGIC, XattrEntry, XattrIbodyHeader } from '../format.ts';
import { INLINE_ATTRIBUTE } from '../inline.ts';
import type { Inode } from '../inode.ts';
import { ibodyXattrStart, sameBytes } from '../xattr.ts';

const VALUE_OFFS = XattrEntry.offsetOf('valueOffs');

/** Byte within the inode, or undefined. The list has been checked. */
export function inlineRestPlace(inode: Inode): number | undefined {
  const { raw } = inode;
  const start = ibodyXattrStart(inode);
  if (start === undefined || getLe32(raw, start) !== XATTR_MAGIC) return undefined;
  const first = start + XattrIbodyHeader.size;
  for (let at = first; at + XATTR_ENTRY_SIZE <= raw.length && getLe32(raw, at) !== 0;) {
    const length = raw[at] ?? 0;
    const name = raw.subarray(at + XATTR_ENTRY_SIZE, at + XATTR_ENTRY_SIZE + length);
    const isData = raw[at + 1] === INLINE_ATTRIBUTE.index && sameBytes(name, INLINE_ATTRIBUTE.name);
    if (isData) return first + getLe16(raw, at + VALUE_OFFS);
    at += (XATTR_ENTRY_SIZE + length + 3) & ~3;
  }
  return undefined;
}
