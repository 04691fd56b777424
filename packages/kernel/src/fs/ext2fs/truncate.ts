/**
 * Changing a file's size, and writing its data: long runs go straight to the device, only the edges of a write that cut a
 * block in two are read first. Data never enters the buffer cache; what it holds of blocks written here is forgotten.
 */
import { FsError } from '../../kern/errno.ts';
import type { Bytes } from '../../kern/ids.ts';
import { balloc, ballocUnwritten, bfree, SMALL_FILE_MAX, sizeLimit, type WriteRun } from './balloc.ts';
import { bmap } from './bmap.ts';
import { INCOMPAT } from './features.ts';
import { IFLAG } from './format.ts';
import { isInline } from './inline.ts';
import { mayBecomeInline, resizeInline, spillInline, writeInlineData } from './inlinewrite.ts';
import type { Inode } from './inode.ts';
import { requireLargeFile } from './inode-store.ts';
import { hasIncompat } from './superblock.ts';
import { refuseSystem } from './zones.ts';

const NO_END = Number.MAX_SAFE_INTEGER;

/**
 * Space for a range without writing it: unwritten extents, which read as zeros. Errors: EOPNOTSUPP without extents (a block
 * map has no way to say "unwritten"), ENOSPC, EFBIG.
 */
export function allocateRange(
  ip: Inode,
  range: { readonly offset: Bytes; readonly length: Bytes; readonly keepSize: boolean },
): void {
  const { blockSize } = ip.geo;
  const end = range.offset + range.length;
  const couldHaveExtents = isInline(ip) && hasIncompat(ip.geo, INCOMPAT.EXTENTS);
  if (!ip.hasFlag(IFLAG.EXTENTS) && !couldHaveExtents) throw new FsError('EOPNOTSUPP');
  if (end > sizeLimit(ip)) throw new FsError('EFBIG', { ino: ip.ino });
  if (isInline(ip)) spillInline(ip);
  const last = Math.ceil(end / blockSize);
  for (let at = Math.floor(range.offset / blockSize); at < last;) at += ballocUnwritten(ip, at, last - at);
  if (range.keepSize || end <= ip.size) return;
  zeroTail(ip, ip.size);
  setSize(ip, end);
}

/** Free the whole blocks of a range and zero its edges. */
export function punchRange(ip: Inode, range: { readonly offset: Bytes; readonly length: Bytes }): void {
  const { blockSize } = ip.geo;
  const { offset } = range;
  const end = Math.min(offset + range.length, ip.size);
  if (end <= offset) return;
  if (isInline(ip)) {
    writeInlineData(ip, new Uint8Array(end - offset), offset);
    return;
  }
  const first = Math.ceil(offset / blockSize);
  // Up to the end of the file the last block goes whole.
  const last = end === ip.size ? Math.ceil(end / blockSize) : Math.floor(end / blockSize);
  if (first > last) {
    zeroBytes(ip, offset, end);
    return;
  }
  zeroBytes(ip, offset, Math.min(end, first * blockSize));
  if (end > last * blockSize) zeroBytes(ip, last * blockSize, end);
  if (last > first) bfree(ip, { from: first, to: last });
}

/** Set the size, free what lies behind, or grow with a hole; storing the inode is the caller's. Errors: EFBIG. */
export function truncate(ip: Inode, size: Bytes): void {
  const { blockSize } = ip.geo;
  if (size > sizeLimit(ip)) throw new FsError('EFBIG', { ino: ip.ino });
  if (isInline(ip) && resizeInline(ip, size)) return;
  const old = ip.size;
  if (size < old) bfree(ip, { from: Math.ceil(size / blockSize), to: NO_END });
  zeroTail(ip, Math.min(size, old));
  setSize(ip, size);
}

function setSize(ip: Inode, size: Bytes): void {
  if (size > SMALL_FILE_MAX) requireLargeFile(ip.mp);
  ip.size = size;
}

/** Zeros from byte `size` to the end of its block, so that growing shows no old bytes. */
function zeroTail(ip: Inode, size: Bytes): void {
  zeroBytes(ip, size, Math.ceil(size / ip.geo.blockSize) * ip.geo.blockSize);
}

/** Zeros in [from, to), which lies within one block; a hole stays one. */
function zeroBytes(ip: Inode, from: Bytes, to: Bytes): void {
  if (to <= from) return;
  const { blockSize } = ip.geo;
  const fileBlock = Math.floor(from / blockSize);
  const { block } = bmap(ip, fileBlock, 1);
  if (block === undefined) return;
  refuseSystem(ip.mp, { block, count: 1 }, ip.ino);
  const { device, bufs } = ip.mp;
  const data = new Uint8Array(blockSize);
  const [start, end] = [from - fileBlock * blockSize, to - fileBlock * blockSize];
  device.read(data, block * blockSize);
  if (data.subarray(start, end).every((byte) => byte === 0)) return;
  data.fill(0, start, end);
  bufs.invalidate(block, 1);
  device.write(data, block * blockSize);
}

/**
 * Write `src` at byte `offset`; bytes written, fewer only when space ran out after some. Size and map are in `ip`, which the
 * caller stores. Errors: ENOSPC, EFBIG.
 */
export function writeData(ip: Inode, src: Uint8Array, offset: Bytes): number {
  const { blockSize } = ip.geo;
  const end = Math.min(offset + src.length, sizeLimit(ip));
  if (end <= offset && src.length > 0) throw new FsError('EFBIG', { ino: ip.ino });
  if ((isInline(ip) || mayBecomeInline(ip)) && writeInlineData(ip, src.subarray(0, end - offset), offset))
    return end - offset;
  if (offset > ip.size) zeroTail(ip, ip.size);
  let at = offset;
  while (at < end) {
    const fileBlock = Math.floor(at / blockSize);
    const run = tryBalloc(ip, { fileBlock, want: Math.ceil(end / blockSize) - fileBlock, isFirst: at === offset });
    if (run === undefined) break;
    const start = at - fileBlock * blockSize;
    const stop = Math.min(run.count * blockSize, start + end - at);
    writeRun(ip, run, { src: src.subarray(at - offset, at - offset + stop - start), start });
    at += stop - start;
  }
  if (at > ip.size) setSize(ip, at);
  return at - offset;
}

/** undefined: no space, but something was written before. */
function tryBalloc(
  ip: Inode,
  { fileBlock, want, isFirst }: { fileBlock: number; want: number; isFirst: boolean },
): WriteRun | undefined {
  try {
    return balloc(ip, fileBlock, want);
  } catch (e) {
    if (isFirst || !(e instanceof FsError) || e.code !== 'ENOSPC') throw e;
    return undefined;
  }
}

/** Bytes into a run of blocks, from byte `start` of its first one on. */
function writeRun(ip: Inode, run: WriteRun, { src, start }: { src: Uint8Array; start: number }): void {
  const { blockSize } = ip.geo;
  const { device, bufs } = ip.mp;
  bufs.invalidate(run.block, run.count);
  const base = run.block * blockSize;
  for (let done = 0; done < src.length;) {
    const at = start + done;
    const inBlock = at % blockSize;
    const left = src.length - done;
    if (inBlock === 0 && left >= blockSize) {
      const whole = left - (left % blockSize);
      device.write(src.subarray(done, done + whole), base + at);
      done += whole;
      continue;
    }
    const piece = Math.min(blockSize - inBlock, left);
    // Devices keep no view of what they are given.
    const block = (ip.mp.data.blockRoom ??= new Uint8Array(blockSize));
    if (run.isNew) block.fill(0);
    else device.read(block, base + at - inBlock);
    block.set(src.subarray(done, done + piece), inBlock);
    device.write(block, base + at - inBlock);
    done += piece;
  }
}
