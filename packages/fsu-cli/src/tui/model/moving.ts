/** Walking about: the cursor, directories, file systems. */
import { listHeight } from './layout.ts';
import { arranged, movedTo, newTab } from './listing.ts';
import { enterFile } from './nesting.ts';
import { activeTab, currentRow, pathIn } from './state.ts';
import type { PlaceId, State, Tab } from './state.ts';
import { ask, followedBy, mapTabs, noted, still, withTab } from './step.ts';
import type { AnswerHandlers, Step } from './step.ts';

const by =
  (lines: (state: State) => number) =>
  (state: State): Step =>
    still(withTab(state, (tab) => movedTo(tab, tab.cursor + lines(state), listHeight(state))));

const page = (state: State): number => Math.max(1, listHeight(state) - 1);

export const movingActions = {
  down: by(() => 1),
  up: by(() => -1),
  pageDown: by(page),
  pageUp: by((state) => -page(state)),
  halfDown: by((state) => Math.ceil(page(state) / 2)),
  halfUp: by((state) => -Math.ceil(page(state) / 2)),
  first: (state: State): Step => still(withTab(state, (tab) => movedTo(tab, 0, listHeight(state)))),
  last: (state: State): Step => still(withTab(state, (tab) => movedTo(tab, tab.shown.length - 1, listHeight(state)))),
  enter(state: State): Step {
    const tab = activeTab(state);
    const row = currentRow(tab);
    return row?.type === 'dir' ? openDir(state, pathIn(tab.dir, row.name)) : enterFile(state);
  },
  parent(state: State): Step {
    const { dir } = activeTab(state);
    return dir === '/' ? leftImage(state) : openDir(state, dir.slice(0, dir.lastIndexOf('/')) || '/');
  },
} as const;

/** Out of an image that is a file of another: the cursor is on the file. */
function leftImage(state: State): Step {
  const tab = activeTab(state);
  const within = state.places.get(tab.place)?.within;
  if (within === undefined) return still(state);
  const [, dir = '/', name = ''] = /^(.*)\/([^/]*)$/s.exec(within.path) ?? [];
  const outer = newTab(within.place, dir === '' ? '/' : dir, tab);
  return list(state, { ...outer, memory: new Map([[outer.dir, name]]) });
}

/** Another directory of the same place in the active tab. */
export function openDir(state: State, dir: string): Step {
  const tab = activeTab(state);
  const memory = new Map(tab.memory);
  const row = currentRow(tab);
  if (row !== undefined) memory.set(tab.dir, row.name);
  // Going up: the cursor is on where one came from.
  if (tab.dir.startsWith(dir === '/' ? '/' : `${dir}/`) && !memory.has(dir)) {
    const rest = tab.dir.slice(dir === '/' ? 1 : dir.length + 1);
    memory.set(dir, rest.split('/', 1)[0] ?? rest);
  }
  return list(state, { ...newTab(tab.place, dir, tab), memory });
}

function list(state: State, tab: Tab): Step {
  const old = activeTab(state);
  const cancel: Step = [state, old.isComplete ? [] : [{ kind: 'cancel', token: old.token }]];
  return followedBy(cancel, (before) =>
    ask({ ...before, note: undefined }, { what: 'list', place: tab.place, dir: tab.dir }, (now, token) =>
      withTab(now, () => ({ ...tab, token })),
    ),
  );
}

/** The first thing that happens: what is the image made of? */
export const beginning = (state: State): Step => ask(state, { what: 'stack' });

export const movingAnswers: Pick<AnswerHandlers, 'stack' | 'enter' | 'list'> = {
  stack: {
    answer(state, { value }) {
      const first = value.find((node) => node.kind === 'fs' && node.advice === '');
      const now = { ...state, stack: value };
      const { place } = activeTab(state);
      if (place !== '') return enterPlace(now, place);
      return first === undefined
        ? still(noted(now, 'no file system here that can be opened', 'error'))
        : enterPlace(now, first.id);
    },
  },
  enter: {
    answer(state, { value }) {
      const places = new Map(state.places).set(value.id, value);
      const tab = activeTab(state);
      // Nothing was entered before: the command line has said which directory.
      const dir = state.places.size === 0 ? tab.dir : '/';
      return list({ ...state, places }, newTab(value.id, dir, tab));
    },
  },
  list: {
    part: (state, { token, value }) => still(inTab(state, token, (tab) => withRows(tab, value, state))),
    answer: (state, { token }) =>
      still(
        inTab(state, token, (tab) => movedInto({ ...arranged(emptied(tab)), isComplete: true, isStale: false }, state)),
      ),
    failed: (state, { token, message }) =>
      still(inTab(state, token, (tab) => ({ ...tab, isComplete: true, failure: message }))),
  },
};

/** Nothing came in its place: it is empty now. */
const emptied = (tab: Tab): Tab => (tab.isStale ? { ...tab, rows: [], shown: [] } : tab);

/** The tab that asked. */
const inTab = (state: State, token: number, change: (tab: Tab) => Tab): State =>
  mapTabs(state, (tab) => (tab.token === token ? change(tab) : tab));

const enterPlace = (state: State, place: PlaceId): Step => ask(state, { what: 'enter', place });

const movedInto = (tab: Tab, state: State): Tab => movedTo(tab, tab.cursor, listHeight(state));

/** The first rows at once; when more have come than that, all are put in order when the last is there. */
function withRows(old: Tab, rows: Tab['rows'], state: State): Tab {
  const tab = old.isStale ? { ...old, rows: [], shown: [], isStale: false, isComplete: false } : old;
  const more = { ...tab, rows: [...tab.rows, ...rows] };
  return tab.rows.length === 0 ? movedInto(arranged(more), state) : more;
}

/** Read again every directory that is seen, and say afterwards what is in it now; until then the old list stays. */
export function relisted(state: State): Step {
  return state.panes.reduce<Step>(
    (step, _, at) => followedBy(step, (now) => relistedPane(now, at === 0 ? 0 : 1)),
    still(state),
  );
}

function relistedPane(state: State, at: 0 | 1): Step {
  const pane = state.panes[at];
  const tab = pane?.tabs[pane.tab];
  if (tab === undefined || tab.place === '') return still(state);
  const memory = new Map(tab.memory);
  const row = currentRow(tab);
  // A new name that the cursor is to go to has been remembered already.
  if (row !== undefined && !memory.has(tab.dir)) memory.set(tab.dir, row.name);
  return ask(state, { what: 'list', place: tab.place, dir: tab.dir }, (now, token) =>
    mapTabs(now, (one) => (one === tab ? { ...one, token, memory, isStale: true } : one)),
  );
}
