/** The two lists of a file, and how they are changed: setfacl(1)'s rules for masks and for defaults. */
import { ACL_ACCESS, ACL_DEFAULT, decodeAcl, encodeAcl, FsError } from 'ukfs';
import type { AclEntry, Stat, Ukfs } from 'ukfs';
import { groupId, userId } from '../owners.ts';
import type { Owners } from '../owners.ts';
import { drop, find, groupClass, hasNamed, isExtended, isWhole, modeOf, ofMode, put } from './entries.ts';
import type { Said } from './spec.ts';

export interface Lists {
  readonly access: readonly AclEntry[];
  /** Empty: there is none. */
  readonly inherited: readonly AclEntry[];
}

interface Edit {
  readonly kind: 'modify' | 'remove' | 'set';
  readonly said: readonly Said[];
}

/** One of setfacl's actions, in the order in which they are given. */
export type Action = Edit | { readonly kind: 'no extended' } | { readonly kind: 'no default' };

type MaskRule = 'recalculate' | 'unless said' | 'leave';

const OBJECTS = ['user_obj', 'group_obj', 'other'] as const;

/** `at`: follows what the path names. */
export function readLists(fs: Ukfs, path: string, { mode, type }: Pick<Stat, 'mode' | 'type'>): Lists {
  const access = fs.getxattr(path, ACL_ACCESS);
  const inherited = type === 'dir' ? fs.getxattr(path, ACL_DEFAULT) : undefined;
  return {
    access: access === undefined ? ofMode(mode) : decodeAcl(access),
    inherited: inherited === undefined ? [] : decodeAcl(inherited),
  };
}

/** Make them what a file has. Errors: EINVAL, EACCES a file that is no directory has no default. */
export function writeLists(fs: Ukfs, path: string, stat: Pick<Stat, 'mode' | 'type'>, lists: Lists): void {
  const { access, inherited } = lists;
  if (!isWhole(access) || (inherited.length > 0 && !isWhole(inherited)))
    throw new FsError('EINVAL', { what: 'the list lacks entries for owner, group, others or mask' });
  if (inherited.length > 0 && stat.type !== 'dir')
    throw new FsError('EACCES', { what: 'only directories have a default' });
  if (isExtended(access)) fs.setxattr(path, ACL_ACCESS, encodeAcl(access));
  else if (fs.getxattr(path, ACL_ACCESS) !== undefined) fs.removexattr(path, ACL_ACCESS);
  const mode = (fs.stat(path).mode & ~0o777) | modeOf(access);
  if (mode !== fs.stat(path).mode) fs.chmod(path, mode);
  if (stat.type !== 'dir') return;
  if (inherited.length > 0) fs.setxattr(path, ACL_DEFAULT, encodeAcl(inherited));
  else if (fs.getxattr(path, ACL_DEFAULT) !== undefined) fs.removexattr(path, ACL_DEFAULT);
}

export const isSame = (a: Lists, b: Lists): boolean =>
  isSameList(a.access, b.access) && isSameList(a.inherited, b.inherited);

const isSameList = (a: readonly AclEntry[], b: readonly AclEntry[]): boolean => {
  const [one, other] = [encodeAcl(a), encodeAcl(b)];
  return one.length === other.length && one.every((byte, i) => byte === other[i]);
};

interface About {
  readonly owners: Owners;
  readonly isDirectory: boolean;
  readonly masks: MaskRule;
}

/** What the actions make of the lists. Errors: EINVAL the image does not know a name, an entry that must stay is taken away. */
export function applyActions(lists: Lists, actions: readonly Action[], about: About): Lists {
  const saysMask = (isDefault: boolean): boolean =>
    actions.some(
      (action) =>
        'said' in action &&
        action.kind !== 'remove' &&
        action.said.some((said) => said.tag === 'mask' && said.isDefault === isDefault),
    );
  const rule = (isDefault: boolean): MaskRule =>
    about.masks === 'unless said' && saysMask(isDefault) ? 'leave' : about.masks;
  return actions.reduce((now, action) => {
    if (!('said' in action))
      return action.kind === 'no default' ? { ...now, inherited: [] } : { ...now, access: withoutExtended(now.access) };
    const mine = { ...action, said: action.said.filter(({ isDefault }) => !isDefault) };
    const access = changeList(now.access, mine, { ...about, masks: rule(false) });
    // Files that are no directories have no default: in a tree such entries are about the directories.
    const theirs = { ...action, said: action.said.filter(({ isDefault }) => isDefault && about.isDirectory) };
    const inherited = changeList(now.inherited, theirs, { ...about, masks: rule(true), base: access });
    return { access, inherited };
  }, lists);
}

/** What the mask took away from the group stays away when the mask goes. */
function withoutExtended(entries: readonly AclEntry[]): readonly AclEntry[] {
  const mask = find(entries, 'mask');
  return entries
    .filter(({ tag }) => tag !== 'user' && tag !== 'group' && tag !== 'mask')
    .map((entry) =>
      entry.tag === 'group_obj' && mask !== undefined ? { ...entry, perm: entry.perm & mask.perm } : entry,
    );
}

function changeList(
  entries: readonly AclEntry[],
  { kind, said }: Edit,
  { owners, isDirectory, masks, base }: About & { readonly base?: readonly AclEntry[] },
): readonly AclEntry[] {
  if (said.length === 0) return entries;
  let now = kind === 'set' ? [] : entries;
  for (const one of said) {
    const id = one.who === undefined ? 0 : one.tag === 'user' ? userId(owners, one.who) : groupId(owners, one.who);
    if (kind === 'remove') {
      if (one.tag === 'user_obj' || one.tag === 'group_obj' || one.tag === 'other')
        throw new FsError('EINVAL', { what: 'the entries of owner, group and others stay' });
      now = drop(now, one.tag, id);
      continue;
    }
    const maybe = one.perm?.maybeExecute === true && (isDirectory || now.some(({ perm }) => (perm & 1) !== 0));
    now = put(now, { tag: one.tag, id, perm: (one.perm?.bits ?? 0) | (maybe ? 1 : 0) });
  }
  if (base !== undefined && now.length > 0)
    for (const tag of OBJECTS) {
      const taken = find(now, tag) ?? find(base, tag);
      if (taken !== undefined) now = put(now, taken);
    }
  return withMask(now, masks);
}

function withMask(entries: readonly AclEntry[], masks: MaskRule): readonly AclEntry[] {
  const mask = find(entries, 'mask');
  if (mask === undefined ? !hasNamed(entries) : masks === 'leave') return entries;
  const perm = masks === 'leave' ? (find(entries, 'group_obj')?.perm ?? 0) : groupClass(entries);
  return put(entries, { tag: 'mask', id: 0, perm });
}
