/**
 * Extended attributes, changed. An attribute goes into the inode if it fits there, else into the block that fileAcl names;
 * what is there is laid out anew, sorted, as e2fsck wants it. A block that several inodes share is copied first.
 *
 * Callers store the inode. Spec: "Extended Attributes".
 */
import { CorruptError, FsError } from '../../kern/errno.ts';
import type { FsBlock, Ino } from '../../kern/ids.ts';
import { setLe32 } from '../../kern/struct.ts';
import { aclFromXattr } from './acl.ts';
import { allocMetaBlock, freeBlocks } from './alloc.ts';
import { findTwin, forgetBlock, rememberBlock } from './attrshare.ts';
import { setXattrBlockCsum, verifyXattrBlock } from './csum.ts';
import { addReference, dropReference, storeValue } from './eainode.ts';
import { valueSectors } from './eavalue.ts';
import { COMPAT, INCOMPAT } from './features.ts';
import { XATTR_ENTRY_SIZE, XATTR_INDEX, XATTR_MAGIC, XattrEntry, XattrHeader, XattrIbodyHeader } from './format.ts';
import type { Inode } from './inode.ts';
import { hasCompat, hasIncompat, updateSuperblock, type Geometry } from './superblock.ts';
import { blockXattrs, ibodyXattrs, ibodyXattrStart, sameBytes, splitXattrName, type XattrRecord } from './xattr.ts';
import { entryHash } from './xattr-hash.ts';

/** What is stored of an attribute. */
type Stored = XattrRecord;
/** An attribute, wherever its value will be. */
type Attribute = Pick<Stored, 'index' | 'name' | 'value'>;
/** An attribute by the bytes that are stored of its name. */
type AttributeName = Pick<Stored, 'index' | 'name'>;

const NOTHING = new Uint8Array(0);
/** Linux XATTR_SIZE_MAX: nobody could read a larger one. */
const VALUE_BYTES_MAX = 65536;

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
export function storeXattr(ip: Inode, attribute: Attribute): void {
  const places = lookAround(ip, attribute);
  const record = place(ip, places, attribute);
  const { ibody, block } = places;
  if (mayStayInside(ip, record) && fitsIbody(ip, [...ibody.records, record])) {
    writeIbody(ip, [...ibody.records, record]);
    if (block.old !== undefined) writeBlock(ip, block.records);
  } else {
    if (ibody.old !== undefined) writeIbody(ip, ibody.records);
    writeBlock(ip, block.records, record);
  }
  dropOld(ip, places);
  noteFeature(ip);
}

/** VOP_DELETEEXTATTR. Errors: ENOATTR. */
export function deleteXattr(ip: Inode, name: string): void {
  const split = splitXattrName(name);
  if (split === undefined) throw new FsError('ENOATTR');
  const places = lookAround(ip, { index: split.index, name: split.stored });
  const { ibody, block } = places;
  if (ibody.old === undefined && block.old === undefined) throw new FsError('ENOATTR');
  if (ibody.old !== undefined) writeIbody(ip, ibody.records);
  if (block.old !== undefined) writeBlock(ip, block.records);
  dropOld(ip, places);
}

/** e2fsck takes a short link with blocks, but without a block of attributes, for a long one: such values are named in one. */
const mayStayInside = (ip: Inode, { valueInum }: Stored): boolean => valueInum === 0 || ip.type !== 'lnk';

interface Place {
  /** The one looked for, if it is there. */
  readonly old: Stored | undefined;
  /** The others. */
  readonly records: readonly Stored[];
}

interface Places {
  readonly ibody: Place;
  readonly block: Place;
  /** Do others have the block too? */
  readonly isShared: boolean;
}

const isNamed =
  ({ index, name }: AttributeName) =>
  (r: Stored): boolean =>
    r.index === index && sameBytes(r.name, name);

function lookAround(ip: Inode, attribute: AttributeName): Places {
  const isIt = isNamed(attribute);
  const split = (all: readonly Stored[]): Place => ({ old: all.find(isIt), records: all.filter((r) => !isIt(r)) });
  return {
    ibody: split(ibodyXattrs(ip)),
    block: split(blockXattrs(ip)),
    isShared: ip.fileAcl !== 0 && isShared(ip),
  };
}

/** The record to write: with its value if there is room for that, else with the number of an inode. ENOSPC, E2BIG. */
function place(ip: Inode, { ibody, block }: Places, attribute: Attribute): Stored {
  const fits = (record: Stored): boolean =>
    (mayStayInside(ip, record) && fitsIbody(ip, [...ibody.records, record])) ||
    fitsBlock(ip, [...block.records, record]);
  const here = valueHere(attribute);
  if (fits(here)) return here;
  const { value, ...named } = attribute;
  const elsewhere = { ...named, value: NOTHING, valueSize: value.length, valueInum: ip.ino, hash: 0 };
  const canLeave = hasIncompat(ip.geo, INCOMPAT.EA_INODE) && value.length > 0;
  if (!canLeave || !fits(elsewhere)) throw new FsError('ENOSPC', { ino: ip.ino });
  if (value.length > VALUE_BYTES_MAX) throw new FsError('E2BIG', { ino: ip.ino });
  const { ino, hash } = storeValue(ip, value);
  ip.sectors += valueSectors(ip.geo, value.length);
  ip.moreValues += 1;
  // In place of the value's words there is one, the value's own hash.
  const word = new Uint8Array(ALIGN);
  setLe32(word, 0, hash);
  return { ...elsewhere, valueInum: ino, hash: entryHash(attribute.name, word) };
}

/** What the attribute was before has no owner any more. A block that others keep still has its own references. */
function dropOld(ip: Inode, { ibody, block, isShared: keptByOthers }: Places): void {
  for (const old of [ibody.old, block.old]) {
    if (old === undefined || old.valueInum === 0) continue;
    ip.sectors = Math.max(0, ip.sectors - valueSectors(ip.geo, old.valueSize));
    ip.moreValues -= 1;
    if (old === ibody.old || !keptByOthers) dropReference(ip.mp, old.valueInum);
  }
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
  for (const { index, name, value, valueInum, valueSize, hash } of [...records].sort(byName)) {
    end -= pad(value.length);
    area.set(value, end);
    const entry = XattrEntry.at(area, at);
    entry.nameLen = name.length;
    entry.nameIndex = index;
    entry.valueOffs = value.length === 0 ? 0 : end - base;
    entry.valueInum = valueInum;
    entry.valueSize = valueSize;
    area.set(name, at + XATTR_ENTRY_SIZE);
    // In the inode it is zero (checkers verify any other) unless the value is elsewhere.
    if (valueInum !== 0) entry.hash = hash;
    else entry.hash = hashed ? entryHash(name, area.subarray(end, end + pad(value.length))) : 0;
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

const fitsBlock = (ip: Inode, records: readonly Stored[]): boolean =>
  listSize(records) <= ip.geo.blockSize - XattrHeader.size;

function writeIbody(ip: Inode, records: readonly Stored[]): void {
  const start = ibodyXattrStart(ip);
  if (start === undefined) return;
  const first = start + XattrIbodyHeader.size;
  setLe32(ip.raw, start, records.length === 0 ? 0 : XATTR_MAGIC);
  writeList(ip.raw, records, { start: first, base: first, hashed: false });
}

/** The record of an attribute whose value lies with it. */
const valueHere = (attribute: Attribute): Stored => ({
  ...attribute,
  valueInum: 0,
  valueSize: attribute.value.length,
  hash: 0,
});

function others(ip: Inode, attribute: AttributeName): Stored[] {
  const isIt = isNamed(attribute);
  return ibodyXattrs(ip).filter((r) => !isIt(r));
}

/** Bytes that the value of `attribute` may have in the inode itself, a multiple of 4; undefined: not even an empty one. */
export function ibodyRoom(ip: Inode, attribute: AttributeName): number | undefined {
  const start = ibodyXattrStart(ip);
  if (start === undefined) return undefined;
  const area = ip.raw.length - start - XattrIbodyHeader.size;
  const room = area - listSize([...others(ip, attribute), valueHere({ ...attribute, value: NOTHING })]);
  return room < 0 ? undefined : room & ~(ALIGN - 1);
}

/** Put an attribute in the inode itself, nowhere else; false, and nothing changed, when it does not fit. */
export function storeInIbody(ip: Inode, attribute: Attribute): boolean {
  const records = [...others(ip, attribute), valueHere(attribute)];
  if (!fitsIbody(ip, records)) return false;
  writeIbody(ip, records);
  return true;
}

/** Take an attribute out of the inode, where it may be. */
export function dropFromIbody(ip: Inode, attribute: AttributeName): void {
  writeIbody(ip, others(ip, attribute));
}

/** The block's attributes are those `kept` and the one `added` now. Errors: ENOSPC. */
function writeBlock(ip: Inode, kept: readonly Stored[], added?: Stored): void {
  const { mp, geo } = ip;
  const records = added === undefined ? kept : [...kept, added];
  if (ip.fileAcl !== 0 && (records.length === 0 || isShared(ip))) {
    const { wasShared } = letBlockGo(ip);
    // What the copy takes over is then referred to by both.
    if (wasShared) for (const { valueInum } of kept) if (valueInum !== 0) addReference(mp, valueInum);
  }
  if (records.length === 0) return;
  const list = newList(geo.blockSize, records);
  // Values elsewhere are counted by block: a block that names them stays with its owner.
  const twin = records.some(({ valueInum }) => valueInum !== 0) ? undefined : findTwin(mp, list);
  if (twin !== undefined && twin !== ip.fileAcl) {
    if (ip.fileAcl !== 0) letBlockGo(ip);
    shareBlock(ip, twin);
    return;
  }
  if (ip.fileAcl === 0) ip.fileAcl = allocMetaBlock(ip);
  else forgetBlock(mp, ip.fileAcl, headerOf(ip).hash);
  const block = ip.fileAcl;
  const bp = mp.bufs.newblk(block);
  bp.data.set(list);
  bp.seal = (data) => setXattrBlockCsum(geo, block, data);
  bp.verified = true;
  mp.bufs.bdwrite(bp);
  rememberBlock(mp, block, XattrHeader.at(list, 0).hash);
}

/** A block of these attributes, with one owner, without its checksum. */
function newList(blockSize: number, records: readonly Stored[]): Uint8Array {
  const list = new Uint8Array(blockSize);
  writeList(list, records, { start: XattrHeader.size, base: 0, hashed: true });
  const header = XattrHeader.at(list, 0);
  header.magic = XATTR_MAGIC;
  header.refcount = 1;
  header.blocks = 1;
  header.hash = blockHash(list, records.length);
  return list;
}

/** The inode, which has no attribute block, becomes one more owner of `block`. */
function shareBlock(ip: Inode, block: FsBlock): void {
  const { mp, geo } = ip;
  const bp = mp.bufs.bread(block);
  XattrHeader.at(bp.data, 0).refcount += 1;
  bp.seal = (data) => setXattrBlockCsum(geo, block, data);
  mp.bufs.bdwrite(bp);
  ip.fileAcl = block;
  ip.sectors += blockSectors(geo);
}

/** What an attribute block counts for, shared or not. */
const blockSectors = ({ clusterBlocks, blockSize }: Geometry): number => (clusterBlocks * blockSize) / 512;

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

const isShared = (ip: Inode): boolean => headerOf(ip).refcount > 1;

function headerOf(ip: Inode): { readonly refcount: number; readonly hash: number } {
  const bp = ip.mp.bufs.bread(ip.fileAcl);
  const { refcount, hash } = XattrHeader.at(bp.data, 0);
  ip.mp.bufs.brelse(bp);
  return { refcount, hash };
}

function noteFeature({ mp, geo }: Inode): void {
  if (hasCompat(geo, COMPAT.EXT_ATTR)) return;
  mp.data.geo = Object.freeze({ ...geo, compat: geo.compat | COMPAT.EXT_ATTR });
  updateSuperblock(mp, (sb) => (sb.featureCompat |= COMPAT.EXT_ATTR));
}

/** The inode is going: its attributes let go of what they refer to. */
export function releaseAttributes(ip: Inode): void {
  const { mp } = ip;
  const values = (records: readonly Stored[]): Ino[] => records.map((r) => r.valueInum).filter((ino) => ino !== 0);
  const hasValues = hasIncompat(ip.geo, INCOMPAT.EA_INODE);
  const inside = hasValues ? values(ibodyXattrs(ip)) : [];
  const inBlock = hasValues ? values(blockXattrs(ip)) : [];
  ip.moreValues -= inside.length + inBlock.length;
  for (const ino of inside) dropReference(mp, ino);
  if (ip.fileAcl === 0) return;
  if (!letBlockGo(ip).wasShared) for (const ino of inBlock) dropReference(mp, ino);
}

/** The inode lets go of its attribute block, which others may still use. */
function letBlockGo(ip: Inode): { readonly wasShared: boolean } {
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
    } else forgetBlock(mp, block, header.hash);
  } finally {
    mp.bufs.brelse(bp);
  }
  if (shared) ip.sectors -= blockSectors(geo);
  else freeBlocks(ip, { block, count: 1 });
  ip.fileAcl = 0;
  return { wasShared: shared };
}
