/** touch: times of files in an image, and empty files, as one transaction for each image. */
import { FsError, O } from 'ukfs';
import type { Stat, Ukfs, UtimeSpec } from 'ukfs';
import { Reference, referenceOption } from '../attrs/reference.ts';
import { eachTarget } from '../attrs/targets.ts';
import { UsageError } from '../command.ts';
import type { Command, Invocation } from '../command.ts';
import type { Context, Target } from '../context.ts';
import { parseDate, parseStamp } from '../format/timeparse.ts';
import { Given } from '../given.ts';

export const touch: Command = {
  name: 'touch',
  summary: 'Set times of files in an image, and make those that are missing: all of them or nothing.',
  synopsis: { addresses: 'ADDRESS...', paths: 'PATH...' },
  options: [
    { flags: '-a', summary: 'the time of access alone' },
    { flags: '-m', summary: 'the time of modification alone' },
    {
      flags: '--time <which>',
      summary: 'one of them, by its name',
      choices: ['access', 'atime', 'use', 'modify', 'mtime'],
    },
    { flags: '-c, --no-create', summary: 'what is missing stays so' },
    { flags: '-h, --no-dereference', summary: 'a symbolic link itself (with -c)' },
    referenceOption('the times of this file', 'r'),
    { flags: '-t <stamp>', summary: '[[CC]YY]MMDDhhmm[.SS], local time (fsu_touch: after the image)' },
    { flags: '-d, --date <date>', summary: '2026-01-31T12:00:00Z, @SECONDS, "2026-01-31 12:00", now' },
    { flags: '-f', summary: 'ignored (fsu_touch: after the image)' },
  ],
  examples: [
    { command: 'fsu touch disk.img:/etc/.updated', does: 'now; an empty file if there is none' },
    { command: "fsu touch -d '2026-01-01 00:00Z' disk.img:2/etc/motd", does: 'a moment' },
    { command: 'fsu_touch disk.img -h -r /etc/passwd /etc/link', does: 'that of another file' },
  ],
  image: 'write',
  run,
};

interface Times {
  readonly atime: UtimeSpec;
  readonly mtime: UtimeSpec;
}

async function run(ctx: Context, args: Invocation): Promise<number> {
  const given = new Given(args);
  if (args.operands.length === 0) throw new UsageError('no file given');
  const nofollow = given.has('no-dereference');
  const create = !given.has('no-create') && !nofollow;
  const only = chosen(given);
  const time = timeGiven(ctx, given);
  const reference = Reference.of(ctx, given, { follow: !nofollow });
  if (reference !== undefined && time !== undefined) throw new UsageError('--reference and a time exclude each other');
  let touched = 0;
  const act = (fs: Ukfs, { path }: Target): void => {
    const all = reference === undefined ? { atime: time ?? 'now', mtime: time ?? 'now' } : timesOf(reference.stat);
    const times: Times = { atime: only.atime ? all.atime : 'omit', mtime: only.mtime ? all.mtime : 'omit' };
    if (setTimes(fs, path, { ...times, create, nofollow })) touched++;
  };
  await eachTarget(ctx, ctx.targets(args.operands), act, { prepare: reference?.prepare });
  ctx.json?.member('touched', touched);
  return ctx.status;
}

const timesOf = ({ atime, mtime }: Stat): Times => ({ atime, mtime });

/** False: it is missing, and is to stay so. */
function setTimes(
  fs: Ukfs,
  path: string,
  { atime, mtime, create, nofollow }: Times & { readonly create: boolean; readonly nofollow: boolean },
): boolean {
  try {
    if (nofollow) fs.lutimes(path, atime, mtime);
    else fs.utimes(path, atime, mtime);
    return true;
  } catch (thrown) {
    if (!(thrown instanceof FsError && thrown.code === 'ENOENT')) throw thrown;
    if (!create) return false;
  }
  fs.close(fs.open(path, O.WRONLY | O.CREAT, 0o666));
  if (atime !== 'now' || mtime !== 'now') fs.utimes(path, atime, mtime);
  return true;
}

function chosen(given: Given): { readonly atime: boolean; readonly mtime: boolean } {
  const word = given.value('time');
  const atime = given.has('a') || word === 'access' || word === 'atime' || word === 'use';
  const mtime = given.has('m') || word === 'modify' || word === 'mtime';
  return atime || mtime ? { atime, mtime } : { atime: true, mtime: true };
}

/** -t or -d. UsageError. */
function timeGiven(ctx: Context, given: Given): UtimeSpec | undefined {
  const [stamp, date] = [given.value('t'), given.value('date')];
  if (stamp !== undefined && date !== undefined) throw new UsageError('-t and --date exclude each other');
  const text = stamp ?? date;
  if (text === undefined) return undefined;
  const time = stamp === undefined ? parseDate(text, ctx.clock) : parseStamp(text, ctx.clock);
  if (time === undefined) throw new UsageError(`'${text}' is no time`);
  return time;
}
