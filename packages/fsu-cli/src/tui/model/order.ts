/**
 * Orders of a directory's entries. Names are put in order batch by batch as they come, in runs that grow by merging: no step takes
 * much longer than another, however long the directory. Every other order is made from that of the names.
 */
import { compareNames } from '../../format/name.ts';
import type { Row, Tab } from './state.ts';

/** Indexes into the rows, in the order of their names; of runs that follow each other, each is at least twice as long as the next. */
export type Runs = readonly (readonly number[])[];

/** The runs with the rows from index `from` on, too. */
export function withRun(runs: Runs, rows: readonly Row[], from: number): Runs {
  const run = Array.from({ length: rows.length - from }, (_, at) => from + at);
  run.sort((a, b) => compareNames(nameAt(rows, a), nameAt(rows, b)));
  const all: (readonly number[])[] = [...runs, run];
  while (all.length > 1 && (all.at(-2) ?? []).length < 2 * (all.at(-1) ?? []).length) mergeLast(all, rows);
  return all;
}

/** All of them, in one. */
function merged(runs: Runs, rows: readonly Row[]): readonly number[] {
  const all = [...runs];
  while (all.length > 1) mergeLast(all, rows);
  return all[0] ?? [];
}

/** The last two become one. */
function mergeLast(all: (readonly number[])[], rows: readonly Row[]): void {
  const [a = [], b = []] = all.splice(-2);
  const both: number[] = [];
  let [i, j] = [0, 0];
  while (i < a.length && j < b.length) {
    const [x = 0, y = 0] = [a[i], b[j]];
    if (compareNames(nameAt(rows, x), nameAt(rows, y)) <= 0) {
      both.push(x);
      i++;
    } else {
      both.push(y);
      j++;
    }
  }
  while (i < a.length) both.push(a[i++] ?? 0);
  while (j < b.length) both.push(b[j++] ?? 0);
  all.push(both);
}

const nameAt = (rows: readonly Row[], at: number): string => rows[at]?.name ?? '';

const extension = (name: string): string => {
  const dot = name.lastIndexOf('.');
  return dot <= 0 ? '' : name.slice(dot + 1);
};

const compareTimes = (a: Row['mtime'], b: Row['mtime']): number => b.sec - a.sec || b.nsec - a.nsec;

/** The tab's rows in its order: directories first, as browsers have it; what is of equal rank by name. */
export function ordered({
  rows,
  runs,
  sort: { by, isReversed },
}: Pick<Tab, 'rows' | 'runs' | 'sort'>): readonly number[] {
  if (by === 'none') return rows.map((_, at) => at);
  const [dirs, others]: [number[], number[]] = [[], []];
  for (const at of merged(runs, rows)) (rows[at]?.type === 'dir' ? dirs : others).push(at);
  for (const group of [dirs, others]) {
    sortBy(group, rows, by);
    if (isReversed) group.reverse();
  }
  return [...dirs, ...others];
}

/** Array.prototype.sort() leaves those of equal rank as they were: by name. */
function sortBy(group: number[], rows: readonly Row[], by: Exclude<Tab['sort']['by'], 'none'>): void {
  const rowAt = (at: number): Row => rows[at] ?? missing();
  switch (by) {
    case 'name':
      return;
    case 'size':
      group.sort((a, b) => rowAt(b).size - rowAt(a).size);
      return;
    case 'mtime':
      group.sort((a, b) => compareTimes(rowAt(a).mtime, rowAt(b).mtime));
      return;
    case 'ext': {
      const extensions = new Map(group.map((at) => [at, extension(rowAt(at).name)]));
      group.sort((a, b) => compareNames(extensions.get(a) ?? '', extensions.get(b) ?? ''));
    }
  }
}

function missing(): never {
  throw new Error('an index beyond the list');
}
