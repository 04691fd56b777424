/** find: the files of a tree that an expression is true of, with NetBSD's primaries and GNU's. */
import { FsError, walk } from 'ukfs';
import type { Ukfs, WalkEntry } from 'ukfs';
import type { Command, Invocation, OptionSpec } from '../command.ts';
import { optionsOf } from '../command.ts';
import type { Context, Target } from '../context.ts';
import { compareNames } from '../format/name.ts';
import { FindActions, FindEnd } from '../find/actions.ts';
import { parseFind } from '../find/parse.ts';
import type { FindPlan } from '../find/parse.ts';
import { Removals } from '../find/removals.ts';
import { Visit } from '../find/visit.ts';
import type { Start } from '../find/visit.ts';
import { splitFindWords } from '../find/words.ts';
import { Given } from '../given.ts';
import { Owners } from '../owners.ts';
import { followOf, startAt } from '../starts.ts';
import { variantOf } from '../variant.ts';

const findOptions: readonly OptionSpec[] = [
  { flags: '-H', summary: 'follow symbolic links that are starting points' },
  { flags: '-L', summary: 'follow all symbolic links' },
  { flags: '-h', summary: 'as -L' },
  { flags: '-P', summary: 'follow none (the default)' },
  { flags: '-d', summary: 'what is in a directory before itself' },
  { flags: '-E', summary: 'extended regular expressions' },
  { flags: '-f <path>', summary: 'a starting point, whatever it begins with (fsu_find: after the image)' },
  { flags: '-s', summary: 'sorted by name (fsu_find: after the image)' },
  { flags: '-X', summary: 'names that xargs would take apart are failures' },
  { flags: '-x', summary: 'stay on one file system' },
  { flags: '-D <what>', summary: 'ignored' },
  { flags: '-O [level]', summary: 'ignored' },
  { flags: '--jsonl', summary: 'a JSON object per file' },
];

export const find: Command = {
  name: 'find',
  summary: 'Find the files of a tree that an expression is true of.',
  synopsis: { addresses: '[ADDRESS...] [EXPRESSION]', paths: '[PATH...] [EXPRESSION]' },
  options: findOptions,
  examples: [
    { command: "fsu find disk.img:/etc -name '*.conf'", does: 'by name' },
    { command: 'fsu_find disk.img / -type f -size +1M -mtime -7', does: 'large and new, the way of fs-utils' },
    { command: "fsu_find disk.img /var -name '*.log' -delete", does: 'removes what it finds: all or nothing' },
    { command: 'fsu find disk.img: -type f -print0 | xargs -0 fsu cat', does: 'addresses for other tools' },
  ],
  notes: `Tests: -name -iname -path -ipath -wholename -iwholename -regex -iregex -lname -ilname -type -xtype (b c d f l p s) -empty
-size N[bcwkMGTP] -perm MODE, -MODE, /MODE -links -inum -uid -gid -user -group -nouser -nogroup -flags -samefile -fstype
-atime -ctime -mtime (days) -amin -cmin -mmin (minutes) -newer -anewer -cnewer -newerXY (X, Y of a B c m; Y also t: a time)
-depth N -readable -writable -executable -true -false; for numbers, +N is more than N and -N less.
Actions: -print -print0 -printx -ls -printf FORMAT -fprint -fprint0 -fls FILE -fprintf FILE FORMAT (host files) -delete -rm
-prune -quit -exit [STATUS]. Operators: ( ) ! -not -a -and -o -or and the comma.
Settings: -maxdepth -mindepth -depth -d -xdev -mount -follow -daystart -regextype; -noleaf, -warn and the like are ignored.
`,
  image: 'write',
  takeOwn: (words) => splitFindWords(words, optionsOf(find)),
  run,
};

const WRITES_FILES = new Set(['-fprint', '-fprint0', '-fls', '-fprintf']);

async function run(ctx: Context, args: Invocation): Promise<number> {
  const given = new Given(args);
  const removals = new Removals(ctx);
  const host = args.own.some((word) => WRITES_FILES.has(word)) ? await ctx.shell.host() : undefined;
  const actions = new FindActions({ ctx, host, removals, forXargs: given.has('X') });
  try {
    const plan = parseFind(args.own, actions, given.has('E'));
    const named = args.options.filter(({ name }) => name === 'f').map(({ value }) => value);
    const targets = ctx.targets([...named, ...args.operands]);
    const starts: Start[] = [];
    for (const target of targets) {
      const fs = await (plan.removes ? ctx.tryOpenForWriting(target.image) : ctx.tryOpen(target.image));
      if (fs === undefined) continue;
      const follow = plan.followAll ? 'all' : followOf(args.options);
      starts.push({ ...startOf(ctx, fs, target), follow });
    }
    await learnReferences(ctx, actions, starts, targets[0]);
    for (const { owners } of starts) actions.checkImage(owners);
    if (ctx.json !== undefined && ctx.settings.json === 'document') ctx.json.array('entries');
    if (actions.references.every(({ stat }) => stat !== undefined)) {
      for (const start of starts) {
        if (actions.ended !== undefined) break;
        search(ctx, start, { plan, byName: given.has('s'), depthFirst: given.has('d'), oneFileSystem: given.has('x') });
      }
      removals.flush();
    }
    if (plan.removes) ctx.json?.member('removed', removals.removed);
  } finally {
    actions.closeFiles();
  }
  return Math.max(actions.ended ?? 0, ctx.status);
}

function startOf(ctx: Context, fs: Ukfs, target: Target): Omit<Start, 'follow'> {
  return { ...startAt(ctx, fs, target), owners: new Owners(fs), fstypes: [variantOf(fs), fs.type] };
}

/** Look at the files that -newer and -samefile name: addresses, or paths in the first image. */
async function learnReferences(
  ctx: Context,
  { references }: FindActions,
  starts: readonly Start[],
  first: Target | undefined,
): Promise<void> {
  for (const slot of references) {
    const target =
      ctx.settings.image === undefined && !slot.word.startsWith('/')
        ? ctx.addressTarget(slot.word)
        : { image: first?.image, path: slot.word, shown: slot.word };
    const { image } = target;
    const fs = image === undefined ? undefined : await ctx.tryOpen(image);
    if (image === undefined || fs === undefined) continue;
    try {
      const { path } = target;
      slot.stat = starts.some(({ follow }) => follow !== 'none') ? fs.stat(path) : fs.lstat(path);
    } catch (thrown) {
      ctx.fail(thrown, { ...target, image });
    }
  }
}

interface Search {
  readonly plan: FindPlan;
  readonly byName: boolean;
  readonly depthFirst: boolean;
  readonly oneFileSystem: boolean;
}

function search(ctx: Context, start: Start, { plan, ...how }: Search): void {
  const depthFirst = plan.depthFirst || how.depthFirst;
  const steps = walk(start.fs, start.path, {
    post: depthFirst,
    attributes: plan.looksFirst,
    follow: start.follow,
    maxDepth: plan.maxDepth,
    ...(how.oneFileSystem || plan.oneFileSystem ? { crossMounts: false } : {}),
    ...(how.byName ? { order: (a, b) => compareNames(a.name, b.name) } : {}),
  });
  for (const entry of steps) {
    if (!isWanted(ctx, start, entry, depthFirst) || entry.depth < plan.minDepth) continue;
    const file = new Visit(start, entry);
    try {
      plan.test(file);
    } catch (thrown) {
      if (thrown instanceof FindEnd) break;
      if (!(thrown instanceof FsError)) throw thrown;
      ctx.fail(thrown, { image: start.image, path: entry.path, shown: file.shown });
    }
    if (file.pruned && !depthFirst) steps.skip();
  }
}

/** Says what went wrong; is the entry one to ask the expression about, now? */
function isWanted(ctx: Context, { image }: Start, entry: WalkEntry, depthFirst: boolean): boolean {
  if (entry.error !== undefined) {
    ctx.fail(entry.error, { image, path: entry.path, shown: entry.path });
    return false;
  }
  return !(depthFirst && entry.enters);
}
