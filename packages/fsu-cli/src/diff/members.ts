/** A difference in JSON; docs/schemas/fsu.diff.json. Patch bundles hold the same. */
import type { ComparedEntry, Difference } from 'ukfs';
import { base64 } from '../format/base64.ts';
import { pathMembers } from '../format/json.ts';
import type { Json } from '../format/json.ts';
import { octalMode } from '../format/mode.ts';
import { rfc3339 } from '../format/time.ts';
import type { Digests } from './digest.ts';

type Members = { readonly [key: string]: Json };

/** Errors: those of reading. */
export function differenceMembers(difference: Difference, digests: Digests): Members {
  const { path, change, what, before, after } = difference;
  return {
    ...pathMembers('path', `/${path}`),
    change,
    what,
    before: before === undefined ? undefined : entryMembers(before, difference, digests),
    after: after === undefined ? undefined : entryMembers(after, difference, digests),
  };
}

function entryMembers(entry: ComparedEntry, { change, what }: Difference, digests: Digests): Members {
  const { stat, linkTo } = entry;
  const isWhole =
    (change !== 'changed' && change !== 'same') || ['links', 'target', 'rdev'].some((a) => what.some((b) => a === b));
  return {
    type: stat.type,
    perm: octalMode(stat.mode),
    uid: stat.uid,
    gid: stat.gid,
    size: stat.type === 'reg' ? stat.size : undefined,
    mtime: rfc3339(stat.mtime),
    birthtime: stat.birthtime === undefined ? undefined : rfc3339(stat.birthtime),
    flags: stat.flags,
    nlink: stat.nlink,
    rdev: stat.rdev === undefined ? undefined : { major: stat.rdev.major, minor: stat.rdev.minor },
    ...pathMembers('target', stat.type === 'lnk' ? entry.dir.readlink(entry.name) : undefined),
    ...pathMembers('linkTo', linkTo === undefined ? undefined : `/${linkTo}`),
    xattrs: isWhole || what.includes('xattrs') ? xattrMembers(entry) : undefined,
    sha256: stat.type === 'reg' && (isWhole || what.includes('content')) ? digests.sha256(entry) : undefined,
  };
}

const xattrMembers = ({ dir, name }: ComparedEntry): readonly Members[] =>
  [...dir.xattrs(name)]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([attribute, value]) => ({ ...pathMembers('name', attribute), value: base64(value) }));
