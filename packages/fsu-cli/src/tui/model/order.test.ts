/** Orders of a directory's entries, against sorting them all at once. */
import { expect, test } from 'vitest';
import { compareNames } from '../../format/name.ts';
import { gathered, noRuns, ordered, withRun } from './order.ts';
import type { Runs } from './order.ts';
import type { Row, Tab } from './state.ts';

const EXTENSIONS = ['c', 'txt', 'ünï', ''];

const rowOf = (at: number): Row => ({
  // Each name once: 7919 is prime.
  name: `${(at * 7919) % 10_007}.${EXTENSIONS[at % EXTENSIONS.length]}`,
  type: at % 5 === 0 ? 'dir' : 'reg',
  size: at % 17,
  bytes: 0,
  mtime: { sec: at % 13, nsec: at % 3 },
  mode: 0,
  uid: 0,
  gid: 0,
  nlink: 1,
  ino: at,
});
const rows = Array.from({ length: 5003 }, (_, at) => rowOf(at));

function runsOf(batch: number): Runs {
  let runs = noRuns;
  for (let end = batch; end < rows.length + batch; end += batch) runs = withRun(runs, rows.slice(0, end), end - batch);
  return runs;
}

const extensionOf = (name: string): string => name.replace(/^.*\./, '');

const orders: Readonly<Record<Exclude<Tab['sort']['by'], 'none'>, (a: Row, b: Row) => number>> = {
  name: () => 0,
  size: (a, b) => b.size - a.size,
  mtime: (a, b) => b.mtime.sec - a.mtime.sec || b.mtime.nsec - a.mtime.nsec,
  ext: (a, b) => compareNames(extensionOf(a.name), extensionOf(b.name)),
};

const namesIn = (order: readonly number[]): string[] => order.map((at) => rows[at]?.name ?? '');

test.each([1, 7, 1000, rows.length])('in batches of %i', (batch) => {
  const made = runsOf(batch);
  for (const group of [made.dirs, made.others])
    for (const [nth, { at }] of group.entries())
      expect(at.length).toBeGreaterThanOrEqual(2 * (group[nth + 1]?.at.length ?? 0));
  const runs = gathered(made);
  for (const [by, order] of Object.entries(orders))
    for (const isReversed of [false, true]) {
      const sign = isReversed ? -1 : 1;
      const expected = [...rows].sort(
        (a, b) =>
          Number(b.type === 'dir') - Number(a.type === 'dir') || sign * (order(a, b) || compareNames(a.name, b.name)),
      );
      const sort = { by: by as keyof typeof orders, isReversed };
      expect(namesIn(ordered({ rows, runs, sort })), `${by} ${isReversed}`).toEqual(expected.map(({ name }) => name));
    }
});

test('as the directory has them', () => {
  const sort = { by: 'none', isReversed: false } as const;
  expect(ordered({ rows, runs: gathered(runsOf(100)), sort })).toEqual(rows.map((_, at) => at));
});
