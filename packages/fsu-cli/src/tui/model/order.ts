/**
 * Orders of a directory's entries. That of their names is made where they are read, by listed(), and comes with them; every other
 * is made from it.
 */
import { compareNames } from '../../format/name.ts';
import { extensionOf } from './extension.ts';
import type { Row, Tab } from './state.ts';

/**
 * Indexes of the first so many rows in the order of their names; directories apart from what is none: they come first, as browsers
 * have it.
 */
export interface ByName {
  readonly dirs: Uint32Array;
  readonly others: Uint32Array;
}

export const noNames: ByName = { dirs: new Uint32Array(), others: new Uint32Array() };

/** Some of a directory's entries, in its own order; and the order of all that have come, when it was made again. */
export interface Entries {
  readonly rows: readonly Row[];
  readonly byName?: ByName;
}

/** Entries with their order, made again whenever they are twice as many: so that it never takes long. What is given back is the last. */
export function* listed(parts: Iterable<readonly Row[]>): Generator<Entries, ByName> {
  const names: string[] = [];
  const compare = (a: number, b: number): number => compareNames(names[a] ?? '', names[b] ?? '');
  const [dirs, others]: [number[], number[]] = [[], []];
  // Array.prototype.sort() merges what is in order already.
  const inOrder = (): ByName => ({
    dirs: Uint32Array.from(dirs.sort(compare)),
    others: Uint32Array.from(others.sort(compare)),
  });
  let next = 0;
  for (const rows of parts) {
    const [newDirs, newOthers]: [number[], number[]] = [[], []];
    for (const { name, type } of rows) (type === 'dir' ? newDirs : newOthers).push(names.push(name) - 1);
    dirs.push(...newDirs.sort(compare));
    others.push(...newOthers.sort(compare));
    if (names.length < next) yield { rows };
    else {
      yield { rows, byName: inOrder() };
      next = 2 * names.length;
    }
  }
  return inOrder();
}

/** The rows that are in order by name, in the order that is wished for: directories first; what is of equal rank by name. */
export function ordered({
  rows,
  byName,
  sort: { by, isReversed },
}: Pick<Tab, 'rows' | 'byName' | 'sort'>): Uint32Array {
  const all = new Uint32Array(byName.dirs.length + byName.others.length);
  if (by === 'none') return all.map((_, at) => at);
  let done = 0;
  for (const names of [byName.dirs, byName.others]) {
    const group = all.subarray(done, done + names.length);
    group.set(sortedBy(names, rows, by));
    if (isReversed) group.reverse();
    done += names.length;
  }
  return all;
}

/** Those of equal rank stay as they were: by name. */
function sortedBy(names: Uint32Array, rows: readonly Row[], by: Exclude<Tab['sort']['by'], 'none'>): Uint32Array {
  switch (by) {
    case 'name':
      return names;
    case 'size':
      return ranked(names, rows, ({ size }) => -size);
    case 'mtime':
      return ranked(
        ranked(names, rows, ({ mtime }) => -mtime.nsec),
        rows,
        ({ mtime }) => -mtime.sec,
      );
    case 'ext': {
      const extensions = [...new Set(rows.map(({ name }) => extensionOf(name)))].sort(compareNames);
      const ranks = new Map(extensions.map((one, rank) => [one, rank]));
      return ranked(names, rows, ({ name }) => ranks.get(extensionOf(name)) ?? 0);
    }
  }
}

/**
 * By their ranks, lowest first. V8 sorts numbers themselves ten times as fast as by a function that compares what they stand for: so
 * the ranks are sorted, and each index goes to where its rank is, behind those of equal rank.
 */
function ranked(order: Uint32Array, rows: readonly Row[], rankOf: (row: Row) => number): Uint32Array {
  // Met as they lie in memory, which is as they came: in another order that takes several times as long.
  const ranks = rows.map(rankOf);
  const sorted = new Float64Array(order).map((at) => ranks[at] ?? 0).sort();
  const taken = new Uint32Array(order.length);
  const all = new Uint32Array(order.length);
  for (const at of order) {
    const first = below(sorted, ranks[at] ?? 0);
    all[first + (taken[first] ?? 0)] = at;
    taken[first] = (taken[first] ?? 0) + 1;
  }
  return all;
}

/** How many of the sorted numbers are less than this one. */
function below(sorted: Float64Array, bound: number): number {
  let [first, last] = [0, sorted.length];
  while (first < last) {
    const middle = (first + last) >>> 1;
    if ((sorted[middle] ?? 0) < bound) first = middle + 1;
    else last = middle;
  }
  return first;
}
