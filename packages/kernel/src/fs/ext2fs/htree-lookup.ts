/**
 * Looking a name up through a directory's hash tree. The tree leads to a leaf block; names whose hashes collide may go on
 * in the leaves that follow. Growing the tree is htree.ts. Spec: "Hash Tree Directories".
 */
import { CorruptError } from '../../kern/errno.ts';
import type { FileBlock } from '../../kern/ids.ts';
import { getLe16, getLe32 } from '../../kern/struct.ts';
import type { Buf } from '../../vfs/buf.ts';
import { breadDirBlock, dirBlocks } from './dir-read.ts';
import { INCOMPAT } from './features.ts';
import {
  DX_BLOCK_MASK,
  DX_ENTRY_SIZE,
  DX_NODE_ENTRIES,
  DX_ROOT_ENTRIES,
  DX_ROOT_INFO_OFFSET,
  DxRootInfo,
  DxTail,
  HASH,
} from './format.ts';
import { nameHash } from './hash.ts';
import type { Inode } from './inode.ts';
import { hasIncompat } from './superblock.ts';

/** A node on the way down and the entry taken there. */
interface DxFrame {
  readonly bp: Buf;
  readonly entriesAt: number;
  readonly count: number;
  at: number;
}

/** Levels of inner nodes below the root. */
const MAX_LEVELS = 1;
const MAX_LEVELS_LARGEDIR = 2;

const hashOf = (frame: DxFrame, i: number): number =>
  i === 0 ? 0 : getLe32(frame.bp.data, frame.entriesAt + i * DX_ENTRY_SIZE);
const dxBlockOf = (frame: DxFrame): FileBlock =>
  getLe32(frame.bp.data, frame.entriesAt + frame.at * DX_ENTRY_SIZE + 4) & DX_BLOCK_MASK;

/** Count of a node's entries, or undefined when count or limit cannot be. */
export function checkedCount(dir: Inode, data: Uint8Array, entriesAt: number): number | undefined {
  const limit = getLe16(data, entriesAt);
  const count = getLe16(data, entriesAt + 2);
  const room = data.length - entriesAt - (dir.geo.metadataCsum ? DxTail.size : 0);
  return limit === Math.floor(room / DX_ENTRY_SIZE) && count >= 1 && count <= limit ? count : undefined;
}

/** The last entry whose hash is not above `hash`. */
function search(frame: DxFrame, hash: number): number {
  let low = 1;
  let high = frame.count;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (hashOf(frame, middle) <= hash) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}

/** Hash version of the tree in `root` with its signedness, and its levels; undefined when it cannot be trusted. */
export function dxRootInfo(
  dir: Inode,
  root: Uint8Array,
): { readonly version: number; readonly levels: number } | undefined {
  const info = DxRootInfo.at(root, DX_ROOT_INFO_OFFSET);
  const maxLevels = hasIncompat(dir.geo, INCOMPAT.LARGEDIR) ? MAX_LEVELS_LARGEDIR : MAX_LEVELS;
  const isSound =
    info.reservedZero === 0 &&
    info.infoLength === DxRootInfo.size &&
    (info.unusedFlags & 1) === 0 &&
    info.indirectLevels <= maxLevels;
  if (!isSound || info.hashVersion > HASH.TEA) return undefined;
  const version = info.hashVersion + (dir.geo.hashUnsigned ? HASH.LEGACY_UNSIGNED : 0);
  return { version, levels: info.indirectLevels };
}

/**
 * Search the leaves that may hold a name with the hash of `hashed`. `inLeaf` looks into one, which is pinned meanwhile.
 * 'unusable' when the tree is not one that we can follow: the caller then scans all blocks.
 */
export function htreeFind<T>(
  dir: Inode,
  hashed: Uint8Array,
  inLeaf: (bp: Buf, fileBlock: FileBlock) => T | undefined,
): T | undefined | 'unusable' {
  const { bufs } = dir.mp;
  const frames: DxFrame[] = [];
  const release = (): void => {
    for (const { bp } of frames.splice(0)) bufs.brelse(bp);
  };
  try {
    const root = breadDirBlock(dir, 0);
    if (root === undefined) return 'unusable';
    frames.push({ bp: root, entriesAt: DX_ROOT_ENTRIES, count: 0, at: 0 });
    const info = dxRootInfo(dir, root.data);
    const count = info && checkedCount(dir, root.data, DX_ROOT_ENTRIES);
    const hash = info && nameHash(hashed, { version: info.version, seed: dir.geo.hashSeed })?.hash;
    if (info === undefined || count === undefined || hash === undefined) return 'unusable';
    const top = { bp: root, entriesAt: DX_ROOT_ENTRIES, count, at: 0 };
    top.at = search(top, hash);
    frames[0] = top;
    if (!descend(dir, frames, { hash, from: 0, levels: info.levels })) return 'unusable';
    const blocks = dirBlocks(dir);
    for (let visited = 0; ; visited++) {
      if (visited > blocks) throw new CorruptError('hash tree goes in circles', { ino: dir.ino });
      const leafBlock = dxBlockOf(frames.at(-1) as DxFrame);
      if (leafBlock >= blocks) return 'unusable';
      const leaf = breadDirBlock(dir, leafBlock);
      if (leaf === undefined) return 'unusable';
      try {
        const found = inLeaf(leaf, leafBlock);
        if (found !== undefined) return found;
      } finally {
        bufs.brelse(leaf);
      }
      const next = nextLeaf(dir, frames, { hash, levels: info.levels });
      if (next !== 'next') return next === 'end' ? undefined : 'unusable';
    }
  } finally {
    release();
  }
}

/** Fill the frames below level `from` on the way to `hash` (0: leftmost). false when a node is not sound. */
function descend(
  dir: Inode,
  frames: DxFrame[],
  to: { readonly hash: number; readonly from: number; readonly levels: number },
): boolean {
  let frame = frames[to.from] as DxFrame;
  for (let level = to.from + 1; level <= to.levels; level++) {
    const block = dxBlockOf(frame);
    const bp = block < dirBlocks(dir) ? breadDirBlock(dir, block) : undefined;
    if (bp === undefined) return false;
    const count = checkedCount(dir, bp.data, DX_NODE_ENTRIES);
    frame = { bp, entriesAt: DX_NODE_ENTRIES, count: count ?? 0, at: 0 };
    frames.push(frame);
    if (count === undefined) return false;
    frame.at = search(frame, to.hash);
  }
  return true;
}

/** Move on to the next leaf if names with this hash go on there: its entry then has the same hash, marked by bit 0. */
function nextLeaf(
  dir: Inode,
  frames: DxFrame[],
  { hash, levels }: { readonly hash: number; readonly levels: number },
): 'next' | 'end' | 'unusable' {
  let level = frames.length - 1;
  while (level >= 0 && (frames[level] as DxFrame).at + 1 >= (frames[level] as DxFrame).count) level--;
  if (level < 0) return 'end';
  const frame = frames[level] as DxFrame;
  if ((hashOf(frame, frame.at + 1) & ~1) >>> 0 !== hash) return 'end';
  frame.at++;
  for (const { bp } of frames.splice(level + 1)) dir.mp.bufs.brelse(bp);
  // The leftmost leaf below: entries there begin at this hash.
  return descend(dir, frames, { hash: 0, from: level, levels }) ? 'next' : 'unusable';
}
