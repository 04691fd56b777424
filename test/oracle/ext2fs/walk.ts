/** Our reader as a tree of plain entries: an image mounted read-only, walked and read through VOPs alone. */
import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import type { BlockDevice } from '../../../packages/kernel/src/dev/blockdev.ts';
import { ext2fs } from '../../../packages/kernel/src/fs/ext2fs/index.ts';
import type { Ext2Mount } from '../../../packages/kernel/src/fs/ext2fs/ext2mount.ts';
import type { Inode } from '../../../packages/kernel/src/fs/ext2fs/inode.ts';
import { CorruptError, FsError } from '../../../packages/kernel/src/kern/errno.ts';
import { BufCache } from '../../../packages/kernel/src/vfs/buf.ts';
import { Mount } from '../../../packages/kernel/src/vfs/mount.ts';
import type { MountOptions } from '../../../packages/kernel/src/vfs/vfsops.ts';
import { vrele, type Vnode } from '../../../packages/kernel/src/vfs/vnode.ts';
import { contentDigest, type TreeEntry } from '../../support/tree.ts';

const PIECE = 64 * 1024;
/** What FS_IOC_GETFLAGS shows of i_flags; of regular files without the project's inheritance. */
const VISIBLE_FLAGS = 0x725bdfff;
const PROJINHERIT = 0x20000000;

/** Only reads; bytes can be changed in memory, for the tests that damage an image. */
export class ReadDevice implements BlockDevice {
  readonly sectorSize = 512;
  readonly sizeBytes: number;
  readonly readOnly = true;
  reads = 0;
  /** Byte offset → value that is read there. */
  readonly patches = new Map<number, number>();
  readonly #fd: number;

  constructor(path: string) {
    this.#fd = openSync(path, 'r');
    this.sizeBytes = fstatSync(this.#fd).size;
  }
  read(dst: Uint8Array, offset: number): void {
    if (offset < 0 || offset + dst.length > this.sizeBytes) throw new FsError('EINVAL', { offset });
    this.reads++;
    readSync(this.#fd, dst, 0, dst.length, offset);
    for (const [at, value] of this.patches) if (at >= offset && at < offset + dst.length) dst[at - offset] = value;
  }
  write(): void {
    throw new FsError('EROFS');
  }
  fresh(): void {}
  released(): void {}
  isReleased(): boolean {
    return false;
  }
  superblock(): void {}
  close(): void {
    closeSync(this.#fd);
  }
}

export function mountReadOnly(device: BlockDevice, options: MountOptions = {}): Mount<Ext2Mount> {
  const cache = new BufCache(16 << 20);
  const mp = new Mount<Ext2Mount>({
    type: ext2fs,
    device,
    bufs: (blockSize) => cache.open(device, blockSize),
    readOnly: true,
    options,
    from: 'test image',
    services: { now: () => ({ sec: 0, nsec: 0 }), random: (dst) => dst.fill(4), log: () => {}, desiredVnodes: 64 },
  });
  ext2fs.mount(mp);
  return mp;
}

/** Mount an image file, use it, and see that nothing stays pinned or referenced. */
export function withImage<T>(
  path: string,
  use: (mp: Mount<Ext2Mount>, device: ReadDevice) => T,
  options: MountOptions = {},
): T {
  const device = new ReadDevice(path);
  try {
    const mp = mountReadOnly(device, options);
    const result = use(mp, device);
    if (mp.bufs.pinned !== 0) throw new Error(`${mp.bufs.pinned} buffers stay pinned`);
    const busy = [...mp.vnodes.values()].filter((vp) => vp.usecount > 0);
    if (busy.length > 0) throw new Error(`inodes ${busy.map((vp) => vp.ino).join(', ')} stay referenced`);
    return result;
  } finally {
    device.close();
  }
}

/** Everything, or what an error per file leaves: `onError` gets what could not be read. */
export function ourTree(mp: Mount, onError?: (path: string, error: unknown) => void): TreeEntry[] {
  const out: TreeEntry[] = [];
  const digests = new Map<number, ReturnType<typeof contentDigest>>();
  const seen = new Set<number>();
  const attempt = (path: string, action: () => void): void => {
    if (onError === undefined) return action();
    try {
      action();
    } catch (e) {
      onError(path, e);
    }
  };
  const visit = (path: string, vp: Vnode): void => {
    attempt(path, () => out.push(entryOf(path, vp, digests)));
    if (vp.type !== 'dir' || seen.has(vp.ino)) return;
    seen.add(vp.ino);
    attempt(path, () => {
      for (let cookie = 0; ;) {
        const entries = vp.ops.readdir(vp, cookie, 100);
        if (entries.length === 0) return;
        for (const { name } of entries) {
          if (name === '.' || name === '..') continue;
          const child = path === '/' ? `/${name}` : `${path}/${name}`;
          attempt(child, () => {
            const found = vp.ops.lookup(vp, name);
            if (found === undefined) throw new CorruptError(`${JSON.stringify(child)} is listed but not found`);
            try {
              visit(child, found.vp);
            } finally {
              vrele(found.vp);
            }
          });
        }
        cookie = entries.at(-1)?.next ?? 0;
      }
    });
  };
  const root = mp.type.root(mp);
  try {
    visit('/', root);
  } finally {
    vrele(root);
  }
  return out;
}

function entryOf(path: string, vp: Vnode, digests: Map<number, ReturnType<typeof contentDigest>>): TreeEntry {
  const { ops } = vp;
  const attr = ops.getattr(vp);
  const { flags } = (vp as Vnode<Inode>).data;
  let digest = vp.type === 'reg' ? digests.get(vp.ino) : undefined;
  if (vp.type === 'reg' && digest === undefined)
    digests.set(vp.ino, (digest = contentDigest(attr.size, runs(vp, attr.size))));
  const xattrs = ops
    .listextattr(vp)
    .sort()
    .map((name) => [name, Buffer.from(ops.getextattr(vp, name) ?? []).toString('hex')] as const);
  return {
    path,
    type: vp.type,
    mode: attr.mode,
    uid: attr.uid,
    gid: attr.gid,
    nlink: attr.nlink,
    size: attr.size,
    ino: attr.ino,
    ...(attr.rdev === undefined ? {} : { rdev: attr.rdev }),
    mtime: attr.mtime,
    atime: attr.atime,
    ctime: attr.ctime,
    ...(attr.birthtime === undefined ? {} : { btime: attr.birthtime }),
    ...(vp.type === 'dir' ? { flags: (flags & VISIBLE_FLAGS) >>> 0 } : {}),
    ...(vp.type === 'reg' ? { flags: (flags & VISIBLE_FLAGS & ~PROJINHERIT) >>> 0 } : {}),
    ...digest,
    ...(vp.type === 'lnk' ? { target: ops.readlink(vp) } : {}),
    xattrs: Object.fromEntries(xattrs),
  };
}

/** The data of a file by SEEK_DATA and SEEK_HOLE, read in pieces. */
function* runs(vp: Vnode, size: number): Generator<{ offset: number; data: Uint8Array }> {
  const { ops } = vp;
  for (let at: number | undefined = 0; (at = ops.seek(vp, at, 'data')) !== undefined;) {
    const end: number = ops.seek(vp, at, 'hole') ?? size;
    for (; at < end; at += PIECE) {
      const data = new Uint8Array(Math.min(PIECE, end - at));
      const got = ops.read(vp, data, at);
      if (got !== data.length) throw new Error(`read ${got} of ${data.length} bytes at ${at} of inode ${vp.ino}`);
      yield { offset: at, data };
    }
    at = end;
  }
}
