/**
 * The files that a new file system is born with: the root, lost+found, and those that hold the format's own things. Which
 * blocks each takes, in mke2fs's order, and what its inode says. Pure; write.ts fills their blocks.
 */
import { FsError } from '../../../kern/errno.ts';
import { setLe32 } from '../../../kern/struct.ts';
import { COMPAT, INCOMPAT } from '../features.ts';
import { GOOD_OLD_FIRST_INO, I_BLOCK_SIZE, IFLAG, INO, NDIR_BLOCKS } from '../format.ts';
import { endBlockOf, firstBlockOf, groupOfBlock, headOf, type Tables } from './layout.ts';
import { extentMap, pointerMap, type BlockMap } from './map.ts';
import { has, type Ext2MkfsOptions } from './options.ts';
import { quotaBlockOrder, quotaSize } from './quota.ts';
import { resizeMap } from './resize.ts';
import type { Shape } from './shape.ts';
import type { Run, Space } from './space.ts';

/** What the file is for: how write.ts fills it. */
type FileKind = 'root' | 'lost+found' | 'resize' | 'journal' | 'orphan' | 'user' | 'group' | 'project';

export interface FilePlan {
  readonly kind: FileKind;
  readonly ino: number;
  readonly mode: number;
  readonly links: number;
  readonly flags: number;
  readonly size: number;
  /** Of 512 bytes, whole clusters, those of the map included. */
  readonly sectors: number;
  readonly map: BlockMap;
  /** Data, in the file's order. */
  readonly runs: readonly Run[];
}

interface JournalPlan {
  /** Blocks in all, and how many of them at the end are for fast commits. */
  readonly blocks: number;
  readonly fastCommitBlocks: number;
}

export interface SpecialFiles {
  readonly files: readonly FilePlan[];
  readonly journal: JournalPlan | undefined;
  /** 0: none. */
  readonly mmpBlock: number;
  /** Why something that was asked for is not there. */
  readonly notes: readonly string[];
}

const LOST_AND_FOUND_BYTES = 16 * 1024;
const MODE = { DIR: 0o40000, REG: 0o100000 } as const;
const MIN_JOURNAL_BLOCKS = 1024;
const MAX_JOURNAL_BLOCKS = 10240000;
/** The fast-commit area is one for so many blocks of a journal of default size. */
const FAST_COMMIT_RATIO = 64;

const invalid = (what: string): FsError => new FsError('EINVAL', { op: 'mkfs', what });

/** Everything that a planning of files works on. */
export interface Ground {
  readonly o: Ext2MkfsOptions;
  readonly s: Shape;
  readonly tables: Tables;
  readonly space: Space;
}

export function planFiles(ground: Ground): SpecialFiles {
  const { o, s, space } = ground;
  const notes: string[] = [];
  const files: FilePlan[] = [];
  files.push(plainFile(ground, { kind: 'root', ino: INO.ROOT, mode: MODE.DIR | 0o755, links: 3, blocks: 1 }));
  files.push(
    plainFile(ground, {
      kind: 'lost+found',
      ino: GOOD_OLD_FIRST_INO,
      mode: MODE.DIR | 0o700,
      links: 2,
      blocks: lostAndFoundBlocks(o),
    }),
  );
  if (has(o.features, 'compat', COMPAT.RESIZE_INODE)) files.push(resizeFile(ground));
  const journal = journalOf(o, s);
  if (journal !== undefined) files.push(journalFile(ground, journal));
  else if (has(o.features, 'compat', COMPAT.HAS_JOURNAL)) notes.push('too small for a journal: there is none');
  const mmpBlock = has(o.features, 'incompat', INCOMPAT.MMP) ? takeBlock(space) : 0;
  let next: number = GOOD_OLD_FIRST_INO + 1;
  for (const kind of o.quotas) {
    const ino = kind === 'user' ? INO.USR_QUOTA : kind === 'group' ? INO.GRP_QUOTA : next++;
    files.push(quotaFile(ground, kind, ino));
  }
  if (journal !== undefined && has(o.features, 'compat', COMPAT.ORPHAN_FILE)) files.push(orphanFile(ground, next));
  return { files, journal, mmpBlock, notes };
}

const hasExtents = (o: Ext2MkfsOptions): boolean => has(o.features, 'incompat', INCOMPAT.EXTENTS);

function takeBlock(space: Space, goal = 0): number {
  const block = space.allocate(1, goal)?.[0]?.start;
  if (block === undefined) throw invalid('no room for the files of an empty file system');
  return block;
}

interface Wish {
  readonly kind: FileKind;
  readonly ino: number;
  readonly mode: number;
  readonly links: number;
  readonly blocks: number;
  /** Bytes; default: all of the blocks. */
  readonly size?: number;
  readonly flags?: number;
  /** Where to look first. */
  readonly goal?: number;
}

/** A file whose blocks lie as near together as can be. */
function plainFile({ o, space }: Ground, wish: Wish): FilePlan {
  const { kind, ino, mode, links, blocks } = wish;
  const ratio = o.clusterBlocks;
  const base = { kind, ino, mode, links, size: wish.size ?? blocks * o.blockSize };
  if (!hasExtents(o)) {
    const { runs, ...map } = pointerMap(blocks, space, o.blockSize);
    const sectors = ((blocks + map.blocks.length) * o.blockSize) / 512;
    return { ...base, flags: wish.flags ?? 0, sectors, map, runs };
  }
  const clusters = Math.ceil(blocks / ratio) * ratio;
  const taken = space.allocate(clusters, wish.goal ?? 0);
  if (taken === undefined) throw invalid('no room for the files of an empty file system');
  const runs = cut(taken, blocks);
  const map = extentMap(runs, space, o.blockSize);
  const sectors = ((clusters + map.blocks.length * ratio) * o.blockSize) / 512;
  return { ...base, flags: (wish.flags ?? 0) | IFLAG.EXTENTS, sectors, map, runs };
}

/** The first `count` blocks of some runs. */
function cut(runs: readonly Run[], count: number): Run[] {
  const kept: Run[] = [];
  let left = count;
  for (const { start, end } of runs) {
    if (left <= 0) break;
    kept.push({ start, end: Math.min(end, start + left) });
    left -= end - start;
  }
  return kept;
}

/** As much as fsck may need at once: 16 KiB, two blocks at least, direct blocks only. */
function lostAndFoundBlocks(o: Ext2MkfsOptions): number {
  const blocks = Math.min(Math.max(2, LOST_AND_FOUND_BYTES / o.blockSize), NDIR_BLOCKS);
  // mke2fs counts the turning of an inline directory into a block as one growth.
  return has(o.features, 'incompat', INCOMPAT.INLINE_DATA) ? Math.max(1, blocks - 1) : blocks;
}

/** Not for data: it keeps the room behind the descriptors, by way of a tree of pointers. */
function resizeFile({ o, s, space }: Ground): FilePlan {
  const block = takeBlock(space, headOf(o, s, 0).end + s.inodeTableBlocks + 1);
  const map = resizeMap(o, s, block);
  const perBlock = o.blockSize / 4;
  const copies = map.copies;
  const root = new Uint8Array(I_BLOCK_SIZE);
  setLe32(root, 4 * (NDIR_BLOCKS + 1), block);
  return {
    kind: 'resize',
    ino: INO.RESIZE,
    mode: MODE.REG | 0o600,
    links: 1,
    flags: 0,
    size: (perBlock * perBlock + perBlock + NDIR_BLOCKS) * o.blockSize,
    sectors: ((1 + s.reservedGdtBlocks * (1 + copies)) * o.clusterBlocks * o.blockSize) / 512,
    map: { root, blocks: map.blocks },
    runs: [],
  };
}

/** Blocks of a journal that suits so large a file system; undefined: none does. */
function defaultJournalBlocks(blocks: number): number | undefined {
  if (blocks < 2048) return undefined;
  const steps: readonly [number, number][] = [
    [32768, 1024],
    [256 * 1024, 4096],
    [512 * 1024, 8192],
    [4096 * 1024, 16384],
    [8192 * 1024, 32768],
    [16384 * 1024, 65536],
    [32768 * 1024, 131072],
  ];
  return steps.find(([below]) => blocks < below)?.[1] ?? 262144;
}

function journalOf(o: Ext2MkfsOptions, s: Shape): JournalPlan | undefined {
  if (!has(o.features, 'compat', COMPAT.HAS_JOURNAL)) return undefined;
  const log = o.journalBytes === undefined ? defaultJournalBlocks(s.blocks) : Math.floor(o.journalBytes / o.blockSize);
  if (log === undefined) return undefined;
  if (o.journalBytes !== undefined) {
    if (s.blocks < 2048) throw invalid('journal_size: too small a file system for a journal');
    if (log < MIN_JOURNAL_BLOCKS || log > MAX_JOURNAL_BLOCKS) {
      throw invalid(`journal_size: ${log} blocks are not from ${MIN_JOURNAL_BLOCKS} to ${MAX_JOURNAL_BLOCKS}`);
    }
    if (log > s.blocks / 2) throw invalid('journal_size: more than half of the file system');
  }
  const fastCommitBlocks = !has(o.features, 'compat', COMPAT.FAST_COMMIT)
    ? 0
    : o.fastCommitBytes === undefined
      ? Math.floor((defaultJournalBlocks(s.blocks) ?? log) / FAST_COMMIT_RATIO)
      : Math.floor(o.fastCommitBytes / o.blockSize);
  return { blocks: log + fastCommitBlocks, fastCommitBlocks };
}

function journalFile(ground: Ground, journal: JournalPlan): FilePlan {
  const { blocks } = journal;
  const goal = ground.o.packed ? 0 : journalGoal(ground);
  return plainFile(ground, { kind: 'journal', ino: INO.JOURNAL, mode: MODE.REG | 0o600, links: 1, blocks, goal });
}

/** In the middle of the disk, where it is near to everything. */
function journalGoal({ o, s, space }: Ground): number {
  const free = (group: number): number =>
    (endBlockOf(s, group) - firstBlockOf(s, group)) / o.clusterBlocks -
    space.taken(firstBlockOf(s, group), endBlockOf(s, group));
  let group = groupOfBlock(s, Math.floor(s.blocks / 2) - s.firstDataBlock);
  let start = group > 0 ? group - 1 : group;
  if (o.flexGroups > 1 && group > o.flexGroups) {
    group -= group % o.flexGroups;
    while (group < s.groups && free(group) === 0) group++;
    if (group === s.groups) group = 0;
    start = group;
  }
  const end = group + 1 < s.groups ? group + 1 : group;
  let best = start;
  for (let other = start + 1; other <= end; other++) if (free(other) > free(best)) best = other;
  return firstBlockOf(s, best);
}

function quotaFile(ground: Ground, kind: 'user' | 'group' | 'project', ino: number): FilePlan {
  const { o } = ground;
  const size = quotaSize(o, kind);
  const blocks = Math.ceil(size / o.blockSize);
  const wish = { kind, ino, mode: MODE.REG | 0o600, links: 1, blocks, size, flags: IFLAG.IMMUTABLE };
  const order = quotaBlockOrder(o, blocks);
  if (order === undefined) return plainFile(ground, wish);
  // Written back to front: the tree's root comes last.
  const taken = ground.space.allocate(blocks, 0);
  if (taken === undefined) throw invalid('no room for the files of an empty file system');
  const places = taken.flatMap(({ start, end }) => Array.from({ length: end - start }, (_, i) => start + i));
  const runs: Run[] = [];
  order.forEach((fileBlock, i) => {
    const block = places[i] ?? 0;
    runs[fileBlock] = { start: block, end: block + 1 };
  });
  return { ...wish, ...mapOfRuns(ground, runs), sectors: (blocks * o.blockSize) / 512 };
}

/** A map of few runs that are taken already. */
function mapOfRuns({ o, space }: Ground, runs: readonly Run[]): Pick<FilePlan, 'map' | 'runs' | 'flags'> {
  const joined: Run[] = [];
  for (const run of runs) {
    const last = joined.at(-1);
    if (last?.end === run.start) joined[joined.length - 1] = { start: last.start, end: run.end };
    else joined.push(run);
  }
  if (hasExtents(o)) {
    return { map: extentMap(joined, space, o.blockSize), runs: joined, flags: IFLAG.IMMUTABLE | IFLAG.EXTENTS };
  }
  const root = new Uint8Array(I_BLOCK_SIZE);
  runs.forEach(({ start }, i) => setLe32(root, 4 * i, start));
  return { map: { root, blocks: [] }, runs: joined, flags: IFLAG.IMMUTABLE };
}

function orphanFile(ground: Ground, ino: number): FilePlan {
  const { o, s } = ground;
  let blocks = 512;
  if (o.orphanBytes !== undefined) blocks = Math.ceil(o.orphanBytes / o.blockSize);
  else if (s.blocks < 128 * 1024) blocks = 32;
  else if (s.blocks < 2 * 1024 * 1024) blocks = Math.floor(s.blocks / 4096);
  blocks = Math.ceil(blocks / o.clusterBlocks) * o.clusterBlocks;
  return plainFile(ground, { kind: 'orphan', ino, mode: MODE.REG | 0o600, links: 1, blocks });
}
