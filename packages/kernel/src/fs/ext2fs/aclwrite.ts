/**
 * POSIX access control lists and what hangs on them: the mode that an access list stands for, chmod(2) of a file that has
 * one, and the lists that new files take over from their directory. acl(5); the packed form is acl.ts's.
 */
import { FsError } from '../../kern/errno.ts';
import { getLe16, setLe16 } from '../../kern/struct.ts';
import type { NewFile, VType } from '../../vfs/vattr.ts';
import { deleteXattr, setXattr, storeXattr } from './attrwrite.ts';
import { XATTR_INDEX, XATTR_PREFIX } from './format.ts';
import type { Inode } from './inode.ts';
import { findXattr, recordValue, splitXattrName } from './xattr.ts';

const TAG = { USER_OBJ: 0x01, USER: 0x02, GROUP_OBJ: 0x04, GROUP: 0x08, MASK: 0x10, OTHER: 0x20 } as const;
const HEADER = 4;
const NOTHING = new Uint8Array(0);

interface Entry {
  /** Where its permissions stand. */
  readonly at: number;
  readonly tag: number;
  readonly perm: number;
}

function entriesOf(acl: Uint8Array): Entry[] {
  const entries: Entry[] = [];
  for (let at = HEADER; at + 4 <= acl.length;) {
    const tag = getLe16(acl, at);
    entries.push({ at: at + 2, tag, perm: getLe16(acl, at + 2) });
    at += tag === TAG.USER || tag === TAG.GROUP ? 8 : 4;
  }
  return entries;
}

/** The three entries that correspond to a mode; the mask stands for the group where there is one. EINVAL. */
function baseEntries(entries: readonly Entry[]): readonly [owner: Entry, group: Entry, other: Entry] {
  const find = (tag: number): Entry | undefined => entries.find((entry) => entry.tag === tag);
  const [owner, groupObj, other] = [find(TAG.USER_OBJ), find(TAG.GROUP_OBJ), find(TAG.OTHER)];
  const mask = find(TAG.MASK);
  const isExtended = entries.some(({ tag }) => tag === TAG.USER || tag === TAG.GROUP);
  if (owner === undefined || groupObj === undefined || other === undefined || (isExtended && mask === undefined)) {
    throw new FsError('EINVAL', { what: 'access control list' });
  }
  return [owner, mask ?? groupObj, other];
}

const findAcl = (ip: Inode, index: number): Uint8Array | undefined => {
  const record = findXattr(ip, index, NOTHING);
  return record === undefined ? undefined : recordValue(ip, record).slice();
};

/** VOP_SETEXTATTR with all its rules; the caller stores the inode. */
export function changeXattr(
  ip: Inode,
  type: VType,
  change: { readonly name: string; readonly value: Uint8Array },
): void {
  const { name, value } = change;
  const index = splitXattrName(name)?.index;
  if (index === XATTR_INDEX.USER && type !== 'reg' && type !== 'dir') throw new FsError('EPERM');
  if (index === XATTR_INDEX.ACL_DEFAULT && type !== 'dir') throw new FsError('EACCES');
  if ((index === XATTR_INDEX.ACL_ACCESS || index === XATTR_INDEX.ACL_DEFAULT) && type === 'lnk')
    throw new FsError('EOPNOTSUPP');
  setXattr(ip, name, value);
  if (index === XATTR_INDEX.ACL_DEFAULT) baseEntries(entriesOf(findAcl(ip, index) ?? NOTHING));
  if (index === XATTR_INDEX.ACL_ACCESS) followAccessAcl(ip);
}

/** The mode says what the list says; a list that says no more than a mode is not kept. */
function followAccessAcl(ip: Inode): void {
  const entries = entriesOf(findAcl(ip, XATTR_INDEX.ACL_ACCESS) ?? NOTHING);
  const [owner, group, other] = baseEntries(entries);
  ip.mode = (ip.mode & ~0o777) | (owner.perm << 6) | (group.perm << 3) | other.perm;
  if (entries.length === 3) deleteXattr(ip, XATTR_PREFIX[XATTR_INDEX.ACL_ACCESS] ?? '');
}

/** The mode of a file was changed: its access list follows. */
export function followMode(ip: Inode): void {
  const acl = findAcl(ip, XATTR_INDEX.ACL_ACCESS);
  if (acl === undefined) return;
  const [owner, group, other] = baseEntries(entriesOf(acl));
  setLe16(acl, owner.at, (ip.mode >>> 6) & 7);
  setLe16(acl, group.at, (ip.mode >>> 3) & 7);
  setLe16(acl, other.at, ip.mode & 7);
  storeXattr(ip, { index: XATTR_INDEX.ACL_ACCESS, name: NOTHING, value: acl });
}

/**
 * A new file in a directory with a default list: that is its access list, cut to the mode asked for; no umask counts then.
 * Errors: ENOSPC.
 */
export function inheritAcl(dir: Inode, ip: Inode, { type, mode, askedMode = mode }: NewFile): void {
  if (type === 'lnk') return;
  const acl = findAcl(dir, XATTR_INDEX.ACL_DEFAULT);
  if (acl === undefined) return;
  if (type === 'dir') storeXattr(ip, { index: XATTR_INDEX.ACL_DEFAULT, name: NOTHING, value: acl.slice() });
  const entries = entriesOf(acl);
  const [owner, group, other] = baseEntries(entries);
  const cut = (entry: Entry, shift: number): number => entry.perm & (askedMode >>> shift) & 7;
  const perms = [cut(owner, 6), cut(group, 3), cut(other, 0)] as const;
  setLe16(acl, owner.at, perms[0]);
  setLe16(acl, group.at, perms[1]);
  setLe16(acl, other.at, perms[2]);
  ip.mode = (ip.mode & ~0o777) | (perms[0] << 6) | (perms[1] << 3) | perms[2];
  if (entries.length > 3) storeXattr(ip, { index: XATTR_INDEX.ACL_ACCESS, name: NOTHING, value: acl });
}
