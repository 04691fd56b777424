/** `owner:group` as chown(8) takes it, in words; numbers come of them in an image, which may name users as it likes. */
import { groupId, userId } from '../owners.ts';
import type { Owners } from '../owners.ts';
import { FsError } from 'ukfs';

export interface OwnerWords {
  /** undefined: whatever it is. */
  readonly owner: string | undefined;
  readonly group: string | undefined;
  /** `owner:`, the group that this user logs in with. */
  readonly loginGroup: boolean;
}

/** -1: whatever it is. */
export interface OwnerIds {
  readonly uid: number;
  readonly gid: number;
}

/** `root`, `root:wheel`, `:wheel`, `root:`, `0:0`. */
export function parseOwner(text: string): OwnerWords {
  const colon = text.indexOf(':');
  const some = (word: string): string | undefined => (word === '' ? undefined : word);
  if (colon < 0) return { owner: some(text), group: undefined, loginGroup: false };
  const [owner, group] = [some(text.slice(0, colon)), some(text.slice(colon + 1))];
  return { owner, group, loginGroup: owner !== undefined && group === undefined };
}

/** Errors: EINVAL the image does not know one of them. */
export function resolveOwner(owners: Owners, { owner, group, loginGroup }: OwnerWords): OwnerIds {
  const uid = owner === undefined ? -1 : userId(owners, owner);
  if (owner === undefined || !loginGroup) return { uid, gid: group === undefined ? -1 : groupId(owners, group) };
  const gid = owners.loginGroup(owner);
  if (gid === undefined) throw new FsError('EINVAL', { what: `the image knows no login group of '${owner}'` });
  return { uid, gid };
}
