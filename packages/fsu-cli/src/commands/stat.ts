/** stat: a file's attributes, in NetBSD's formats or GNU's. */
import { FsError } from 'ukfs';
import type { Stat } from '@ukfs/kernel';
import type { Ukfs } from 'ukfs';
import { UsageError } from '../command.ts';
import type { Command, Invocation } from '../command.ts';
import type { Context, Target } from '../context.ts';
import { pathMembers, statMembers } from '../format/json.ts';
import { Owners } from '../owners.ts';
import { formatBsd, formatGnu, formats, TIME_FORMAT } from '../stat/format.ts';
import type { Subject } from '../stat/format.ts';

export const stat: Command = {
  name: 'stat',
  summary: 'Show attributes of files of an image.',
  synopsis: { addresses: 'ADDRESS...', paths: '[PATH...]' },
  options: [
    { flags: '-F', summary: "as -l, with ls -F's mark" },
    { flags: '-f <format>', summary: 'format by NetBSD stat(1) (fsu_stat: after the image)' },
    { flags: '-L, --dereference', summary: 'what a symbolic link points to' },
    { flags: '-l', summary: 'as ls -lT' },
    { flags: '-n', summary: 'no line feed at the end' },
    { flags: '-q', summary: 'say nothing of files that cannot be found' },
    { flags: '-r', summary: 'raw numbers' },
    { flags: '-s', summary: 'shell variables (fsu_stat: after the image)' },
    { flags: '-t <format>', summary: 'strftime(3) format of times (fsu_stat: after the image)' },
    { flags: '-x', summary: 'several lines a file, as Linux has it' },
    { flags: '-c, --format <format>', summary: 'format by GNU stat(1)' },
    { flags: '--printf <format>', summary: 'as --format, with backslash escapes and no line feed' },
  ],
  examples: [
    { command: 'fsu stat -x disk.img:/etc/fstab', does: 'for people' },
    { command: "fsu stat -f '%z %N' disk.img:/etc/fstab", does: 'size and name' },
    { command: "fsu stat -c '%a %U' disk.img:/etc/fstab", does: "GNU's format" },
  ],
  image: 'read',
  run,
};

/** Makes the line of one file, line feed included. */
type Format = (subject: Subject) => string;

async function run(ctx: Context, args: Invocation): Promise<number> {
  const has = (name: string): boolean => args.options.some((o) => o.name === name);
  const format = readFormat(ctx, args);
  const targets = ctx.targets(args.operands);
  ctx.json?.array('files');
  let number = 0;
  for (const target of targets) {
    number += 1;
    const fs = await ctx.tryOpen(target.image);
    if (fs === undefined) continue;
    try {
      const found = has('dereference') ? statOrLink(fs, target.path) : fs.lstat(target.path);
      const subject = subjectOf(fs, target, found, number);
      if (ctx.json === undefined) ctx.out.text(format(subject));
      else tellJson(ctx, target, subject);
    } catch (thrown) {
      if (!(thrown instanceof FsError)) throw thrown;
      if (has('q')) ctx.raise(1);
      else ctx.fail(thrown, target);
    }
  }
  return ctx.status;
}

/** NetBSD: if a link leads nowhere, the link itself. */
function statOrLink(fs: Ukfs, path: string): Stat {
  try {
    return fs.stat(path);
  } catch (thrown) {
    if (!(thrown instanceof FsError) || thrown.code !== 'ENOENT') throw thrown;
    return fs.lstat(path);
  }
}

function subjectOf(fs: Ukfs, target: Target, found: Stat, number: number): Subject {
  const owners = new Owners(fs);
  return {
    stat: found,
    name: target.shown,
    number,
    user: owners.user(found.uid),
    group: owners.group(found.gid),
    target: found.type === 'lnk' ? fs.readlink(target.path) : undefined,
    mountPoint: '/',
  };
}

function tellJson(ctx: Context, target: Target, { stat: found, user, group, target: link }: Subject): void {
  ctx.json?.element({
    image: target.image.text,
    ...pathMembers('path', target.path.startsWith('/') ? target.path : `/${target.path}`),
    ...statMembers(found),
    owner: user,
    group,
    ...pathMembers('target', link),
  });
}

/** Of the options that choose a format only one may be given; -F goes with -l. */
function readFormat(ctx: Context, args: Invocation): Format {
  const chosen = args.options.filter(({ name }) => ['f', 'l', 'r', 's', 'x', 'format', 'printf'].includes(name));
  const marked = args.options.some(({ name }) => name === 'F');
  const [first, second] = chosen;
  if (second !== undefined) throw new UsageError(`can't use format '${first?.name ?? ''}' with '${second.name}'`);
  if (marked && first !== undefined && first.name !== 'l')
    throw new UsageError(`can't use format '${first.name}' with -F`);
  const noLineFeed = args.options.some(({ name }) => name === 'n');
  const timeFormat = args.options.filter(({ name }) => name === 't').at(-1)?.value;
  const { clock } = ctx;
  if (first?.name === 'format') return (subject) => `${formatGnu(first.value, subject, clock, false)}\n`;
  if (first?.name === 'printf') return (subject) => formatGnu(first.value, subject, clock, true);
  const text = bsdFormat(first, marked);
  const times = timeFormat ?? (first?.name === 'x' ? '%c' : TIME_FORMAT);
  return (subject) => {
    const line = formatBsd(text, shownSubject(ctx, subject), clock, times);
    return noLineFeed || line.endsWith('\n') ? line : `${line}\n`;
  };
}

/** Names go to a terminal escaped. */
const shownSubject = (ctx: Context, subject: Subject): Subject => ({
  ...subject,
  name: ctx.shownName(subject.name),
  target: subject.target === undefined ? undefined : ctx.shownName(subject.target),
});

function bsdFormat(chosen: { readonly name: string; readonly value: string } | undefined, marked: boolean): string {
  switch (chosen?.name) {
    case 'f':
      return chosen.value;
    case 'r':
      return formats.raw;
    case 's':
      return formats.shell;
    case 'x':
      return formats.verbose;
    case 'l':
      return marked ? formats.lsMarked : formats.ls;
    default:
      return marked ? formats.lsMarked : formats.default;
  }
}
