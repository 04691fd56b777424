/**
 * Default VOPs, for types to spread into their own table, and pieces that several types share.
 * What a format cannot do answers EOPNOTSUPP; nothing here knows any format.
 */
import type { Cred } from '../kern/cred.ts';
import { CorruptError, FsError } from '../kern/errno.ts';
import { modeAllows } from '../kern/kauth.ts';
import { PATH_MAX } from '../kern/limits.ts';
import { FileFlag } from './vattr.ts';
import type { Vattr } from './vattr.ts';
import { ACCESS, type PathconfName, type VnodeOps } from './vnodeops.ts';
import type { Vnode } from './vnode.ts';

const unsupported = (): never => {
  throw new FsError('EOPNOTSUPP');
};

/** Blocks asked of one bmap call while reading: long runs, bounded work. */
const RUN_BLOCKS = 32768;

/** Longest single device read: larger buffers fall out of the processor's cache and run several times slower. */
const READ_PIECE = 128 * 1024;

/**
 * VOP_READ for types with block maps: runs from bmap, straight from the device into `dst`; holes are zeros.
 * Bytes read; 0 at or past end of file.
 */
export function genfsRead(vp: Vnode, dst: Uint8Array, offset: number, size: number): number {
  const { mount } = vp;
  const { blockSize } = mount;
  const end = Math.min(offset + dst.length, size);
  let at = offset;
  while (at < end) {
    const fileBlock = Math.floor(at / blockSize);
    const inBlock = at - fileBlock * blockSize;
    const wanted = Math.ceil((inBlock + end - at) / blockSize);
    const run = vp.ops.bmap(vp, fileBlock, Math.min(wanted, RUN_BLOCKS));
    const stop = Math.min(end, at + run.count * blockSize - inBlock);
    if (run.block === undefined) dst.fill(0, at - offset, stop - offset);
    else {
      const base = run.block * blockSize + inBlock - at;
      for (let from = at; from < stop; from += READ_PIECE) {
        const to = Math.min(stop, from + READ_PIECE);
        const whole = from === offset && to - from === dst.length;
        mount.device.read(whole ? dst : dst.subarray(from - offset, to - offset), base + from);
      }
    }
    at = stop;
  }
  return Math.max(0, end - offset);
}

/** VOP_SEEK for types with block maps: the first byte from `offset` on that is data, or in a hole. */
function genfsSeek(vp: Vnode, offset: number, what: 'data' | 'hole'): number | undefined {
  const { size } = vp.ops.getattr(vp);
  if (offset >= size) return undefined;
  const { blockSize, device } = vp.mount;
  const end = Math.ceil(size / blockSize);
  let mapped = 0;
  for (let block = Math.floor(offset / blockSize); block < end;) {
    const run = vp.ops.bmap(vp, block, end - block);
    if (run.block !== undefined) mapped += run.count;
    // Such a map leads back into itself, and could go on for very long.
    if (mapped * blockSize > device.sizeBytes)
      throw new CorruptError('file of more blocks than the disk has', { ino: vp.ino });
    if ((run.block === undefined) === (what === 'hole')) return Math.max(offset, block * blockSize);
    block += run.count;
  }
  return what === 'hole' ? size : undefined;
}

/** VOP_ACCESS by mode bits: EACCES; EPERM for writing what is immutable. */
function genfsAccess(attr: Vattr, want: number, cred: Cred): void {
  if ((want & ACCESS.WRITE) !== 0 && (attr.flags & (FileFlag.UF_IMMUTABLE | FileFlag.SF_IMMUTABLE)) !== 0) {
    throw new FsError('EPERM');
  }
  const file = { uid: attr.uid, gid: attr.gid, mode: attr.mode, isDirectory: attr.type === 'dir' };
  if (!modeAllows(file, want, cred)) throw new FsError('EACCES');
}

function genfsPathconf(vp: Vnode, name: PathconfName): number {
  const { traits } = vp.mount.type;
  switch (name) {
    case 'linkMax':
      return traits.linkMax;
    case 'nameMax':
      return traits.nameMaxBytes;
    case 'pathMax':
      return PATH_MAX;
    case 'noTrunc':
      return 1;
    case 'symlinkMax':
      return traits.symlinkMaxBytes;
    case 'fileSizeBits':
      return 64;
  }
}

/** Spread first: `{ ...genfs, lookup, read, … }`. */
export const genfs: VnodeOps = {
  lookup: unsupported,
  create: unsupported,
  mknod: unsupported,
  mkdir: unsupported,
  symlink: unsupported,
  link: unsupported,
  remove: unsupported,
  rmdir: unsupported,
  rename: unsupported,
  open(vp) {
    // An image's device nodes never reach a device of ours; nobody is ever at the other end of a fifo.
    if (vp.type === 'chr' || vp.type === 'blk' || vp.type === 'fifo') throw new FsError('ENXIO');
  },
  close() {},
  access: (vp, want, cred) => genfsAccess(vp.ops.getattr(vp), want, cred),
  getattr: unsupported,
  setattr: unsupported,
  read: (vp, dst, offset) => genfsRead(vp, dst, offset, vp.ops.getattr(vp).size),
  write: unsupported,
  fsync() {},
  readdir: unsupported,
  readlink: unsupported,
  inactive: () => false,
  reclaim() {},
  bmap: unsupported,
  seek: genfsSeek,
  pathconf: genfsPathconf,
  allocate: unsupported,
  punch: unsupported,
  getextattr: unsupported,
  setextattr: unsupported,
  listextattr: unsupported,
  deleteextattr: unsupported,
};
