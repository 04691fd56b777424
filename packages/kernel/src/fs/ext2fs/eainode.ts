/**
 * Attribute values in inodes of their own (ea_inode), changed: made, shared by counting references, freed with the last one.
 * Such an inode has no name; where others have times and a version it keeps the checksum of its value and the count.
 *
 * Values written or read since the mount are remembered, so that equal ones share an inode. The kernel does that too.
 * Spec: "Extended Attribute Inodes"; what it leaves open was read off images that the kernel wrote.
 */
import { CorruptError } from '../../kern/errno.ts';
import type { Ino } from '../../kern/ids.ts';
import type { Mount } from '../../vfs/mount.ts';
import { balloc, bfree } from './balloc.ts';
import { rememberValue, valueHash, type StoredValue } from './eavalue.ts';
import type { Ext2Mount } from './ext2mount.ts';
import { IFLAG } from './format.ts';
import { readMapped } from './inode-read.ts';
import { deleteInode, newInode, storeInode } from './inode-store.ts';
import { loadInode, type Inode } from './inode.ts';

const TWO32 = 0x1_0000_0000;
const NO_END = Number.MAX_SAFE_INTEGER;
const MODE = 0o600;

/** An inode with the value, one reference more than before. Errors: ENOSPC. */
export function storeValue(owner: Inode, value: Uint8Array): StoredValue {
  const { mp, geo } = owner;
  const hash = valueHash(geo, value);
  const known = mp.data.values?.get(hash);
  if (known !== undefined && holds(mp, known, { value, hash })) {
    addReference(mp, known);
    return { ino: known, hash };
  }
  const ip = newInode(owner, { type: 'reg', mode: MODE, uid: owner.uid, gid: owner.gid });
  ip.flags = (ip.flags & IFLAG.EXTENTS) | IFLAG.EA_INODE;
  ip.nlink = 1;
  ip.projid = 0;
  // The hash reads as a time of up to the year 2106; inodes without room for the rest of a time still have all 32 bits.
  ip.atime = { sec: hash, nsec: 0 };
  ip.core.atime = hash;
  ip.ctime = { sec: 0, nsec: 0 };
  setReferences(ip, 1);
  fill(ip, value);
  storeInode(ip);
  rememberValue(mp, { ino: ip.ino, hash });
  return { ino: ip.ino, hash };
}

/** Is `ino`, which once held the value, still its inode? */
function holds(mp: Mount<Ext2Mount>, ino: Ino, { value, hash }: { value: Uint8Array; hash: number }): boolean {
  const ip = loadInode(mp, ino, { unlinked: true });
  const mayBe = ip.nlink > 0 && ip.hasFlag(IFLAG.EA_INODE) && ip.size === value.length && ip.core.atime === hash;
  if (!mayBe || references(ip) === 0) return false;
  const theirs = new Uint8Array(value.length);
  readMapped(ip, theirs, 0);
  return theirs.every((byte, i) => byte === value[i]);
}

function fill(ip: Inode, value: Uint8Array): void {
  const { mp, geo } = ip;
  const { blockSize } = geo;
  const blocks = Math.ceil(value.length / blockSize);
  const whole = new Uint8Array(blocks * blockSize);
  whole.set(value);
  for (let at = 0; at < blocks;) {
    const { block, count } = balloc(ip, at, blocks - at);
    mp.bufs.invalidate(block, count);
    mp.device.write(whole.subarray(at * blockSize, (at + count) * blockSize), block * blockSize);
    at += count;
  }
  ip.size = value.length;
}

const references = ({ core }: Inode): number => core.ctime * TWO32 + core.version;
function setReferences({ core }: Inode, count: number): void {
  core.ctime = Math.floor(count / TWO32);
  core.version = count % TWO32;
}

function loadValue(mp: Mount<Ext2Mount>, ino: Ino): Inode {
  const ip = loadInode(mp, ino);
  if (!ip.hasFlag(IFLAG.EA_INODE)) throw new CorruptError('inode of an attribute value', { ino });
  return ip;
}

/** One more attribute has the value. */
export function addReference(mp: Mount<Ext2Mount>, ino: Ino): void {
  const ip = loadValue(mp, ino);
  setReferences(ip, references(ip) + 1);
  storeInode(ip);
}

/** One attribute less; the last one takes the inode with it. */
export function dropReference(mp: Mount<Ext2Mount>, ino: Ino): void {
  const ip = loadValue(mp, ino);
  const left = references(ip) - 1;
  if (left > 0) {
    setReferences(ip, left);
    storeInode(ip);
    return;
  }
  bfree(ip, { from: 0, to: NO_END });
  deleteInode(ip, { isDirectory: false });
}
