/** A directory's entries as a list: which are shown, in which order, and where the cursor is. */
import { noLinks } from './links.ts';
import { noNames, ordered } from './order.ts';
import { currentRow } from './state.ts';
import type { Entries } from './order.ts';
import type { PlaceId, Row, Tab } from './state.ts';

/** Of what nothing has come yet. */
export const noRows: Pick<Tab, 'rows' | 'byName' | 'ordered' | 'shown'> = {
  rows: [],
  byName: noNames,
  ordered: new Uint32Array(),
  shown: new Uint32Array(),
};

/** A tab that has just been asked for. */
export function newTab(place: PlaceId, dir: string, like?: Tab): Tab {
  return {
    place,
    dir,
    ...noRows,
    isComplete: false,
    isStale: false,
    failure: undefined,
    token: 0,
    cursor: 0,
    top: 0,
    selected: new Set(),
    anchor: undefined,
    filter: '',
    sort: like?.sort ?? { by: 'name', isReversed: false },
    showsHidden: like?.showsHidden ?? true,
    // Paths of another place say nothing of this one.
    memory: like?.place === place ? like.memory : new Map(),
    goal: undefined,
    links: noLinks,
    back: like?.back ?? [],
    ahead: like?.ahead ?? [],
  };
}

/** The tab with more entries: they are in the list from when they are in order on. */
export function withMore(tab: Tab, { rows, byName }: Entries): Tab {
  const more = { ...tab, rows: tab.rows.concat(rows) };
  return byName === undefined ? more : arranged({ ...more, byName });
}

/** The tab's rows in its order, now that they or the order have changed; the cursor stays on its entry. */
export const arranged = (tab: Tab): Tab => filtered({ ...tab, ordered: ordered(tab) }, tab);

/** What of the tab's rows is shown, now that the filter has changed; the cursor stays on the entry that it had in `before`. */
export function filtered(tab: Tab, before: Tab): Tab {
  const there = tab.goal ?? currentRow(before)?.name ?? tab.memory.get(tab.dir);
  const wanted = tab.filter.toLowerCase();
  const isShown = ({ name }: Row): boolean =>
    (tab.showsHidden || !name.startsWith('.')) && name.toLowerCase().includes(wanted);
  // Of long lists looking at each row is most of the work: less when they are met as they lie in memory, which is as they came.
  const areShown = wanted === '' && tab.showsHidden ? undefined : tab.rows.map(isShown);
  const shown = areShown === undefined ? tab.ordered : tab.ordered.filter((at) => areShown[at]);
  const row = there === undefined ? -1 : tab.rows.findIndex(({ name }) => name === there);
  const cursor = row < 0 ? -1 : shown.indexOf(row);
  return { ...tab, shown, cursor: cursor >= 0 ? cursor : Math.max(0, Math.min(tab.cursor, shown.length - 1)) };
}

export const namesShown = ({ rows, shown }: Tab): readonly string[] => Array.from(shown, (at) => rows[at]?.name ?? '');

/** The cursor at a line, within the list; the window follows so that it is seen, and is full where there is enough to fill it. */
export function movedTo(tab: Tab, line: number, height: number): Tab {
  const cursor = Math.max(0, Math.min(line, tab.shown.length - 1));
  const last = Math.max(0, tab.shown.length - height);
  const top = Math.max(0, Math.min(Math.max(tab.top, cursor - height + 1), cursor, last));
  return { ...tab, cursor, top };
}

/** As movedTo(), because somebody wants it there. */
export const walkedTo = (tab: Tab, line: number, height: number): Tab =>
  movedTo({ ...tab, goal: undefined }, line, height);
