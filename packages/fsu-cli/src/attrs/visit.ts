/**
 * The files that chmod, chown, chgrp, chflags, xattr and acl reach from an operand: -R with -H, -L, -P, and -h.
 * Memory is that of walk(): a batch of entries a level, and with -L a number for each directory that a link leads to, which is
 * entered once, so that neither loops of links nor nests of them keep us.
 */
import { asFsError, FsError, walk } from 'ukfs';
import type { Stat, Ukfs, WalkSource } from 'ukfs';
import type { OptionSpec } from '../command.ts';
import type { Given } from '../given.ts';

type Links = 'none' | 'operands' | 'all';

export interface Reach {
  readonly recursive: boolean;
  /** Links that are followed in a recursion. */
  readonly links: Links;
  /** -h: a link itself is meant. */
  readonly nofollow: boolean;
}

export interface Visit {
  readonly path: string;
  /** Of the file meant: what a link leads to when `follow`, the link otherwise. */
  readonly stat: Stat;
  readonly follow: boolean;
  /** The operand itself: what lies below it is met on the way. */
  readonly isOperand: boolean;
}

/** Something of the tree could not be looked at. */
export interface Failure {
  readonly path: string;
  readonly error: FsError;
}

export const reachOptions: readonly OptionSpec[] = [
  { flags: '-R, --recursive', summary: 'directories with all that is below them' },
  { flags: '-H', summary: 'with -R: follow links that are operands' },
  { flags: '-L', summary: 'with -R: follow all links' },
  { flags: '-P', summary: 'with -R: follow no links' },
  { flags: '-h, --no-dereference', summary: 'a symbolic link itself, not what it leads to' },
];

/** `links`: what -R does about links when no letter says. */
export function reachOf(given: Given, links: Links): Reach {
  const letter = given.lastOf('H', 'L', 'P');
  return {
    recursive: given.has('recursive'),
    links: letter === 'H' ? 'operands' : letter === 'L' ? 'all' : letter === 'P' ? 'none' : links,
    nofollow: given.has('no-dereference'),
  };
}

type Source = WalkSource & Pick<Ukfs, 'stat' | 'lstat'>;

/** Every file that is reached, directories before what they hold. */
export function* visits(fs: Source, root: string, reach: Reach): Generator<Visit | Failure> {
  const follow = reach.recursive ? reach.links !== 'none' : !reach.nofollow;
  let stat: Stat;
  try {
    stat = follow ? fs.stat(root) : fs.lstat(root);
  } catch (e) {
    yield { path: root, error: asFsError(e) };
    return;
  }
  if (reach.recursive)
    yield* below(fs, root, { follow, isOperand: true, trail: [], entered: new Set(), links: reach.links });
  else yield { path: root, stat, follow, isOperand: true };
}

interface Place {
  readonly follow: boolean;
  readonly isOperand: boolean;
  readonly links: Links;
  /** The directories above, as keys. */
  readonly trail: readonly string[];
  /** Directories that links have led to. */
  readonly entered: Set<string>;
}

const keyOf = ({ dev, ino }: Stat): string => `${dev}:${ino}`;

function* below(fs: Source, root: string, place: Place): Generator<Visit | Failure> {
  const trail = [...place.trail];
  for (const { path, stat, error, depth } of walk(fs, root, { follow: place.follow ? 'root' : 'none' })) {
    if (error !== undefined || stat === undefined) {
      yield { path, error: error ?? new FsError('EIO') };
      continue;
    }
    trail.length = place.trail.length + depth;
    if (stat.type === 'dir') trail.push(keyOf(stat));
    const isRoot = depth === 0;
    if (stat.type !== 'lnk' || place.links !== 'all') {
      yield { path, stat, follow: isRoot && place.follow, isOperand: isRoot && place.isOperand };
      continue;
    }
    const target = targetOf(fs, path);
    if (target === undefined) yield { path, stat, follow: false, isOperand: false };
    else if (target.type !== 'dir') yield { path, stat: target, follow: true, isOperand: false };
    else if (!trail.includes(keyOf(target)) && !place.entered.has(keyOf(target))) {
      place.entered.add(keyOf(target));
      yield* below(fs, path, { ...place, follow: true, isOperand: false, trail });
    }
  }
}

/** What a link leads to; undefined: nowhere. */
function targetOf(fs: Source, path: string): Stat | undefined {
  try {
    return fs.stat(path);
  } catch (e) {
    if (e instanceof FsError && ['ENOENT', 'ELOOP', 'ENOTDIR'].includes(e.code)) return undefined;
    throw e;
  }
}
