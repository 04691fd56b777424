/**
 * POSIX access control lists as entries, and as the value of system.posix_acl_access and system.posix_acl_default: version 2
 * of Linux include/uapi/linux/posix_acl_xattr.h, little-endian. acl(5) says what entries mean.
 */
import { FsError } from 'ukfs';

export type Tag = 'user_obj' | 'user' | 'group_obj' | 'group' | 'mask' | 'other';

export interface Entry {
  readonly tag: Tag;
  /** Of named users and groups; 0 otherwise. */
  readonly id: number;
  /** 0 … 7. */
  readonly perm: number;
}

/** In the order in which lists are kept and shown. */
const TAGS: readonly (readonly [Tag, number])[] = [
  ['user_obj', 0x01],
  ['user', 0x02],
  ['group_obj', 0x04],
  ['group', 0x08],
  ['mask', 0x10],
  ['other', 0x20],
];
const VERSION = 2;
const HEADER = 4;
const ENTRY = 8;
const NO_ID = 0xffff_ffff;

export const ACCESS = 'system.posix_acl_access';
export const DEFAULT = 'system.posix_acl_default';

const isNamed = (tag: Tag): boolean => tag === 'user' || tag === 'group';
const rank = (tag: Tag): number => TAGS.findIndex(([one]) => one === tag);

export const sorted = (entries: readonly Entry[]): readonly Entry[] =>
  [...entries].sort((a, b) => rank(a.tag) - rank(b.tag) || a.id - b.id);

export const find = (entries: readonly Entry[], tag: Tag, id = 0): Entry | undefined =>
  entries.find((entry) => entry.tag === tag && entry.id === id);

/** The list with this entry in the place of the one of its kind, if there is one. */
export const put = (entries: readonly Entry[], entry: Entry): readonly Entry[] => [
  ...drop(entries, entry.tag, entry.id),
  entry,
];

export const drop = (entries: readonly Entry[], tag: Tag, id = 0): readonly Entry[] =>
  entries.filter((entry) => entry.tag !== tag || entry.id !== id);

/** Does it say more than a mode? */
export const isExtended = (entries: readonly Entry[]): boolean =>
  entries.some(({ tag }) => isNamed(tag) || tag === 'mask');

export const hasNamed = (entries: readonly Entry[]): boolean => entries.some(({ tag }) => isNamed(tag));

export const ofMode = (mode: number): readonly Entry[] => [
  { tag: 'user_obj', id: 0, perm: (mode >>> 6) & 7 },
  { tag: 'group_obj', id: 0, perm: (mode >>> 3) & 7 },
  { tag: 'other', id: 0, perm: mode & 7 },
];

/** Permission bits that stand for a list: the group's are the mask's where there is one. */
export function modeOf(entries: readonly Entry[]): number {
  const perm = (tag: Tag): number => find(entries, tag)?.perm ?? 0;
  const group = find(entries, 'mask') === undefined ? perm('group_obj') : perm('mask');
  return (perm('user_obj') << 6) | (group << 3) | perm('other');
}

/** What all of the group class may at most do: what a mask says that takes nothing away. */
export const groupClass = (entries: readonly Entry[]): number =>
  entries.reduce(
    (all, { tag, perm }) => (tag === 'user' || tag === 'group' || tag === 'group_obj' ? all | perm : all),
    0,
  );

/** A list that a file system takes: owner, group and others once each, and a mask where somebody is named. */
export const isWhole = (entries: readonly Entry[]): boolean =>
  (['user_obj', 'group_obj', 'other'] as const).every((tag) => find(entries, tag) !== undefined) &&
  (!hasNamed(entries) || find(entries, 'mask') !== undefined);

/** Errors: EINVAL it is no list. */
export function decode(value: Uint8Array): readonly Entry[] {
  const le = (at: number, bytes: number): number => {
    let number = 0;
    for (let i = bytes - 1; i >= 0; i--) number = number * 256 + (value[at + i] ?? 0);
    return number;
  };
  if (le(0, 4) !== VERSION || (value.length - HEADER) % ENTRY !== 0) throw bad();
  const entries: Entry[] = [];
  for (let at = HEADER; at < value.length; at += ENTRY) {
    const tag = TAGS.find(([, number]) => number === le(at, 2))?.[0];
    const perm = le(at + 2, 2);
    if (tag === undefined || perm > 7) throw bad();
    entries.push({ tag, id: isNamed(tag) ? le(at + 4, 4) : 0, perm });
  }
  return sorted(entries);
}

const bad = (): FsError => new FsError('EINVAL', { what: 'the attribute is no access control list' });

export function encode(entries: readonly Entry[]): Uint8Array {
  const value = new Uint8Array(HEADER + entries.length * ENTRY);
  value[0] = VERSION;
  let at = HEADER;
  const le = (number: number, bytes: number): void => {
    for (let i = 0, rest = number; i < bytes; i++, rest = Math.floor(rest / 256)) value[at++] = rest % 256;
  };
  for (const { tag, id, perm } of sorted(entries)) {
    le(TAGS[rank(tag)]?.[1] ?? 0, 2);
    le(perm, 2);
    le(isNamed(tag) ? id : NO_ID, 4);
  }
  return value;
}
