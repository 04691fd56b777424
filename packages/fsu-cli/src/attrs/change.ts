/** Attribute changes over trees: what is visited, in groups, and what is told of it. */
import { CorruptError, FsError } from 'ukfs';
import type { Ukfs } from 'ukfs';
import type { OptionSpec } from '../command.ts';
import { addressText } from '../context.ts';
import type { Context, Target } from '../context.ts';
import { safeText } from '../format/name.ts';
import type { Given } from '../given.ts';
import { visits } from './visit.ts';
import type { Reach, Visit } from './visit.ts';

/**
 * Changes one file and says how, in a few words; undefined: it is as wanted, and was left alone. May be called again for the
 * same file when the group it was in failed.
 */
export type ChangeOne = (fs: Ukfs, visit: Visit) => string | undefined;

interface Telling {
  /** Each file, those that changed, or none. */
  readonly verbose: 'all' | 'changes' | 'no';
  /** -f: what cannot be changed is no failure. */
  readonly lenient: boolean;
}

/** Changed and visited so far, for --json. */
export class Tally {
  files = 0;
  changed = 0;

  tell(ctx: Context): void {
    ctx.json?.member('files', this.files);
    ctx.json?.member('changed', this.changed);
  }
}

/** Lines about each file; `-f` has the words of GNU, as --force means the image. */
export const tellingOptions: readonly OptionSpec[] = [
  { flags: '-f, --silent', summary: 'what cannot be changed is no failure (fsu_X: after the image)' },
  { flags: '--quiet', summary: 'as --silent' },
  { flags: '-v, --verbose', summary: 'a line for each file (fsu_X: after the image)' },
  { flags: '-c, --changes', summary: 'a line for each file that is changed' },
];

export function tellingOf(ctx: Context, given: Given): Telling {
  const verbose = given.has('verbose') || ctx.settings.verbose > 0;
  return {
    verbose: verbose ? 'all' : given.has('changes') ? 'changes' : 'no',
    lenient: given.has('silent', 'quiet'),
  };
}

interface Job extends Telling {
  readonly reach: Reach;
  readonly change: ChangeOne;
  readonly tally: Tally;
}

/** Changes made as one, which is several times as fast. */
const GROUP = 100;

/** Failures that -f is about: of this file, and of no other. */
const FORGIVEN = new Set(['ENOENT', 'ENOTDIR', 'EACCES', 'EPERM', 'ELOOP', 'EOPNOTSUPP', 'EFTYPE']);

/** Change all that is reached from a target; failures are told file by file. */
export function changeReached(ctx: Context, fs: Ukfs, target: Target, job: Job): void {
  let group: Visit[] = [];
  const flush = (): void => {
    changeGroup(ctx, fs, target, { ...job, group });
    group = [];
  };
  for (const visit of visits(fs, target.path, job.reach)) {
    if ('error' in visit) {
      flush();
      fail(ctx, { ...target, path: visit.path }, visit.error, job);
      continue;
    }
    group.push(visit);
    if (group.length >= GROUP) flush();
  }
  flush();
}

function changeGroup(ctx: Context, fs: Ukfs, target: Target, job: Job & { readonly group: readonly Visit[] }): void {
  const { group, change, tally, verbose } = job;
  const done = (visit: Visit, how: string | undefined): void => {
    ctx.progress.files(1);
    tally.files++;
    if (how !== undefined) tally.changed++;
    if (verbose === 'no' || (how === undefined && verbose === 'changes')) return;
    const line = `${addressText(target.image, visit.path)}: ${how ?? 'as it was'}`;
    ctx.shell.err(`${safeText(line)}\n`);
  };
  const together = group.length > 1 && fs.traits.needsDevice ? tryTogether(fs, group, change) : undefined;
  if (together !== undefined) {
    group.forEach((visit, i) => done(visit, together[i]));
    return;
  }
  for (const visit of group) {
    try {
      done(visit, change(fs, current(fs, visit)));
    } catch (thrown) {
      if (!(thrown instanceof FsError)) throw thrown;
      fail(ctx, { ...target, path: visit.path }, thrown, job);
    }
  }
}

/** undefined: one of them cannot be changed, and all are as they were. */
function tryTogether(
  fs: Ukfs,
  group: readonly Visit[],
  change: ChangeOne,
): readonly (string | undefined)[] | undefined {
  try {
    return fs.together(() => group.map((visit) => change(fs, current(fs, visit))));
  } catch (thrown) {
    if (thrown instanceof FsError) return undefined;
    throw thrown;
  }
}

/** A file of several names may have been changed by another one since it was looked at. */
function current(fs: Ukfs, visit: Visit): Visit {
  if (visit.stat.type === 'dir' || (visit.stat.nlink < 2 && !visit.follow)) return visit;
  return { ...visit, stat: visit.follow ? fs.stat(visit.path) : fs.lstat(visit.path) };
}

function fail(ctx: Context, where: Target, error: FsError, { lenient }: Telling): void {
  if (lenient && FORGIVEN.has(error.code) && !(error instanceof CorruptError)) return;
  ctx.fail(error, where);
}
