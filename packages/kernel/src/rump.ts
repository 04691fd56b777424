/**
 * boot(): a kernel instance from a host, components and file-system modules (≙ rump_init).
 *
 * The only place where the factions meet; everything else finds its neighbours through services.
 */
import { DEVSW } from './dev/devsw.ts';
import { ETFS, Etfs, type EtfsType, type EtfsWindow } from './dev/etfs.ts';
import { CommitError, type CommitHow, type CommitResult, type Stage, type StageOptions } from './dev/stage.ts';
import type { Host } from './hypercall/hypercall.ts';
import type { Component } from './kern/component.ts';
import { asFsError, FsError, UnsupportedError } from './kern/errno.ts';
import { Kernel } from './kern/kernel.ts';
import type { CheckOptions, CheckSummary } from './vfs/check.ts';
import type { FileSystemModule, FileSystemType, MkfsReport, MkfsRequest } from './vfs/vfsops.ts';
import type { VfsSyscalls } from './vfs/sys.ts';
import { ETFS_NAMES, memDevices, SYS, vfsFaction } from './vfs/syscalls.ts';
import { VFS } from './vfs/vfs.ts';

export interface BootOptions {
  readonly host: Host;
  /** Beyond the three factions; duplicates are EEXIST. */
  readonly components?: readonly Component[];
  readonly filesystems?: readonly FileSystemModule[];
  /** Host files to register while booting; what went wrong with one is in etfsFailures, and boot goes on. */
  readonly etfs?: readonly EtfsBoot[];
}

/** What a caller of Rump.check decides. */
export type CheckWishes = Omit<CheckOptions, 'now' | 'random'>;

/** The arguments of Etfs.register. */
export interface EtfsBoot extends EtfsWindow {
  readonly key: string;
  readonly path: string;
  readonly type: EtfsType;
  readonly stage?: StageOptions;
}

/** The device faction: host files as disks. */
const devFaction: Component = {
  name: 'rumpdev',
  class: 'FACTION_DEV',
  init(k) {
    const etfs = new Etfs(k.host, k.service(DEVSW), { memlimit: k.memlimit });
    k.services.provide(ETFS, etfs);
    k.service(ETFS_NAMES).names = etfs;
  },
  fini: (k) => k.service(ETFS).removeAll(),
};

/** A running kernel, as its users see it. */
export class Rump extends Kernel {
  /** Entries of BootOptions.etfs that could not be registered, by key. */
  readonly etfsFailures = new Map<string, FsError>();

  /** The system calls; each acts for the current process. */
  get sys(): VfsSyscalls {
    return this.service(SYS);
  }

  /** Host files in the name space, and the stages under them. */
  get etfs(): Etfs {
    return this.service(ETFS);
  }

  /**
   * Make everything changed on a disk durable, all or nothing: every mount's state goes into the stage, which commits.
   * Errors: EBUSY an unlinked file is open and its type cannot note that; CommitError, whose outcome says what is on disk; what
   * how.gathering() throws.
   */
  commit(stage: Stage, how: CommitHow = {}): CommitResult {
    const vfs = this.service(VFS);
    vfs.syncTransaction(stage);
    return vfs.unchanging(stage, () => {
      try {
        const result = stage.commit(how);
        vfs.committed(stage);
        return result;
      } catch (e) {
        // The stage is back at the old tree and can be used again: so must everything be that was read from it.
        try {
          if (e instanceof CommitError && e.outcome === 'discarded') vfs.rollback(stage, () => {});
        } catch {
          // Poisoned, if it cannot be read; what became of the commit is the news.
        }
        throw e;
      }
    });
  }

  /**
   * A new file system of `type` on the disk behind an etfs key, staged like any edit; nothing of what was there counts any
   * more. Nothing of the disk may be mounted. Errors: EOPNOTSUPP the type makes none; what making throws, and then the
   * stage is as before.
   */
  mkfs(key: string, type: FileSystemType, request: Omit<MkfsRequest, 'now' | 'random'>): MkfsReport {
    if (type.mkfs === undefined) throw new FsError('EOPNOTSUPP', { op: 'mkfs', what: `${type.name} cannot be made` });
    const device = this.etfs.device(key);
    const stage = this.etfs.stage(key);
    const savepoint = stage.savepoint();
    try {
      device.fresh({ offset: 0, length: device.sizeBytes });
      const report = type.mkfs.make(device, {
        ...request,
        now: this.now(),
        random: (dst) => this.host.random(dst),
      });
      stage.release(savepoint);
      return report;
    } catch (e) {
      stage.rollback(savepoint);
      throw e;
    }
  }

  /** Attach a file-system type whose code is there already; modules.load() is for those that it has to bring. EEXIST. */
  attach(type: FileSystemType): void {
    this.service(VFS).attach(type);
  }

  /**
   * Check the file system behind a disk's key, staged changes and all; every mount on it brings its state there first.
   * Repairs go into the stage: nothing of it may be mounted then. Errors: UnsupportedError the type has no check; EBUSY
   * mounted and to be repaired; what the type's check throws.
   */
  check(key: string, type: FileSystemType, options: CheckWishes): CheckSummary {
    const stage = this.etfs.stage(key);
    const vfs = this.service(VFS);
    const { check } = type;
    if (check === undefined) throw new UnsupportedError(`checking ${type.name}`);
    if (options.repair !== 'none' && vfs.mounts.some(({ transaction }) => transaction === stage)) {
      throw new FsError('EBUSY', { op: 'check', what: 'mounted: repairs are for what is not' });
    }
    vfs.syncTransaction(stage);
    const act = (): CheckSummary =>
      check(this.etfs.device(key), {
        ...options,
        now: () => this.now(),
        random: (dst) => this.host.random(dst),
      });
    return options.repair === 'none' ? vfs.unchanging(stage, act) : act();
  }

  /** Throw away everything since the last commit; open files whose inode is gone become ESTALE. */
  discard(stage: Stage): void {
    this.service(VFS).rollback(stage, () => stage.discard());
  }

  /** One bracket around several system calls: Vfs.together. */
  together<T>(stage: Stage, act: () => T): T {
    return this.service(VFS).together(stage, act);
  }

  /** An explicit savepoint for undo. */
  savepoint(stage: Stage): number {
    this.service(VFS).syncTransaction(stage);
    return stage.savepoint('explicit');
  }

  rollback(stage: Stage, savepoint: number): void {
    this.service(VFS).rollback(stage, () => stage.rollback(savepoint));
  }
}

/**
 * Bring up a kernel. Errors: EPROGMISMATCH host of another interface version; EEXIST a component or file system given
 * twice; EINVAL a bad RUMP_ parameter.
 */
export function boot(options: BootOptions): Rump {
  const rump = new Rump(options.host);
  const { components = [], filesystems = [] } = options;
  rump.start([vfsFaction, memDevices, devFaction, ...components]);
  const vfs = rump.service(VFS);
  for (const module of filesystems) vfs.registerModule(module);
  for (const { key, path, type, ...rest } of options.etfs ?? []) {
    try {
      rump.etfs.register(key, path, type, rest);
    } catch (e) {
      rump.etfsFailures.set(key, asFsError(e));
    }
  }
  return rump;
}
