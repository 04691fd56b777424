/** One list of extended attributes, in an inode or a block: entries, where their values lie, and the hashes of both. */
import { CorruptError } from '../../../kern/errno.ts';
import type { Ino } from '../../../kern/ids.ts';
import { getLe16, getLe32, setLe32 } from '../../../kern/struct.ts';
import { XATTR_ENTRY_SIZE, XATTR_PREFIX, XattrEntry } from '../format.ts';
import { entryHash } from '../xattr-hash.ts';

const VALUE_OFFS = XattrEntry.offsetOf('valueOffs');
const VALUE_INUM = XattrEntry.offsetOf('valueInum');
const VALUE_SIZE = XattrEntry.offsetOf('valueSize');
const HASH = XattrEntry.offsetOf('hash');
const LIST_END = 4;
const padded = (size: number): number => Math.ceil(size / 4) * 4;

interface XattrArea {
  readonly area: Uint8Array;
  /** Byte of the first entry, and the one that value offsets count from. */
  readonly start: number;
  readonly base: number;
  /** In an inode a hash of 0 means that nobody made one. */
  readonly mayLackHash: boolean;
  /** Checksum that the inode of a value keeps of it; undefined: there is no such inode. */
  readonly valueHash: (ino: Ino) => number | undefined;
}

/** A value in an inode of its own. */
export interface FarValue {
  readonly ino: Ino;
  readonly size: number;
}

/** CorruptError, or the values that lie elsewhere. */
export function checkXattrList(list: XattrArea): FarValue[] {
  const { area, start, base } = list;
  const far: FarValue[] = [];
  const taken = new Uint8Array(area.length);
  const take = (from: number, length: number): void => {
    if (taken.subarray(from, from + length).includes(1)) throw new CorruptError('attributes that overlap');
    taken.fill(1, from, from + length);
  };
  for (let at = start; ;) {
    if (at + LIST_END > area.length) throw new CorruptError('attributes beyond their place');
    if (getLe32(area, at) === 0) {
      take(at, LIST_END);
      return far;
    }
    const nameLength = area[at] ?? 0;
    const next = at + ((XATTR_ENTRY_SIZE + nameLength + 3) & ~3);
    if (next > area.length) throw new CorruptError('attribute name beyond its place');
    take(at, next - at);
    if (!list.mayLackHash) checkName(area[at + 1] ?? 0, nameLength);
    const ino = getLe32(area, at + VALUE_INUM);
    const size = getLe32(area, at + VALUE_SIZE);
    const from = base + getLe16(area, at + VALUE_OFFS);
    if (ino !== 0) {
      if (list.valueHash(ino) === undefined)
        throw new CorruptError(`attribute value in inode ${ino}, which holds none`);
      far.push({ ino, size });
    }
    if (ino === 0 && size > 0) {
      if (from + padded(size) > area.length) throw new CorruptError('attribute value beyond its place');
      take(from, padded(size));
    }
    checkHash(list, { at, nameLength, ino, from, size });
    at = next;
  }
}

function checkName(index: number, length: number): void {
  const prefix = XATTR_PREFIX[index];
  if (index === 0 || (prefix?.endsWith('.') === true && length === 0)) {
    throw new CorruptError(`attribute name of kind ${index} and ${length} bytes`);
  }
}

function checkHash(
  list: XattrArea,
  entry: {
    readonly at: number;
    readonly nameLength: number;
    readonly ino: Ino;
    readonly from: number;
    readonly size: number;
  },
): void {
  const { area, mayLackHash, valueHash } = list;
  const { at, nameLength, ino, from, size } = entry;
  const stored = getLe32(area, at + HASH);
  if (stored === 0 && mayLackHash) return;
  const nameAt = at + XATTR_ENTRY_SIZE;
  const name = area.subarray(nameAt, nameAt + nameLength);
  let value: Uint8Array;
  if (ino === 0) {
    // Whatever lies in the padding is part of it.
    value = area.subarray(from, from + padded(size));
  } else {
    const hash = valueHash(ino);
    value = new Uint8Array(4);
    setLe32(value, 0, hash ?? 0);
  }
  if (stored === entryHash(name, value) || stored === entryHash(name, value, { signed: true })) return;
  throw new CorruptError('attribute hash');
}
