/**
 * Extended attributes, reading: from the inode behind its extra fields, from the block that fileAcl names, and values
 * that have inodes of their own (ea_inode). Names get their prefix here. Spec: "Extended Attributes".
 */
import { CorruptError } from '../../kern/errno.ts';
import type { FsBlock, Ino } from '../../kern/ids.ts';
import { nameFromBytes, nameToBytes } from '../../kern/name.ts';
import { getLe16, getLe32 } from '../../kern/struct.ts';
import { aclToXattr } from './acl.ts';
import { rememberBlock } from './attrshare.ts';
import { verifyXattrBlock } from './csum.ts';
import { rememberValue, valueHash, valueSectors } from './eavalue.ts';
import {
  GOOD_OLD_INODE_SIZE,
  IFLAG,
  XATTR_ENTRY_SIZE,
  XATTR_INDEX,
  XATTR_MAGIC,
  XATTR_PREFIX,
  XattrEntry,
  XattrHeader,
  XattrIbodyHeader,
} from './format.ts';
import { loadInode, type Inode } from './inode.ts';
import { readMapped } from './inode-read.ts';

/** An entry of a list of attributes, as bytes of the area that holds it. */
export interface XattrRecord {
  readonly index: number;
  /** Without its prefix. */
  readonly name: Uint8Array;
  /** The value within the area; empty when it has an inode of its own. */
  readonly value: Uint8Array;
  readonly valueInum: Ino;
  readonly valueSize: number;
  readonly hash: number;
}

const VALUE_OFFS = XattrEntry.offsetOf('valueOffs');
const VALUE_INUM = XattrEntry.offsetOf('valueInum');
const VALUE_SIZE = XattrEntry.offsetOf('valueSize');
const ENTRY_HASH = XattrEntry.offsetOf('hash');
/** Largest value that an entry may claim (Linux EXT4_XATTR_SIZE_MAX). */
const VALUE_SIZE_MAX = 1 << 24;

/** Records of `area` from byte `start` on; value offsets count from `base`. CorruptError for what does not fit. */
function parseRecords(
  area: Uint8Array,
  options: { readonly start: number; readonly base: number; readonly ino: Ino; readonly block?: FsBlock },
): XattrRecord[] {
  const { start, base, ...where } = options;
  const bad = (): CorruptError => new CorruptError('extended attributes', where);
  const records: XattrRecord[] = [];
  let at = start;
  let valueBytes = 0;
  for (;;) {
    // The end of the list: four zero bytes. An area may be too full for them only by being damaged.
    if (at + 4 > area.length) throw bad();
    if (getLe32(area, at) === 0) return records;
    const nameLen = area[at] as number;
    const next = at + ((XATTR_ENTRY_SIZE + nameLen + 3) & ~3);
    if (next > area.length) throw bad();
    const valueInum = getLe32(area, at + VALUE_INUM);
    const valueSize = getLe32(area, at + VALUE_SIZE);
    const from = base + getLe16(area, at + VALUE_OFFS);
    if (valueSize > VALUE_SIZE_MAX) throw bad();
    if (valueInum === 0 && valueSize > 0) {
      valueBytes += valueSize;
      // Values lie beside one another: many that are all of the area would be copied thousands of times over.
      if (from + valueSize > area.length || valueBytes > area.length) throw bad();
    }
    records.push({
      index: area[at + 1] as number,
      name: area.slice(at + XATTR_ENTRY_SIZE, at + XATTR_ENTRY_SIZE + nameLen),
      value: valueInum === 0 ? area.slice(from, from + valueSize) : new Uint8Array(0),
      valueInum,
      valueSize,
      hash: getLe32(area, at + ENTRY_HASH),
    });
    at = next;
  }
}

/** Where attributes in the inode begin (at their magic number), or undefined when it has no room for them. */
export function ibodyXattrStart(inode: Inode): number | undefined {
  if (inode.raw.length <= GOOD_OLD_INODE_SIZE || inode.extraIsize === 0) return undefined;
  const start = GOOD_OLD_INODE_SIZE + inode.extraIsize;
  return start + XattrIbodyHeader.size + 4 > inode.raw.length ? undefined : start;
}

export function ibodyXattrs(inode: Inode): XattrRecord[] {
  const start = ibodyXattrStart(inode);
  if (start === undefined || getLe32(inode.raw, start) !== XATTR_MAGIC) return [];
  const first = start + XattrIbodyHeader.size;
  return parseRecords(inode.raw, { start: first, base: first, ino: inode.ino });
}

export function blockXattrs(inode: Inode): XattrRecord[] {
  const block = inode.fileAcl;
  if (block === 0) return [];
  const { geo, ino, mp } = inode;
  const where = { ino, block };
  if (block <= geo.firstDataBlock || block >= geo.blocks) throw new CorruptError('attribute block number', where);
  const bp = mp.bufs.bread(block);
  try {
    const header = XattrHeader.at(bp.data, 0);
    if (header.magic !== XATTR_MAGIC || header.blocks !== 1) throw new CorruptError('attribute block', where);
    if (!bp.verified) {
      if (!verifyXattrBlock(geo, block, bp.data)) throw new CorruptError('attribute block checksum', where);
      bp.verified = true;
    }
    const records = parseRecords(bp.data, { start: XattrHeader.size, base: 0, ...where });
    rememberBlock(mp, block, header.hash);
    return records;
  } finally {
    mp.bufs.brelse(bp);
  }
}

/** The value of a record that inode `owner` has. CorruptError. */
export function recordValue(owner: Inode, record: XattrRecord): Uint8Array {
  if (record.valueInum === 0) return record.value;
  const { geo, mp } = owner;
  const where = { ino: record.valueInum };
  const inode = loadInode(mp, record.valueInum);
  if (!inode.hasFlag(IFLAG.EA_INODE) || inode.type !== 'reg' || inode.size !== record.valueSize) {
    throw new CorruptError('inode of an attribute value', where);
  }
  const value = new Uint8Array(record.valueSize);
  readMapped(inode, value, 0);
  // Where a time would be, such an inode keeps the checksum of its value; Lustre's keep their owner instead.
  const isLustre = inode.core.mtime === owner.ino && inode.gen === owner.gen;
  if (inode.core.atime !== valueHash(geo, value) && !isLustre) {
    throw new CorruptError('checksum of an attribute value', where);
  }
  if (!isLustre) rememberValue(mp, { ino: inode.ino, hash: inode.core.atime });
  return value;
}

/** Indexes that whole attributes have instead of prefixes: their stored name is empty. */
const isWhole = (index: number): boolean => index === XATTR_INDEX.ACL_ACCESS || index === XATTR_INDEX.ACL_DEFAULT;
/** What applications see. The others (inline data, encryption contexts) are the file system's own. */
const VISIBLE: readonly number[] = [
  XATTR_INDEX.USER,
  XATTR_INDEX.ACL_ACCESS,
  XATTR_INDEX.ACL_DEFAULT,
  XATTR_INDEX.TRUSTED,
  XATTR_INDEX.SECURITY,
  XATTR_INDEX.HURD,
];

/** Index and stored name of a full name; undefined when the format cannot hold it or applications may not. */
export function splitXattrName(name: string): { readonly index: number; readonly stored: Uint8Array } | undefined {
  for (const index of VISIBLE) {
    const prefix = XATTR_PREFIX[index] ?? '';
    if (isWhole(index) ? name === prefix : name.startsWith(prefix) && name.length > prefix.length) {
      return { index, stored: nameToBytes(name.slice(prefix.length)) };
    }
  }
  return undefined;
}

export const sameBytes = (a: Uint8Array, b: Uint8Array): boolean =>
  a.length === b.length && a.every((x, i) => x === b[i]);

/** The record of an attribute: the inode's own place first, then the block. */
export function findXattr(inode: Inode, index: number, stored: Uint8Array): XattrRecord | undefined {
  const isIt = (r: XattrRecord): boolean => r.index === index && sameBytes(r.name, stored);
  return ibodyXattrs(inode).find(isIt) ?? blockXattrs(inode).find(isIt);
}

/** VOP_GETEXTATTR. */
export function getXattr(inode: Inode, name: string): Uint8Array | undefined {
  const split = splitXattrName(name);
  const record = split === undefined ? undefined : findXattr(inode, split.index, split.stored);
  if (record === undefined) return undefined;
  const value = recordValue(inode, record);
  return isWhole(record.index) ? aclToXattr(value, inode.ino) : value;
}

/** VOP_LISTEXTATTR. */
export function listXattrs(inode: Inode): string[] {
  const names = [...ibodyXattrs(inode), ...blockXattrs(inode)]
    .filter((r) => VISIBLE.includes(r.index))
    .map((r) => (XATTR_PREFIX[r.index] ?? '') + nameFromBytes(r.name));
  return [...new Set(names)];
}

/** The inode's attributes whose value is in another inode. */
const valuesElsewhere = (inode: Inode): XattrRecord[] =>
  [...ibodyXattrs(inode), ...blockXattrs(inode)].filter(({ valueInum }) => valueInum !== 0);

export const countValues = (inode: Inode): number => valuesElsewhere(inode).length;

/** What attributes add to the space that the inode is said to use. */
export function attributeSectors(inode: Inode): number {
  const { geo } = inode;
  const block = inode.fileAcl === 0 ? 0 : (geo.clusterBlocks * geo.blockSize) / 512;
  return valuesElsewhere(inode).reduce((sum, { valueSize }) => sum + valueSectors(geo, valueSize), block);
}
