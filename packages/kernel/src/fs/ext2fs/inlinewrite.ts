/**
 * Inline data, changed: contents that fit stay in the inode, contents that no longer do get a block, and never come back.
 * The kernel does the same; only an empty file, whoever made it empty, begins inline. Callers store the inode.
 */
import type { Bytes } from '../../kern/ids.ts';
import { dropFromIbody, ibodyRoom, storeInIbody } from './attrwrite.ts';
import { balloc } from './balloc.ts';
import { entriesOf } from './extent-node.ts';
import { initExtentRoot } from './extents.ts';
import { INCOMPAT } from './features.ts';
import { I_BLOCK_SIZE, IFLAG } from './format.ts';
import { INLINE_ATTRIBUTE, inlineRest, readInline } from './inline.ts';
import type { Inode } from './inode.ts';
import { hasIncompat } from './superblock.ts';

/** Is it a file without contents, in a file system that may keep them in the inode? */
export function mayBecomeInline(ip: Inode): boolean {
  if (!hasIncompat(ip.geo, INCOMPAT.INLINE_DATA) || ip.size !== 0 || ip.hasFlag(IFLAG.DAX | IFLAG.VERITY)) return false;
  return ip.hasFlag(IFLAG.EXTENTS) ? entriesOf(ip.block) === 0 : ip.block.every((byte) => byte === 0);
}

/** Bytes that the inode can hold beside its attributes. */
function inlineLimit(ip: Inode): Bytes {
  const room = ibodyRoom(ip, INLINE_ATTRIBUTE);
  return room === undefined ? 0 : I_BLOCK_SIZE + room;
}

/** The contents are `data` now, in the inode; false, and nothing changed, when they do not fit. The size is the caller's. */
export function storeInline(ip: Inode, data: Uint8Array): boolean {
  if (!storeInIbody(ip, { ...INLINE_ATTRIBUTE, value: data.subarray(I_BLOCK_SIZE) })) return false;
  ip.block.fill(0);
  ip.block.set(data.subarray(0, I_BLOCK_SIZE));
  ip.flags = (ip.flags & ~IFLAG.EXTENTS) | IFLAG.INLINE_DATA;
  ip.lastRun = undefined;
  return true;
}

/** The first `size` bytes of the contents, zeros where there are none. */
function contents(ip: Inode, size: Bytes): Uint8Array {
  const data = new Uint8Array(size);
  if (ip.hasFlag(IFLAG.INLINE_DATA)) readInline(ip, data.subarray(0, Math.min(size, ip.size)), 0);
  return data;
}

/** Write into inline (or no) contents; false when they do not fit, which are then in a block. Errors: ENOSPC. */
export function writeInlineData(ip: Inode, src: Uint8Array, offset: Bytes): boolean {
  const size = Math.max(ip.size, offset + src.length);
  if (size <= inlineLimit(ip)) {
    const data = contents(ip, size);
    data.set(src, offset);
    if (storeInline(ip, data)) {
      ip.size = size;
      return true;
    }
  }
  if (ip.hasFlag(IFLAG.INLINE_DATA)) spillInline(ip);
  return false;
}

/** Set the size of inline contents; false when they do not fit, which are then in a block. Errors: ENOSPC. */
export function resizeInline(ip: Inode, size: Bytes): boolean {
  if (size <= inlineLimit(ip) && storeInline(ip, contents(ip, size))) {
    ip.size = size;
    return true;
  }
  spillInline(ip);
  return false;
}

/** Inline contents to a block of their own. Errors: ENOSPC; then nothing changed. */
export function spillInline(ip: Inode): void {
  // What another implementation made larger without storing more goes on as a hole.
  const data = contents(ip, Math.min(ip.size, I_BLOCK_SIZE + inlineRest(ip).length));
  leaveInode(ip, () => {
    if (data.length === 0) return;
    const { block } = balloc(ip, 0, 1);
    const whole = new Uint8Array(ip.geo.blockSize);
    whole.set(data);
    ip.mp.bufs.invalidate(block, 1);
    ip.mp.device.write(whole, block * ip.geo.blockSize);
  });
}

/** The inode gets an empty map in place of its inline contents; `fill` then uses it. What throws changes nothing in it. */
export function leaveInode(ip: Inode, fill: () => void): void {
  const before = ip.raw.slice();
  try {
    dropFromIbody(ip, INLINE_ATTRIBUTE);
    ip.flags &= ~IFLAG.INLINE_DATA;
    ip.block.fill(0);
    ip.lastRun = undefined;
    if (hasIncompat(ip.geo, INCOMPAT.EXTENTS)) {
      ip.flags |= IFLAG.EXTENTS;
      initExtentRoot(ip);
    }
    fill();
  } catch (e) {
    ip.raw.set(before);
    throw e;
  }
}
