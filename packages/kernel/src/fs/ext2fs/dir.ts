/**
 * Directories, reading: records in blocks (or inline in the inode), found by name; listing is dirlist.ts. A directory is read
 * as the row of blocks that it is, indexed or not: index blocks look like empty records. Lookups use the index
 * (htree-lookup.ts) where there is one. Every record is checked before it is believed. Spec: "Directory Entries".
 */
import { CorruptError } from '../../kern/errno.ts';
import type { FileBlock, FsBlock, Ino } from '../../kern/ids.ts';
import { nameFromBytes, nameToBytes } from '../../kern/name.ts';
import { getLe32 } from '../../kern/struct.ts';
import { bmap } from './bmap.ts';
import { casefold, youngCharacter } from './casefold.ts';
import { breadDirBlock, dirBlocks, isIndexed } from './dir-read.ts';
import { recLenAt } from './dirblock.ts';
import { isCasefolded, isEncrypted } from './dirkind.ts';
import { noKeyName } from './encrypted.ts';
import { COMPAT, INCOMPAT } from './features.ts';
import { DIRENT_HEADER, FT, HASH, I_BLOCK_SIZE, IFLAG } from './format.ts';
import { nameHash, type NameHash } from './hash.ts';
import { htreeFind } from './htree-lookup.ts';
import type { Inode } from './inode.ts';
import { INLINE_FIRST, INLINE_IBODY, INLINE_XATTR, inlineParent, inlineRest, isInline } from './inline.ts';
import { hasCompat, hasIncompat, type Geometry } from './superblock.ts';

/** Where a record was found. Valid until the directory changes. */
interface DirSlot {
  /** Block of the directory and where it lies; for inline directories -1 (in i_block) or -2 (in the attribute) and 0. */
  readonly fileBlock: FileBlock;
  readonly block: FsBlock;
  /** Byte of the record in the block, or in the inline area. */
  readonly offset: number;
  /** The record before it in the same block, if it is not the first. */
  readonly previous: number | undefined;
}

interface DirFound {
  readonly ino: Ino;
  /** FT value, 0 where directories do not record types. */
  readonly fileType: number;
  readonly slot: DirSlot;
}

/** Smallest record: header and one to four characters. */
const RECORD_MIN = 12;
const RECORD_ALIGN = 4;
const INO = 0;
const NAME_LEN = 6;
const FILE_TYPE = 7;
const DOT = Uint8Array.of(0x2e);
const DOTDOT = Uint8Array.of(0x2e, 0x2e);

/** The record's length, once it and the name in it were seen to fit before `end`. */
export function checkedLength(dir: Inode, data: Uint8Array, at: number, end: number): number {
  const length = at + RECORD_MIN <= end ? recLenAt(data, at) : 0;
  if (
    length < RECORD_MIN ||
    length % RECORD_ALIGN !== 0 ||
    at + length > end ||
    DIRENT_HEADER + (data[at + NAME_LEN] as number) > length ||
    getLe32(data, at + INO) > dir.geo.inodes
  ) {
    throw new CorruptError(`directory entry at byte ${at}`, { ino: dir.ino });
  }
  return length;
}

export const fileTypeOf = (geo: Geometry, data: Uint8Array, at: number): number =>
  hasIncompat(geo, INCOMPAT.FILETYPE) ? (data[at + FILE_TYPE] as number) : FT.UNKNOWN;

/** Is the name at `at` these bytes? */
function isName(data: Uint8Array, at: number, name: Uint8Array): boolean {
  const { length } = name;
  if (data[at + NAME_LEN] !== length) return false;
  for (let i = 0, p = at + DIRENT_HEADER; i < length; i++) if (data[p + i] !== name[i]) return false;
  return true;
}

/** Says whether the record at `at` of `data` is the one looked for. */
type Matcher = (data: Uint8Array, at: number) => boolean;

/** How names of this directory are compared: as bytes, folded, or as shown while encrypted. */
function matcherFor(dir: Inode, name: string, bytes: Uint8Array): Matcher {
  if (isEncrypted(dir)) {
    return (data, at) => isName(data, at, bytes) || shownName(dir, data, at) === name;
  }
  if (!isCasefolded(dir)) return (data, at) => isName(data, at, bytes);
  const folded = casefold(bytes);
  if (folded === undefined) return (data, at) => isName(data, at, bytes);
  return (data, at) => {
    if (isName(data, at, bytes)) return true;
    const other = casefold(nameBytesAt(data, at));
    return other !== undefined && other.length === folded.length && other.every((x, i) => x === folded[i]);
  };
}

const nameBytesAt = (data: Uint8Array, at: number): Uint8Array =>
  data.subarray(at + DIRENT_HEADER, at + DIRENT_HEADER + (data[at + NAME_LEN] as number));

/** What a listing shows for the record. */
export function shownName(dir: Inode, data: Uint8Array, at: number): string {
  const end = at + DIRENT_HEADER + (data[at + NAME_LEN] as number);
  if (!isEncrypted(dir) || isDots(data, at)) return nameFromBytes(data, at + DIRENT_HEADER, end);
  return noKeyName(nameBytesAt(data, at), storedHash(dir, data, at));
}
export const isDots = (data: Uint8Array, at: number): boolean => isName(data, at, DOT) || isName(data, at, DOTDOT);

/** Linux lists a directory of one block by hash too, as if it were indexed. */
const isListedByHash = (dir: Inode): boolean =>
  hasCompat(dir.geo, COMPAT.DIR_INDEX) && (dir.hasFlag(IFLAG.INDEX) || dir.size === dir.geo.blockSize || isInline(dir));

/** The hash that belongs to an encrypted name: kept behind it with casefold, computed of the ciphertext with an index. */
function storedHash(dir: Inode, data: Uint8Array, at: number): NameHash {
  if (isCasefolded(dir)) {
    const p = at + ((DIRENT_HEADER + (data[at + NAME_LEN] as number) + 3) & ~3);
    if (p + 8 <= at + recLenAt(data, at)) {
      return { hash: getLe32(data, p), minor: getLe32(data, p + 4) };
    }
  } else if (isListedByHash(dir)) {
    const { geo } = dir;
    const version = geo.defHashVersion + (geo.hashUnsigned && geo.defHashVersion <= HASH.TEA ? 3 : 0);
    const hash = nameHash(nameBytesAt(data, at), { version, seed: geo.hashSeed });
    if (hash !== undefined) return hash;
  }
  return { hash: 0, minor: 0 };
}

/** The matching record of data[start, end), or undefined. */
function findInArea(
  dir: Inode,
  area: {
    readonly data: Uint8Array;
    readonly start: number;
    readonly end: number;
    readonly fileBlock: FileBlock;
    readonly block: FsBlock;
  },
  matches: Matcher,
): DirFound | undefined {
  const { data, start, end, fileBlock, block } = area;
  let previous: number | undefined;
  for (let at = start; at < end;) {
    const length = checkedLength(dir, data, at, end);
    const ino = getLe32(data, at + INO);
    if (ino !== 0 && matches(data, at)) {
      return { ino, fileType: fileTypeOf(dir.geo, data, at), slot: { fileBlock, block, offset: at, previous } };
    }
    previous = at;
    at += length;
  }
  return undefined;
}

/** The entry `name` of the directory (`..` included), or undefined. CorruptError. */
export function dirFind(dir: Inode, name: string): DirFound | undefined {
  const bytes = nameToBytes(name);
  if (isInline(dir)) return inlineFind(dir, name, bytes);
  const matches = matcherFor(dir, name, bytes);
  if (name === '..') return scanBlocks(dir, matches, 1);
  if (isIndexed(dir) && !isEncrypted(dir)) {
    const isFolded = isCasefolded(dir);
    const found = htreeFind(dir, (isFolded ? casefold(bytes) : undefined) ?? bytes, (bp, fileBlock) =>
      findInArea(dir, { data: bp.data, start: 0, end: bp.data.length, fileBlock, block: bp.block }, matches),
    );
    // Of a character that is younger than the format we cannot know how it was folded: then only a scan finds the name.
    const isCertain = !isFolded || youngCharacter(bytes) === undefined;
    if (found !== 'unusable' && (found !== undefined || isCertain)) return found;
  }
  return scanBlocks(dir, matches, dirBlocks(dir));
}

function scanBlocks(dir: Inode, matches: Matcher, blocks: number): DirFound | undefined {
  const { bufs } = dir.mp;
  for (let fileBlock = 0; fileBlock < blocks; fileBlock++) {
    const bp = breadDirBlock(dir, fileBlock);
    if (bp === undefined) {
      fileBlock += bmap(dir, fileBlock, blocks - fileBlock).count - 1;
      continue;
    }
    try {
      const area = { data: bp.data, start: 0, end: bp.data.length, fileBlock, block: bp.block };
      const found = findInArea(dir, area, matches);
      if (found !== undefined) return found;
    } finally {
      bufs.brelse(bp);
    }
  }
  return undefined;
}

// inline directories: the parent's number, then records, then more records in the attribute

interface InlineArea {
  readonly data: Uint8Array;
  readonly start: number;
  readonly end: number;
  readonly fileBlock: FileBlock;
  readonly block: FsBlock;
}

export function inlineAreas(dir: Inode): readonly [InlineArea, InlineArea] {
  const rest = inlineRest(dir);
  return [
    { data: dir.block, start: INLINE_FIRST, end: I_BLOCK_SIZE, fileBlock: INLINE_IBODY, block: 0 },
    { data: rest, start: 0, end: rest.length, fileBlock: INLINE_XATTR, block: 0 },
  ];
}

function inlineFind(dir: Inode, name: string, bytes: Uint8Array): DirFound | undefined {
  const [ibody, rest] = inlineAreas(dir);
  if (name === '..') {
    const slot = { fileBlock: INLINE_IBODY, block: 0, offset: 0, previous: undefined };
    return { ino: inlineParent(dir), fileType: FT.DIR, slot };
  }
  const matches = matcherFor(dir, name, bytes);
  return findInArea(dir, ibody, matches) ?? findInArea(dir, rest, matches);
}
