/** What an inode's map says against what its size and block count say; and the claims of its blocks. */
import type { FileBlock, FsBlock } from '../../../kern/ids.ts';
import { RO_COMPAT } from '../features.ts';
import { FT, I_BLOCK_SIZE, IFLAG, INO } from '../format.ts';
import { inlineRest } from '../inline.ts';
import type { Inode } from '../inode.ts';
import { hasRoCompat } from '../superblock.ts';
import type { ClusterCursor } from './claims.ts';
import type { InodeCase } from './inode-case.ts';
import { walkMap } from './map.ts';
import type { Check } from './state.ts';

/** What walking the map of a file told. */
export interface MapFacts {
  /** Clusters claimed: data, and the map's own. */
  clusters: number;
  /** First file block behind the last mapped one, and behind the last that is not unwritten. */
  end: FileBlock;
  writtenEnd: FileBlock;
  problems: number;
  /** First block of the file, 0 for none. */
  first: FsBlock;
  hasUnwritten: boolean;
}

/** Walk the map and claim what it names. */
export function claimMap(found: InodeCase): MapFacts {
  const { c, inode } = found;
  const cursor: ClusterCursor = { last: -1 };
  const facts: MapFacts = { clusters: 0, end: 0, writtenEnd: 0, problems: 0, first: 0, hasUnwritten: false };
  const ratio = c.geo.clusterBlocks;
  let last = { fileBlock: -1, block: 0 };
  /** `drop`: the file is to do without. */
  const take = (block: FsBlock, count: number, from: ClusterCursor): 'keep' | 'drop' | 'skip' => {
    const { clusters, taken } = c.claims.claim(block, count, from);
    facts.clusters += clusters;
    // Files may share blocks where the file system says so.
    if (taken < 0 || hasRoCompat(c.geo, RO_COMPAT.SHARED_BLOCKS)) return 'keep';
    const where = { block: Math.max(block, blockOf(c, taken)) };
    const message = 'block in use by something else as well; this file has to do without it';
    // The journal's blocks and the list of bad ones are not to be taken apart.
    const fix = inode.ino === INO.BAD || inode.ino === c.geo.journalInum ? undefined : found.changed;
    if (!found.tell({ code: 'block-shared', message, where }, fix)) return 'skip';
    facts.problems++;
    return 'drop';
  };
  walkMap(c, inode, {
    run({ fileBlock, block, count, unwritten }) {
      const fate = take(block, count, cursor);
      if (fate === 'drop') return 'drop';
      const isAskew = (block - fileBlock) % ratio !== 0 || splits(last, { fileBlock, block }, ratio);
      last = { fileBlock: fileBlock + count - 1, block: block + count - 1 };
      if (isAskew) {
        const message = 'blocks that lie askew in their cluster';
        if (found.tell({ code: 'extent-cluster', message, where: { block } }, found.changed)) {
          facts.problems++;
          return 'drop';
        }
      }
      if (facts.end === 0 && fileBlock === 0) facts.first = block;
      facts.end = fileBlock + count;
      if (unwritten) facts.hasUnwritten = true;
      else facts.writtenEnd = fileBlock + count;
      return 'keep';
    },
    node: (block) => take(block, 1, { last: -1 }),
    problem({ block, ...told }, fix) {
      facts.problems++;
      found.tell(block === undefined ? told : { ...told, where: { block } }, fix);
    },
    changed: found.changed,
  });
  return facts;
}

interface Mapped {
  readonly fileBlock: FileBlock;
  readonly block: FsBlock;
}

/** Blocks of one cluster of the file that lie in two clusters of the disk. */
const splits = (last: Mapped, next: Mapped, ratio: number): boolean =>
  last.fileBlock >= 0 &&
  Math.floor(last.fileBlock / ratio) === Math.floor(next.fileBlock / ratio) &&
  Math.floor(last.block / ratio) !== Math.floor(next.block / ratio);

const blockOf = (c: Check, cluster: number): FsBlock => c.geo.firstDataBlock + cluster * c.geo.clusterBlocks;

/** Only when the map is sound. */
export function checkSize(found: InodeCase, facts: MapFacts): void {
  const { c, inode, type } = found;
  const { blockSize } = c.geo;
  const { size } = inode;
  const bad = (right: number): void => {
    const message = `size ${size} with ${facts.end} blocks mapped`;
    found.tell({ code: 'inode-size', message }, () => (inode.size = right));
  };
  if (type === FT.DIR) {
    if (facts.hasUnwritten) found.tell({ code: 'dir-unwritten', message: 'directory with unwritten blocks' });
    if (facts.end === 0) found.tell({ code: 'inode-size', message: 'directory without blocks' }, found.doom);
    else if (size !== facts.end * blockSize) bad(facts.end * blockSize);
    return;
  }
  if (type !== FT.REG) return;
  // A map of pointers may end one block late, as may an empty file's; other extents may not, unless they are unwritten.
  const end = inode.hasFlag(IFLAG.EXTENTS) && size > 0 ? Math.ceil(size / blockSize) : Math.floor(size / blockSize) + 1;
  if ((end < facts.writtenEnd && !inode.hasFlag(IFLAG.VERITY)) || size > maxSize(c, inode)) {
    bad(facts.writtenEnd * blockSize);
  }
}

/** Largest size of a file, by the kind of its map. */
function maxSize(c: Check, inode: Inode): number {
  const { blockSize } = c.geo;
  if (inode.hasFlag(IFLAG.EXTENTS)) return 0x1_0000_0000 * blockSize - 1;
  const perBlock = blockSize / 4;
  return (12 + perBlock + perBlock ** 2 + perBlock ** 3) * blockSize;
}

export function checkInlineSize(found: InodeCase): void {
  const { c, inode } = found;
  const rest = c.attempt('inline-data', { ino: inode.ino }, () => inlineRest(inode).length, found.doom);
  if (rest === undefined) return;
  // Zeros may go on beyond what is stored, as far as in any file.
  const isRight = found.type === FT.DIR ? inode.size === I_BLOCK_SIZE + rest : inode.size <= maxSize(c, inode);
  if (isRight) return;
  const message = `size ${inode.size} with ${I_BLOCK_SIZE + rest} bytes in the inode`;
  found.tell({ code: 'inode-size', message }, () => (inode.size = I_BLOCK_SIZE + rest));
}

export function checkBlockCount(
  found: InodeCase,
  used: { readonly clusters: number; readonly attributeBlocks: number },
): void {
  const { geo } = found.c;
  const { inode } = found;
  const right = (used.clusters * geo.clusterBlocks + used.attributeBlocks) * (geo.blockSize / 512);
  if (inode.sectors === right) return;
  const message = `${inode.sectors} sectors are counted, ${right} are used`;
  found.tell({ code: 'inode-blocks', message, repair: 'safe' }, () => (inode.sectors = right));
}
