/**
 * Extended attributes, changed. An attribute goes into the inode if it fits there, else into the block that fileAcl names;
 * what is there is laid out anew, sorted, as e2fsck wants it. A block that several inodes share is copied first.
 *
 * Callers store the inode. Spec: "Extended Attributes".
 */
import { CorruptError, FsError } from '../../kern/errno.ts';
import { setLe32 } from '../../kern/struct.ts';
import { aclFromXattr } from './acl.ts';
import { allocMetaBlock, freeBlocks } from './alloc.ts';
import { setXattrBlockCsum, verifyXattrBlock } from './csum.ts';
import { COMPAT } from './features.ts';
import { XATTR_ENTRY_SIZE, XATTR_INDEX, XATTR_MAGIC, XattrEntry, XattrHeader, XattrIbodyHeader } from './format.ts';
import type { Inode } from './inode.ts';
import { hasCompat, updateSuperblock } from './superblock.ts';
import { blockXattrs, ibodyXattrs, ibodyXattrStart, sameBytes, splitXattrName, type XattrRecord } from './xattr.ts';
import { entryHash } from './xattr-hash.ts';

/** What is stored of an attribute whose value lies with it. */
type Stored = Pick<XattrRecord, 'index' | 'name' | 'value'>;

const NAME_BYTES_MAX = 255;
const ALIGN = 4;
/** Four zero bytes end a list. */
const LIST_END = 4;
const pad = (length: number): number => (length + ALIGN - 1) & ~(ALIGN - 1);

/** VOP_SETEXTATTR. Errors: EOPNOTSUPP, EINVAL (an access control list that is none), ERANGE, ENOSPC. */
export function setXattr(ip: Inode, name: string, value: Uint8Array): void {
  const split = splitXattrName(name);
  if (split === undefined || ip.geo.revLevel === 0) throw new FsError('EOPNOTSUPP');
  const { index, stored } = split;
  if (stored.length > NAME_BYTES_MAX) throw new FsError('ERANGE');
  const isAcl = index === XATTR_INDEX.ACL_ACCESS || index === XATTR_INDEX.ACL_DEFAULT;
  storeXattr(ip, { index, name: stored, value: isAcl ? aclFromXattr(value) : value });
}

/** The same for a stored form. */
export function storeXattr(ip: Inode, record: Stored): void {
  const { ibody, block } = without(ip, record);
  if (fitsIbody(ip, [...ibody.records, record])) {
    writeIbody(ip, [...ibody.records, record]);
    if (block.had) writeBlock(ip, block.records);
  } else {
    const records = [...block.records, record];
    if (listSize(records) > ip.geo.blockSize - XattrHeader.size) throw new FsError('ENOSPC', { ino: ip.ino });
    if (ibody.had) writeIbody(ip, ibody.records);
    writeBlock(ip, records);
  }
  noteFeature(ip);
}

/** VOP_DELETEEXTATTR. Errors: ENOATTR. */
export function deleteXattr(ip: Inode, name: string): void {
  const split = splitXattrName(name);
  if (split === undefined) throw new FsError('ENOATTR');
  const { ibody, block } = without(ip, { index: split.index, name: split.stored });
  if (!ibody.had && !block.had) throw new FsError('ENOATTR');
  if (ibody.had) writeIbody(ip, ibody.records);
  if (block.had) writeBlock(ip, block.records);
}

interface Place {
  /** The others that are there. */
  readonly records: readonly Stored[];
  /** Was the one looked for there? */
  readonly had: boolean;
}

function without(ip: Inode, { index, name }: Pick<Stored, 'index' | 'name'>): { ibody: Place; block: Place } {
  const split = (all: readonly XattrRecord[]): Place => {
    if (all.some((r) => r.valueInum !== 0))
      throw new FsError('EOPNOTSUPP', { what: 'attribute value in an inode of its own' });
    const records = all.filter((r) => r.index !== index || !sameBytes(r.name, name));
    return { records, had: records.length < all.length };
  };
  return { ibody: split(ibodyXattrs(ip)), block: split(blockXattrs(ip)) };
}

/** Bytes that a list takes with its values. */
const listSize = (records: readonly Stored[]): number =>
  records.reduce((sum, { name, value }) => sum + pad(XATTR_ENTRY_SIZE + name.length) + pad(value.length), LIST_END);

/** Lay a list out: entries from `start` on, values from the end of the area downwards. Offsets count from `base`. */
function writeList(
  area: Uint8Array,
  records: readonly Stored[],
  { start, base, hashed }: { start: number; base: number; hashed: boolean },
): void {
  area.fill(0, start);
  let at = start;
  let end = area.length;
  for (const { index, name, value } of [...records].sort(byName)) {
    end -= pad(value.length);
    area.set(value, end);
    const entry = XattrEntry.at(area, at);
    entry.nameLen = name.length;
    entry.nameIndex = index;
    entry.valueOffs = value.length === 0 ? 0 : end - base;
    entry.valueSize = value.length;
    area.set(name, at + XATTR_ENTRY_SIZE);
    // In the inode it is zero: checkers verify any other.
    entry.hash = hashed ? entryHash(name, area.subarray(end, end + pad(value.length))) : 0;
    at += pad(XATTR_ENTRY_SIZE + name.length);
  }
}

function byName(a: Stored, b: Stored): number {
  if (a.index !== b.index) return a.index - b.index;
  if (a.name.length !== b.name.length) return a.name.length - b.name.length;
  const at = a.name.findIndex((byte, i) => byte !== b.name[i]);
  return at < 0 ? 0 : (a.name[at] ?? 0) - (b.name[at] ?? 0);
}

function fitsIbody(ip: Inode, records: readonly Stored[]): boolean {
  const start = ibodyXattrStart(ip);
  return start !== undefined && listSize(records) <= ip.raw.length - start - XattrIbodyHeader.size;
}

function writeIbody(ip: Inode, records: readonly Stored[]): void {
  const start = ibodyXattrStart(ip);
  if (start === undefined) return;
  const first = start + XattrIbodyHeader.size;
  setLe32(ip.raw, start, records.length === 0 ? 0 : XATTR_MAGIC);
  writeList(ip.raw, records, { start: first, base: first, hashed: false });
}

/** An attribute by the bytes that are stored of its name. */
export type AttributeName = Pick<Stored, 'index' | 'name'>;

const others = (ip: Inode, { index, name }: AttributeName): Stored[] =>
  ibodyXattrs(ip).filter((r) => r.index !== index || !sameBytes(r.name, name));

/** Bytes that the value of `attribute` may have in the inode itself, a multiple of 4; undefined: not even an empty one. */
export function ibodyRoom(ip: Inode, attribute: AttributeName): number | undefined {
  const start = ibodyXattrStart(ip);
  if (start === undefined) return undefined;
  const area = ip.raw.length - start - XattrIbodyHeader.size;
  const room = area - listSize([...others(ip, attribute), { ...attribute, value: new Uint8Array(0) }]);
  return room < 0 ? undefined : room & ~(ALIGN - 1);
}

/** Put an attribute in the inode itself, nowhere else; false, and nothing changed, when it does not fit. */
export function storeInIbody(ip: Inode, record: Stored): boolean {
  const records = [...others(ip, record), record];
  if (!fitsIbody(ip, records)) return false;
  writeIbody(ip, records);
  return true;
}

/** Take an attribute out of the inode, where it may be. */
export function dropFromIbody(ip: Inode, attribute: AttributeName): void {
  writeIbody(ip, others(ip, attribute));
}

/** The block's attributes are these now. Errors: ENOSPC. */
function writeBlock(ip: Inode, records: readonly Stored[]): void {
  const { mp, geo } = ip;
  if (ip.fileAcl !== 0 && (records.length === 0 || isShared(ip))) releaseAttributes(ip);
  if (records.length === 0) return;
  if (ip.fileAcl === 0) ip.fileAcl = allocMetaBlock(ip);
  const block = ip.fileAcl;
  const bp = mp.bufs.newblk(block);
  writeList(bp.data, records, { start: XattrHeader.size, base: 0, hashed: true });
  const header = XattrHeader.at(bp.data, 0);
  header.magic = XATTR_MAGIC;
  header.refcount = 1;
  header.blocks = 1;
  header.hash = blockHash(bp.data, records.length);
  bp.seal = (data) => setXattrBlockCsum(geo, block, data);
  bp.verified = true;
  mp.bufs.bdwrite(bp);
}

function blockHash(data: Uint8Array, count: number): number {
  let hash = 0;
  for (let i = 0, at = XattrHeader.size; i < count; i++) {
    const entry = XattrEntry.at(data, at);
    if (entry.hash === 0) return 0;
    hash = (hash << 16) ^ (hash >>> 16) ^ entry.hash;
    at += pad(XATTR_ENTRY_SIZE + entry.nameLen);
  }
  return hash >>> 0;
}

function isShared(ip: Inode): boolean {
  const bp = ip.mp.bufs.bread(ip.fileAcl);
  const { refcount } = XattrHeader.at(bp.data, 0);
  ip.mp.bufs.brelse(bp);
  return refcount > 1;
}

function noteFeature({ mp, geo }: Inode): void {
  if (hasCompat(geo, COMPAT.EXT_ATTR)) return;
  mp.data.geo = Object.freeze({ ...geo, compat: geo.compat | COMPAT.EXT_ATTR });
  updateSuperblock(mp, (sb) => (sb.featureCompat |= COMPAT.EXT_ATTR));
}

/** The inode lets go of its attribute block, which others may still use. */
export function releaseAttributes(ip: Inode): void {
  const { mp, geo } = ip;
  const block = ip.fileAcl;
  if (block <= geo.firstDataBlock || block >= geo.blocks) {
    throw new CorruptError('attribute block beyond the file system', { ino: ip.ino, block });
  }
  const bp = mp.bufs.bread(block);
  let shared: boolean;
  try {
    const header = XattrHeader.at(bp.data, 0);
    const isSound = header.magic === XATTR_MAGIC && (bp.verified || verifyXattrBlock(geo, block, bp.data));
    if (!isSound) throw new CorruptError('attribute block', { ino: ip.ino, block });
    bp.verified = true;
    shared = header.refcount > 1;
    if (shared) {
      header.refcount -= 1;
      bp.seal = (data) => setXattrBlockCsum(geo, block, data);
      mp.bufs.markDirty(bp);
    }
  } finally {
    mp.bufs.brelse(bp);
  }
  if (shared) ip.sectors -= geo.blockSize / 512;
  else freeBlocks(ip, { block, count: 1 });
  ip.fileAcl = 0;
}
