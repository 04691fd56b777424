/**
 * The buffer cache: metadata blocks, keyed by (device, physical block), least recently used first out.
 *
 * bread/getblk pin a buffer, brelse unpins it. A changed buffer is bwrite()n (into the stage at once) or bdwrite()n
 * (into the stage when the system call ends, through flush()); either way dirty bytes have one home when the call returns.
 * File data never comes here: it moves in long runs between the caller and the device; whoever writes or frees a run
 * directly invalidates the buffers that overlap it.
 */
import type { BlockDevice } from '../dev/blockdev.ts';
import { assert } from '../kern/assert.ts';
import { CorruptError, FsError } from '../kern/errno.ts';

/** Blocks of a table that are read at once: the cost of a call is that of copying some 10 KiB. */
const READ_AHEAD = 8;

export class Buf {
  readonly owner: DeviceBufs;
  readonly block: number;
  readonly data: Uint8Array;
  pins = 0;
  dirty = false;
  /** Holds what the disk holds (or newer); false after getblk until somebody fills it. */
  valid = false;
  /** Completes the block before it is staged: checksums that cover the whole block are computed here, once. */
  seal: ((data: Uint8Array) => void) | undefined;
  /** The cache's count when it was put into its order of use; 0: it is not in it. */
  usedAt = 0;
  /** Set once a type has verified the block's checksum, so that it is done once per residence in the cache. */
  verified = false;

  constructor(owner: DeviceBufs, block: number, data: Uint8Array) {
    this.owner = owner;
    this.block = block;
    this.data = data;
  }
}

/** All buffers of a kernel, bounded by one limit (5 % of RUMP_MEMLIMIT, as in NetBSD). */
export class BufCache {
  readonly limitBytes: number;
  usedBytes = 0;
  /** Buffers in order of last use, more or less: one that was moved to the end lately stays where it is. */
  readonly #lru = new Set<Buf>();
  #count = 0;

  constructor(limitBytes: number) {
    this.limitBytes = limitBytes;
  }

  /** A mount's view of the cache. */
  open(device: BlockDevice, blockSize: number): DeviceBufs {
    return new DeviceBufs(this, device, blockSize);
  }

  /** Some more than need be: each time walks over the gaps that earlier ones left in the set. */
  evict(): void {
    if (this.usedBytes <= this.limitBytes) return;
    const goal = this.limitBytes - Math.floor(this.limitBytes / 16);
    for (const bp of this.#lru) {
      if (this.usedBytes <= goal) return;
      if (bp.pins === 0 && !bp.dirty) bp.owner.forget(bp);
    }
  }

  /** Used last. */
  used(bp: Buf): void {
    this.#count++;
    // Moving a buffer costs more than finding it: a place near the end is as good as the end.
    if (bp.usedAt > 0 && this.#count - bp.usedAt < this.#lru.size >> 3) return;
    if (bp.usedAt > 0) this.#lru.delete(bp);
    this.#lru.add(bp);
    bp.usedAt = this.#count;
  }

  gone(bp: Buf): void {
    this.#lru.delete(bp);
    bp.usedAt = 0;
  }
}

export class DeviceBufs {
  readonly cache: BufCache;
  readonly device: BlockDevice;
  readonly blockSize: number;
  /** Grows with every buffer changed: the system-call layer compares it to know whether a failed call left traces. */
  modCount = 0;
  readonly #buffers = new Map<number, Buf>();
  readonly #dirty = new Set<Buf>();
  readonly #blocks: number;

  constructor(cache: BufCache, device: BlockDevice, blockSize: number) {
    this.cache = cache;
    this.device = device;
    this.blockSize = blockSize;
    this.#blocks = Math.floor(device.sizeBytes / blockSize);
  }

  /**
   * The block's contents, pinned. `ahead`: so many blocks from this one on are of one table, and are read together when
   * the block before is here already, that is, when somebody reads the table in order.
   * Errors: EIO; CorruptError when the block lies beyond the device.
   */
  bread(block: number, ahead = 1): Buf {
    if (ahead > 1 && this.#buffers.has(block - 1) && !this.#buffers.has(block)) this.#readAhead(block, ahead);
    const bp = this.getblk(block);
    if (!bp.valid) {
      try {
        this.device.read(bp.data, block * this.blockSize);
        bp.valid = true;
      } finally {
        if (!bp.valid) {
          bp.pins--;
          this.forget(bp);
        }
      }
    }
    return bp;
  }

  /** A pinned buffer whose contents the caller will replace whole; not read from the device. */
  getblk(block: number): Buf {
    let bp = this.#buffers.get(block);
    if (bp === undefined) {
      if (!(block >= 0 && block < this.#blocks)) throw new CorruptError('block number beyond the device', { block });
      bp = new Buf(this, block, new Uint8Array(this.blockSize));
      this.#buffers.set(block, bp);
      this.cache.usedBytes += this.blockSize;
      if (this.cache.usedBytes > this.cache.limitBytes) this.cache.evict();
    }
    bp.pins++;
    return bp;
  }

  /** A pinned, zero-filled buffer for a block that is newly allocated. */
  newblk(block: number): Buf {
    const bp = this.getblk(block);
    bp.data.fill(0);
    bp.valid = true;
    bp.verified = false;
    bp.seal = undefined;
    return bp;
  }

  /** Unpin. */
  brelse(bp: Buf): void {
    assert(bp.pins > 0, `brelse of unpinned block ${bp.block}`);
    if (--bp.pins === 0 && !bp.dirty && this.#buffers.get(bp.block) === bp) this.cache.used(bp);
  }

  /** Stage the buffer now, and unpin it. */
  bwrite(bp: Buf): void {
    this.modCount++;
    bp.valid = true;
    try {
      this.#stage(bp);
    } finally {
      this.brelse(bp);
    }
  }

  /** Stage the buffer when the running system call ends, and unpin it. */
  bdwrite(bp: Buf): void {
    this.markDirty(bp);
    this.brelse(bp);
  }

  /** As bdwrite, for a buffer that stays pinned. */
  markDirty(bp: Buf): void {
    this.modCount++;
    bp.valid = true;
    if (!bp.dirty) {
      bp.dirty = true;
      this.#dirty.add(bp);
    }
  }

  /** Stage every delayed write, in block order. */
  flush(): void {
    if (this.#dirty.size === 0) return;
    for (const bp of [...this.#dirty].sort((a, b) => a.block - b.block)) this.#stage(bp);
    this.cache.evict();
  }

  /** The blocks were freed, or are about to be written around the cache: forget what we hold of them. */
  invalidate(block: number, count: number): void {
    if (count > this.#buffers.size) {
      for (const bp of [...this.#buffers.values()]) if (bp.block >= block && bp.block < block + count) this.#drop(bp);
    } else {
      for (let b = block; b < block + count; b++) {
        const bp = this.#buffers.get(b);
        if (bp !== undefined) this.#drop(bp);
      }
    }
  }

  /** Forget everything, delayed writes included: the stage below was rolled back. No buffer may be pinned. */
  dropAll(): void {
    for (const bp of [...this.#buffers.values()]) this.#drop(bp);
  }

  /** Buffers pinned now; a test's afterEach wants 0. */
  get pinned(): number {
    let n = 0;
    for (const bp of this.#buffers.values()) if (bp.pins > 0) n++;
    return n;
  }

  /** Leave the cache (BufCache.evict and bread only). */
  forget(bp: Buf): void {
    if (this.#buffers.get(bp.block) !== bp) return;
    this.#buffers.delete(bp.block);
    this.cache.gone(bp);
    this.cache.usedBytes -= this.blockSize;
  }

  /** Fill the cache with blocks that nobody asked for yet. What cannot be read is left to whoever wants it. */
  #readAhead(block: number, ahead: number): void {
    const most = Math.min(ahead, READ_AHEAD, this.#blocks - block);
    let count = 0;
    while (count < most && !this.#buffers.has(block + count)) count++;
    if (count < 2) return;
    const { blockSize, cache } = this;
    const data = new Uint8Array(count * blockSize);
    try {
      this.device.read(data, block * blockSize);
    } catch (e) {
      if (e instanceof FsError) return;
      throw e;
    }
    for (let i = 0; i < count; i++) {
      const bp = new Buf(this, block + i, data.subarray(i * blockSize, (i + 1) * blockSize));
      bp.valid = true;
      this.#buffers.set(bp.block, bp);
      cache.used(bp);
    }
    cache.usedBytes += data.length;
    if (cache.usedBytes > cache.limitBytes) cache.evict();
  }

  #stage(bp: Buf): void {
    bp.seal?.(bp.data);
    this.device.write(bp.data, bp.block * this.blockSize);
    if (!bp.dirty) return;
    bp.dirty = false;
    this.#dirty.delete(bp);
    if (bp.pins === 0) this.cache.used(bp);
  }

  #drop(bp: Buf): void {
    if (bp.dirty) {
      bp.dirty = false;
      this.#dirty.delete(bp);
    }
    bp.valid = false;
    bp.verified = false;
    this.forget(bp);
  }
}
