/** Orders of a directory's entries and the lists that come of them, against sorting what has come all at once. */
import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { compareNames } from '../../format/name.ts';
import { arranged, filtered, namesShown, newTab, withMore } from './listing.ts';
import { listed } from './order.ts';
import type { Row, Tab } from './state.ts';

const sortKeys = ['name', 'size', 'mtime', 'ext', 'none'] as const satisfies Tab['sort']['by'][];

/** Few of each kind of character, so that names share beginnings, endings and whole names but for their case. */
const name = fc.string({
  unit: fc.constantFrom('a', 'b', 'B', '.', '1', 'é', '\u{1f600}', '\uffee', '\udc80'),
  minLength: 1,
  maxLength: 6,
});

const row: fc.Arbitrary<Row> = fc
  .record({
    name,
    type: fc.constantFrom('dir', 'reg', 'lnk', undefined),
    size: fc.nat(3),
    mtime: fc.record({ sec: fc.integer({ min: -1, max: 2 }), nsec: fc.nat(2) }),
  })
  .map((some) => ({ ...some, bytes: 0, mode: 0, uid: 0, gid: 0, nlink: 1, ino: 0 }));

/** Entries of a directory as they come. */
const batches = fc
  .tuple(fc.uniqueArray(row, { selector: (one) => one.name, maxLength: 40 }), fc.integer({ min: 1, max: 15 }))
  .map(([rows, size]) =>
    Array.from({ length: Math.ceil(rows.length / size) }, (_, nth) => rows.slice(nth * size, (nth + 1) * size)),
  );

const extensionOf = (text: string): string => /(?<=.)\.([^.]*)$/su.exec(text)?.[1] ?? '';

const orders: Readonly<Record<Exclude<Tab['sort']['by'], 'none'>, (a: Row, b: Row) => number>> = {
  name: () => 0,
  size: (a, b) => b.size - a.size,
  mtime: (a, b) => b.mtime.sec - a.mtime.sec || b.mtime.nsec - a.mtime.nsec,
  ext: (a, b) => compareNames(extensionOf(a.name), extensionOf(b.name)),
};

/** The names in the order that is wished for, by comparing entries. */
function sortedNames(rows: readonly Row[], { by, isReversed }: Tab['sort']): readonly string[] {
  if (by === 'none') return rows.map((one) => one.name);
  const isDir = ({ type }: Row): number => Number(type === 'dir');
  const sign = isReversed ? -1 : 1;
  return [...rows]
    .sort((a, b) => isDir(b) - isDir(a) || sign * (orders[by](a, b) || compareNames(a.name, b.name)))
    .map((one) => one.name);
}

/** The tab after each part of what comes, and at last with all of it in order. */
function tabsOf(parts: readonly (readonly Row[])[], begun: Tab = newTab('x.img', '/')): readonly Tab[] {
  const tabs = [];
  const work = listed(parts);
  let tab = begun;
  for (let step = work.next(); ; step = work.next()) {
    if (step.done === true) return [...tabs, arranged({ ...tab, byName: step.value })];
    tab = withMore(tab, step.value);
    tabs.push(tab);
  }
}

test.each(sortKeys)('by %s, at any moment while they come', (by) => {
  fc.assert(
    fc.property(batches, fc.boolean(), (parts, isReversed) => {
      const sort = { by, isReversed };
      const tabs = tabsOf(parts, { ...newTab('x.img', '/'), sort });
      for (const [nth, tab] of tabs.entries()) {
        // What has come since they were put in order last is never more than what was there.
        const rows = parts.slice(0, nth + 1).flat();
        const first = rows.slice(0, tab.shown.length);
        expect(2 * first.length).toBeGreaterThanOrEqual(rows.length);
        expect(namesShown(tab)).toEqual(sortedNames(first, sort));
        // Another order, of the same entries.
        const other = { by: 'size', isReversed: !isReversed } as const;
        expect(namesShown(arranged({ ...tab, sort: other }))).toEqual(sortedNames(first, other));
      }
      expect(namesShown(tabs.at(-1) ?? newTab('x.img', '/'))).toEqual(sortedNames(parts.flat(), sort));
    }),
  );
});

test('the list has what matches, hidden names when they are wished for, and the cursor stays on its entry', () => {
  const wishes = fc.record({ filter: fc.constantFrom('', 'b', 'B1', '.', 'é'), showsHidden: fc.boolean() });
  fc.assert(
    fc.property(batches, fc.nat(), wishes, (parts, line, wish) => {
      let before: Tab | undefined;
      for (const whole of tabsOf(parts)) {
        const cursor = line % Math.max(1, whole.shown.length);
        const name = namesShown(whole)[cursor];
        const tab = filtered({ ...whole, ...wish }, { ...whole, cursor });
        const isShown = (one: string): boolean =>
          (wish.showsHidden || !one.startsWith('.')) && one.toLowerCase().includes(wish.filter.toLowerCase());
        const names = namesShown(whole).filter(isShown);
        expect(namesShown(tab)).toEqual(names);
        if (name !== undefined && names.includes(name)) expect(names[tab.cursor]).toBe(name);
        // More entries do not take it away.
        const was = before === undefined ? undefined : namesShown(before)[before.cursor];
        if (before !== undefined && was !== undefined) {
          const grown = arranged({ ...before, rows: whole.rows, byName: whole.byName });
          expect(namesShown(grown)).toEqual(names);
          expect(names[grown.cursor]).toBe(was);
        }
        before = tab;
      }
    }),
  );
});
