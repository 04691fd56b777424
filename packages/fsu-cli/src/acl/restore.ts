/** acl set --restore: lists, owners and set-id bits as acl get (or getfacl) wrote them. */
import { FsError } from 'ukfs';
import type { FsTraits, Ukfs } from 'ukfs';
import { changeReached, Tally, tellingOf } from '../attrs/change.ts';
import type { ChangeOne } from '../attrs/change.ts';
import { beneath, openDump } from '../attrs/dumpfile.ts';
import type { Dumped } from '../attrs/dumpfile.ts';
import { eachTarget } from '../attrs/targets.ts';
import { UsageError } from '../command.ts';
import type { Context, Target } from '../context.ts';
import type { Given } from '../given.ts';
import { groupId, Owners, userId } from '../owners.ts';
import { applyActions, isSame, readLists, writeLists } from './lists.ts';
import { parseEntry } from './spec.ts';
import type { Said } from './spec.ts';

export async function restoreDump(
  ctx: Context,
  given: Given,
  from: {
    readonly file: string;
    readonly files: readonly string[];
    readonly refuse: (traits: FsTraits) => string | undefined;
  },
): Promise<number> {
  const targets = ctx.targets(from.files);
  if (targets.length > 1) throw new UsageError('a dump is restored to one image');
  let dump: Iterable<Dumped> | undefined;
  const prepare = async (): Promise<boolean> => (dump = await openDump(ctx, from.file)) !== undefined;
  const reach = { recursive: false, links: 'none', nofollow: true } as const;
  const job = { reach, tally: new Tally(), ...tellingOf(ctx, given) };
  const act = (fs: Ukfs, target: Target): void => {
    const owners = new Owners(fs);
    for (const about of dump ?? [])
      changeReached(
        ctx,
        fs,
        { ...target, path: beneath(target.path, about.path) },
        { ...job, change: restorer(about.lines, owners) },
      );
  };
  await eachTarget(ctx, targets, act, { refuse: from.refuse, prepare });
  job.tally.tell(ctx);
  return ctx.status;
}

function restorer(lines: readonly string[], owners: Owners): ChangeOne {
  const comment = (name: string): string | undefined =>
    lines.find((line) => line.startsWith(`# ${name}: `))?.slice(name.length + 4);
  const [owner, group, flags = '---'] = [comment('owner'), comment('group'), comment('flags')];
  return (fs, { path, stat }) => {
    if (stat.type === 'lnk') throw new FsError('EOPNOTSUPP', { what: 'a symbolic link has no access control list' });
    const said = lines.filter((line) => !line.startsWith('#')).map(entryOf);
    const uid = owner === undefined ? stat.uid : userId(owners, owner);
    const gid = group === undefined ? stat.gid : groupId(owners, group);
    if (uid !== stat.uid || gid !== stat.gid) fs.chown(path, uid, gid);
    const lists = readLists(fs, path, stat);
    const rule = { owners, isDirectory: stat.type === 'dir', masks: 'unless said' } as const;
    const actions = [{ kind: 'no default' }, { kind: 'set', said }] as const;
    const wanted = applyActions(lists, actions, rule);
    const setBits = [0o4000, 0o2000, 0o1000].reduce((bits, bit, i) => (flags.charAt(i) === '-' ? bits : bits | bit), 0);
    if (!isSame(lists, wanted)) writeLists(fs, path, stat, wanted);
    const { mode } = fs.stat(path);
    if ((mode & 0o7000) !== setBits) fs.chmod(path, (mode & 0o777) | setBits);
    const isLeft = isSame(lists, wanted) && uid === stat.uid && gid === stat.gid && (stat.mode & 0o7000) === setBits;
    return isLeft ? undefined : 'restored';
  };
}

/** Errors: EINVAL. */
function entryOf(line: string): Said {
  const said = parseEntry(line.replace(/\s*#.*$/, ''));
  if (said?.perm === undefined) throw new FsError('EINVAL', { what: `the dump has no entry in '${line}'` });
  return said;
}
