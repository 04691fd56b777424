/**
 * What a file system knows of its disk: bytes at offsets, and what the transaction below needs to be told.
 *
 * Offsets and lengths are bytes. Reads and writes outside [0, sizeBytes) are EINVAL: a file system bounds its block
 * numbers before it asks. Slices and containers translate every method downwards.
 */
export interface Extent {
  /** First byte. */
  readonly offset: number;
  /** Bytes. */
  readonly length: number;
}

export interface BlockDevice {
  /** Smallest unit the medium writes by itself, in bytes; a power of two, at least 512. */
  readonly sectorSize: number;
  readonly sizeBytes: number;
  readonly readOnly: boolean;
  /** Fill `dst` from `offset`. Sees everything written before, committed or not. */
  read(dst: Uint8Array, offset: number): void;
  /** Stage `src` at `offset`. EROFS on a read-only device. Nothing reaches the image before commit, except fresh extents. */
  write(src: Uint8Array, offset: number): void;
  /**
   * This extent was free on the disk at the last durable commit and at the newest explicit savepoint, no snapshot or
   * journal needs it, and it is about to be written for the first time: a long write may go in place before the commit.
   * Without this call everything is treated as overwriting live data. A released() extent is never fresh.
   */
  fresh(extent: Extent): void;
  /** The file system freed this extent in the running transaction; its old bytes must survive until the commit. */
  released(extent: Extent): void;
  /** True when any byte of the extent was released in the running transaction: allocators take such space last. */
  isReleased(extent: Extent): boolean;
  /** Tell the transaction where the primary superblock lies: it is applied last. */
  superblock(sb: SuperblockHint): void;
}

export interface SuperblockHint {
  readonly extent: Extent;
  /** What the file system occupies: a transaction that changes nothing there leaves its mark alone. Slices fill it in. */
  readonly scope?: Extent;
  /**
   * The bytes of `extent` with the format's own "not clean" mark set, given its old bytes; undefined when the format has
   * none. Written and synced before anything else is applied, so that other tools see a half-applied image as dirty.
   */
  dirtyMark(old: Uint8Array): Uint8Array | undefined;
}

/**
 * The transaction under a mount, as the system-call layer drives it: state reaches the stage before a call
 * returns. The staging device implements it; memory file systems have none.
 */
export interface Transaction {
  /** A mark to come back to; costs next to nothing. */
  savepoint(): number;
  /** Forget the mark, keep what was written since. */
  release(savepoint: number): void;
  /** True when anything was written since the mark. */
  changedSince(savepoint: number): boolean;
  /** Back to the mark: later reads see the bytes of that moment. The mark is used up. */
  rollback(savepoint: number): void;
  /** A corrupt structure was met while writing: this transaction can only be discarded from now on. */
  poison(reason: Error): void;
}
