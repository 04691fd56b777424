/**
 * Changing the block map of ext2 and ext3 files: 12 direct pointers, then trees of one, two and three levels of pointer
 * blocks. A pointer of 0 is a hole. Pointer blocks carry no checksum. Spec: "Direct/Indirect Block Addressing".
 */
import { CorruptError, FsError } from '../../kern/errno.ts';
import type { FileBlock, FsBlock } from '../../kern/ids.ts';
import { getLe32, setLe32 } from '../../kern/struct.ts';
import type { Buf } from '../../vfs/buf.ts';
import { allocRun, freeBlocks, groupGoal } from './alloc.ts';
import { I_BLOCK_OFFSET, NDIR_BLOCKS } from './format.ts';
import type { Inode } from './inode.ts';
import { refuseSystem } from './zones.ts';

/** Slots [index, end) of one array of pointers, the first of which maps the file block that was asked for. */
interface Slots {
  readonly table: Uint8Array;
  readonly base: number;
  readonly index: number;
  readonly end: number;
  /** undefined: the array is in the inode. */
  readonly bp: Buf | undefined;
}

const LEVELS = 3;

/** File blocks that a map can number. */
export const indirectLimit = (blockSize: number): number => {
  const perBlock = blockSize / 4;
  return NDIR_BLOCKS + perBlock + perBlock ** 2 + perBlock ** 3;
};

/** Tree that maps a file block beyond the direct ones, and how far in. EFBIG beyond the last. */
function treeOf(ip: Inode, fileBlock: FileBlock): { level: number; rest: number; span: number } {
  const perBlock = ip.geo.blockSize / 4;
  let rest = fileBlock - NDIR_BLOCKS;
  let span = perBlock;
  for (let level = 1; level <= LEVELS; level++, span *= perBlock) {
    if (rest < span) return { level, rest, span };
    rest -= span;
  }
  throw new FsError('EFBIG', { ino: ip.ino });
}

/** The slots for `fileBlock`, pointer blocks made where they are missing. Errors: ENOSPC, EFBIG. */
function openSlots(ip: Inode, fileBlock: FileBlock): Slots {
  const { bufs } = ip.mp;
  const perBlock = ip.geo.blockSize / 4;
  if (fileBlock < NDIR_BLOCKS)
    return { table: ip.raw, base: I_BLOCK_OFFSET, index: fileBlock, end: NDIR_BLOCKS, bp: undefined };
  let { level, rest, span } = treeOf(ip, fileBlock);
  let here: Slots = {
    table: ip.raw,
    base: I_BLOCK_OFFSET,
    index: NDIR_BLOCKS + level - 1,
    end: NDIR_BLOCKS + LEVELS,
    bp: undefined,
  };
  for (; level > 0; level--) {
    let bp: Buf;
    try {
      bp = openChild(ip, here);
    } finally {
      if (here.bp !== undefined) bufs.brelse(here.bp);
    }
    span /= perBlock;
    const index = Math.floor(rest / span);
    rest -= index * span;
    here = { table: bp.data, base: 0, index, end: perBlock, bp };
  }
  return here;
}

/** The pointer block that a slot leads to, allocated and empty if there was none. */
function openChild(ip: Inode, { table, base, index, bp: owner }: Slots): Buf {
  const { bufs } = ip.mp;
  const at = base + index * 4;
  const block = getLe32(table, at);
  if (block !== 0) return readPointers(ip, block);
  // In line with the data that will follow it, as a reader meets it there.
  const child = allocRun(ip, { goal: goalBefore({ table, base, index }) ?? groupGoal(ip), want: 1 }).block;
  setLe32(table, at, child);
  if (owner !== undefined) bufs.markDirty(owner);
  const bp = bufs.newblk(child);
  bufs.markDirty(bp);
  return bp;
}

function readPointers(ip: Inode, block: FsBlock): Buf {
  refuseSystem(ip.mp, { block, count: 1 }, ip.ino);
  if (block <= ip.geo.firstDataBlock || block >= ip.geo.blocks) {
    throw new CorruptError('pointer block beyond the file system', { ino: ip.ino, block });
  }
  return ip.mp.bufs.bread(block);
}

/** Behind the nearest block mapped by an earlier slot of the same array. */
function goalBefore({ table, base, index }: Pick<Slots, 'table' | 'base' | 'index'>): FsBlock | undefined {
  for (let i = index - 1; i >= 0; i--) {
    const block = getLe32(table, base + i * 4);
    // A slot that leads to a tree says little, but it is near.
    if (block !== 0) return block + 1;
  }
  return undefined;
}

/** Allocate and map up to `want` blocks of the hole at `fileBlock`. Errors: ENOSPC, EFBIG. */
export function allocIndirect(ip: Inode, fileBlock: FileBlock, want: number): { block: FsBlock; count: number } {
  const slots = openSlots(ip, fileBlock);
  const { table, base, index, end, bp } = slots;
  try {
    let room = 0;
    while (room < want && index + room < end && getLe32(table, base + (index + room) * 4) === 0) room++;
    const goal = goalBefore(slots) ?? (bp === undefined ? groupGoal(ip) : bp.block + 1);
    const run = allocRun(ip, { goal, want: Math.max(1, room) });
    for (let i = 0; i < run.count; i++) setLe32(table, base + (index + i) * 4, run.block + i);
    if (bp !== undefined) ip.mp.bufs.markDirty(bp);
    return run;
  } finally {
    if (bp !== undefined) ip.mp.bufs.brelse(bp);
  }
}

/** Collects freed blocks into runs. */
class FreeRuns {
  readonly #ip: Inode;
  #block = 0;
  #count = 0;
  constructor(ip: Inode) {
    this.#ip = ip;
  }
  add(block: FsBlock): void {
    if (this.#count > 0 && block === this.#block + this.#count) {
      this.#count++;
      return;
    }
    this.flush();
    this.#block = block;
    this.#count = 1;
  }
  flush(): void {
    if (this.#count > 0) freeBlocks(this.#ip, { block: this.#block, count: this.#count });
    this.#count = 0;
  }
}

/** Unmap and free file blocks [from, to), and pointer blocks that lead nowhere then. */
export function freeIndirect(ip: Inode, { from, to }: { readonly from: FileBlock; readonly to: FileBlock }): void {
  const runs = new FreeRuns(ip);
  const perBlock = ip.geo.blockSize / 4;
  for (let i = Math.min(from, NDIR_BLOCKS); i < Math.min(to, NDIR_BLOCKS); i++) {
    const block = getLe32(ip.raw, I_BLOCK_OFFSET + i * 4);
    if (block === 0) continue;
    setLe32(ip.raw, I_BLOCK_OFFSET + i * 4, 0);
    runs.add(block);
  }
  let first = NDIR_BLOCKS;
  for (let level = 1, span = perBlock; level <= LEVELS; level++, span *= perBlock) {
    const at = I_BLOCK_OFFSET + 4 * (NDIR_BLOCKS + level - 1);
    const block = getLe32(ip.raw, at);
    if (block !== 0 && from < first + span && to > first) {
      const range = { from: Math.max(0, from - first), to: Math.min(span, to - first) };
      if (freeBelow(ip, { block, level, span, ...range }, runs)) setLe32(ip.raw, at, 0);
    }
    first += span;
  }
  runs.flush();
}

/** Free [from, to) of the tree below pointer block `block`; true when that one became empty and is free too. */
function freeBelow(
  ip: Inode,
  tree: {
    readonly block: FsBlock;
    readonly level: number;
    readonly span: number;
    readonly from: number;
    readonly to: number;
  },
  runs: FreeRuns,
): boolean {
  const { bufs } = ip.mp;
  const perBlock = ip.geo.blockSize / 4;
  const step = tree.span / perBlock;
  const bp = readPointers(ip, tree.block);
  try {
    for (let i = Math.floor(tree.from / step); i * step < tree.to; i++) {
      const block = getLe32(bp.data, i * 4);
      if (block === 0) continue;
      const range = { from: Math.max(0, tree.from - i * step), to: Math.min(step, tree.to - i * step) };
      if (tree.level === 1) runs.add(block);
      else if (!freeBelow(ip, { block, level: tree.level - 1, span: step, ...range }, runs)) continue;
      setLe32(bp.data, i * 4, 0);
      bufs.markDirty(bp);
    }
    for (let i = 0; i < perBlock; i++) if (getLe32(bp.data, i * 4) !== 0) return false;
  } finally {
    bufs.brelse(bp);
  }
  runs.add(tree.block);
  return true;
}
