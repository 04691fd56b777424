/**
 * Drives VOPs directly on a mount over an image file: one operation, one flush of the buffers, as a system call would.
 *
 * The device writes straight to the file (no transaction), so that e2fsck can judge the image after each operation. It
 * also watches what the file system tells a transaction: an extent may not be called fresh once it was released.
 */
import {
  closeSync,
  existsSync,
  fstatSync,
  mkdtempSync,
  openSync,
  readFileSync,
  readSync,
  rmSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { BlockDevice, Extent, SuperblockHint } from '../../../packages/kernel/src/dev/blockdev.ts';
import { FsError } from '../../../packages/kernel/src/kern/errno.ts';
import { BufCache } from '../../../packages/kernel/src/vfs/buf.ts';
import { Mount } from '../../../packages/kernel/src/vfs/mount.ts';
import type { VfsSyscalls } from '../../../packages/kernel/src/vfs/sys.ts';
import type { NewFile, VType } from '../../../packages/kernel/src/vfs/vattr.ts';
import { vrele, type Vnode } from '../../../packages/kernel/src/vfs/vnode.ts';
import type { LookupResult } from '../../../packages/kernel/src/vfs/vnodeops.ts';
import { ext2fs } from '../../../packages/kernel/src/fs/ext2fs/index.ts';
import { bootWith, mounter } from '../../support/adapters.ts';
import { mke2fs } from '../../support/ext-images.ts';

const SECTOR = 512;

/** A directory in memory where the machine has one: e2fsck then costs milliseconds. */
export function scratchDir(): { readonly path: string; remove(): void } {
  const path = mkdtempSync(join(existsSync('/dev/shm') ? '/dev/shm' : tmpdir(), 'ext2fs-'));
  return { path, remove: () => rmSync(path, { recursive: true, force: true }) };
}

export class ImageDevice implements BlockDevice {
  readonly sectorSize = SECTOR;
  readonly sizeBytes: number;
  readonly readOnly = false;
  readonly fd: number;
  hint: SuperblockHint | undefined;
  freshBytes = 0;
  writes = 0;
  readonly #released = new Set<number>();

  constructor(path: string) {
    this.fd = openSync(path, 'r+');
    this.sizeBytes = fstatSync(this.fd).size;
  }
  read(dst: Uint8Array, offset: number): void {
    if (offset < 0 || offset + dst.length > this.sizeBytes) throw new FsError('EINVAL', { offset });
    readSync(this.fd, dst, 0, dst.length, offset);
  }
  write(src: Uint8Array, offset: number): void {
    if (offset < 0 || offset + src.length > this.sizeBytes) throw new FsError('EINVAL', { offset });
    this.writes++;
    writeSync(this.fd, src, 0, src.length, offset);
  }
  fresh(extent: Extent): void {
    if (this.isReleased(extent)) throw new Error(`released space at ${extent.offset} called fresh`);
    this.freshBytes += extent.length;
  }
  released(extent: Extent): void {
    for (let at = extent.offset; at < extent.offset + extent.length; at += SECTOR) this.#released.add(at / SECTOR);
  }
  isReleased(extent: Extent): boolean {
    if (this.#released.size === 0) return false;
    for (let at = extent.offset; at < extent.offset + extent.length; at += SECTOR) {
      if (this.#released.has(at / SECTOR)) return true;
    }
    return false;
  }
  superblock(hint: SuperblockHint): void {
    this.hint = hint;
  }
  committed(): void {
    this.#released.clear();
  }
  close(): void {
    closeSync(this.fd);
  }
}

/** A new image: `words` are mke2fs's arguments but for the image and its size. */
export function newImage(path: string, words: string, size: string): void {
  mke2fs([...words.split(' '), path, size]);
}

/** System calls on an image file below MOUNT_POINT, committed and written back when `use` is done. */
export async function withSystemCalls(path: string, use: (sys: VfsSyscalls) => void): Promise<void> {
  const { k, host } = await bootWith(ext2fs);
  host.put('/disk.img', new Uint8Array(readFileSync(path)));
  k.etfs.register('/dev/disk', '/disk.img', 'BLK', { stage: { write: true } });
  const { mount, unmount } = mounter(k, ext2fs.name, { from: '/dev/disk' });
  mount();
  use(k.sys);
  unmount();
  k.commit(k.etfs.stage('/dev/disk'));
  writeFileSync(path, host.get('/disk.img'));
  k.halt();
}

export class Rig {
  readonly path: string;
  readonly device: ImageDevice;
  readonly cache: BufCache;
  mp: Mount;
  clock = 1_700_000_000;
  logged: string[] = [];
  #random = 1;

  constructor(path: string, options: { cacheBytes?: number } = {}) {
    this.path = path;
    this.device = new ImageDevice(path);
    this.cache = new BufCache(options.cacheBytes ?? 8 << 20);
    this.mp = this.#mount();
  }

  #mount(): Mount {
    const mp = new Mount({
      type: ext2fs,
      device: this.device,
      bufs: (blockSize) => this.cache.open(this.device, blockSize),
      readOnly: false,
      options: {},
      from: this.path,
      services: {
        now: () => ({ sec: this.clock++, nsec: 123_456_789 }),
        random: (dst) => {
          for (let i = 0; i < dst.length; i++) dst[i] = (this.#random = (this.#random * 48271) % 0x7fffffff) & 0xff;
        },
        log: (message) => this.logged.push(message),
        desiredVnodes: 100,
      },
    });
    ext2fs.mount(mp);
    return mp;
  }

  /** Runs one operation and leaves the image as a system call would. */
  op<T>(body: () => T): T {
    const result = body();
    this.mp.bufs.flush();
    if (this.mp.bufs.pinned !== 0) throw new Error(`${this.mp.bufs.pinned} buffers stay pinned`);
    return result;
  }

  remount(): void {
    this.mp.type.sync(this.mp);
    this.mp.bufs.flush();
    this.mp.type.unmount(this.mp);
    this.mp.bufs.dropAll();
    this.device.committed();
    this.mp = this.#mount();
  }

  close(): void {
    this.mp.type.sync(this.mp);
    this.mp.bufs.flush();
    this.mp.type.unmount(this.mp);
    this.device.close();
  }

  /** What is in the buffers now is on the image; what only memory knows is lost. */
  crash(): void {
    this.mp.bufs.flush();
    this.mp.bufs.dropAll();
    this.device.committed();
    this.mp = this.#mount();
    this.mp.bufs.flush();
  }

  /** The directory that holds the last component, and that name. The vnode carries a reference. */
  parent(path: string): { dvp: Vnode; name: string } {
    const parts = path.split('/').filter((part) => part !== '');
    const name = parts.pop();
    if (name === undefined) throw new Error('no name');
    let dvp = this.mp.type.root(this.mp);
    for (const part of parts) {
      const found = dvp.ops.lookup(dvp, part);
      vrele(dvp);
      if (found === undefined) throw new FsError('ENOENT', { path });
      dvp = found.vp;
    }
    return { dvp, name };
  }

  lookup(path: string): { dvp: Vnode; name: string; found: LookupResult | undefined } {
    const { dvp, name } = this.parent(path);
    return { dvp, name, found: dvp.ops.lookup(dvp, name) };
  }

  file(path: string): Vnode {
    if (path === '/' || path === '') return this.mp.type.root(this.mp);
    const { dvp, found } = this.lookup(path);
    vrele(dvp);
    if (found === undefined) throw new FsError('ENOENT', { path });
    return found.vp;
  }

  make(path: string, type: VType, extra: Partial<NewFile> & { target?: string } = {}): void {
    this.op(() => {
      const { dvp, name, found } = this.lookup(path);
      if (found !== undefined) throw new FsError('EEXIST', { path });
      const attr: NewFile = { type, mode: type === 'dir' ? 0o755 : 0o644, uid: 0, gid: 0, ...extra };
      const { ops } = dvp;
      const vp =
        type === 'dir'
          ? ops.mkdir(dvp, name, attr)
          : type === 'lnk'
            ? ops.symlink(dvp, name, attr, extra.target ?? '')
            : type === 'reg'
              ? ops.create(dvp, name, attr)
              : ops.mknod(dvp, name, attr);
      vrele(vp);
      vrele(dvp);
    });
  }

  write(path: string, data: Uint8Array, offset = 0): number {
    return this.on(path, (vp) => vp.ops.write(vp, data, offset));
  }

  read(path: string): Uint8Array {
    return this.#with(path, (vp) => {
      const data = new Uint8Array(vp.ops.getattr(vp).size);
      for (let at = 0; at < data.length;) {
        const n = vp.ops.read(vp, data.subarray(at), at);
        if (n === 0) break;
        at += n;
      }
      return data;
    });
  }

  truncate(path: string, size: number): void {
    this.on(path, (vp) => vp.ops.setattr(vp, { size }));
  }

  unlink(path: string): void {
    this.op(() => {
      const { dvp, name, found } = this.lookup(path);
      if (found === undefined) throw new FsError('ENOENT', { path });
      try {
        if (found.vp.type === 'dir') dvp.ops.rmdir(dvp, found.vp, name, found.slot);
        else dvp.ops.remove(dvp, found.vp, name, found.slot);
      } finally {
        vrele(found.vp);
        vrele(dvp);
      }
    });
  }

  link(existing: string, path: string): void {
    this.op(() => {
      const vp = this.file(existing);
      const { dvp, name } = this.parent(path);
      dvp.ops.link(dvp, vp, name);
      vrele(dvp);
      vrele(vp);
    });
  }

  rename(oldPath: string, newPath: string, flags: { exchange?: boolean } = {}): void {
    this.op(() => {
      const from = this.lookup(oldPath);
      const to = this.lookup(newPath);
      if (from.found === undefined) throw new FsError('ENOENT', { path: oldPath });
      from.dvp.ops.rename({ dvp: from.dvp, name: from.name, ...from.found }, to, flags);
      if (to.found !== undefined) vrele(to.found.vp);
      vrele(from.found.vp);
      vrele(to.dvp);
      vrele(from.dvp);
    });
  }

  names(path: string): string[] {
    return this.#with(path, (vp) => {
      const names: string[] = [];
      for (let cookie = 0; ;) {
        const entries = vp.ops.readdir(vp, cookie, 500);
        if (entries.length === 0) return names.sort();
        names.push(...entries.map((entry) => entry.name));
        cookie = entries.at(-1)!.next;
      }
    });
  }

  /** One operation on the file at `path`. */
  on<T>(path: string, body: (vp: Vnode) => T): T {
    return this.op(() => this.#with(path, body));
  }

  #with<T>(path: string, body: (vp: Vnode) => T): T {
    const vp = this.file(path);
    try {
      return body(vp);
    } finally {
      vrele(vp);
    }
  }
}
