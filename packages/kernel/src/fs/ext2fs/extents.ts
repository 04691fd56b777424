/**
 * Changing an extent tree: insert a run, take a range out, turn unwritten blocks into written ones.
 *
 * Each change walks from the root to one leaf (a Path, its blocks pinned), does what fits there, and walks again when it
 * had to make room. Invariants kept at every step: entries are sorted and do not overlap, no node but the root is empty,
 * and an index entry begins with exactly the first file block of the node below. The inode that holds the root is the
 * caller's to store. Where blocks come from is alloc.ts's business.
 */
import { assert } from '../../kern/assert.ts';
import { CorruptError, FsError } from '../../kern/errno.ts';
import type { Buf } from '../../vfs/buf.ts';
import { allocMetaBlock, freeBlocks } from './alloc.ts';
import { setExtentBlockCsum, verifyExtentBlock } from './csum.ts';
import {
  checkNode,
  childOf,
  closeEntries,
  copyEntries,
  depthOf,
  entriesOf,
  findEntry,
  firstOf,
  initNode,
  maxLength,
  maxOf,
  openEntry,
  runOf,
  setChild,
  setDepth,
  setFirst,
  setRun,
  splitNode,
  type ExtentRun,
} from './extent-node.ts';
import type { Inode } from './inode.ts';
import { refuseSystem } from './zones.ts';

/** One node on the way from the root to a leaf, and the entry taken there (-1: before the first). */
interface Step {
  readonly node: Uint8Array;
  /** undefined for the root, which is in the inode. */
  readonly bp: Buf | undefined;
  at: number;
}
type Path = readonly [Step, ...Step[]];

/** How file blocks from one on are mapped, and for how many blocks on that holds. */
export interface Mapping {
  readonly kind: 'written' | 'unwritten' | 'hole';
  readonly block: number;
  readonly count: number;
  /** A good place for the first block of a hole: where it would continue what lies before it. */
  readonly goal: number | undefined;
}

const END_OF_FILE = 0x100000000;

/** An empty tree in a new inode. */
export const initExtentRoot = (ip: Inode): void => initNode(ip.block, 0);

function readNode(ip: Inode, at: { block: number; depth: number }): Buf {
  refuseSystem(ip.mp, { block: at.block, count: 1 }, ip.ino);
  const bp = ip.mp.bufs.bread(at.block);
  try {
    checkNode(bp.data, { ino: ip.ino, ...at });
    if (!bp.verified) {
      if (!verifyExtentBlock(ip.geo, ip.seed, bp.data))
        throw new CorruptError('extent block checksum', { ino: ip.ino, block: at.block });
      bp.verified = true;
    }
  } catch (e) {
    ip.mp.bufs.brelse(bp);
    throw e;
  }
  return bp;
}

/** Walk towards `fileBlock`, hand the path to `use`, unpin it. */
function withPath<T>(ip: Inode, fileBlock: number, use: (path: Path) => T): T {
  checkNode(ip.block, { ino: ip.ino });
  const path: [Step, ...Step[]] = [{ node: ip.block, bp: undefined, at: findEntry(ip.block, fileBlock) }];
  try {
    let here = path[0];
    for (let depth = depthOf(ip.block); depth > 0; depth--) {
      if (entriesOf(here.node) === 0) throw new CorruptError('extent index without entries', { ino: ip.ino });
      here.at = Math.max(0, here.at);
      const bp = readNode(ip, { block: childOf(here.node, here.at), depth: depth - 1 });
      here = { node: bp.data, bp, at: findEntry(bp.data, fileBlock) };
      path.push(here);
    }
    return use(path);
  } finally {
    for (const { bp } of path) if (bp !== undefined) ip.mp.bufs.brelse(bp);
  }
}

const leafOf = (path: Path): Step => path.at(-1) ?? path[0];

function changed(ip: Inode, { bp }: Step): void {
  if (bp === undefined) return;
  bp.seal ??= (data) => setExtentBlockCsum(ip.geo, ip.seed, data);
  ip.mp.bufs.markDirty(bp);
}

/** First file block mapped behind the leaf's own entries, or END_OF_FILE. */
function firstBehind(path: Path): number {
  for (let level = path.length - 2; level >= 0; level--) {
    const { node, at } = path[level] ?? path[0];
    if (at + 1 < entriesOf(node)) return firstOf(node, at + 1);
  }
  return END_OF_FILE;
}

/** Errors: CorruptError, EIO. */
export function findMapping(ip: Inode, fileBlock: number): Mapping {
  return withPath(ip, fileBlock, (path) => {
    const { node, at } = leafOf(path);
    const left = at < 0 ? undefined : runOf(node, at);
    if (left !== undefined && fileBlock < left.fileBlock + left.count) {
      const skip = fileBlock - left.fileBlock;
      return {
        kind: left.unwritten ? 'unwritten' : 'written',
        block: left.block + skip,
        count: left.count - skip,
        goal: undefined,
      };
    }
    const next = at + 1 < entriesOf(node) ? firstOf(node, at + 1) : firstBehind(path);
    // Behind its predecessor, and as far behind as it lies behind in the file if that is near.
    const gap = left === undefined ? 0 : fileBlock - left.fileBlock - left.count;
    const goal = left === undefined ? undefined : left.block + left.count + (gap < NEAR_BLOCKS ? gap : 0);
    return { kind: 'hole', block: 0, count: next - fileBlock, goal };
  });
}
const NEAR_BLOCKS = 1024;

/**
 * Map a hole. The run may be of any length.
 * Errors: ENOSPC when the tree cannot grow; the tree is sound then, but may hold the run's first pieces.
 */
export function insertRun(ip: Inode, run: ExtentRun): void {
  const most = maxLength(run.unwritten);
  for (let done = 0; done < run.count; done += most) {
    const piece = {
      ...run,
      fileBlock: run.fileBlock + done,
      block: run.block + done,
      count: Math.min(most, run.count - done),
    };
    while (!withPath(ip, piece.fileBlock, (path) => insertHere(ip, path, piece))) {
      withPath(ip, piece.fileBlock, (path) => makeRoom(ip, path, piece.fileBlock));
    }
  }
}

const follows = (left: ExtentRun, right: ExtentRun): boolean =>
  left.fileBlock + left.count === right.fileBlock &&
  left.block + left.count === right.block &&
  left.unwritten === right.unwritten &&
  left.count + right.count <= maxLength(left.unwritten);

/** Join the run to a neighbour or give it an entry; false when the leaf is full. */
function insertHere(ip: Inode, path: Path, run: ExtentRun): boolean {
  const leaf = leafOf(path);
  const { node, at } = leaf;
  const left = at >= 0 ? runOf(node, at) : undefined;
  const right = at + 1 < entriesOf(node) ? runOf(node, at + 1) : undefined;
  if (left !== undefined && left.fileBlock + left.count > run.fileBlock) throw overlap(ip, run);
  if (right !== undefined && run.fileBlock + run.count > right.fileBlock) throw overlap(ip, run);
  if (left !== undefined && follows(left, run)) {
    const joined = { ...left, count: left.count + run.count };
    if (right !== undefined && follows(joined, right)) {
      setRun(node, at, { ...joined, count: joined.count + right.count });
      closeEntries(node, at + 1, at + 2);
    } else setRun(node, at, joined);
  } else if (right !== undefined && follows(run, right)) {
    setRun(node, at + 1, { ...run, count: run.count + right.count });
    if (at < 0) fixFirsts(ip, path, run.fileBlock);
  } else {
    if (entriesOf(node) >= maxOf(node)) return false;
    openEntry(node, at + 1);
    setRun(node, at + 1, run);
    if (at < 0) fixFirsts(ip, path, run.fileBlock);
  }
  changed(ip, leaf);
  return true;
}

const overlap = (ip: Inode, run: ExtentRun): CorruptError =>
  new CorruptError('extents overlap', { ino: ip.ino, block: run.block });

/** The first entry of the last node on the path now begins at `fileBlock`: say so in every index above that leads there. */
function fixFirsts(ip: Inode, path: Path, fileBlock: number): void {
  for (let level = path.length - 2; level >= 0; level--) {
    const step = path[level] ?? path[0];
    setFirst(step.node, step.at, fileBlock);
    changed(ip, step);
    if (step.at > 0) return;
  }
}

/** Split the highest full node that stands in the way, or put a new level below the root. Errors: ENOSPC. */
function makeRoom(ip: Inode, path: Path, fileBlock: number): void {
  let level = path.length - 1;
  while (level >= 0 && entriesOf((path[level] ?? path[0]).node) >= maxOf((path[level] ?? path[0]).node)) level--;
  assert(level < path.length - 1, 'a leaf with room was split');
  if (level < 0) growDepth(ip);
  else splitBelow(ip, { parent: path[level] ?? path[0], child: path[level + 1] ?? path[0], fileBlock });
}

function growDepth(ip: Inode): void {
  const block = allocMetaBlock(ip);
  const bp = ip.mp.bufs.newblk(block);
  const depth = depthOf(ip.block);
  const first = firstOf(ip.block, 0);
  initNode(bp.data, depth);
  copyEntries(bp.data, ip.block);
  closeEntries(ip.block, 0, entriesOf(ip.block));
  setDepth(ip.block, depth + 1);
  openEntry(ip.block, 0);
  setChild(ip.block, 0, { fileBlock: first, block });
  changed(ip, { node: bp.data, bp, at: 0 });
  bp.verified = true;
  ip.mp.bufs.brelse(bp);
}

/** Give full `child` a right sibling; `parent` has room. What grows at its end leaves full nodes behind. */
function splitBelow(ip: Inode, { parent, child, fileBlock }: { parent: Step; child: Step; fileBlock: number }): void {
  const entries = entriesOf(child.node);
  const appending = child.at === entries - 1;
  const depth = depthOf(child.node);
  // An appending leaf's new sibling stays empty until the retry fills it; an inner node must lead somewhere.
  const from = !appending ? entries >>> 1 : depth === 0 ? entries : entries - 1;
  const first = from === entries ? fileBlock : firstOf(child.node, from);
  const block = allocMetaBlock(ip);
  const bp = ip.mp.bufs.newblk(block);
  initNode(bp.data, depth);
  splitNode(child.node, from, bp.data);
  openEntry(parent.node, parent.at + 1);
  setChild(parent.node, parent.at + 1, { fileBlock: first, block });
  changed(ip, child);
  changed(ip, parent);
  changed(ip, { node: bp.data, bp, at: 0 });
  bp.verified = true;
  ip.mp.bufs.brelse(bp);
}

/**
 * Unmap [from, to). With `free`, the blocks go back to the file system.
 * Errors: ENOSPC when an extent must be split in two and the tree cannot grow (the caller's operation is undone).
 */
export function removeRange(ip: Inode, range: { from: number; to: number; free: boolean }): void {
  const gone = range.free ? freer(ip, range) : undefined;
  for (let at: number | undefined = range.from; at !== undefined && at < range.to;) {
    let rest: ExtentRun | undefined;
    at = withPath(ip, at, (path) => {
      const cut = cutLeaf(ip, path, { ...range, gone });
      rest = cut.rest;
      return cut.next;
    });
    if (rest !== undefined) insertRun(ip, rest);
  }
  collapse(ip);
}

/** Is any block of [from, to) mapped? */
function isMapped(ip: Inode, from: number, to: number): boolean {
  if (from >= to) return false;
  const first = findMapping(ip, from);
  return first.kind !== 'hole' || from + first.count < to;
}

/** Gives blocks back that were taken out of the map. */
type Gone = (run: Pick<ExtentRun, 'fileBlock' | 'block' | 'count'>) => void;

/**
 * Frees what leaves the map in ascending order. Of clusters only those go of which no block stays mapped, and once each,
 * however many extents shared one. To be made before the map changes.
 */
function freer(ip: Inode, { from, to }: { from: number; to: number }): Gone {
  const ratio = ip.geo.clusterBlocks;
  if (ratio === 1) return (run) => freeBlocks(ip, { block: run.block, count: run.count });
  const firstWhole = isMapped(ip, from - (from % ratio), from) ? Math.ceil(from / ratio) : Math.floor(from / ratio);
  const nextStart = Math.min(END_OF_FILE, Math.ceil(to / ratio) * ratio);
  const endWhole = to < END_OF_FILE && isMapped(ip, to, nextStart) ? Math.floor(to / ratio) : Math.ceil(to / ratio);
  let done = firstWhole;
  return ({ fileBlock, block, count }) => {
    const first = Math.max(done, Math.floor(fileBlock / ratio));
    const end = Math.min(endWhole, Math.ceil((fileBlock + count) / ratio));
    if (end <= first) return;
    const start = block - (fileBlock - first * ratio);
    if ((start - ip.geo.firstDataBlock) % ratio !== 0)
      throw new CorruptError('extent at the wrong place in its cluster', { ino: ip.ino, block });
    freeBlocks(ip, { block: start, count: Math.min((end - first) * ratio, ip.geo.blocks - start) });
    done = end;
  };
}

/** What removeRange does in one leaf: where to go on (undefined: done), and what must be mapped again. */
function cutLeaf(
  ip: Inode,
  path: Path,
  { from, to, gone }: { from: number; to: number; gone: Gone | undefined },
): { next: number | undefined; rest: ExtentRun | undefined } {
  const leaf = leafOf(path);
  const { node } = leaf;
  const behind = firstBehind(path);
  let i = Math.max(0, leaf.at);
  let first: number | undefined;
  let rest: ExtentRun | undefined;
  let end = 0;
  for (; i < entriesOf(node); i++) {
    const run = runOf(node, i);
    end = run.fileBlock + run.count;
    if (end <= from) continue;
    if (run.fileBlock >= to) break;
    changed(ip, leaf);
    if (run.fileBlock < from) {
      setRun(node, i, { ...run, count: from - run.fileBlock });
      gone?.({ fileBlock: from, block: run.block + from - run.fileBlock, count: Math.min(end, to) - from });
      if (end > to) {
        rest = { ...run, fileBlock: to, block: run.block + to - run.fileBlock, count: end - to };
        break;
      }
    } else if (end > to) {
      const cut = to - run.fileBlock;
      gone?.({ ...run, count: cut });
      setRun(node, i, { ...run, fileBlock: to, block: run.block + cut, count: run.count - cut });
      if (i === 0) fixFirsts(ip, path, to);
      break;
    } else {
      gone?.(run);
      first ??= i;
    }
  }
  // [first, i) went whole.
  if (first !== undefined) {
    closeEntries(node, first, i);
    if (entriesOf(node) === 0) removeNode(ip, path);
    else if (first === 0) fixFirsts(ip, path, firstOf(node, 0));
  }
  const reachedEnd = end >= to || rest !== undefined || behind === END_OF_FILE;
  return { next: reachedEnd ? undefined : behind, rest };
}

/** The last node of the path is empty: take it out of its parent, and so on upwards. */
function removeNode(ip: Inode, path: Path): void {
  for (let level = path.length - 1; level > 0; level--) {
    const { bp } = path[level] ?? path[0];
    const parent = path[level - 1] ?? path[0];
    if (bp !== undefined) freeBlocks(ip, { block: bp.block, count: 1 });
    closeEntries(parent.node, parent.at, parent.at + 1);
    changed(ip, parent);
    if (entriesOf(parent.node) > 0) {
      if (parent.at === 0) fixFirsts(ip, [path[0], ...path.slice(1, level)], firstOf(parent.node, 0));
      return;
    }
  }
  setDepth(ip.block, 0);
}

/** While the root leads to one node that would fit in its place, take that one's entries up. */
function collapse(ip: Inode): void {
  while (depthOf(ip.block) > 0 && entriesOf(ip.block) === 1) {
    const block = childOf(ip.block, 0);
    const bp = readNode(ip, { block, depth: depthOf(ip.block) - 1 });
    try {
      if (entriesOf(bp.data) > maxOf(ip.block)) return;
      copyEntries(ip.block, bp.data);
    } finally {
      ip.mp.bufs.brelse(bp);
    }
    freeBlocks(ip, { block, count: 1 });
  }
}

/**
 * The first `count` blocks of an unwritten mapping at `fileBlock` get their data now.
 * Errors: ENOSPC when the tree cannot grow; the mapping is as it was then.
 */
export function markWritten(
  ip: Inode,
  fileBlock: number,
  { mapping, count }: { mapping: Mapping; count: number },
): void {
  const { block } = mapping;
  try {
    removeRange(ip, { from: fileBlock, to: fileBlock + count, free: false });
    insertRun(ip, { fileBlock, block, count, unwritten: false });
  } catch (e) {
    if (e instanceof FsError && e.code === 'ENOSPC') {
      // Joins what is left of the extent, or takes the entry that it had: this needs no room.
      removeRange(ip, { from: fileBlock, to: fileBlock + mapping.count, free: false });
      insertRun(ip, { fileBlock, block, count: mapping.count, unwritten: true });
    }
    throw e;
  }
}

/** Visit every extent in order: for punching, checking and tests. */
export function forEachRun(ip: Inode, visit: (run: ExtentRun) => void): void {
  for (let at = 0; at < END_OF_FILE;) {
    at = withPath(ip, at, (path) => {
      const { node } = leafOf(path);
      for (let i = Math.max(0, leafOf(path).at); i < entriesOf(node); i++) visit(runOf(node, i));
      return firstBehind(path);
    });
  }
}
