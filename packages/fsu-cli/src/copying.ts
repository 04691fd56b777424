/** What the copying commands share: places of a copy, and what is told of it. */
import type { FsError } from 'ukfs';
import type { CopyReport, LossReport } from 'ukfs';
import type { Context } from './context.ts';
import { pathMembers } from './format/json.ts';
import { safeText } from './format/name.ts';

/** A full disk is full for the rest, too: it would fail file by file. */
export const afterFailure = ({ code }: FsError): 'go on' | 'stop' =>
  code === 'ENOSPC' || code === 'EDQUOT' ? 'stop' : 'go on';

export const parentOf = (path: string): string => /^(.*)\/[^/]+\/*$/s.exec(path)?.[1] ?? '.';
export const baseOf = (path: string): string => /([^/]+)\/*$/.exec(path)?.[1] ?? '';
export const rootIfEmpty = (path: string): string => (path === '' ? '/' : path);
export const joinPath = (base: string, entry: string): string =>
  base === '.' && entry !== '' ? entry : entry === '' ? base : `${base.replace(/\/+$/, '')}/${entry}`;

/** Names that no entry has: what a directory holds is meant, not the directory. */
export const isWhole = (name: string): boolean => name === '' || name === '.' || name === '..';

/** Nobody misses what no host can hold, unless they ask: false, it was not told. */
export function tellLoss(ctx: Context, where: string, told: LossReport & { readonly verbose: boolean }): boolean {
  const { loss, count, example, verbose } = told;
  if (loss === 'birth time' && !verbose) return false;
  const times = count === 1 ? '1 file' : `${count} files`;
  ctx.warn(`${safeText(where)}: ${loss} not kept: ${times}, such as ${safeText(example)}`);
  return true;
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
