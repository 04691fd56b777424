/**
 * The VFS of one kernel: loaded types, the mount table, each process's directories, and the bracket that makes every
 * modifying system call all or nothing.
 */
import type { BlockDevice, Transaction } from '../dev/blockdev.ts';
import { assert } from '../kern/assert.ts';
import { serviceKey } from '../kern/component.ts';
import { asFsError, CorruptError, FsError } from '../kern/errno.ts';
import type { Kernel } from '../kern/kernel.ts';
import type { Proc } from '../kern/lwproc.ts';
import { BufCache } from './buf.ts';
import { LockTable } from './lockf.ts';
import { Mount } from './mount.ts';
import type { NameiContext } from './namei.ts';
import type { FileSystemModule, FileSystemType, MountOptions } from './vfsops.ts';
import { vref, vrele, vrevoke, type Vnode } from './vnode.ts';

/** A process's root and current directory. */
interface Cwdinfo {
  rdir: Vnode;
  cdir: Vnode;
}
const CWDI = serviceKey<Cwdinfo>('cwdinfo');
export const VFS = serviceKey<Vfs>('vfs');

/** Calls that are one bracket together. */
interface Group {
  readonly transaction: Transaction;
  /** Mounts that were changed, with their buffers' modCount before. */
  readonly mounts: Map<Mount, number>;
  /** What the first modifying call that failed threw. */
  failure: { readonly thrown: unknown } | undefined;
  /** References let go after that: the last one may write, which waits until everything was taken back. */
  readonly late: Vnode[];
}

/** NetBSD's default for rump kernels (RUMP_NVNODES). */
const DEFAULT_NVNODES = 1024;
/** The buffer cache's share of the memory limit, and the least it can work with. */
const BUFCACHE_PERCENT = 5;

export class Vfs {
  readonly k: Kernel;
  readonly bufcache: BufCache;
  readonly locks = new LockTable();
  readonly mounts: Mount[] = [];
  readonly desiredVnodes: number;
  readonly #types = new Map<string, FileSystemType>();
  #root: Vnode | undefined;
  #group: Group | undefined;
  /** The transaction that nothing changes now, and files without names whose last reference went meanwhile. */
  #unchanging: { readonly transaction: Transaction; readonly late: Vnode[] } | undefined;
  #nextMountId = 1;

  constructor(k: Kernel) {
    this.k = k;
    this.bufcache = new BufCache(Math.floor((k.memlimit * BUFCACHE_PERCENT) / 100));
    this.desiredVnodes = Number(k.host.getparam('RUMP_NVNODES') ?? DEFAULT_NVNODES) || DEFAULT_NVNODES;
    k.lwproc.addHook({ fork: (parent, child) => this.#forkCwd(parent, child), exit: (proc) => this.#exitCwd(proc) });
    k.sysctl.node('vfs.generic.fstypes', () => [...this.#types.keys()].join(' '));
    k.sysctl.node('kern.maxvnodes', () => this.desiredVnodes);
  }

  // types

  /** Make a type's module known; its code comes with modules.load(). */
  registerModule(module: FileSystemModule): void {
    this.k.modules.register({
      name: module.name,
      aliases: module.aliases,
      load: async () => {
        const type = await module.load();
        return { init: () => this.attach(type), fini: () => this.detach(type) };
      },
    });
  }

  attach(type: FileSystemType): void {
    if (this.#types.has(type.name)) throw new FsError('EEXIST', { what: `file system ${type.name} attached twice` });
    this.#types.set(type.name, type);
  }

  /** EBUSY while a mount of the type exists. */
  detach(type: FileSystemType): void {
    if (this.mounts.some((mp) => mp.type === type)) throw new FsError('EBUSY', { what: `${type.name} is mounted` });
    this.#types.delete(type.name);
  }

  /** ENODEV when the type is not loaded. */
  type(name: string): FileSystemType {
    const type = this.#types.get(this.k.modules.resolve(name) ?? name);
    if (type === undefined)
      throw new FsError('ENODEV', { op: 'mount', what: `file system type ${name} is not loaded` });
    return type;
  }

  // mounts

  /** The root of the name space; set once, by the component that mounts rumpfs. */
  get rootvnode(): Vnode {
    assert(this.#root !== undefined, 'no root file system');
    return this.#root;
  }

  mountRoot(type: FileSystemType): Mount {
    assert(this.#root === undefined, 'root file system mounted twice');
    const mp = this.#newMount(type, { from: type.name, readOnly: false, options: {} });
    mp.on = '/';
    this.#root = type.root(mp);
    const { initproc } = this.k.lwproc;
    initproc.specific.provide(CWDI, { rdir: vref(this.#root), cdir: vref(this.#root) });
    return mp;
  }

  /** Mount on directory `covered`, whose reference the mount keeps. `covered` stays the caller's when this throws. */
  mount(
    type: FileSystemType,
    covered: Vnode,
    on: string,
    init: {
      readonly device?: BlockDevice;
      readonly transaction?: Transaction | undefined;
      readonly readOnly: boolean;
      readonly options: MountOptions;
      readonly from: string;
    },
  ): Mount {
    const mp = this.#newMount(type, init);
    mp.on = on;
    mp.covered = covered;
    covered.mountedHere = mp;
    return mp;
  }

  /** EBUSY while vnodes are in use, unless forced: then their holders get ESTALE. */
  unmount(mp: Mount, options: { readonly force: boolean }): void {
    if (!options.force && (this.mounts.some((m) => m.covered?.mount === mp) || this.#busyVnodes(mp)))
      throw new FsError('EBUSY');
    for (const upper of this.mounts.filter((m) => m.covered?.mount === mp)) this.unmount(upper, options);
    if (!mp.readOnly && !options.force) this.syncMount(mp);
    for (const vp of [...mp.vnodes.values()]) vrevoke(vp);
    mp.type.unmount(mp);
    if (mp.hasBufs) mp.bufs.dropAll();
    this.mounts.splice(this.mounts.indexOf(mp), 1);
    const { covered } = mp;
    if (covered === undefined) return;
    covered.mountedHere = undefined;
    mp.covered = undefined;
    vrele(covered);
  }

  // transactions

  /**
   * The bracket around every modifying call on a mount: what `fn` does reaches the stage as a whole when it returns,
   * and not at all when it throws. A corrupt structure met on the way poisons the transaction.
   */
  modify<T>(mp: Mount, fn: () => T): T {
    const { transaction } = mp;
    if (transaction === undefined) return fn();
    if (this.#unchanging?.transaction === transaction) throw new FsError('EBUSY');
    if (this.#group?.transaction === transaction) return inGroup(this.#group, mp, fn);
    const savepoint = transaction.savepoint();
    const traces = mp.bufs.modCount;
    try {
      const result = fn();
      mp.bufs.flush();
      transaction.release(savepoint);
      return result;
    } catch (e) {
      this.#undo(transaction, { savepoint, mounts: new Map([[mp, traces]]), cause: e });
      throw e;
    }
  }

  /**
   * One bracket around several calls: all of them or none, and what they change in common is staged once. A modifying call
   * that fails in it takes everything back; those after it fail, too (ECANCELED). EBUSY: one for another transaction is open.
   */
  together<T>(transaction: Transaction, act: () => T): T {
    if (this.#group?.transaction === transaction) return act();
    if (this.#group !== undefined) throw new FsError('EBUSY');
    const savepoint = transaction.savepoint();
    const group: Group = (this.#group = { transaction, mounts: new Map(), failure: undefined, late: [] });
    try {
      const result = act();
      if (group.failure !== undefined) throw group.failure.thrown;
      for (const mp of group.mounts.keys()) mp.bufs.flush();
      transaction.release(savepoint);
      return result;
    } catch (e) {
      // What came after the first failure mostly came of it.
      const cause = group.failure?.thrown ?? e;
      this.#undo(transaction, { savepoint, mounts: group.mounts, cause });
      throw cause;
    } finally {
      this.#group = undefined;
      for (const vp of group.late) this.vput(vp);
    }
  }

  #undo(
    transaction: Transaction,
    failed: { readonly savepoint: number; readonly mounts: ReadonlyMap<Mount, number>; readonly cause: unknown },
  ): void {
    const { savepoint, mounts, cause } = failed;
    const traces = [...mounts].some(([mp, modCount]) => mp.bufs.modCount !== modCount);
    const changed = transaction.changedSince(savepoint) || traces;
    transaction.rollback(savepoint);
    for (const mp of mounts.keys()) {
      try {
        // Also when no byte changed: a type changes its in-core files before it comes to their buffers.
        this.#reload(mp);
      } catch {
        // The transaction is poisoned and will say so; this call failed for its own reason.
      }
    }
    if (changed && cause instanceof CorruptError) transaction.poison(cause);
  }

  /** Bring the delayed state of every mount of a transaction into it: the first step of a commit. EBUSY as type.sync, or within together(). */
  syncTransaction(transaction: Transaction): void {
    this.#notInGroup(transaction);
    for (const mp of this.mounts) if (mp.transaction === transaction && !mp.readOnly) this.syncMount(mp);
  }

  syncMount(mp: Mount): void {
    this.modify(mp, () => {
      mp.type.sync(mp);
      if (mp.hasBufs) mp.bufs.flush();
    });
  }

  #notInGroup(transaction: Transaction): void {
    if (this.#group?.transaction === transaction) throw new FsError('EBUSY', { what: 'within a group of calls' });
  }

  /** The transaction became durable. */
  committed(transaction: Transaction): void {
    for (const mp of this.mounts) if (mp.transaction === transaction) mp.type.committed?.(mp);
  }

  /** The bytes under every mount of a transaction went back in time (`back` does it): drop every cache, read again. */
  rollback(transaction: Transaction, back: () => void): void {
    this.#notInGroup(transaction);
    const touched = this.mounts.filter((mp) => mp.transaction === transaction);
    for (const mp of touched) if (mp.hasBufs) mp.bufs.dropAll();
    back();
    for (const mp of touched) this.#reload(mp);
  }

  /** What cannot be read again stays as it was in memory, where it is wrong: nothing may be built on that. */
  #reload(mp: Mount): void {
    mp.bufs.dropAll();
    for (const vp of mp.vnodes.values()) vp.names = undefined;
    try {
      mp.type.reload(mp);
    } catch (e) {
      mp.transaction?.poison(asFsError(e));
      throw e;
    }
  }

  // processes

  cwdi(proc: Proc): Cwdinfo {
    return proc.specific.get(CWDI);
  }

  nameiContext(): NameiContext {
    const proc = this.k.lwproc.curproc;
    const { rdir, cdir } = this.cwdi(proc);
    return { rdir, cdir, cred: proc.cred };
  }

  #forkCwd(parent: Proc, child: Proc): void {
    const from = parent.specific.find(CWDI);
    if (from !== undefined) child.specific.provide(CWDI, { rdir: vref(from.rdir), cdir: vref(from.cdir) });
  }

  #exitCwd(proc: Proc): void {
    this.locks.dropProcess(proc.pid);
    const cwdi = proc.specific.find(CWDI);
    if (cwdi === undefined) return;
    this.vput(cwdi.cdir);
    this.vput(cwdi.rdir);
  }

  /**
   * Nothing of the transaction changes while `act` runs, whoever has a turn in it: a modifying call is EBUSY, and a file that goes with
   * its last reference goes afterwards.
   */
  unchanging<T>(transaction: Transaction, act: () => T): T {
    const outer = this.#unchanging;
    const late: Vnode[] = [];
    this.#unchanging = { transaction, late };
    try {
      return act();
    } finally {
      this.#unchanging = outer;
      for (const vp of late) this.#putLate(vp);
    }
  }

  /** What ended or poisoned the transaction meanwhile is the news; the format has noted files without names. */
  #putLate(vp: Vnode): void {
    try {
      this.vput(vp);
    } catch (thrown) {
      if (!(thrown instanceof FsError)) throw thrown;
    }
  }

  /** vrele for callers outside a bracket: the last reference of an unlinked file frees it, which writes. */
  vput(vp: Vnode): void {
    const { transaction } = vp.mount;
    if (vp.usecount > 1 || vp.mount.readOnly || transaction === undefined || vp.revoked) vrele(vp);
    else if (this.#unchanging?.transaction === transaction) {
      if (vp.ops.getattr(vp).nlink === 0) this.#unchanging.late.push(vp);
      else vrele(vp);
    } else if (this.#group?.failure !== undefined && this.#group.transaction === transaction) this.#group.late.push(vp);
    else this.modify(vp.mount, () => vrele(vp));
  }

  #busyVnodes(mp: Mount): boolean {
    for (const vp of mp.vnodes.values()) if (vp.usecount > 0) return true;
    return false;
  }

  #newMount(
    type: FileSystemType,
    init: {
      readonly device?: BlockDevice;
      readonly transaction?: Transaction | undefined;
      readonly readOnly: boolean;
      readonly options: MountOptions;
      readonly from: string;
    },
  ): Mount {
    for (const word of Object.keys(init.options)) {
      if (type.options[word] === undefined)
        throw new FsError('EINVAL', { op: 'mount', what: `-o ${word}: option not supported` });
    }
    const { device, transaction, ...rest } = init;
    const { k, bufcache } = this;
    const mp = new Mount({
      type,
      id: this.#nextMountId++,
      ...rest,
      ...(device === undefined ? {} : { device, bufs: (blockSize: number) => bufcache.open(device, blockSize) }),
      ...(transaction === undefined ? {} : { transaction }),
      services: {
        now: () => k.now(),
        random: (dst) => k.host.random(dst),
        log: (message) => k.log.verbose(message),
        cred: () => k.lwproc.curproc.cred,
        desiredVnodes: this.desiredVnodes,
      },
    });
    const savepoint = transaction?.savepoint();
    try {
      type.mount(mp);
      if (mp.hasBufs) mp.bufs.flush();
      if (savepoint !== undefined) transaction?.release(savepoint);
    } catch (e) {
      // A journal replay that failed half way must leave nothing staged.
      if (mp.hasBufs) mp.bufs.dropAll();
      if (savepoint !== undefined) transaction?.rollback(savepoint);
      throw e;
    }
    this.mounts.push(mp);
    return mp;
  }
}

function inGroup<T>(group: Group, mp: Mount, fn: () => T): T {
  if (group.failure !== undefined) throw new FsError('ECANCELED', { what: 'an earlier call of the group failed' });
  if (!group.mounts.has(mp)) group.mounts.set(mp, mp.bufs.modCount);
  try {
    return fn();
  } catch (thrown) {
    group.failure = { thrown };
    throw thrown;
  }
}
