/** POSIX access control lists as entries, and what they mean: acl(5). */
import type { AclEntry, AclTag } from 'ukfs';

const isNamed = (tag: AclTag): boolean => tag === 'user' || tag === 'group';

export const find = (entries: readonly AclEntry[], tag: AclTag, id = 0): AclEntry | undefined =>
  entries.find((entry) => entry.tag === tag && entry.id === id);

/** The list with this entry in the place of the one of its kind, if there is one. */
export const put = (entries: readonly AclEntry[], entry: AclEntry): readonly AclEntry[] => [
  ...drop(entries, entry.tag, entry.id),
  entry,
];

export const drop = (entries: readonly AclEntry[], tag: AclTag, id = 0): readonly AclEntry[] =>
  entries.filter((entry) => entry.tag !== tag || entry.id !== id);

/** Does it say more than a mode? */
export const isExtended = (entries: readonly AclEntry[]): boolean =>
  entries.some(({ tag }) => isNamed(tag) || tag === 'mask');

export const hasNamed = (entries: readonly AclEntry[]): boolean => entries.some(({ tag }) => isNamed(tag));

export const ofMode = (mode: number): readonly AclEntry[] => [
  { tag: 'user_obj', id: 0, perm: (mode >>> 6) & 7 },
  { tag: 'group_obj', id: 0, perm: (mode >>> 3) & 7 },
  { tag: 'other', id: 0, perm: mode & 7 },
];

/** Permission bits that stand for a list: the group's are the mask's where there is one. */
export function modeOf(entries: readonly AclEntry[]): number {
  const perm = (tag: AclTag): number => find(entries, tag)?.perm ?? 0;
  const group = find(entries, 'mask') === undefined ? perm('group_obj') : perm('mask');
  return (perm('user_obj') << 6) | (group << 3) | perm('other');
}

/** What all of the group class may at most do: what a mask says that takes nothing away. */
export const groupClass = (entries: readonly AclEntry[]): number =>
  entries.reduce(
    (all, { tag, perm }) => (tag === 'user' || tag === 'group' || tag === 'group_obj' ? all | perm : all),
    0,
  );

/** A list that a file system takes: owner, group and others once each, and a mask where somebody is named. */
export const isWhole = (entries: readonly AclEntry[]): boolean =>
  (['user_obj', 'group_obj', 'other'] as const).every((tag) => find(entries, tag) !== undefined) &&
  (!hasNamed(entries) || find(entries, 'mask') !== undefined);
