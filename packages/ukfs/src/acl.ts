/**
 * POSIX.1e access control lists: the value of Linux's attributes system.posix_acl_access and _default ↔ text.
 * Sources: Linux include/uapi/linux/posix_acl_xattr.h; acl(5), "ACL TEXT FORMS".
 */
import { FsError } from '@ukfs/kernel';

/** Extended attributes that hold the two lists of a file. */
export const ACL_ACCESS = 'system.posix_acl_access';
export const ACL_DEFAULT = 'system.posix_acl_default';

export type AclTag = 'user_obj' | 'user' | 'group_obj' | 'group' | 'mask' | 'other';

export interface AclEntry {
  readonly tag: AclTag;
  /** Of a named user or group; 0 for the others. */
  readonly id: number;
  /** rwx as 4, 2, 1. */
  readonly perm: number;
}

const VERSION = 2;
const HEADER_BYTES = 4;
const ENTRY_BYTES = 8;
const NO_ID = 0xffff_ffff;
/** In the order in which the kernel wants them. */
const TAGS: readonly (readonly [AclTag, number])[] = [
  ['user_obj', 0x01],
  ['user', 0x02],
  ['group_obj', 0x04],
  ['group', 0x08],
  ['mask', 0x10],
  ['other', 0x20],
];

const bad = (what: string): FsError => new FsError('EINVAL', { op: 'acl', what: `access control list: ${what}` });
const byteAt = (bytes: Uint8Array, at: number): number => bytes[at] ?? 0;
const le16 = (bytes: Uint8Array, at: number): number => byteAt(bytes, at) + 256 * byteAt(bytes, at + 1);
const le32 = (bytes: Uint8Array, at: number): number => le16(bytes, at) + 65536 * le16(bytes, at + 2);

const isNamed = (tag: AclTag): boolean => tag === 'user' || tag === 'group';
const rank = (tag: AclTag): number => TAGS.findIndex(([known]) => known === tag);

/** In the order in which the kernel wants lists, and tools show them. */
export const sortedAcl = (entries: readonly AclEntry[]): readonly AclEntry[] =>
  [...entries].sort((a, b) => rank(a.tag) - rank(b.tag) || a.id - b.id);

/** The list, sorted. Errors: EINVAL it is none. */
export function decodeAcl(value: Uint8Array): readonly AclEntry[] {
  if (value.length < HEADER_BYTES || le32(value, 0) !== VERSION || (value.length - HEADER_BYTES) % ENTRY_BYTES !== 0)
    throw bad('unknown form');
  const entries: AclEntry[] = [];
  for (let at = HEADER_BYTES; at < value.length; at += ENTRY_BYTES) {
    const number = le16(value, at);
    const tag = TAGS.find(([, known]) => known === number)?.[0];
    const perm = le16(value, at + 2);
    if (tag === undefined || perm > 7) throw bad(`entry of kind ${number} with permissions ${perm}`);
    entries.push({ tag, id: isNamed(tag) ? le32(value, at + 4) : 0, perm });
  }
  return sortedAcl(entries);
}

export function encodeAcl(entries: readonly AclEntry[]): Uint8Array {
  const sorted = sortedAcl(entries);
  const value = new Uint8Array(HEADER_BYTES + sorted.length * ENTRY_BYTES);
  const put = (at: number, number: number, bytes: number): void => {
    let rest = number;
    for (let i = 0; i < bytes; i++) {
      value[at + i] = rest % 256;
      rest = Math.floor(rest / 256);
    }
  };
  put(0, VERSION, 4);
  sorted.forEach((entry, index) => {
    const at = HEADER_BYTES + index * ENTRY_BYTES;
    put(at, TAGS[rank(entry.tag)]?.[1] ?? 0, 2);
    put(at + 2, entry.perm, 2);
    put(at + 4, isNamed(entry.tag) ? entry.id : NO_ID, 4);
  });
  return value;
}

const permText = (perm: number): string =>
  `${(perm & 4) !== 0 ? 'r' : '-'}${(perm & 2) !== 0 ? 'w' : '-'}${(perm & 1) !== 0 ? 'x' : '-'}`;

/** `user::rw-,user:1000:r--,group::r--,mask::r--,other::r--`; users and groups by number, which every reader takes. */
export function aclToText(entries: readonly AclEntry[]): string {
  return entries
    .map(({ tag, id, perm }) => `${tag.replace('_obj', '')}:${isNamed(tag) ? id : ''}:${permText(perm)}`)
    .join(',');
}

/** Who an entry names; undefined: nobody knows. */
export interface AclNames {
  uid(name: string): number | undefined;
  gid(name: string): number | undefined;
}

/**
 * The long text form (lines or commas between entries) and the short one (`u::rw-`); star's number behind the permissions
 * counts when the name is not known. Errors: EINVAL.
 */
export function aclFromText(text: string, names?: AclNames): AclEntry[] {
  const entries: AclEntry[] = [];
  for (const line of text.split(/[,\n]/)) {
    const words = line.replace(/#.*$/, '').trim();
    if (words !== '') entries.push(entryOf(words, names));
  }
  return entries;
}

function entryOf(words: string, names: AclNames | undefined): AclEntry {
  const parts = words.split(':').map((part) => part.trim());
  const [kind = '', name = ''] = parts;
  // `mask:rwx` and `other:r-x` do without the empty name.
  const isShort = parts.length === 2;
  const letters = isShort ? name : (parts[2] ?? '');
  const who = isShort ? '' : name;
  const perm = permOf(letters);
  if (perm === undefined || parts.length > 4) throw bad(`'${words}'`);
  if (/^(m|mask)$/.test(kind) && who === '') return { tag: 'mask', id: 0, perm };
  if (/^(o|other)$/.test(kind) && who === '') return { tag: 'other', id: 0, perm };
  const isUser = /^(u|user)$/.test(kind);
  if (!isUser && !/^(g|group)$/.test(kind)) throw bad(`'${words}'`);
  if (who === '') return { tag: isUser ? 'user_obj' : 'group_obj', id: 0, perm };
  const id = idOf(isUser ? names?.uid(who) : names?.gid(who), who, parts[3]);
  if (id === undefined) throw bad(`unknown ${isUser ? 'user' : 'group'} '${who}'`);
  return { tag: isUser ? 'user' : 'group', id, perm };
}

function idOf(known: number | undefined, name: string, behind: string | undefined): number | undefined {
  if (known !== undefined) return known;
  const digits = /^\d{1,10}$/.test(behind ?? '') ? behind : /^\d{1,10}$/.test(name) ? name : undefined;
  return digits !== undefined && Number(digits) < NO_ID ? Number(digits) : undefined;
}

/** `rwx`, `r-x`, `r`, `5`. */
function permOf(letters: string): number | undefined {
  if (/^[0-7]$/.test(letters)) return Number(letters);
  if (!/^(?=.)r?-?w?-?x?-?$/.test(letters)) return undefined;
  return (letters.includes('r') ? 4 : 0) + (letters.includes('w') ? 2 : 0) + (letters.includes('x') ? 1 : 0);
}
