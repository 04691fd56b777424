/**
 * Every directory, block by block: records, the entries `.` and `..`, what each name leads to. Counts the names of each
 * inode for links.ts. Spec: "Directory Entries".
 */
import { FsError } from '../../../kern/errno.ts';
import type { FileBlock, FsBlock } from '../../../kern/ids.ts';
import { getLe32 } from '../../../kern/struct.ts';
import { dirTailAt, initDirTail, setDirLeafCsum, setDxNodeCsum, verifyDirLeaf } from '../csum.ts';
import { isIndexed } from '../dir-read.ts';
import { recLenAt, recordSize, setRecLen } from '../dirblock.ts';
import { depthOf, entriesOf, firstOf, runOf, setFirst } from '../extent-node.ts';
import { DIRENT_HEADER, DirEntry, DirTail, DX_ROOT_ENTRIES, I_BLOCK_SIZE, IFLAG } from '../format.ts';
import { inlineRest } from '../inline.ts';
import { inlineRestPlace } from './inline-place.ts';
import { storeRaw } from './inode-case.ts';
import type { Inode } from '../inode.ts';
import { KIND } from './inode-facts.ts';
import { walkMap } from './map.ts';
import { loadRaw } from './raw-inode.ts';
import { checkRecords, type DirScan } from './records.ts';
import type { Check } from './state.ts';
import { HashTree } from './htree.ts';

const RUN_BYTES = 256 * 1024;
const RECORD_MIN = 12;
const NAME_LEN = DirEntry.offsetOf('nameLen');

export function checkDirectories(c: Check): void {
  const buffer = new Uint8Array(Math.max(RUN_BYTES, c.geo.blockSize));
  for (let index = 0; index < c.dirs.count; index++) {
    const ino = c.dirs.ino(index);
    if (c.inodes.has(ino, KIND.DAMAGED)) continue;
    checkDirectory(c, index, { inode: loadRaw(c, ino), buffer });
  }
}

function checkDirectory(
  c: Check,
  index: number,
  { inode, buffer }: { readonly inode: Inode; readonly buffer: Uint8Array },
): void {
  const scan: DirScan = { c, inode, index, isEdited: false, tree: undefined };
  if (inode.hasFlag(IFLAG.INLINE_DATA)) {
    checkInline(scan);
    return;
  }
  // Whatever its size says, there is no more of it than of the disk; and a map may lead back into itself.
  const blocks = Math.min(Math.floor(inode.size / c.geo.blockSize), c.geo.blocks);
  const nodes = new Set<FsBlock>();
  if (isIndexed(inode)) scan.tree = new HashTree(c, inode, blocks);
  let next: FileBlock = 0;
  walkMap(c, inode, {
    run({ fileBlock, block, count }) {
      if (fileBlock > next) reportHole(scan, next, fileBlock - next);
      const end = Math.min(fileBlock + count, blocks);
      for (let at = fileBlock; at < end;) {
        const some = Math.min(end - at, Math.floor(buffer.length / c.geo.blockSize));
        c.pause();
        const bytes = buffer.subarray(0, some * c.geo.blockSize);
        c.device.read(bytes, (block + at - fileBlock) * c.geo.blockSize);
        for (let i = 0; i < some; i++) {
          const data = bytes.subarray(i * c.geo.blockSize, (i + 1) * c.geo.blockSize);
          checkBlock(scan, { data, fileBlock: at + i, block: block + at + i - fileBlock });
        }
        at += some;
      }
      next = Math.max(next, fileBlock + count);
      return 'keep';
    },
    node(block) {
      if (nodes.has(block)) return 'skip';
      nodes.add(block);
      return 'keep';
    },
    problem: () => undefined,
    changed: () => undefined,
  });
  if (next < blocks) reportHole(scan, next, blocks - next);
  scan.tree?.finish();
}

/** A fix that moves up what lies behind the hole, where the map is simple; undefined: it is not. */
function holeCloser(
  c: Check,
  inode: Inode,
  hole: { readonly fileBlock: FileBlock; readonly count: number },
): (() => void) | undefined {
  const node = inode.block;
  if (!inode.hasFlag(IFLAG.EXTENTS) || depthOf(node) > 0) return undefined;
  return () => {
    let end = 0;
    for (let i = 0; i < entriesOf(node); i++) {
      const run = runOf(node, i);
      if (run.fileBlock >= hole.fileBlock) setFirst(node, i, run.fileBlock - hole.count);
      end = firstOf(node, i) + run.count;
    }
    inode.size = end * c.geo.blockSize;
    inode.flags &= ~IFLAG.INDEX;
    storeRaw(c, inode);
  };
}

interface DirBlock {
  readonly data: Uint8Array;
  readonly fileBlock: FileBlock;
  readonly block: FsBlock;
}

function reportHole({ c, inode }: DirScan, fileBlock: FileBlock, count: number): void {
  const message = `hole of ${count} blocks at block ${fileBlock} of a directory`;
  c.report({ code: 'dir-hole', message, where: { ino: inode.ino } }, holeCloser(c, inode, { fileBlock, count }));
}

function checkBlock(scan: DirScan, at: DirBlock): void {
  const { c, inode, tree } = scan;
  const { data, fileBlock, block } = at;
  const where = { ino: inode.ino, block };
  scan.isEdited = false;
  const isNode = tree?.isNode(data, fileBlock) === true;
  if (isNode) tree?.node(data, { fileBlock, block });
  if (!isNode || fileBlock === 0)
    checkRecords(scan, { ...at, start: 0, end: isNode ? data.length : leafEnd(scan, at) });
  if (isNode && scan.isEdited) {
    // What lies in it is sealed as a leaf from now on.
    tree?.abandon();
  } else if (!scan.isEdited && !isNode && dirTailAt(data) >= 0 && !verifyDirLeaf(c.geo, inode.seed, data)) {
    c.report({ code: 'dir-checksum', message: 'directory block checksum', where }, () => (scan.isEdited = true));
  }
  if (!scan.isEdited) return;
  if (isNode) setDxNodeCsum(c.geo, inode.seed, { block: data, entriesAt: DX_ROOT_ENTRIES });
  else setDirLeafCsum(c.geo, inode.seed, data);
  c.writeBlock(block, data);
}

/** Where records end: before the checksum, if there is one. */
function leafEnd(scan: DirScan, { data, block }: DirBlock): number {
  const { c, inode } = scan;
  if (!c.geo.metadataCsum) return data.length;
  if (dirTailAt(data) >= 0) return data.length - DirTail.size;
  const where = { ino: inode.ino, block };
  const room = roomForTail(data);
  c.report(
    { code: 'dir-no-checksum', message: 'directory block without room for its checksum', where },
    room === undefined
      ? undefined
      : () => {
          room();
          initDirTail(data);
          scan.isEdited = true;
        },
  );
  return scan.isEdited ? data.length - DirTail.size : data.length;
}

/** How to free what a checksum takes: the last record is shortened, or loses its name. undefined: not even that. */
function roomForTail(data: Uint8Array): (() => void) | undefined {
  const end = data.length - DirTail.size;
  let before = -1;
  for (let at = 0; at + DIRENT_HEADER <= data.length;) {
    const length = recLenAt(data, at);
    if (length < RECORD_MIN || (length & 3) !== 0 || at + length > data.length) return undefined;
    if (at + length > end) {
      const needs = getLe32(data, at) === 0 ? RECORD_MIN : recordSize(data[at + NAME_LEN] ?? 0);
      if (at + needs <= end) return () => setRecLen(data, at, end - at);
      const shorter = before;
      return shorter < 0 ? undefined : () => setRecLen(data, shorter, end - shorter);
    }
    before = at;
    at += length;
  }
  return undefined;
}

/** Entries in the inode: the parent's number, records, and more records in an attribute. */
function checkInline(scan: DirScan): void {
  const { c, inode } = scan;
  const parent = getLe32(inode.block, 0);
  c.dirs.setDotdot(scan.index, parent);
  if (parent >= 1 && parent <= c.geo.inodes) c.inodes.addName(parent);
  c.inodes.addName(inode.ino);
  checkRecords(scan, { data: inode.block, fileBlock: 1, block: 0, start: 4, end: I_BLOCK_SIZE });
  let rest: Uint8Array;
  try {
    rest = inlineRest(inode);
  } catch (e) {
    if (!(e instanceof FsError)) throw e;
    c.report({ code: 'inline-data', message: e.message, where: { ino: inode.ino } });
    return;
  }
  if (scan.isEdited) storeRaw(c, inode);
  scan.isEdited = false;
  if (rest.length === 0) return;
  checkRecords(scan, { data: rest, fileBlock: 1, block: 0, start: 0, end: rest.length });
  if (scan.isEdited) storeInlineRest(c, inode, rest);
}

/** The attribute's value is a copy: put it back over the place that it came from. */
function storeInlineRest(c: Check, inode: Inode, rest: Uint8Array): void {
  const place = inlineRestPlace(inode);
  if (place === undefined) return;
  inode.raw.set(rest, place);
  storeRaw(c, inode);
}
