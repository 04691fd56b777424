/**
 * Which space is claimed, and by how many: fixed metadata first, then what the files map. Counted in clusters, as the
 * block bitmaps are. Bitmaps only: who claimed what is found again by a second look when something is claimed twice.
 */
import { SparseBitmap } from '../../../kern/sparse-bitmap.ts';
import type { FsBlock } from '../../../kern/ids.ts';
import type { Geometry } from '../superblock.ts';

/** The cluster that a file claimed last: its next blocks may lie in the same one. */
export interface ClusterCursor {
  last: number;
}

export class Claims {
  /** Clusters in use. */
  readonly used = new SparseBitmap();
  /** Clusters that hold superblocks, descriptors, bitmaps or inode tables. */
  readonly fixed = new SparseBitmap();
  /** Clusters that were claimed again. */
  readonly shared = new SparseBitmap();
  readonly #geo: Geometry;

  constructor(geo: Geometry) {
    this.#geo = geo;
  }

  clusterOf(block: FsBlock): number {
    return Math.floor((block - this.#geo.firstDataBlock) / this.#geo.clusterBlocks);
  }

  /** Fixed metadata may share a cluster with its like. */
  claimFixed(block: FsBlock, count: number): void {
    if (count === 0) return;
    const first = this.clusterOf(block);
    const end = this.clusterOf(block + count - 1) + 1;
    this.used.setRange(first, end);
    this.fixed.setRange(first, end);
  }

  /** Is any of these blocks in use? For clusters of one block. */
  isTaken(block: FsBlock, count: number): boolean {
    const first = block - this.#geo.firstDataBlock;
    return this.used.findSet(first, first + count) >= 0;
  }

  /** Claim blocks that are not taken. For clusters of one block. */
  take(block: FsBlock, count: number): void {
    const first = block - this.#geo.firstDataBlock;
    this.used.setRange(first, first + count);
  }

  /** Claim blocks for a file: how many clusters more it has now, and the first that was not free (-1: all were). */
  claim(block: FsBlock, count: number, cursor: ClusterCursor): { readonly clusters: number; readonly taken: number } {
    let first = this.clusterOf(block);
    const end = this.clusterOf(block + count - 1) + 1;
    if (this.#geo.clusterBlocks > 1 && first === cursor.last) first++;
    cursor.last = end - 1;
    const taken = this.used.findSet(first, end);
    for (let bit = taken; bit >= 0; bit = this.used.findSet(bit + 1, end)) this.shared.setRange(bit, bit + 1);
    this.used.setRange(first, end);
    return { clusters: end - first, taken };
  }
}
