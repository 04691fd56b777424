/**
 * A journal replayed in memory: a device that reads logged blocks from their copies in the log, and everything else from
 * the disk. No bytes are held, only numbers: as many as the log has blocks. What is written (by the replay of fast
 * commits) stays in memory; the disk below is never touched.
 */
import type { BlockDevice, Extent } from '../../dev/blockdev.ts';
import type { FsBlock } from '../../kern/ids.ts';

export class ReplayDevice implements BlockDevice {
  readonly sectorSize: number;
  readonly sizeBytes: number;
  readonly readOnly = true;
  readonly #below: BlockDevice;
  readonly #blockSize: number;
  readonly #copies: ReadonlyMap<FsBlock, number>;
  readonly #readCopy: (copy: number, dst: Uint8Array) => void;
  readonly #written = new Map<FsBlock, Uint8Array>();

  constructor(init: {
    readonly below: BlockDevice;
    readonly blockSize: number;
    readonly copies: ReadonlyMap<FsBlock, number>;
    readonly readCopy: (copy: number, dst: Uint8Array) => void;
  }) {
    this.#below = init.below;
    this.#blockSize = init.blockSize;
    this.#copies = init.copies;
    this.#readCopy = init.readCopy;
    this.sectorSize = init.below.sectorSize;
    this.sizeBytes = init.below.sizeBytes;
  }

  read(dst: Uint8Array, offset: number): void {
    this.#below.read(dst, offset);
    const size = this.#blockSize;
    const end = offset + dst.length;
    for (let block = Math.floor(offset / size); block * size < end; block++) {
      const data = this.#blockOver(block);
      if (data === undefined) continue;
      const from = Math.max(offset, block * size);
      const to = Math.min(end, (block + 1) * size);
      dst.set(data.subarray(from - block * size, to - block * size), from - offset);
    }
  }

  write(src: Uint8Array, offset: number): void {
    const size = this.#blockSize;
    const end = offset + src.length;
    for (let block = Math.floor(offset / size); block * size < end; block++) {
      let data = this.#written.get(block);
      if (data === undefined) {
        data = new Uint8Array(size);
        this.read(data, block * size);
        this.#written.set(block, data);
      }
      const from = Math.max(offset, block * size);
      const to = Math.min(end, (block + 1) * size);
      data.set(src.subarray(from - offset, to - offset), from - block * size);
    }
  }

  fresh(): void {}
  released(): void {}
  isReleased(_extent: Extent): boolean {
    return false;
  }
  superblock(): void {}

  /** What lies over the disk's own block, if anything does. */
  #blockOver(block: FsBlock): Uint8Array | undefined {
    const written = this.#written.get(block);
    if (written !== undefined) return written;
    const copy = this.#copies.get(block);
    if (copy === undefined) return undefined;
    const data = new Uint8Array(this.#blockSize);
    this.#readCopy(copy, data);
    return data;
  }
}
