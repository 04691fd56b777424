/** du's options: NetBSD's letters, GNU's words. */
import { FileFlag } from 'ukfs';
import type { Timespec } from 'ukfs';
import { UsageError } from '../command.ts';
import type { GivenOption, OptionSpec } from '../command.ts';
import { globTest } from '../format/glob.ts';
import { parseBlockUnit } from '../format/size.ts';
import type { Clock } from '../format/time.ts';
import { Given } from '../given.ts';
import { followOf } from '../starts.ts';
import type { Usage } from './usage.ts';

export const duOptions: readonly OptionSpec[] = [
  { flags: '-a, --all', summary: 'files too, not directories only' },
  { flags: '-c, --total', summary: 'the sum of all operands, at the end' },
  { flags: '-d, --max-depth <levels>', summary: 'show so many levels below each operand' },
  { flags: '-s, --summarize', summary: 'operands only, as -d 0 (fsu_du: after the image)' },
  { flags: '-H', summary: 'follow operands that are symbolic links' },
  { flags: '-D, --dereference-args', summary: 'as -H' },
  { flags: '-L, --dereference', summary: 'follow all symbolic links' },
  { flags: '-P, --no-dereference', summary: 'follow none (the default)' },
  { flags: '-x, --one-file-system', summary: 'stay on one file system' },
  { flags: '-h, --human-readable', summary: 'sizes with B, K, M, G …' },
  { flags: '--si', summary: 'as -h in powers of 1000' },
  { flags: '-g', summary: 'in GiB' },
  { flags: '-k', summary: 'in KiB' },
  { flags: '-m', summary: 'in MiB' },
  {
    flags: '-B, --block-size <size>',
    summary: 'in units of so many bytes: 1, 4K, 1M, KB (default: BLOCKSIZE, or 512)',
  },
  { flags: '-A, --apparent-size', summary: 'bytes that can be read, not those on the disk' },
  { flags: '-b', summary: 'as --apparent-size --block-size=1' },
  { flags: '--inodes', summary: 'number of files in place of sizes' },
  { flags: '-l, --count-links', summary: 'count a file as often as it has links' },
  { flags: '-n', summary: 'pass over what has the flag nodump' },
  { flags: '-r', summary: 'tell what cannot be read (always so)' },
  { flags: '-S, --separate-dirs', summary: 'directories without what is in those below them' },
  {
    flags: '-t, --threshold <size>',
    summary: 'only what is at least so large; with - before it, at most (fsu_du: after the image)',
  },
  { flags: '--exclude <pattern>', summary: 'pass over names like this, and what is below them' },
  {
    flags: '--time [which]',
    summary: 'the newest time in each tree',
    choices: ['mtime', 'atime', 'access', 'use', 'ctime', 'status'],
    bare: 'mtime',
  },
  { flags: '--time-style <style>', summary: 'long-iso (the default), full-iso, iso or +FORMAT' },
  { flags: '-0, --null', summary: 'end lines with a NUL byte' },
];

export interface DuOptions {
  readonly all: boolean;
  readonly total: boolean;
  readonly maxDepth: number;
  readonly follow: 'none' | 'root' | 'all';
  readonly oneFileSystem: boolean;
  readonly human: 'no' | 'binary' | 'si';
  readonly blockSize: number;
  readonly counts: 'allocated' | 'apparent' | 'inodes';
  readonly countLinks: boolean;
  readonly separate: boolean;
  /** Negative: the most. */
  readonly threshold: number;
  excluded(path: string, name: string, flags: number): boolean;
  readonly time: ((usage: Usage, clock: Clock) => string) | undefined;
  readonly terminator: string;
}

/** UsageError for a value that makes no sense. */
export function readDuOptions(given: readonly GivenOption[], env: (name: string) => string | undefined): DuOptions {
  const asked = new Given({ options: given });
  const excludes = asked.values('exclude').map((glob) => globTest(glob));
  const nodump = asked.has('n');
  const depth = asked.has('summarize') ? '0' : asked.value('max-depth');
  if (asked.has('summarize') && asked.has('all')) throw new UsageError('-s and -a exclude each other');
  if (asked.has('summarize') && Number(asked.value('max-depth') ?? 0) !== 0)
    throw new UsageError('-s and -d exclude each other');
  if (depth !== undefined && !/^\d{1,9}$/.test(depth)) throw new UsageError(`--max-depth: '${depth}' is no number`);
  return {
    all: asked.has('all'),
    total: asked.has('total'),
    maxDepth: depth === undefined ? Infinity : Number(depth),
    follow: followOf(
      given.map(({ name }) => ({ name: letters[name] ?? name, value: '' })),
      ['L'],
    ),
    oneFileSystem: asked.has('one-file-system'),
    ...unitOf(given, env),
    counts: asked.has('inodes') ? 'inodes' : asked.has('apparent-size') || asked.has('b') ? 'apparent' : 'allocated',
    countLinks: asked.has('count-links'),
    separate: asked.has('separate-dirs'),
    threshold: thresholdOf(asked.value('threshold')),
    excluded: (path, name, flags) =>
      (nodump && (flags & FileFlag.UF_NODUMP) !== 0) || excludes.some((test) => test(name) || tailsOf(path).some(test)),
    time: asked.has('time') ? timeText(asked.value('time') ?? '', asked.value('time-style') ?? 'long-iso') : undefined,
    terminator: asked.has('null') ? '\0' : '\n',
  };
}

const letters: Readonly<Record<string, string>> = {
  'dereference-args': 'H',
  dereference: 'L',
  'no-dereference': 'P',
};

/** A pattern may speak of several components: what is left of the path behind each slash. */
function tailsOf(path: string): string[] {
  const tails = [path];
  for (let at = path.indexOf('/'); at >= 0; at = path.indexOf('/', at + 1)) tails.push(path.slice(at + 1));
  return tails;
}

/** The last option that says counts. */
function unitOf(
  given: readonly GivenOption[],
  env: (name: string) => string | undefined,
): Pick<DuOptions, 'human' | 'blockSize'> {
  const around = parseBlockUnit(env('BLOCKSIZE') ?? '512');
  // getbsize(3) bounds what the environment may ask for.
  let blockSize = around?.kind === 'blocks' ? Math.min(2 ** 30, Math.max(512, around.size)) : 512;
  let human: DuOptions['human'] = 'no';
  for (const { name, value } of given) {
    const fixed = { g: 2 ** 30, m: 2 ** 20, k: 2 ** 10, b: 1 }[name];
    if (name === 'human-readable') human = 'binary';
    else if (name === 'si') human = 'si';
    else if (name === 'block-size') {
      const unit = parseBlockUnit(value);
      if (unit === undefined) throw new UsageError(`--block-size: '${value}' is no size`);
      if (unit.kind === 'human') human = unit.si ? 'si' : 'binary';
      else [human, blockSize] = ['no', unit.size];
    } else if (fixed !== undefined) [human, blockSize] = ['no', fixed];
  }
  return { human, blockSize };
}

function thresholdOf(text: string | undefined): number {
  if (text === undefined) return 0;
  const unit = /^-?\d/.test(text) ? parseBlockUnit(text.replace(/^-/, '')) : undefined;
  const size = /^-?0+$/.test(text) ? 0 : unit?.kind === 'blocks' ? unit.size : undefined;
  if (size === undefined || text === '-0') throw new UsageError(`--threshold: '${text}' is no size`);
  return text.startsWith('-') ? -size : size;
}

function timeText(which: string, style: string): (usage: Usage, clock: Clock) => string {
  const pick = (usage: Usage): Timespec | undefined =>
    which.startsWith('a') || which === 'use'
      ? usage.atime
      : which === 'ctime' || which === 'status'
        ? usage.ctime
        : usage.mtime;
  const formats: Readonly<Record<string, (time: Timespec, clock: Clock) => string>> = {
    'long-iso': ({ sec }, clock) => clock.longIso(sec),
    'full-iso': ({ sec, nsec }, clock) => clock.fullIso(sec, nsec),
    iso: (time, clock) => clock.strftime('%F', time),
  };
  const format = style.startsWith('+')
    ? (time: Timespec, clock: Clock): string => clock.strftime(style.slice(1), time)
    : formats[style];
  if (format === undefined)
    throw new UsageError(`--time-style: '${style}' is none of long-iso, full-iso, iso, +FORMAT`);
  return (usage, clock) => {
    const time = pick(usage);
    return time === undefined ? '' : format(time, clock);
  };
}
