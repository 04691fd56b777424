/**
 * POSIX ACLs: the format's packed form ↔ the form of the Linux attributes system.posix_acl_access and _default, which is
 * what tools know. Packed: version 1, entries of 4 bytes, or 8 for named users and groups. Linux: version 2, 8 bytes each.
 * Spec: "POSIX ACLs"; Linux include/uapi/linux/posix_acl_xattr.h for the attribute form.
 */
import { CorruptError, FsError } from '../../kern/errno.ts';
import { getLe16, getLe32, setLe16, setLe32 } from '../../kern/struct.ts';

const DISK_VERSION = 1;
const XATTR_VERSION = 2;
const HEADER = 4;
const SHORT_ENTRY = 4;
const LONG_ENTRY = 8;
const UNDEFINED_ID = 0xffffffff;
const TAG = { USER_OBJ: 0x01, USER: 0x02, GROUP_OBJ: 0x04, GROUP: 0x08, MASK: 0x10, OTHER: 0x20 } as const;
const TAGS: readonly number[] = Object.values(TAG);
const isNamed = (tag: number): boolean => tag === TAG.USER || tag === TAG.GROUP;

/** The attribute's value for the bytes on disk. CorruptError. */
export function aclToXattr(disk: Uint8Array, ino: number): Uint8Array {
  const bad = (): CorruptError => new CorruptError('access control list', { ino });
  if (disk.length < HEADER || getLe32(disk, 0) !== DISK_VERSION) throw bad();
  const entries: number[] = [];
  for (let at = HEADER; at < disk.length;) {
    if (at + SHORT_ENTRY > disk.length) throw bad();
    const tag = getLe16(disk, at);
    if (!TAGS.includes(tag)) throw bad();
    entries.push(at);
    at += isNamed(tag) ? LONG_ENTRY : SHORT_ENTRY;
    if (at > disk.length) throw bad();
  }
  const value = new Uint8Array(HEADER + entries.length * LONG_ENTRY);
  setLe32(value, 0, XATTR_VERSION);
  entries.forEach((at, i) => {
    const to = HEADER + i * LONG_ENTRY;
    const tag = getLe16(disk, at);
    setLe16(value, to, tag);
    setLe16(value, to + 2, getLe16(disk, at + 2));
    setLe32(value, to + 4, isNamed(tag) ? getLe32(disk, at + 4) : UNDEFINED_ID);
  });
  return value;
}

/** The bytes to store for an attribute's value. EINVAL when it is not one. */
export function aclFromXattr(value: Uint8Array): Uint8Array {
  const bad = (): FsError => new FsError('EINVAL', { what: 'access control list' });
  if (value.length < HEADER || getLe32(value, 0) !== XATTR_VERSION || (value.length - HEADER) % LONG_ENTRY !== 0) {
    throw bad();
  }
  const disk = new Uint8Array(value.length);
  setLe32(disk, 0, DISK_VERSION);
  let to = HEADER;
  for (let at = HEADER; at < value.length; at += LONG_ENTRY) {
    const tag = getLe16(value, at);
    const perm = getLe16(value, at + 2);
    if (!TAGS.includes(tag) || perm > 7) throw bad();
    setLe16(disk, to, tag);
    setLe16(disk, to + 2, perm);
    if (isNamed(tag)) setLe32(disk, to + 4, getLe32(value, at + 4));
    to += isNamed(tag) ? LONG_ENTRY : SHORT_ENTRY;
  }
  return disk.slice(0, to);
}
