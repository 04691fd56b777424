/**
 * etfs: host files in the kernel's name space (rump_etfs(3)).
 *
 * A key is a path matched whole at the root of rumpfs; behind it stands a regular file, a disk, or a host directory.
 * Disks go through a stage: registering one host file twice shares its stage and so its transaction. The rules (key
 * syntax, windows, types, errors) are those of the original, collected in the tests named t_etfs.
 */
import { serviceKey } from '../kern/component.ts';
import { FsError } from '../kern/errno.ts';
import type { Host, HostFile } from '../hypercall/hypercall.ts';
import { blockFailures, failingDevice, type BlockFailures } from './blkfail.ts';
import type { BlockDevice, Transaction } from './blockdev.ts';
import type { Devsw } from './devsw.ts';
import { sliceDevice } from './slice.ts';
import { DEFAULT_MEMLIMIT, openStage, type Stage, type StageOptions } from './stage.ts';

export type EtfsType = 'REG' | 'BLK' | 'CHR' | 'DIR' | 'DIR_SUBDIRS';

/** Part of a host file, in bytes; size undefined: to the end. */
export interface EtfsWindow {
  readonly begin?: number;
  readonly size?: number;
}

/** What names show: a shape that the root file system's EtfsEntry takes. */
interface EtfsNode {
  readonly type: 'reg' | 'dir' | 'blk' | 'chr';
  readonly rdev?: { readonly major: number; readonly minor: number };
  readonly file?: () => EtfsFile;
  readonly children?: { lookup(name: string): EtfsNode | undefined; names(): string[] };
}

interface EtfsFile {
  size(): number;
  read(dst: Uint8Array, offset: number): number;
  write(src: Uint8Array, offset: number): number;
  truncate(size: number): void;
}

interface Disk {
  readonly stage: Stage;
  readonly path: string;
  keys: number;
}

interface Minor {
  readonly disk: Disk;
  readonly device: BlockDevice;
}

interface Registration {
  readonly node: EtfsNode;
  readonly minor?: number;
  readonly close: () => void;
}

/** Disks of one kernel; the original has 16. */
const MAX_MINORS = 256;
const RUMPBLK = 'rumpblk';

export const ETFS = serviceKey<Etfs>('etfs');

export class Etfs {
  readonly #host: Host;
  readonly #keys = new Map<string, Registration>();
  readonly #disks = new Map<string, Disk>();
  readonly #minors: (Minor | undefined)[] = [];
  readonly #block: number;
  readonly #stageMemory: number;
  readonly #failures: BlockFailures | undefined;
  readonly #char: number;

  /** `memlimit`: bytes that the kernel's caches may use; a stage without a limit of its own keeps to half of them. */
  constructor(host: Host, devsw: Devsw, options: { readonly memlimit: number }) {
    this.#host = host;
    this.#stageMemory = Math.min(DEFAULT_MEMLIMIT, Math.floor(options.memlimit / 2));
    this.#failures = blockFailures((name) => host.getparam(name));
    const minorOf = (n: number): Minor => {
      const minor = this.#minors[n];
      if (minor === undefined) throw new FsError('ENXIO');
      return minor;
    };
    this.#block = devsw.attachBlock({
      name: RUMPBLK,
      open(n): { device: BlockDevice; transaction: Transaction } {
        const { device, disk } = minorOf(n);
        return { device, transaction: disk.stage };
      },
    });
    const raw = (n: number, length: number, offset: number): [BlockDevice, number] => {
      const { device } = minorOf(n);
      if (offset > device.sizeBytes) throw new FsError('EINVAL');
      return [device, Math.min(length, device.sizeBytes - offset)];
    };
    this.#char = devsw.attachChar({
      name: RUMPBLK,
      read(n, dst, offset) {
        const [device, length] = raw(n, dst.length, offset);
        device.read(dst.subarray(0, length), offset);
        return length;
      },
      write(n, src, offset) {
        const [device, length] = raw(n, src.length, offset);
        device.write(src.subarray(0, length), offset);
        return length;
      },
    });
  }

  /**
   * Show host file `path` as `key`. Errors: EINVAL key without leading slash, window outside the file, type that does
   * not fit; EEXIST; ENOENT; EISDIR window on a directory; ENOTDIR; EBUSY too many disks; what opening the stage throws.
   */
  register(
    key: string,
    path: string,
    type: EtfsType,
    options: EtfsWindow & { readonly stage?: StageOptions } = {},
  ): void {
    const name = keyName(key);
    if (this.#keys.has(name)) throw new FsError('EEXIST', { op: 'etfs', path: key });
    this.#keys.set(name, this.#make(path, type, options));
  }

  /** ENOENT. Uncommitted changes of a disk whose last key goes are discarded. */
  remove(key: string): void {
    const name = keyName(key);
    const registration = this.#keys.get(name);
    if (registration === undefined) throw new FsError('ENOENT', { op: 'etfs', path: key });
    this.#keys.delete(name);
    registration.close();
  }

  /** The stage under a disk's key: where its transaction is committed. ENOENT, ENOTBLK. */
  stage(key: string): Stage {
    return this.#minorOf(key).disk.stage;
  }

  /** The bytes behind a disk's key, as a mount of it gets them. ENOENT, ENOTBLK. */
  device(key: string): BlockDevice {
    return this.#minorOf(key).device;
  }

  #minorOf(key: string): Minor {
    const registration = this.#keys.get(keyName(key));
    if (registration === undefined) throw new FsError('ENOENT', { op: 'etfs', path: key });
    const minor = registration.minor === undefined ? undefined : this.#minors[registration.minor];
    if (minor === undefined) throw new FsError('ENOTBLK', { op: 'etfs', path: key });
    return minor;
  }

  match(path: string): { readonly key: string; readonly entry: EtfsNode } | undefined {
    const exact = this.#keys.get(path);
    if (exact !== undefined) return { key: path, entry: exact.node };
    for (const [key, { node }] of this.#keys) {
      if (node.type === 'dir' && path.startsWith(`${key}/`)) return { key, entry: node };
    }
    return undefined;
  }

  removeAll(): void {
    for (const key of [...this.#keys.keys()]) this.remove(`/${key}`);
  }

  #make(path: string, type: EtfsType, options: EtfsWindow & { readonly stage?: StageOptions }): Registration {
    const windowed = options.begin !== undefined || options.size !== undefined;
    switch (type) {
      case 'DIR':
      case 'DIR_SUBDIRS': {
        if (windowed) throw new FsError('EISDIR', { op: 'etfs', path });
        if (this.#host.stat(path)?.type !== 'dir') throw new FsError('ENOTDIR', { op: 'etfs', path });
        const opened: HostFile[] = [];
        return {
          node: this.#directory(path, type === 'DIR_SUBDIRS', opened),
          close: () => opened.forEach((f) => f.close()),
        };
      }
      case 'REG':
        return this.#regular(path, options);
      case 'BLK':
      case 'CHR':
        return this.#disk(path, type === 'BLK' ? 'blk' : 'chr', options);
    }
  }

  #regular(path: string, window: EtfsWindow): Registration {
    const stat = this.#host.stat(path);
    if (stat === undefined) throw new FsError('ENOENT', { op: 'etfs', path });
    const { begin, size } = checkWindow(window, stat.size);
    const opened: HostFile[] = [];
    const limit = window.begin === undefined && window.size === undefined ? undefined : size;
    const file = hostFile(this.#host, path, begin, limit, opened);
    return { node: { type: 'reg', file: () => file }, close: () => opened.forEach((f) => f.close()) };
  }

  #directory(path: string, deep: boolean, opened: HostFile[]): EtfsNode {
    const host = this.#host;
    const seen = new Map<string, EtfsNode>();
    const lookup = (name: string): EtfsNode | undefined => {
      const child = `${path}/${name}`;
      const stat = host.stat(child);
      if (stat === undefined) return undefined;
      let node = seen.get(name);
      if (node !== undefined) return node;
      if (stat.type === 'dir' && deep) node = this.#directory(child, true, opened);
      else if (stat.type === 'dir') node = { type: 'dir', children: { lookup: () => undefined, names: () => [] } };
      else {
        const file = hostFile(host, child, 0, undefined, opened);
        node = { type: 'reg', file: () => file };
      }
      seen.set(name, node);
      return node;
    };
    return { type: 'dir', children: { lookup, names: () => host.readdir(path) } };
  }

  #disk(path: string, type: 'blk' | 'chr', options: EtfsWindow & { readonly stage?: StageOptions }): Registration {
    const stat = this.#host.stat(path);
    if (stat === undefined) throw new FsError('ENOENT', { op: 'etfs', path });
    if (stat.type !== 'reg' && stat.type !== 'blk' && stat.type !== 'chr')
      throw new FsError('EINVAL', { op: 'etfs', path, what: 'not a regular file or block device' });
    const free = this.#minors.findIndex((m) => m === undefined);
    const minor = free < 0 ? this.#minors.length : free;
    if (minor >= MAX_MINORS) throw new FsError('EBUSY', { op: 'etfs', path, what: 'too many disks' });
    const real = this.#host.realpath(path);
    let disk = this.#disks.get(real);
    if (disk === undefined) {
      disk = {
        stage: openStage(this.#host, path, { memLimit: this.#stageMemory, write: false, ...options.stage }),
        path: real,
        keys: 0,
      };
      this.#disks.set(real, disk);
    }
    const owner = disk;
    try {
      const { begin, size } = checkWindow(options, owner.stage.sizeBytes);
      const whole = begin === 0 && size === owner.stage.sizeBytes;
      const sound = whole ? owner.stage : sliceDevice(owner.stage, { offset: begin, length: size });
      const device = this.#failures === undefined ? sound : failingDevice(sound, this.#failures);
      this.#minors[minor] = { disk: owner, device };
      owner.keys++;
    } catch (e) {
      this.#dropDisk(owner);
      throw e;
    }
    const close = (): void => {
      this.#minors[minor] = undefined;
      owner.keys--;
      this.#dropDisk(owner);
    };
    const rdev = { major: type === 'blk' ? this.#block : this.#char, minor };
    return { node: { type, rdev }, minor, close };
  }

  #dropDisk(disk: Disk): void {
    if (disk.keys > 0) return;
    this.#disks.delete(disk.path);
    disk.stage.close();
  }
}

/** The key without its leading slashes; EINVAL when it has none. */
function keyName(key: string): string {
  if (!key.startsWith('/')) throw new FsError('EINVAL', { op: 'etfs', path: key, what: 'key without leading slash' });
  return key.replace(/^\/+/, '');
}

function checkWindow(window: EtfsWindow, fileSize: number): { begin: number; size: number } {
  const begin = window.begin ?? 0;
  const size = window.size ?? fileSize - begin;
  if (begin < 0 || size < 0 || begin + size > fileSize)
    throw new FsError('EINVAL', { op: 'etfs', what: 'window outside the file' });
  return { begin, size };
}

/** I/O on a host file through two lazily opened descriptors, one for reading and one for writing, as the original does. */
function hostFile(host: Host, path: string, begin: number, limit: number | undefined, opened: HostFile[]): EtfsFile {
  let reader: HostFile | undefined;
  let writer: HostFile | undefined;
  const open = (write: boolean): HostFile => {
    const file = host.open(path, { write });
    opened.push(file);
    return file;
  };
  const clip = (length: number, offset: number): number => Math.max(0, Math.min(length, (limit ?? Infinity) - offset));
  return {
    size: () => limit ?? host.stat(path)?.size ?? 0,
    read: (dst, offset) => (reader ??= open(false)).read(dst.subarray(0, clip(dst.length, offset)), begin + offset),
    write(src, offset) {
      const piece = src.subarray(0, clip(src.length, offset));
      (writer ??= open(true)).write(piece, begin + offset);
      return piece.length;
    },
    truncate(size) {
      if (limit !== undefined) throw new FsError('EINVAL');
      (writer ??= open(true)).truncate(size);
    },
  };
}
