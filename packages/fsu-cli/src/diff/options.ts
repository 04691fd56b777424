/** diff's options, read. */
import { aspects, usualAspects } from 'ukfs';
import type { Aspect } from 'ukfs';
import { UsageError } from '../command.ts';
import type { Invocation, OptionSpec } from '../command.ts';
import { globTest } from '../format/glob.ts';

export const diffOptions: readonly OptionSpec[] = [
  { flags: '-q, --brief', summary: 'only which files differ' },
  { flags: '-r, --recursive', summary: 'ignored: directories are always compared with all they hold' },
  { flags: '-R', summary: 'as -r' },
  {
    flags: '-s, --report-identical-files',
    summary: 'tell of files that are the same, too (fsu_diff: after the image)',
  },
  { flags: '-N, --new-file', summary: 'name all that is below a directory on one side only' },
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

export interface DiffOptions {
  readonly what: ReadonlySet<Aspect>;
  readonly filter: (path: string, name: string) => boolean;
  readonly brief: boolean;
  readonly same: boolean;
  readonly whole: boolean;
  readonly follow: boolean;
}

/** UsageError. */
export function readDiffOptions({ options }: Invocation): DiffOptions {
  const has = (...names: string[]): boolean => options.some(({ name }) => names.includes(name));
  const last = (name: string): string | undefined => options.filter((option) => option.name === name).at(-1)?.value;
  const what = new Set(aspectsNamed(last('metadata')));
  if (has('ignore-times')) for (const aspect of ['mtime', 'birthtime'] as const) what.delete(aspect);
  if (has('holes')) what.add('holes');
  return {
    what,
    filter: filterOf(options.filter(({ name }) => name === 'exclude').map(({ value }) => value)),
    brief: has('brief'),
    same: has('report-identical-files'),
    whole: has('new-file'),
    follow: has('dereference'),
  };
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
