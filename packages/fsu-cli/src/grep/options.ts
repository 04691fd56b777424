/** grep's options: POSIX's, NetBSD's and GNU's. */
import { FsError, nameFromBytes } from 'ukfs';
import { UsageError } from '../command.ts';
import type { GivenOption, OptionSpec } from '../command.ts';
import type { Context } from '../context.ts';
import { globTest } from '../format/glob.ts';
import { Given } from '../given.ts';
import { wholeLines } from '../lines.ts';
import { withHostFile } from '../out.ts';
import { makeMatcher } from './matcher.ts';
import type { Matcher } from './matcher.ts';

export const grepOptions: readonly OptionSpec[] = [
  { flags: '-E, --extended-regexp', summary: 'extended regular expressions' },
  { flags: '-F, --fixed-strings', summary: 'patterns are plain texts' },
  { flags: '-G, --basic-regexp', summary: 'basic regular expressions (the default)' },
  { flags: '-e, --regexp <pattern>', summary: 'a pattern; may be given several times' },
  {
    flags: '-f, --file <file>',
    summary: 'patterns from a host file, one a line; - is standard input (fsu_grep: after the image)',
  },
  { flags: '-i, --ignore-case', summary: 'upper and lower case are the same' },
  { flags: '-v, --invert-match', summary: 'lines that do not match (fsu_grep: after the image)' },
  { flags: '-w, --word-regexp', summary: 'whole words only' },
  { flags: '-x, --line-regexp', summary: 'whole lines only' },
  { flags: '-c, --count', summary: 'the number of lines for each file' },
  { flags: '-l, --files-with-matches', summary: 'names of files with such lines' },
  { flags: '-L, --files-without-match', summary: 'names of files without' },
  { flags: '-q, --quiet', summary: 'only the exit status: 0 found, 1 not found, 2 trouble' },
  { flags: '-o, --only-matching', summary: 'what matches of each line, not all of it (fsu_grep: after the image)' },
  { flags: '-m, --max-count <lines>', summary: 'stop after so many lines of a file' },
  { flags: '-n, --line-number', summary: 'numbers of lines' },
  { flags: '-H, --with-filename', summary: 'names of files, always' },
  { flags: '-h, --no-filename', summary: 'names of files, never' },
  { flags: '-Z, --null', summary: 'a NUL byte behind names of files' },
  { flags: '-z, --null-data', summary: 'lines end with a NUL byte' },
  { flags: '-s, --no-messages', summary: 'say nothing of files that cannot be read (fsu_grep: after the image)' },
  { flags: '-A, --after-context <lines>', summary: 'lines behind each match, too' },
  { flags: '-B, --before-context <lines>', summary: 'lines before it' },
  { flags: '-C, --context <lines>', summary: 'lines around it' },
  { flags: '-r, --recursive', summary: 'files of directories, sorted; links are followed as operands only' },
  { flags: '-R, --dereference-recursive', summary: 'as -r, all links are followed' },
  { flags: '--include <pattern>', summary: 'only files with names like this' },
  { flags: '--exclude <pattern>', summary: 'no files with names like this' },
  { flags: '--exclude-dir <pattern>', summary: 'no directories with names like this' },
  { flags: '-a, --text', summary: 'binary files are text' },
  { flags: '-I', summary: 'binary files have nothing that matches' },
  {
    flags: '--binary-files <how>',
    summary: 'binary (only tell that something matches), text or without-match',
    choices: ['binary', 'text', 'without-match'],
  },
];

export interface GrepOptions {
  readonly matcher: Matcher;
  readonly invert: boolean;
  readonly output: 'lines' | 'matches' | 'count' | 'with' | 'without' | 'nothing';
  readonly maxCount: number;
  readonly numbers: boolean;
  /** undefined: when there are several files. */
  readonly names: boolean | undefined;
  readonly nameEnd: '\0' | undefined;
  readonly delimiter: '\n' | '\0';
  readonly silent: boolean;
  readonly before: number;
  readonly after: number;
  readonly recursive: 'no' | 'root' | 'all';
  readonly binary: 'binary' | 'text' | 'without-match';
  isFile(name: string): boolean;
  isDirectory(name: string): boolean;
}

/** UsageError, and what reading -f throws. `operands`: the first is the pattern if no option gives one. */
export async function readGrepOptions(
  ctx: Context,
  given: readonly GivenOption[],
  operands: readonly string[],
): Promise<{ readonly options: GrepOptions; readonly files: readonly string[] }> {
  const asked = new Given({ options: given });
  const patterns: string[] = [];
  for (const option of given) {
    if (option.name === 'regexp') patterns.push(...option.value.split('\n'));
    if (option.name === 'file') patterns.push(...(await patternsOf(ctx, option.value)));
  }
  let files = operands;
  if (!asked.has('regexp', 'file')) {
    const [first, ...rest] = operands;
    if (first === undefined) throw new UsageError('no pattern given');
    patterns.push(...first.split('\n'));
    files = rest;
  }
  const syntax = asked.lastOf(...SYNTAXES) ?? 'basic-regexp';
  const delimiter = asked.has('null-data') ? '\0' : '\n';
  const matcher = asUsage(() =>
    makeMatcher(patterns, {
      fixed: syntax === 'fixed-strings',
      syntax: syntax === 'extended-regexp' ? 'extended' : 'basic',
      ignoreCase: asked.has('ignore-case'),
      word: asked.has('word-regexp'),
      whole: asked.has('line-regexp'),
    }),
  );
  const globs = (name: string): ((name: string) => boolean)[] => asked.values(name).map((glob) => globTest(glob));
  const [include, exclude, excludeDir] = [globs('include'), globs('exclude'), globs('exclude-dir')];
  const context = asked.value('context');
  const options: GrepOptions = {
    matcher,
    invert: asked.has('invert-match'),
    output: outputOf(asked),
    maxCount: number(asked.value('max-count'), 'max-count', Infinity),
    numbers: asked.has('line-number') || ctx.json !== undefined,
    names: namesOf(asked),
    nameEnd: asked.has('null') ? '\0' : undefined,
    delimiter,
    silent: asked.has('no-messages'),
    before: number(asked.value('before-context') ?? context, 'before-context', 0),
    after: number(asked.value('after-context') ?? context, 'after-context', 0),
    recursive: asked.has('dereference-recursive') ? 'all' : asked.has('recursive') ? 'root' : 'no',
    binary: binaryOf(given),
    isFile: (name) =>
      (include.length === 0 || include.some((test) => test(name))) && !exclude.some((test) => test(name)),
    isDirectory: (name) => !excludeDir.some((test) => test(name)),
  };
  return { options, files };
}

const SYNTAXES = ['basic-regexp', 'extended-regexp', 'fixed-strings'];

function asUsage<T>(act: () => T): T {
  try {
    return act();
  } catch (thrown) {
    if (!(thrown instanceof FsError)) throw thrown;
    throw new UsageError(thrown.context.what ?? thrown.message, { cause: thrown });
  }
}

async function patternsOf(ctx: Context, file: string): Promise<string[]> {
  const host = await ctx.shell.host();
  const reader = file === '-' ? ctx.shell.stdin : withHostFile(file, () => host.openForReading(file));
  try {
    const patterns: string[] = [];
    for (const piece of wholeLines((dst) => withHostFile(file, () => reader.read(dst)), 10))
      patterns.push(...nameFromBytes(piece).replace(/\n$/, '').split('\n'));
    return patterns;
  } finally {
    if ('close' in reader) reader.close();
  }
}

function outputOf(asked: Given): GrepOptions['output'] {
  if (asked.has('quiet')) return 'nothing';
  if (asked.has('files-without-match')) return 'without';
  if (asked.has('files-with-matches')) return 'with';
  if (asked.has('count')) return 'count';
  return asked.has('only-matching') ? 'matches' : 'lines';
}

function namesOf(asked: Given): boolean | undefined {
  const last = asked.lastOf('with-filename', 'no-filename');
  return last === undefined ? undefined : last === 'with-filename';
}

function binaryOf(given: readonly GivenOption[]): GrepOptions['binary'] {
  const last = given.findLast(({ name }) => ['text', 'I', 'binary-files'].includes(name));
  if (last?.name === 'text' || last?.value === 'text') return 'text';
  return last?.name === 'I' || last?.value === 'without-match' ? 'without-match' : 'binary';
}

function number(text: string | undefined, name: string, otherwise: number): number {
  if (text === undefined) return otherwise;
  if (!/^\d{1,9}$/.test(text)) throw new UsageError(`--${name}: '${text}' is no number`);
  return Number(text);
}
