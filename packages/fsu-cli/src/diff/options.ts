/** diff's options, read. */
import { aspects, usualAspects } from 'ukfs';
import type { Aspect } from 'ukfs';
import { UsageError } from '../command.ts';
import type { Invocation, OptionSpec } from '../command.ts';
import { globTest } from '../format/glob.ts';
import { Given } from '../given.ts';

export const diffOptions: readonly OptionSpec[] = [
  { flags: '-q, --brief', summary: 'only which files differ' },
  { flags: '-u', summary: 'files that differ as unified text, with three lines of context; no metadata unless asked' },
  { flags: '-U, --unified <lines>', summary: 'as -u, with so many lines of context' },
  { flags: '-r, --recursive', summary: 'ignored: directories are always compared with all they hold' },
  { flags: '-R', summary: 'as -r' },
  {
    flags: '-s, --report-identical-files',
    summary: 'tell of files that are the same, too (fsu_diff: after the image)',
  },
  { flags: '-N, --new-file', summary: 'name all that is below a directory on one side only; with -u, with its text' },
  { flags: '-L, --dereference', summary: 'follow an operand that is a symbolic link' },
  { flags: '--no-dereference', summary: 'ignored: links are compared, not followed' },
  { flags: '-x, --exclude <glob>', summary: 'leave out names like it, or with a slash in it, paths' },
  {
    flags: '--metadata <list>',
    summary: `what to compare beside contents: none, all, or some of ${aspects
      .filter((aspect) => !isAlways(aspect) && aspect !== 'holes')
      .join(',')} (default: all but birthtime and nlink)`,
  },
  { flags: '--ignore-times', summary: 'no times' },
  { flags: '--holes', summary: 'where files have holes, too' },
];

/** What makes a difference whatever --metadata says. */
function isAlways(aspect: Aspect): boolean {
  return aspect === 'content' || aspect === 'target' || aspect === 'rdev';
}

/** Of -u, as POSIX has it. */
const USUAL_CONTEXT = 3;

export interface DiffOptions {
  readonly what: ReadonlySet<Aspect>;
  readonly filter: (path: string, name: string) => boolean;
  readonly brief: boolean;
  readonly same: boolean;
  /** Lines of context of unified text. */
  readonly unified: number | undefined;
  readonly whole: boolean;
  readonly follow: boolean;
}

/** UsageError. */
export function readDiffOptions({ options }: Invocation): DiffOptions {
  const given = new Given({ options });
  const unified = contextOf(options);
  const what = new Set(aspectsNamed(given.value('metadata') ?? (unified === undefined ? undefined : 'none')));
  if (given.has('ignore-times')) for (const aspect of ['mtime', 'birthtime'] as const) what.delete(aspect);
  if (given.has('holes')) what.add('holes');
  return {
    what,
    filter: filterOf(options.filter(({ name }) => name === 'exclude').map(({ value }) => value)),
    brief: given.has('brief'),
    same: given.has('report-identical-files'),
    unified,
    whole: given.has('new-file'),
    follow: given.has('dereference'),
  };
}

function contextOf(options: Invocation['options']): number | undefined {
  const given = options.findLast(({ name }) => name === 'u' || name === 'unified');
  if (given?.name !== 'unified') return given === undefined ? undefined : USUAL_CONTEXT;
  if (!/^\d{1,9}$/.test(given.value)) throw new UsageError(`--unified: '${given.value}' is no number of lines`);
  return Number(given.value);
}

function aspectsNamed(list: string | undefined): readonly Aspect[] {
  if (list === undefined) return [...usualAspects];
  const always = aspects.filter(isAlways);
  if (list === 'none') return always;
  if (list === 'all') return aspects.filter((aspect) => aspect !== 'holes');
  const named = list.split(',').map((word) => {
    const aspect = aspects.find((known) => known === word);
    if (aspect === undefined) throw new UsageError(`--metadata: '${word}' is nothing that files have`);
    return aspect;
  });
  return [...always, ...named];
}

function filterOf(globs: readonly string[]): (path: string, name: string) => boolean {
  const tests = globs.map((glob) => {
    const test = globTest(glob.replace(/^\/+/, ''));
    return glob.includes('/') ? (path: string) => test(path) : (_path: string, name: string) => test(name);
  });
  return (path, name) => !tests.some((test) => test(path, name));
}
