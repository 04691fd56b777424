/** What get and put share: places of a copy, and what is told of it. */
import { FsError } from 'ukfs';
import type { CopyOptions, CopyReport, LossReport, TreeDir, Ukfs } from 'ukfs';
import type { Invocation, OptionSpec } from './command.ts';
import type { Context } from './context.ts';
import { pathMembers } from './format/json.ts';
import { safeText } from './format/name.ts';

/** A full disk is full for the rest, too: it would fail file by file. */
export const afterFailure = ({ code }: FsError): 'go on' | 'stop' =>
  code === 'ENOSPC' || code === 'EDQUOT' ? 'stop' : 'go on';

export const parentOf = (path: string): string => /^(.*)\/[^/]+\/*$/.exec(path)?.[1] ?? '.';
export const baseOf = (path: string): string => /([^/]+)\/*$/.exec(path)?.[1] ?? '';
export const rootIfEmpty = (path: string): string => (path === '' ? '/' : path);
export const joinPath = (base: string, entry: string): string =>
  base === '.' && entry !== '' ? entry : entry === '' ? base : `${base.replace(/\/+$/, '')}/${entry}`;

/** Names that no entry has: what a directory holds is meant, not the directory. */
export const isWhole = (name: string): boolean => name === '' || name === '.' || name === '..';

export function withTree<T>(dir: TreeDir, use: (dir: TreeDir) => T): T {
  try {
    return use(dir);
  } finally {
    dir.close();
  }
}

const LINKS_MAX = 40;

/** Where a chain of links in an image ends. */
export function realPath(fs: Ukfs, start: string): string {
  let path = start;
  for (let i = 0; i < LINKS_MAX; i++) {
    if (fs.lstat(path).type !== 'lnk') return path;
    const target = fs.readlink(path);
    path = target.startsWith('/') ? target : `${parentOf(path)}/${target}`;
  }
  throw new FsError('ELOOP', { path: start });
}

export const sparseOption: OptionSpec = {
  flags: '--sparse <when>',
  summary: 'holes: auto (as in the source), always (zeros too), never',
  choices: ['auto', 'always', 'never'],
};

export function holesOf({ options }: Invocation): NonNullable<CopyOptions['holes']> {
  const sparse = options.filter(({ name }) => name === 'sparse').at(-1)?.value;
  return sparse === 'always' ? 'detect' : sparse === 'never' ? 'fill' : 'keep';
}

/** Nobody misses what no host can hold, unless they ask. */
export function tellLoss(ctx: Context, where: string, told: LossReport & { readonly verbose: boolean }): void {
  const { loss, count, example, verbose } = told;
  if (loss === 'birth time' && !verbose) return;
  const times = count === 1 ? '1 file' : `${count} files`;
  ctx.warn(`${safeText(where)}: ${loss} not kept: ${times}, such as ${safeText(example)}`);
}

/** A report's members in JSON. */
export const reportMembers = ({ directories, files, others, bytes, failures, losses }: CopyReport) => ({
  directories,
  files,
  others,
  bytes,
  failures,
  losses: losses.map(({ loss, count, example }) => ({ loss, count, ...pathMembers('example', example) })),
});
