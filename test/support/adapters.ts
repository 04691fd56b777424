/**
 * File systems as the tests see them: how to get a fresh one, what it can do, who judges it afterwards.
 *
 * An adapter is a type with its variants (block sizes, features). Tests read traits, never names. Disks are RAM disks of
 * a memory host and begin filled with 0xA5, so that nothing is right by accident of zeros.
 */
import {
  boot,
  MNT,
  type FileSystemModule,
  type FileSystemType,
  type MountArgs,
  type Rump,
  type Stage,
} from '@ukfs/kernel';
import { memoryHost, type MemoryHost } from '@ukfs/kernel/host/memory';
import type { Traits } from '../conformance/suite.ts';

export interface Variant {
  /** Unique over all adapters: "tmpfs", "ext4 1k". */
  readonly name: string;
  /** The adapter's name: which conformance test file runs it. */
  readonly adapter: string;
  readonly traits: Traits;
  /** A feature of the image for which this version mounts it read-only: then that is what is tested. */
  readonly readOnlyFor?: string;
  /** Cases (by the beginning of their names) that fail today, each with its reason. They must fail: a fix shows. */
  readonly known?: Readonly<Record<string, string>>;
  /** A fresh, empty file system, or the one in `image` where there is a disk. */
  newfs(image?: Uint8Array): Promise<Instance>;
}

/** One fresh file system in a kernel of its own, not mounted yet. */
export interface Instance {
  readonly k: Rump;
  readonly host: MemoryHost;
  readonly mnt: string;
  mount(options?: { readonly readOnly?: boolean }): void;
  unmount(): void;
  update(options: { readonly readOnly: boolean }): void;
  /** Called while unmounted: throws, with the judge's words, when the image is not sound. */
  check(): void;
  /** What it lies on; absent where it lies on nothing. */
  readonly disk?: {
    /** The transaction. */
    stage(): Stage;
    /** Every byte of the image, as it was at the last commit. */
    bytes(): Uint8Array;
    /** What the judges have against such bytes; undefined when they are clean. */
    complaint(bytes: Uint8Array): string | undefined;
  };
}

/** A small disk to be crashed and failed, of a type that has one: a fresh file system on it, and its judges. */
export interface Disk {
  readonly name: string;
  readonly type: FileSystemType;
  /** Fill it until so many of a hundred blocks are used. */
  readonly percent?: number;
  /** The same bytes each time. */
  make(): Uint8Array;
  /** What the judges have against such an image; undefined when it is clean. */
  complaint(image: Uint8Array): string | undefined;
  /** Would somebody else's tool believe that the image was left in order? */
  looksClean(image: Uint8Array): boolean;
}

export const MOUNT_POINT = '/mnt';
/** A time with nanoseconds that every format can hold. */
const START = { sec: 1_400_000_000, nsec: 123_456_789 };

const asModule = (type: FileSystemType): FileSystemModule => ({
  name: type.name,
  aliases: type.aliases,
  load: () => Promise.resolve(type),
});

/** A kernel with one type loaded and a mount point. */
export async function bootWith(type: FileSystemType | undefined, seed = 1): Promise<{ k: Rump; host: MemoryHost }> {
  const host = memoryHost({ time: START, seed });
  const k = boot({ host, filesystems: type === undefined ? [] : [asModule(type)] });
  if (type !== undefined) await k.modules.load(type.name);
  k.sys.mkdir(MOUNT_POINT, 0o755);
  return { k, host };
}

/** Mount, unmount and update by system calls, as a program would. */
export function mounter(k: Rump, type: string, args: MountArgs): Pick<Instance, 'mount' | 'unmount' | 'update'> {
  const flags = (readOnly: boolean | undefined): number => (readOnly === true ? MNT.RDONLY : 0);
  return {
    mount: (options) => k.sys.mount(type, MOUNT_POINT, { ...args, flags: flags(options?.readOnly) }),
    unmount: () => k.sys.unmount(MOUNT_POINT),
    update: ({ readOnly }) => k.sys.mount(type, MOUNT_POINT, { ...args, flags: MNT.UPDATE | flags(readOnly) }),
  };
}

// tmpfs

export const tmpfsTraits = (type: FileSystemType): Traits => ({
  ...type.traits,
  persistent: false,
  mounted: true,
  rename: true,
  handles: type.vptofh !== undefined,
  allocate: true,
  punch: true,
  birthtime: true,
  countsFiles: true,
  capacityBytes: 5_120_000,
  manyFiles: 2324,
  maxFileBytes: Number.MAX_SAFE_INTEGER,
  dots: true,
  blockBytes: 4096,
  readOnlyMount: true,
  slowLimits: false,
  xattrMaxBytes: 65536,
});

/** tmpfs, or a type that pretends to be (a broken one). NetBSD's image size: 10000 sectors. */
export function tmpfsVariant(type: FileSystemType, name = 'tmpfs'): Variant {
  return {
    name,
    adapter: 'tmpfs',
    traits: tmpfsTraits(type),
    async newfs() {
      const { k, host } = await bootWith(type);
      const options = { size: '5120000', nodes: '8000', mode: '755' };
      return { k, host, mnt: MOUNT_POINT, ...mounter(k, type.name, { options }), check: () => {} };
    },
  };
}

// rumpfs: the kernel's own root. It is not mounted for a test; its cases live in a directory of it.

/** As rumpfs declares itself; it is wired to one kernel's devices, so there is no type to ask without one. */
const rumpfsTraits: Traits = {
  write: true,
  hardLinks: false,
  symlinks: true,
  devices: true,
  sparse: false,
  caseSensitive: true,
  xattr: false,
  flags: 0,
  owners: true,
  timeGranularityNs: 1,
  nameMaxBytes: 255,
  symlinkMaxBytes: 1024,
  linkMax: 32767,
  unlinkOpen: true,
  needsDevice: false,
  persistent: false,
  mounted: false,
  rename: false,
  handles: false,
  allocate: false,
  punch: false,
  birthtime: false,
  countsFiles: false,
  capacityBytes: 0,
  manyFiles: 581,
  maxFileBytes: 2 ** 24,
  dots: true,
  blockBytes: 512,
  readOnlyMount: false,
  slowLimits: false,
  xattrMaxBytes: 0,
};

export const rumpfsVariant: Variant = {
  name: 'rumpfs',
  adapter: 'rumpfs',
  traits: rumpfsTraits,
  async newfs() {
    const { k, host } = await bootWith(undefined);
    const nothing = (): void => {};
    return { k, host, mnt: MOUNT_POINT, mount: nothing, unmount: nothing, update: nothing, check: nothing };
  },
};
