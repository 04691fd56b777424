/**
 * A session: one kernel, the images open in it, and the file systems mounted from them. Handles share these and count
 * how many they are; the last one lets go.
 */
import { boot, FsError, MNT } from '@ukfs/kernel';
import type {
  CheckSummary,
  CheckWishes,
  FileSystemType,
  Finding,
  Host,
  MountOptions,
  Rump,
  Stage,
  StageOptions,
} from '@ukfs/kernel';
import { filesystems } from '@ukfs/kernel/all';
import type { CheckHow, Session } from './handle.ts';

/** An image open in the session: one stage, one transaction, one lock. */
export interface Disk {
  /** Real path: what tells images apart. */
  readonly path: string;
  readonly key: string;
  readonly stage: Stage;
  readonly writable: boolean;
  users: number;
}

/** A mounted file system. */
export interface Mounted {
  readonly type: FileSystemType;
  /** Where, in the kernel's name space. */
  readonly on: string;
  readonly key: string | undefined;
  readonly disk: Disk | undefined;
  readonly offset: number;
  readonly readOnly: boolean;
  users: number;
}

interface MountWish {
  readonly offset: number;
  readonly sizeBytes: number;
  readonly readOnly: boolean;
  readonly options: MountOptions;
}

/** Errors of an edit that are told apart; one would do. */
const INTRODUCED_MAX = 1000;

export class KernelSession implements Session {
  readonly host: Host;
  readonly rump: Rump;
  handles = 0;
  readonly #disks = new Map<string, Disk>();
  readonly #mounts = new Set<Mounted>();
  #serial = 0;

  constructor(host: Host) {
    this.host = host;
    this.rump = boot({ host, filesystems });
  }

  /** The image's disk, opened if it is not yet. EBUSY: open for reading here, and now asked for writing. */
  openDisk(image: string, options: StageOptions): Disk {
    try {
      return this.#openDisk(image, options);
    } catch (e) {
      // How the kernel goes about it is no business of who asked for the image.
      if (e instanceof FsError) Object.assign(e.context, { op: 'open', path: image });
      throw e;
    }
  }

  #openDisk(image: string, options: StageOptions): Disk {
    const path = this.host.realpath(image);
    const there = this.#disks.get(path);
    if (there !== undefined) {
      if (options.write && !there.writable) throw new FsError('EBUSY', { what: 'open for reading in this session' });
      there.users++;
      return there;
    }
    const type = this.host.stat(path)?.type;
    if (type === 'dir') throw new FsError('EISDIR');
    if (type !== 'reg' && type !== 'blk') throw new FsError('EFTYPE', { what: 'not a regular file or block device' });
    const key = `/disk${this.#serial++}`;
    this.rump.etfs.register(key, path, 'BLK', { stage: options });
    const disk = { path, key, stage: this.rump.etfs.stage(key), writable: options.write, users: 1 };
    this.#disks.set(path, disk);
    return disk;
  }

  /** Uncommitted changes go with the last user. */
  closeDisk(disk: Disk): void {
    if (--disk.users > 0) return;
    this.#disks.delete(disk.path);
    this.rump.etfs.remove(disk.key);
  }

  /** The file system at a place of a disk, mounted if it is not yet. The caller has loaded its module. */
  mount(disk: Disk | undefined, type: FileSystemType, wish: MountWish): Mounted {
    const there = [...this.#mounts].find((m) => m.disk === disk && disk !== undefined && m.offset === wish.offset);
    if (there !== undefined) {
      if (there.readOnly && !wish.readOnly)
        throw new FsError('EBUSY', { op: 'mount', what: 'mounted read-only in this session' });
      there.users++;
      return there;
    }
    const { etfs, sys } = this.rump;
    const serial = this.#serial++;
    const on = `/mnt${serial}`;
    const key = disk === undefined ? undefined : `/slice${serial}`;
    if (disk !== undefined && key !== undefined) {
      etfs.register(key, disk.path, 'BLK', { begin: wish.offset, size: wish.sizeBytes });
    }
    const mounted: Mounted = { type, on, key, disk, offset: wish.offset, readOnly: wish.readOnly, users: 1 };
    try {
      sys.mkdir(on, 0o777);
      const flags = wish.readOnly ? MNT.RDONLY : 0;
      sys.mount(type.name, on, { flags, options: wish.options, ...(key === undefined ? {} : { from: key }) });
    } catch (e) {
      if (key !== undefined) etfs.remove(key);
      throw e;
    }
    this.#mounts.add(mounted);
    return mounted;
  }

  /** The last user unmounts, by force: what was to be kept is committed. */
  unmount(mounted: Mounted): void {
    if (--mounted.users > 0) return;
    this.#mounts.delete(mounted);
    const { etfs, sys } = this.rump;
    try {
      sys.unmount(mounted.on, MNT.FORCE);
    } finally {
      if (mounted.key !== undefined) etfs.remove(mounted.key);
    }
    sys.rmdir(mounted.on);
  }

  /** Check a part of a disk that nothing is mounted from; what was repaired is committed when no error is left. */
  check(
    disk: Disk,
    type: FileSystemType,
    wish: CheckWishes & { readonly offset: number; readonly sizeBytes: number },
  ): { readonly summary: CheckSummary; readonly changed: boolean } {
    const { offset, sizeBytes, ...wishes } = wish;
    const { etfs } = this.rump;
    const key = `/check${this.#serial++}`;
    etfs.register(key, disk.path, 'BLK', { begin: offset, size: sizeBytes });
    try {
      const summary = this.rump.check(key, type, wishes);
      if (wishes.repair === 'none') {
        disk.stage.checkUnchanged();
        return { summary, changed: false };
      }
      const isKept = summary.left === 0 && !disk.stage.dryRun;
      if (!isKept) this.rump.discard(disk.stage);
      return { summary, changed: isKept && this.rump.commit(disk.stage).bytesLogged > 0 };
    } finally {
      etfs.remove(key);
    }
  }

  /**
   * Errors of a mounted file system, staged changes and all, that the image as it was at the last commit does not have.
   * That is looked at only when there are any.
   */
  introduced(mounted: Mounted, { sizeBytes, pause }: { readonly sizeBytes: number } & CheckHow): Finding[] {
    const how = { repair: 'none', ...(pause === undefined ? {} : { pause }) } as const;
    const { disk, key, type, offset } = mounted;
    if (disk === undefined || key === undefined) return [];
    const found = new Map<string, Finding>();
    const error = (use: (name: string, finding: Finding) => void) => (finding: Finding) => {
      if (finding.severity === 'error') use(JSON.stringify([finding.code, finding.where]), finding);
    };
    const report = error((name, finding) => found.size < INTRODUCED_MAX && found.set(name, finding));
    this.rump.check(key, type, { ...how, report });
    if (found.size === 0) return [];
    const before = new KernelSession(this.host);
    before.handles++;
    try {
      const same = before.openDisk(disk.path, { write: false });
      try {
        const forget = error((name) => found.delete(name));
        before.check(same, type, { ...how, offset, sizeBytes, report: forget });
      } finally {
        before.closeDisk(same);
      }
    } finally {
      before.release();
    }
    return [...found.values()];
  }

  /** Run as the kernel itself, whoever's turn it is. */
  asKernel<T>(act: () => T): T {
    const { lwproc } = this.rump;
    const current = lwproc.curlwp;
    lwproc.switch(undefined);
    try {
      return act();
    } finally {
      lwproc.switch(current);
    }
  }

  release(): void {
    if (--this.handles === 0) this.rump.halt();
  }
}
