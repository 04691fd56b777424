/**
 * Every inode of every table, read in long pieces: which are in use, and each of these by inode.ts. Inodes that the group
 * calls never used are not looked at, as they may hold anything.
 */
import type { Ino } from '../../../kern/ids.ts';
import { getLe16 } from '../../../kern/struct.ts';
import { InodeCore } from '../format.ts';
import { Inode } from '../inode.ts';
import { checkFreeInode, checkInode } from './inode.ts';
import { takePlainInode } from './plain-inode.ts';
import type { Check } from './state.ts';

const PIECE_BYTES = 256 * 1024;
/** Inodes in use between two pauses. */
const INODES_BETWEEN = 32;
const MODE = InodeCore.offsetOf('mode');
const LINKS = InodeCore.offsetOf('linksCount');

export function checkInodes(c: Check): void {
  const { geo, groups } = c;
  const piece = new Uint8Array(Math.max(PIECE_BYTES, geo.blockSize));
  const perPiece = Math.floor(piece.length / geo.inodeSize);
  for (let group = 0; group < geo.groups; group++) {
    const count = groups.inodesInUse[group] ?? 0;
    const table = groups.inodeTable[group] ?? 0;
    if (count === 0 || table === 0) continue;
    for (let first = 0; first < count; first += perPiece) {
      c.pause();
      const some = Math.min(perPiece, count - first);
      const bytes = piece.subarray(0, some * geo.inodeSize);
      c.device.read(bytes, table * geo.blockSize + first * geo.inodeSize);
      checkPiece(c, group * geo.inodesPerGroup + first + 1, bytes);
    }
  }
}

function checkPiece(c: Check, firstIno: Ino, bytes: Uint8Array): void {
  const { inodeSize } = c.geo;
  for (let at = 0; at < bytes.length; at += inodeSize) {
    const isUnused = getLe16(bytes, at + MODE) === 0 && getLe16(bytes, at + LINKS) === 0;
    const ino = firstIno + at / inodeSize;
    // Most free inodes are all zeros; the reserved ones may be in use without a mode.
    if (isUnused && ino >= c.geo.firstIno && isZero(bytes, at, inodeSize)) continue;
    if (ino % INODES_BETWEEN === 0) c.pause();
    const raw = bytes.subarray(at, at + inodeSize);
    if (takePlainInode(c, ino, raw)) continue;
    const inode = new Inode(c.mp, ino, raw);
    if (isInUse(c, inode)) checkInode(c, inode);
    else checkFreeInode(c, inode);
  }
}

function isZero(bytes: Uint8Array, at: number, length: number): boolean {
  for (let i = at; i < at + length; i++) if (bytes[i] !== 0) return false;
  return true;
}

const isInUse = (c: Check, inode: Inode): boolean => inode.nlink > 0 || c.orphans.has(inode.ino) || inode.ino === 1;
