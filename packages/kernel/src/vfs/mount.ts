/**
 * A mounted file system: what all types share, and the vnode cache keyed by inode number.
 *
 * The mount table itself belongs to the kernel instance (vfs.ts); this file knows one mount.
 */
import type { BlockDevice, Transaction } from '../dev/blockdev.ts';
import type { Cred } from '../kern/cred.ts';
import { FsError, type ReadOnlyCause } from '../kern/errno.ts';
import type { Ino } from '../kern/ids.ts';
import type { Timespec } from '../kern/time.ts';
import type { DeviceBufs } from './buf.ts';
import type { FileSystemType, MountOptions, ReadOnlyReason } from './vfsops.ts';
import type { Vnode } from './vnode.ts';

/** What a mount needs from the kernel instance; tests give their own. */
interface MountServices {
  /** The host's clock, clamped by SOURCE_DATE_EPOCH. */
  now(): Timespec;
  /** Random identity bytes (hash seeds, UUIDs, generations). */
  random(dst: Uint8Array): void;
  log(message: string): void;
  /** Who acts now; absent where nobody but the super-user does. */
  cred?(): Cred;
  /** Vnodes without references kept per kernel (RUMP_NVNODES). */
  readonly desiredVnodes: number;
}

interface MountInit {
  readonly type: FileSystemType;
  readonly device?: BlockDevice;
  readonly bufs?: (blockSize: number) => DeviceBufs;
  readonly transaction?: Transaction;
  readonly readOnly: boolean;
  readonly options: MountOptions;
  readonly from: string;
  readonly services: MountServices;
  readonly id?: number;
}

export class Mount<M = unknown> {
  readonly type: FileSystemType;
  /** Number of the mount in its kernel: st_dev. */
  readonly id: number;
  readonly services: MountServices;
  readonly options: MountOptions;
  readonly transaction: Transaction | undefined;
  /** Special device or word that was mounted. */
  readonly from: string;
  /** Path it is mounted on, as seen from the kernel's root. */
  on = '';
  readOnly: boolean;
  /** Keep access times still (always so on read-only mounts). */
  noatime = true;
  /** Set by the type's mount(): its private data and block size in bytes. */
  data!: M;
  blockSize = 512;
  /** Why it is read-only, what was replayed: for `fsu info` and the log. */
  readonly notes: string[] = [];
  /** What keeps it read-only beside the mount's own wish. */
  readonly readOnlyReasons: ReadOnlyReason[] = [];
  /** The directory this mount covers; undefined for the kernel's root. */
  covered: Vnode | undefined;
  /** In-core vnodes by inode number, in the order in which they came; vnode.ts says which go. */
  readonly vnodes = new Map<Ino, Vnode>();
  #device: BlockDevice | undefined;
  #bufsOf: ((blockSize: number) => DeviceBufs) | undefined;
  #bufs: DeviceBufs | undefined;

  constructor(init: MountInit) {
    this.type = init.type;
    this.id = init.id ?? 0;
    this.services = init.services;
    this.options = init.options;
    this.transaction = init.transaction;
    this.from = init.from;
    this.readOnly = init.readOnly || (init.device?.readOnly ?? false);
    this.#device = init.device;
    this.#bufsOf = init.bufs;
  }

  /** The device below. ENXIO for types that have none. */
  get device(): BlockDevice {
    if (this.#device === undefined) throw new FsError('ENXIO');
    return this.#device;
  }

  /** Metadata buffers of this mount, in units of mp.blockSize (set that first). */
  get bufs(): DeviceBufs {
    if (this.#bufs !== undefined) return this.#bufs;
    if (this.#bufsOf === undefined) throw new FsError('ENXIO');
    return (this.#bufs = this.#bufsOf(this.blockSize));
  }

  /**
   * Put a device over the one below, for what a mount reads in place of the disk (a journal replayed in memory).
   * Buffers read so far stay with the device below; none may be pinned.
   */
  layer(over: (below: BlockDevice) => BlockDevice): void {
    const { cache } = this.bufs;
    this.bufs.dropAll();
    this.#device = over(this.device);
    this.#bufs = cache.open(this.#device, this.blockSize);
  }

  get hasBufs(): boolean {
    return this.#bufs !== undefined;
  }

  /** The image must not be written, or not by us: `what` is for `fsu info` and for who tries. */
  keepReadOnly(cause: ReadOnlyCause, what: string): void {
    this.notes.push(this.readOnly ? what : `read-only: ${what}`);
    this.readOnlyReasons.push({ cause, what });
    this.readOnly = true;
  }

  now(): Timespec {
    return this.services.now();
  }
}

/** The causes, that which a person can do least about last. */
const CAUSES: readonly ReadOnlyCause[] = ['asked', 'unsupported', 'damaged'];

/** What who tries to write is told: EROFS, with the reasons where there are any beside the mount's own wish. */
export function readOnlyError(reasons: readonly ReadOnlyReason[]): FsError {
  if (reasons.length === 0) return new FsError('EROFS', { readOnly: 'asked' });
  const readOnly = CAUSES.findLast((cause) => reasons.some((reason) => reason.cause === cause)) ?? 'asked';
  return new FsError('EROFS', {
    what: `read-only file system: ${reasons.map(({ what }) => what).join('; ')}`,
    readOnly,
  });
}
