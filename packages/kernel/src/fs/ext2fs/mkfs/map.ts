/**
 * Block maps of the files that a new file system is born with: an extent tree of at most two levels, or pointers. Pure.
 */
import { FsError } from '../../../kern/errno.ts';
import { setLe32 } from '../../../kern/struct.ts';
import { initNode, maxLength, nodeCapacity, openEntry, setChild, setRun, type ExtentRun } from '../extent-node.ts';
import { I_BLOCK_SIZE, NDIR_BLOCKS } from '../format.ts';
import type { Space, Run } from './space.ts';

/** A block that belongs to a map: an extent node (which may carry a checksum) or pointers. */
export interface MapBlock {
  readonly block: number;
  readonly bytes: Uint8Array;
  readonly kind: 'extents' | 'pointers';
}

export interface BlockMap {
  /** i_block. */
  readonly root: Uint8Array;
  readonly blocks: readonly MapBlock[];
}

const noRoom = (): FsError =>
  new FsError('EINVAL', { op: 'mkfs', what: 'no room for the files of an empty file system' });

/** Runs of at most the longest extent. */
function extentsOf(runs: readonly Run[]): ExtentRun[] {
  const longest = maxLength(false);
  const extents: ExtentRun[] = [];
  let fileBlock = 0;
  for (const { start, end } of runs) {
    for (let block = start; block < end; block += longest) {
      const count = Math.min(longest, end - block);
      extents.push({ fileBlock, count, block, unwritten: false });
      fileBlock += count;
    }
  }
  return extents;
}

/** Map `runs`, in the file's order. A node of its own is taken from `space` when there are more than the inode can hold. */
export function extentMap(runs: readonly Run[], space: Space, blockSize: number): BlockMap {
  const root = new Uint8Array(I_BLOCK_SIZE);
  const extents = extentsOf(runs);
  if (extents.length <= nodeCapacity(I_BLOCK_SIZE)) {
    initNode(root, 0);
    fillLeaf(root, extents);
    return { root, blocks: [] };
  }
  if (extents.length > nodeCapacity(blockSize)) throw noRoom();
  // Just before the data, where reading begins.
  const [place] = space.allocate(1, Math.max(0, (extents[0]?.block ?? 0) - 1)) ?? [];
  if (place === undefined) throw noRoom();
  const bytes = new Uint8Array(blockSize);
  initNode(bytes, 0);
  fillLeaf(bytes, extents);
  initNode(root, 1);
  openEntry(root, 0);
  setChild(root, 0, { fileBlock: 0, block: place.start });
  return { root, blocks: [{ block: place.start, bytes, kind: 'extents' }] };
}

function fillLeaf(node: Uint8Array, extents: readonly ExtentRun[]): void {
  extents.forEach((extent, i) => {
    openEntry(node, i);
    setRun(node, i, extent);
  });
}

/** Blocks of pointers that `count` file blocks need. */
function pointerBlocks(count: number, perBlock: number): number {
  let total = 0;
  let rest = count - NDIR_BLOCKS;
  for (let span = perBlock, levels = 1; rest > 0 && levels <= 3; span *= perBlock, levels++) {
    const here = Math.min(rest, span);
    for (let each = perBlock; each <= span; each *= perBlock) total += Math.ceil(here / each);
    rest -= here;
  }
  return total;
}

/** Take `count` blocks, and those for pointers to them, in the order in which writing the file would need them. */
export function pointerMap(count: number, space: Space, blockSize: number): BlockMap & { readonly runs: Run[] } {
  const all = space.allocate(count + pointerBlocks(count, blockSize / 4), 0);
  if (all === undefined) throw noRoom();
  const filler = new PointerFiller(walk(all), count, blockSize);
  const root = new Uint8Array(I_BLOCK_SIZE);
  filler.fill(root, { at: 0, slots: NDIR_BLOCKS, level: 0 });
  for (let level = 1; level <= 3; level++) filler.fill(root, { at: NDIR_BLOCKS + level - 1, slots: 1, level });
  return { root, blocks: filler.blocks, runs: filler.runs };
}

class PointerFiller {
  readonly blocks: MapBlock[] = [];
  readonly runs: Run[] = [];
  readonly #next: () => number;
  readonly #blockSize: number;
  #left: number;

  constructor(next: () => number, count: number, blockSize: number) {
    this.#next = next;
    this.#left = count;
    this.#blockSize = blockSize;
  }

  /** Pointers `at` and on, of trees of `level` levels each, until the file ends. */
  fill(pointers: Uint8Array, { at, slots, level }: { at: number; slots: number; level: number }): void {
    for (let i = 0; i < slots; i++) {
      if (this.#left === 0) return;
      setLe32(pointers, 4 * (at + i), level === 0 ? this.#data() : this.#tree(level));
    }
  }

  #tree(level: number): number {
    const block = this.#next();
    const bytes = new Uint8Array(this.#blockSize);
    this.blocks.push({ block, bytes, kind: 'pointers' });
    this.fill(bytes, { at: 0, slots: this.#blockSize / 4, level: level - 1 });
    return block;
  }

  #data(): number {
    const block = this.#next();
    const last = this.runs.at(-1);
    if (last?.end === block) this.runs[this.runs.length - 1] = { start: last.start, end: block + 1 };
    else this.runs.push({ start: block, end: block + 1 });
    this.#left--;
    return block;
  }
}

function walk(runs: readonly Run[]): () => number {
  let i = 0;
  let at = runs[0]?.start ?? 0;
  return () => {
    while (at >= (runs[i]?.end ?? Infinity)) at = runs[++i]?.start ?? 0;
    return at++;
  };
}
