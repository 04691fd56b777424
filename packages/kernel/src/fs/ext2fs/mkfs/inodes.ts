/** The inodes of the files that a new file system is born with. Spec: "Index Nodes". */
import type { Geometry } from '../superblock.ts';
import { inodeSeed, setInodeCsum } from '../csum.ts';
import { GOOD_OLD_FIRST_INO, GOOD_OLD_INODE_SIZE, INO, InodeCore, InodeExtra } from '../format.ts';
import type { FilePlan } from './files.ts';
import type { MkfsPlan } from './plan.ts';

const TWO32 = 0x1_0000_0000;
const EXTRA_ISIZE = 32;

/** The beginning of a group's table, in whole blocks, as far as its inodes are in use. */
export function inodeTableStart(p: MkfsPlan, geo: Geometry, group: number): Uint8Array {
  const first = group * geo.inodesPerGroup + 1;
  const used = Math.min(Math.max(p.lastIno - first + 1, 0), geo.inodesPerGroup);
  const table = new Uint8Array(Math.ceil(used / geo.inodesPerBlock) * geo.blockSize);
  const at = (ino: number): Uint8Array => {
    const offset = (ino - first) * geo.inodeSize;
    return table.subarray(offset, offset + geo.inodeSize);
  };
  const isHere = (ino: number): boolean => ino >= first && ino < first + used;
  // Reserved inodes that are not in use are empty, and have their checksum all the same.
  for (let ino: number = INO.BAD; ino < GOOD_OLD_FIRST_INO; ino++) {
    if (isHere(ino)) setInodeCsum(geo, inodeSeed(geo, ino, 0), at(ino));
  }
  if (isHere(INO.BAD)) fillBadBlocks(p, geo, at(INO.BAD));
  for (const file of p.files) if (isHere(file.ino)) fillInode(p, geo, { file, raw: at(file.ino) });
  return table;
}

/** Nothing but times: no block of a file is bad. */
function fillBadBlocks({ now }: MkfsPlan, geo: Geometry, raw: Uint8Array): void {
  const core = InodeCore.at(raw, 0);
  core.atime = now.sec % TWO32;
  core.ctime = now.sec % TWO32;
  core.mtime = now.sec % TWO32;
  setInodeCsum(geo, inodeSeed(geo, INO.BAD, 0), raw);
}

function fillInode(
  p: MkfsPlan,
  geo: Geometry,
  { file, raw }: { readonly file: FilePlan; readonly raw: Uint8Array },
): void {
  const { now } = p;
  const owner = file.kind === 'root' ? p.o.rootOwner : { uid: 0, gid: 0 };
  const core = InodeCore.at(raw, 0);
  core.mode = file.mode;
  core.uidLo = owner.uid & 0xffff;
  core.uidHigh = owner.uid >>> 16;
  core.gidLo = owner.gid & 0xffff;
  core.gidHigh = owner.gid >>> 16;
  core.sizeLo = file.size % TWO32;
  core.sizeHigh = Math.floor(file.size / TWO32);
  core.linksCount = file.links;
  core.blocksLo = file.sectors % TWO32;
  core.blocksHigh = Math.floor(file.sectors / TWO32);
  core.flags = file.flags;
  core.block = file.map.root;
  const low = now.sec % TWO32;
  core.atime = low;
  core.ctime = low;
  core.mtime = low;
  if (geo.inodeSize >= GOOD_OLD_INODE_SIZE + EXTRA_ISIZE) {
    const extra = InodeExtra.at(raw, GOOD_OLD_INODE_SIZE);
    // Two bits beyond the 32 of the seconds; a new file system is made at a whole second.
    const epoch = Math.floor(now.sec / TWO32) & 3;
    extra.extraIsize = EXTRA_ISIZE;
    extra.crtime = low;
    extra.atimeExtra = epoch;
    extra.ctimeExtra = epoch;
    extra.mtimeExtra = epoch;
    extra.crtimeExtra = epoch;
  }
  setInodeCsum(geo, inodeSeed(geo, file.ino, 0), raw);
}
