/** What chown and chgrp have in common: all but the word that says whose the files will be. */
import type { FsTraits, Stat, Ukfs } from 'ukfs';
import type { Invocation, OptionSpec } from '../command.ts';
import { UsageError } from '../command.ts';
import type { Context, Target } from '../context.ts';
import { Given } from '../given.ts';
import { Owners } from '../owners.ts';
import { changeReached, Tally, tellingOf, tellingOptions } from './change.ts';
import type { ChangeOne } from './change.ts';
import { parseOwner, resolveOwner } from './ownerspec.ts';
import type { OwnerIds, OwnerWords } from './ownerspec.ts';
import { Reference, referenceOption } from './reference.ts';
import { eachTarget } from './targets.ts';
import { reachOf, reachOptions } from './visit.ts';

export const chownOptions = (what: string): readonly OptionSpec[] => [
  ...reachOptions,
  ...tellingOptions,
  { flags: '--dereference', summary: 'what a symbolic link leads to: the default without -R' },
  { flags: '--from <owner:group>', summary: 'only files that are theirs now' },
  referenceOption(what),
];

/** Change owners as `parse` reads the first operand. UsageError. */
export async function changeOwners(
  ctx: Context,
  args: Invocation,
  { parse, keep }: { readonly parse: (word: string) => OwnerWords; readonly keep: readonly 'uid'[] },
): Promise<number> {
  const given = new Given(args);
  const reference = Reference.of(ctx, given);
  const files = [...args.operands];
  const word = reference === undefined ? files.shift() : undefined;
  if (word === undefined && reference === undefined) throw new UsageError('no owner given');
  if (files.length === 0) throw new UsageError('no file to change given');
  const words = word === undefined ? undefined : parse(word);
  const fromWord = given.value('from');
  const from = fromWord === undefined ? undefined : parseOwner(fromWord);
  // POSIX chown -R changes the links that it meets and follows none.
  const links = given.has('dereference') ? 'operands' : 'none';
  const reach = {
    ...reachOf(given, links),
    nofollow: given.lastOf('dereference', 'no-dereference') === 'no-dereference',
  };
  const telling = tellingOf(ctx, given);
  const tally = new Tally();
  const changers = new Map<Ukfs, ChangeOne>();
  const changerOf = (fs: Ukfs): ChangeOne => {
    const owners = new Owners(fs);
    const { uid, gid } = words === undefined ? (reference?.stat ?? ANYBODY) : resolveOwner(owners, words);
    const to = { uid: keep.includes('uid') ? -1 : uid, gid };
    const current = from === undefined ? ANYBODY : resolveOwner(owners, from);
    return changer({ to, from: current, leaveLinks: reach.links === 'all' && !reach.nofollow });
  };
  const act = (fs: Ukfs, target: Target): void => {
    const change = changers.get(fs) ?? changerOf(fs);
    changers.set(fs, change);
    changeReached(ctx, fs, target, { change, reach, tally, ...telling });
  };
  await eachTarget(ctx, ctx.targets(files), act, { refuse, prepare: reference?.prepare });
  tally.tell(ctx);
  return ctx.status;
}

const refuse = ({ owners }: FsTraits): string | undefined => (owners ? undefined : 'keeps no owners');

const ANYBODY: OwnerIds = { uid: -1, gid: -1 };

interface Wanted {
  readonly to: OwnerIds;
  readonly from: OwnerIds;
  /** Links that lead nowhere stay as they are: where all are followed, none is meant. */
  readonly leaveLinks: boolean;
}

function changer({ to, from, leaveLinks }: Wanted): ChangeOne {
  return (fs, { path, stat, follow }) => {
    if (leaveLinks && stat.type === 'lnk') return undefined;
    if ((from.uid !== -1 && from.uid !== stat.uid) || (from.gid !== -1 && from.gid !== stat.gid)) return undefined;
    const uid = to.uid === -1 ? stat.uid : to.uid;
    const gid = to.gid === -1 ? stat.gid : to.gid;
    if (uid === stat.uid && gid === stat.gid) return undefined;
    if (follow) fs.chown(path, uid, gid);
    else fs.lchown(path, uid, gid);
    if (stat.type === 'reg') dropPowers(fs, path, stat);
    return `${stat.uid}:${stat.gid} -> ${uid}:${gid}`;
  };
}

/** Powers that a file lent to its old owner are not the new one's, as Linux has it even for root: set-id bits, capabilities. */
function dropPowers(fs: Ukfs, path: string, { mode }: Stat): void {
  const left = mode & ~0o4000 & ((mode & 0o010) === 0 ? 0o7777 : ~0o2000);
  if (left !== mode) fs.chmod(path, left);
  if (fs.traits.xattr && fs.getxattr(path, CAPABILITIES) !== undefined) fs.removexattr(path, CAPABILITIES);
}

const CAPABILITIES = 'security.capability';
