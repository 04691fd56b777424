/**
 * Orders of a directory's entries. Names are put in order batch by batch as they come, in runs that grow by merging: no step takes
 * much longer than another, however long the directory. Every other order is made from that of the names.
 */
import { compareNames } from '../../format/name.ts';
import { extensionOf } from './extension.ts';
import type { Row, Tab } from './state.ts';

/** Rows in the order of their names: their indexes, and the names once more, because to look them up by row takes longer than to compare them. */
interface Run {
  readonly at: number[];
  readonly names: string[];
}

/** Of runs that follow each other, each is at least twice as long as the next. */
type Ordered = readonly Run[];

/** Directories apart from what is none: they come first, as browsers have it. */
export interface Runs {
  readonly dirs: Ordered;
  readonly others: Ordered;
}

export const noRuns: Runs = { dirs: [], others: [] };

/** The runs with the rows from index `from` on, too. */
export function withRun({ dirs, others }: Runs, rows: readonly Row[], from: number): Runs {
  const [newDirs, newOthers]: [number[], number[]] = [[], []];
  for (let at = from; at < rows.length; at++) (rows[at]?.type === 'dir' ? newDirs : newOthers).push(at);
  return { dirs: withOne(dirs, newDirs, rows), others: withOne(others, newOthers, rows) };
}

function withOne(runs: Ordered, at: number[], rows: readonly Row[]): Ordered {
  if (at.length === 0) return runs;
  const nameAt = (one: number): string => rows[one]?.name ?? '';
  at.sort((a, b) => compareNames(nameAt(a), nameAt(b)));
  const all = [...runs, { at, names: at.map(nameAt) }];
  while (all.length > 1 && lengthOf(all.at(-2)) < 2 * lengthOf(all.at(-1))) mergeLast(all);
  return all;
}

const lengthOf = (run: Run | undefined): number => run?.at.length ?? 0;

/** Each group in one run. */
export const gathered = ({ dirs, others }: Runs): Runs => ({ dirs: merged(dirs), others: merged(others) });

function merged(runs: Ordered): Ordered {
  const all = [...runs];
  while (all.length > 1) mergeLast(all);
  return all;
}

/** The last two become one. */
function mergeLast(all: Run[]): void {
  const [a = noRun, b = noRun] = all.splice(-2);
  const both: Run = { at: [], names: [] };
  let [i, j] = [0, 0];
  const take = ({ at, names }: Run, n: number): void => {
    both.at.push(at[n] ?? 0);
    both.names.push(names[n] ?? '');
  };
  while (i < a.at.length && j < b.at.length) {
    if (compareNames(a.names[i] ?? '', b.names[j] ?? '') <= 0) take(a, i++);
    else take(b, j++);
  }
  while (i < a.at.length) take(a, i++);
  while (j < b.at.length) take(b, j++);
  all.push(both);
}

const noRun: Run = { at: [], names: [] };

const compareTimes = (a: Row['mtime'], b: Row['mtime']): number => b.sec - a.sec || b.nsec - a.nsec;

/** The tab's rows, of which the runs are gathered, in its order: directories first; what is of equal rank by name. */
export function ordered({
  rows,
  runs,
  sort: { by, isReversed },
}: Pick<Tab, 'rows' | 'runs' | 'sort'>): readonly number[] {
  if (by === 'none') return rows.map((_, at) => at);
  return [runs.dirs[0], runs.others[0]].flatMap((run) => {
    const group = sortedBy(run?.at ?? [], rows, by);
    return isReversed ? [...group].reverse() : group;
  });
}

/** Array.prototype.sort() leaves those of equal rank as they were: by name. */
function sortedBy(
  names: readonly number[],
  rows: readonly Row[],
  by: Exclude<Tab['sort']['by'], 'none'>,
): readonly number[] {
  const rowAt = (at: number): Row => rows[at] ?? missing();
  switch (by) {
    case 'name':
      return names;
    case 'size':
      return [...names].sort((a, b) => rowAt(b).size - rowAt(a).size);
    case 'mtime':
      return [...names].sort((a, b) => compareTimes(rowAt(a).mtime, rowAt(b).mtime));
    case 'ext': {
      const extensions = new Map(names.map((at) => [at, extensionOf(rowAt(at).name)]));
      return [...names].sort((a, b) => compareNames(extensions.get(a) ?? '', extensions.get(b) ?? ''));
    }
  }
}

function missing(): never {
  throw new Error('an index beyond the list');
}
