/**
 * Every directory, block by block: records, the entries `.` and `..`, what each name leads to. Counts the names of each
 * inode for links.ts. Spec: "Directory Entries".
 */
import { FsError } from '../../../kern/errno.ts';
import type { FileBlock, FsBlock } from '../../../kern/ids.ts';
import { getLe32 } from '../../../kern/struct.ts';
import { dirTailAt, verifyDirLeaf } from '../csum.ts';
import { isIndexed } from '../dir-read.ts';
import { DirTail, I_BLOCK_SIZE, IFLAG } from '../format.ts';
import { inlineRest } from '../inline.ts';
import type { Inode } from '../inode.ts';
import { KIND } from './inode-facts.ts';
import { walkMap } from './map.ts';
import { loadRaw } from './raw-inode.ts';
import { checkRecords, type DirScan } from './records.ts';
import type { Check } from './state.ts';
import { HashTree } from './htree.ts';

const RUN_BYTES = 256 * 1024;

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
  const scan: DirScan = { c, inode, index, last: -1, tree: undefined };
  if (inode.hasFlag(IFLAG.INLINE_DATA)) {
    checkInline(scan);
    return;
  }
  const blocks = Math.floor(inode.size / c.geo.blockSize);
  if (isIndexed(inode)) scan.tree = new HashTree(c, inode, blocks);
  let next: FileBlock = 0;
  walkMap(c, inode, {
    run({ fileBlock, block, count }) {
      if (fileBlock > next) reportHole(scan, next, fileBlock - next);
      const end = Math.min(fileBlock + count, blocks);
      for (let at = fileBlock; at < end;) {
        const some = Math.min(end - at, Math.floor(buffer.length / c.geo.blockSize));
        const bytes = buffer.subarray(0, some * c.geo.blockSize);
        c.device.read(bytes, (block + at - fileBlock) * c.geo.blockSize);
        for (let i = 0; i < some; i++) {
          const data = bytes.subarray(i * c.geo.blockSize, (i + 1) * c.geo.blockSize);
          checkBlock(scan, { data, fileBlock: at + i, block: block + at + i - fileBlock });
        }
        at += some;
      }
      next = Math.max(next, fileBlock + count);
    },
    node: () => true,
    problem: () => undefined,
  });
  if (next < blocks) reportHole(scan, next, blocks - next);
  scan.tree?.finish();
}

function reportHole({ c, inode }: DirScan, fileBlock: FileBlock, count: number): void {
  c.report({
    code: 'dir-hole',
    message: `hole of ${count} blocks at block ${fileBlock} of a directory`,
    where: { ino: inode.ino },
  });
}

function checkBlock(
  scan: DirScan,
  at: { readonly data: Uint8Array; readonly fileBlock: FileBlock; readonly block: FsBlock },
): void {
  const { c, inode, tree } = scan;
  const { data, fileBlock, block } = at;
  const where = { ino: inode.ino, block };
  if (tree?.isNode(data, fileBlock) === true) {
    tree.node(data, { fileBlock, block });
    if (fileBlock > 0) return;
    checkRecords(scan, { ...at, start: 0, end: data.length });
    return;
  }
  let end = data.length;
  if (c.geo.metadataCsum) {
    if (dirTailAt(data) < 0) {
      c.report({ code: 'dir-no-checksum', message: 'directory block without room for its checksum', where });
    } else {
      end -= DirTail.size;
      if (!verifyDirLeaf(c.geo, inode.seed, data)) {
        c.report({ code: 'dir-checksum', message: 'directory block checksum', where });
      }
    }
  }
  checkRecords(scan, { ...at, start: 0, end });
}

/** Entries in the inode: the parent's number, records, and more records in an attribute. */
function checkInline(scan: DirScan): void {
  const { c, inode } = scan;
  const parent = getLe32(inode.block, 0);
  c.dirs.setDotdot(scan.index, parent);
  if (parent >= 1 && parent <= c.geo.inodes) c.inodes.addName(parent);
  c.inodes.addName(inode.ino);
  scan.last = 0;
  checkRecords(scan, { data: inode.block, fileBlock: 1, block: 0, start: 4, end: I_BLOCK_SIZE });
  let rest: Uint8Array;
  try {
    rest = inlineRest(inode);
  } catch (e) {
    if (!(e instanceof FsError)) throw e;
    c.report({ code: 'inline-data', message: e.message, where: { ino: inode.ino } });
    return;
  }
  if (rest.length > 0) checkRecords(scan, { data: rest, fileBlock: 1, block: 0, start: 0, end: rest.length });
}
