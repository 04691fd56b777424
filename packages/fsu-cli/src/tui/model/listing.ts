/** A directory's entries as a list: which are shown, in which order, and where the cursor is. */
import { compareNames } from '../../format/name.ts';
import { currentRow } from './state.ts';
import type { PlaceId, Row, Tab } from './state.ts';

/** A tab that has just been asked for. */
export function newTab(place: PlaceId, dir: string, like?: Tab): Tab {
  return {
    place,
    dir,
    rows: [],
    isComplete: false,
    isStale: false,
    failure: undefined,
    token: 0,
    shown: [],
    cursor: 0,
    top: 0,
    selected: new Set(),
    filter: '',
    sort: like?.sort ?? { by: 'name', isReversed: false },
    showsHidden: like?.showsHidden ?? true,
    // Paths of another place say nothing of this one.
    memory: like?.place === place ? like.memory : new Map(),
    goal: undefined,
    back: like?.back ?? [],
    ahead: like?.ahead ?? [],
  };
}

type Compare = (a: Row, b: Row) => number;

const extension = (name: string): string => {
  const dot = name.lastIndexOf('.');
  return dot <= 0 ? '' : name.slice(dot + 1);
};

const orders: Readonly<Record<Exclude<Tab['sort']['by'], 'none'>, Compare>> = {
  name: () => 0,
  size: (a, b) => b.size - a.size,
  mtime: (a, b) => b.mtime.sec - a.mtime.sec || b.mtime.nsec - a.mtime.nsec,
  ext: (a, b) => compareNames(extension(a.name), extension(b.name)),
};

/** Directories first, as browsers have it; entries of equal rank by name. */
function orderOf({ by, isReversed }: Tab['sort']): Compare | undefined {
  if (by === 'none') return undefined;
  const order = orders[by];
  const sign = isReversed ? -1 : 1;
  return (a, b) =>
    Number(b.type === 'dir') - Number(a.type === 'dir') || sign * (order(a, b) || compareNames(a.name, b.name));
}

/** What of the tab's rows is shown, now that they, the filter or the order have changed; the cursor stays on its entry. */
export function arranged(tab: Tab): Tab {
  const there = tab.goal ?? currentRow(tab)?.name ?? tab.memory.get(tab.dir);
  const wanted = tab.filter.toLowerCase();
  const isShown = ({ name }: Row): boolean =>
    (tab.showsHidden || !name.startsWith('.')) && (wanted === '' || name.toLowerCase().includes(wanted));
  const shown: number[] = [];
  for (const [at, row] of tab.rows.entries()) if (isShown(row)) shown.push(at);
  const order = orderOf(tab.sort);
  const rowAt = (at: number): Row => tab.rows[at] ?? missing();
  if (order !== undefined) shown.sort((a, b) => order(rowAt(a), rowAt(b)));
  const found = there === undefined ? -1 : shown.findIndex((at) => rowAt(at).name === there);
  const cursor = found >= 0 ? found : Math.max(0, Math.min(tab.cursor, shown.length - 1));
  return { ...tab, shown, cursor };
}

function missing(): never {
  throw new Error('an index beyond the list');
}

/** The cursor at a line, within the list; the window follows so that it is seen. */
export function movedTo(tab: Tab, line: number, height: number): Tab {
  const cursor = Math.max(0, Math.min(line, tab.shown.length - 1));
  const top = Math.max(0, Math.min(Math.max(tab.top, cursor - height + 1), cursor));
  return { ...tab, cursor, top };
}

/** As movedTo(), because somebody wants it there. */
export const walkedTo = (tab: Tab, line: number, height: number): Tab =>
  movedTo({ ...tab, goal: undefined }, line, height);
