import { describe, expect, it } from 'vitest';
import type { BlockDevice } from '../dev/blockdev.ts';
import { CorruptError, FsError } from '../kern/errno.ts';
import { BufCache } from './buf.ts';

const BLOCK = 1024;

class Disk implements BlockDevice {
  readonly sectorSize = 512;
  readonly readOnly = false;
  readonly bytes: Uint8Array;
  reads = 0;
  writes = 0;
  failReads = false;
  constructor(blocks: number) {
    this.bytes = new Uint8Array(blocks * BLOCK).fill(0xa5);
  }
  get sizeBytes(): number {
    return this.bytes.length;
  }
  read(dst: Uint8Array, offset: number): void {
    if (this.failReads) throw new FsError('EIO');
    this.reads++;
    dst.set(this.bytes.subarray(offset, offset + dst.length));
  }
  write(src: Uint8Array, offset: number): void {
    this.writes++;
    this.bytes.set(src, offset);
  }
  fresh(): void {}
  released(): void {}
  isReleased(): boolean {
    return false;
  }
  superblock(): void {}
}

describe('the buffer cache', () => {
  it('reads a block once and gives the same buffer to all', () => {
    const disk = new Disk(8);
    const bufs = new BufCache(64 * BLOCK).open(disk, BLOCK);
    const a = bufs.bread(3);
    const b = bufs.bread(3);
    expect(a).toBe(b);
    bufs.brelse(a);
    bufs.brelse(b);
    bufs.brelse(bufs.bread(3));
    expect(disk.reads).toBe(1);
    expect(bufs.pinned).toBe(0);
  });

  it('reads a table ahead only when it is read in order, never past its end or over what it holds', () => {
    const disk = new Disk(32);
    const bufs = new BufCache(64 * BLOCK).open(disk, BLOCK);
    const touch = (block: number, ahead: number): Uint8Array => {
      const bp = bufs.bread(block, ahead);
      bufs.brelse(bp);
      return bp.data;
    };
    for (let block = 0; block < 32; block++) disk.bytes.fill(block, block * BLOCK, (block + 1) * BLOCK);
    const changed = bufs.bread(7);
    changed.data.fill(0x77);
    bufs.bdwrite(changed);
    touch(3, 20);
    expect(disk.reads).toBe(2);
    touch(4, 20);
    expect(disk.reads).toBe(3);
    expect([touch(5, 20)[0], touch(6, 20)[BLOCK - 1], touch(7, 20)[0]]).toEqual([5, 6, 0x77]);
    expect(disk.reads).toBe(3);
    touch(8, 2);
    touch(9, 1);
    expect(disk.reads).toBe(4);
    touch(10, 1);
    touch(31, 20);
    expect(disk.reads).toBe(6);
    expect(bufs.pinned).toBe(0);
  });

  it('keeps a failed read ahead to itself', () => {
    const disk = new Disk(8);
    const bufs = new BufCache(64 * BLOCK).open(disk, BLOCK);
    bufs.brelse(bufs.bread(0));
    disk.failReads = true;
    expect(() => bufs.bread(1, 4)).toThrow(FsError);
    disk.failReads = false;
    bufs.brelse(bufs.bread(1, 4));
    expect(disk.reads).toBe(2);
    expect(bufs.pinned).toBe(0);
  });

  it('stages delayed writes at flush, sealed once, in block order', () => {
    const disk = new Disk(8);
    const bufs = new BufCache(64 * BLOCK).open(disk, BLOCK);
    let seals = 0;
    for (const n of [5, 2, 5]) {
      const bp = bufs.bread(n);
      bp.data[0] = n;
      bp.seal = (data) => {
        seals++;
        data[1] = 99;
      };
      bufs.bdwrite(bp);
    }
    expect(disk.writes).toBe(0);
    bufs.flush();
    expect([disk.writes, seals]).toEqual([2, 2]);
    expect([disk.bytes[5 * BLOCK], disk.bytes[5 * BLOCK + 1], disk.bytes[2 * BLOCK]]).toEqual([5, 99, 2]);
  });

  it('keeps to its limit, but never drops what is pinned or dirty', () => {
    const disk = new Disk(64);
    const cache = new BufCache(4 * BLOCK);
    const bufs = cache.open(disk, BLOCK);
    const pinned = bufs.bread(0);
    const dirty = bufs.bread(1);
    dirty.data[0] = 1;
    bufs.bdwrite(dirty);
    for (let n = 2; n < 60; n++) bufs.brelse(bufs.bread(n));
    expect(cache.usedBytes).toBeLessThanOrEqual(4 * BLOCK);
    expect(bufs.bread(0)).toBe(pinned);
    expect(bufs.bread(1).data[0]).toBe(1);
  });

  it('forgets delayed writes when everything is dropped', () => {
    const disk = new Disk(8);
    const bufs = new BufCache(64 * BLOCK).open(disk, BLOCK);
    const bp = bufs.bread(1);
    bp.data[0] = 1;
    bufs.bdwrite(bp);
    bufs.dropAll();
    bufs.flush();
    expect(disk.writes).toBe(0);
    const again = bufs.bread(1);
    expect(again.data[0]).toBe(0xa5);
  });

  it('sees what was written around it once the run is invalidated', () => {
    const disk = new Disk(8);
    const bufs = new BufCache(64 * BLOCK).open(disk, BLOCK);
    bufs.brelse(bufs.bread(4));
    disk.bytes[4 * BLOCK] = 7;
    bufs.invalidate(3, 3);
    expect(bufs.bread(4).data[0]).toBe(7);
  });

  it('calls a block beyond the device corruption, and keeps nothing of a failed read', () => {
    const disk = new Disk(8);
    const cache = new BufCache(64 * BLOCK);
    const bufs = cache.open(disk, BLOCK);
    expect(() => bufs.bread(8)).toThrow(CorruptError);
    expect(() => bufs.bread(-1)).toThrow(CorruptError);
    expect(() => bufs.bread(Number.NaN)).toThrow(CorruptError);
    disk.failReads = true;
    expect(() => bufs.bread(1)).toThrow(FsError);
    disk.failReads = false;
    expect([bufs.pinned, cache.usedBytes]).toEqual([0, 0]);
    expect(bufs.bread(1).data[0]).toBe(0xa5);
  });
});
