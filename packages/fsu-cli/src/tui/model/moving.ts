/** Walking about: the cursor, directories, file systems. */
import { safeText } from '../../format/name.ts';
import { listHeight } from './layout.ts';
import { unasked } from './links.ts';
import { arranged, movedTo, newTab, noRows, walkedTo, withMore } from './listing.ts';
import type { Entries } from './order.ts';
import { enterFile } from './nesting.ts';
import { activeTab, currentRow, HOST, pathIn } from './state.ts';
import type { Place, PlaceId, Spot, State, Tab } from './state.ts';
import { ask, followedBy, mapTabs, noted, still, unread, withTab } from './step.ts';
import type { AnswerHandlers, Step } from './step.ts';

const by =
  (lines: (state: State) => number) =>
  (state: State): Step =>
    still(withTab(state, (tab) => walkedTo(tab, tab.cursor + lines(state), listHeight(state))));

const page = (state: State): number => Math.max(1, listHeight(state) - 1);

export const movingActions = {
  down: by(() => 1),
  up: by(() => -1),
  pageDown: by(page),
  pageUp: by((state) => -page(state)),
  halfDown: by((state) => Math.ceil(page(state) / 2)),
  halfUp: by((state) => -Math.ceil(page(state) / 2)),
  first: (state: State): Step => still(withTab(state, (tab) => walkedTo(tab, 0, listHeight(state)))),
  last: (state: State): Step => still(withTab(state, (tab) => walkedTo(tab, tab.shown.length - 1, listHeight(state)))),
  enter(state: State): Step {
    const tab = activeTab(state);
    const row = currentRow(tab);
    if (row?.type === 'dir') return openDir(state, pathIn(tab.dir, row.name));
    return row?.type === 'lnk'
      ? ask(state, { what: 'follow', place: tab.place, path: pathIn(tab.dir, row.name), isLink: true })
      : enterFile(state);
  },
  parent(state: State): Step {
    const { place, dir } = activeTab(state);
    return dir === '/' ? leftImage(state) : openAround(state, place, dir);
  },
} as const;

/** Out of an image that is a file of another: the cursor is on the file. */
function leftImage(state: State): Step {
  const within = state.places.get(activeTab(state).place)?.within;
  if (within === undefined) return still(state);
  return openAround(state, within.place, within.path);
}

/** The directory that something is in, with the cursor on it. */
function openAround(state: State, place: PlaceId, path: string): Step {
  const at = path.lastIndexOf('/');
  return openEntry(state, { place, dir: path.slice(0, at) || '/' }, path.slice(at + 1));
}

/** Where the tab is goes into its history. */
function left(tab: Tab): Tab {
  if (tab.place === '') return tab;
  const back = [...tab.back, { place: tab.place, dir: tab.dir }].slice(-HISTORY);
  return { ...tab, back, ahead: [] };
}

const HISTORY = 100;

/** Another directory of the same place in the active tab. */
export const openDir = (state: State, dir: string): Step => openSpot(state, { place: activeTab(state).place, dir });

/** A directory of any place in the active tab. */
export function openSpot(state: State, spot: Spot): Step {
  const tab = activeTab(state);
  return spot.place === tab.place && spot.dir === tab.dir ? goTo(state, tab, spot) : goTo(state, left(tab), spot);
}

/** As openSpot(), with the history that `tab` has. */
function goTo(state: State, tab: Tab, { place, dir }: Spot): Step {
  const memory = new Map(tab.memory);
  const row = currentRow(tab);
  if (row !== undefined) memory.set(tab.dir, row.name);
  // Going up: the cursor is on where one came from.
  if (tab.place === place && tab.dir.startsWith(dir === '/' ? '/' : `${dir}/`) && !memory.has(dir)) {
    const rest = tab.dir.slice(dir === '/' ? 1 : dir.length + 1);
    memory.set(dir, rest.split('/', 1)[0] ?? rest);
  }
  return list({ ...state, focus: 'list' }, newTab(place, dir, { ...tab, memory }));
}

/** The cursor will be on an entry of the directory. */
export function openEntry(state: State, spot: Spot, name: string): Step {
  return followedBy(openSpot(state, spot), (now) =>
    still(withTab(now, (tab) => ({ ...tab, memory: new Map(tab.memory).set(spot.dir, name) }))),
  );
}

export function goBack(state: State): Step {
  const tab = activeTab(state);
  const spot = tab.back.at(-1);
  if (spot === undefined) return still(noted(state, 'nowhere to go back to'));
  const ahead = [...tab.ahead, { place: tab.place, dir: tab.dir }];
  return goTo(state, { ...tab, back: tab.back.slice(0, -1), ahead }, spot);
}

export function goAhead(state: State): Step {
  const tab = activeTab(state);
  const spot = tab.ahead.at(-1);
  if (spot === undefined) return still(noted(state, 'nowhere to go on to'));
  const back = [...tab.back, { place: tab.place, dir: tab.dir }];
  return goTo(state, { ...tab, back, ahead: tab.ahead.slice(0, -1) }, spot);
}

/** Read the directory of a tab, which takes the place of the active one. */
export function list(state: State, tab: Tab): Step {
  return followedBy([state, unread(activeTab(state))], (before) =>
    ask({ ...before, note: undefined }, { what: 'list', place: tab.place, dir: tab.dir }, (now, token) =>
      withTab(now, () => ({ ...tab, token })),
    ),
  );
}

/** The entries of the active tab, which may have changed while it was not seen. */
export const refreshedTab = (state: State): Step => relistedPane(state, state.active);

/** The first thing that happens: what is the image made of? */
export const beginning = (state: State): Step => ask(state, { what: 'stack' });

/** Nothing is there to be seen: it ends as `fsu ls` would. */
const ending = (state: State, { message, status }: { readonly message: string; readonly status: number }): Step => [
  state,
  [{ kind: 'quit', status, message: `${safeText(state.image)}: ${message}` }],
];

export const movingAnswers: Pick<AnswerHandlers, 'stack' | 'enter' | 'standing' | 'follow' | 'list'> = {
  stack: {
    answer(state, { value }) {
      const known = new Set(state.stack.map(({ id }) => id));
      const isFirst = state.stack.length === 0;
      const images = [...state.stack.filter(({ id }) => id !== HOST), ...value.filter(({ id }) => !known.has(id))];
      const stack = [...images, hostNode];
      const first = value.find((node) => node.kind === 'fs' && node.advice === '');
      const at = stack.findIndex(({ id }) => id === (first ?? value[0])?.id);
      const now = { ...state, stack, stackCursor: Math.max(0, at) };
      // The command line has said which one.
      const { place } = activeTab(state);
      if (isFirst && place !== '') return enterPlace(now, place);
      if (first !== undefined) return enterPlace(now, first.id);
      // What is wrong with it, opening it says best; partitions that cannot be entered are worth a look all the same.
      if (isFirst && value.length === 1) return enterPlace(now, state.image);
      const why = noted(now, 'no file system here that can be opened', 'error');
      return still(isFirst ? why : { ...why, focus: 'stack' });
    },
    failed: (state, event) =>
      state.stack.length === 0 ? ending(state, event) : still(noted(state, event.message, 'error')),
  },
  enter: {
    answer(state, { token, value }) {
      const now = withPlace(state, { ...state.places.get(value.id), ...value });
      // Another directory was gone to meanwhile.
      if (activeTab(now).token !== token) return still(now);
      // Nothing was entered before: the command line has said which directory, too.
      if (state.places.size === 0) return list(now, newTab(value.id, activeTab(now).dir, activeTab(now)));
      return openSpot(now, { place: value.id, dir: value.home ?? '/' });
    },
    failed(state, event) {
      const { token, message } = event;
      // Of an image that has something else in it, that may be entered.
      if (state.places.size === 0 && state.stack.filter(({ id }) => id !== HOST).length <= 1)
        return ending(state, event);
      const why = noted(state, message, 'error');
      return activeTab(state).token === token && activeTab(state).place !== '' ? refreshedNoting(why) : still(why);
    },
  },
  standing: {
    answer(state, { token, value }) {
      const place = [...state.places.values()].find(({ standingToken }) => standingToken === token);
      return still(place === undefined ? state : withPlace(state, { ...place, standing: value }));
    },
    // The list is there: what could be wrong, opening it has said.
    failed: still,
  },
  follow: {
    answer(state, { value: { place, path, isLink, isDir } }) {
      if (isLink && !isDir) return still(noted(state, 'the link does not lead to a directory'));
      if (activeTab(state).place !== place) return still(state);
      return isDir ? openDir(state, path) : openAround(state, place, path);
    },
  },
  list: {
    part: (state, { token, value }) => still(inTab(state, token, (tab) => withEntries(tab, value, state))),
    answer: (state, { token, value: byName }) =>
      standingAsked(
        inTab(state, token, (tab) =>
          movedInto(
            { ...arranged({ ...emptied(tab), byName }), isComplete: true, isStale: false, goal: undefined },
            state,
          ),
        ),
      ),
    failed: (state, { token, message }) =>
      still(inTab(state, token, (tab) => ({ ...tab, isComplete: true, failure: message }))),
  },
};

const withPlace = (state: State, place: Place): State => ({
  ...state,
  places: new Map(state.places).set(place.id, place),
});

/** How the place that is seen stands, asked once: on a large file system it takes longer than its first list. */
function standingAsked(state: State): Step {
  const place = state.places.get(activeTab(state).place);
  if (place === undefined || place.id === HOST || place.standingToken !== undefined) return still(state);
  return ask(state, { what: 'standing', place: place.id }, (now, token) =>
    withPlace(now, { ...place, standingToken: token }),
  );
}

/** How places stand may have changed: it is asked again when they are seen. */
export const withoutStandings = (state: State): State => ({
  ...state,
  places: new Map([...state.places].map(([id, place]) => [id, { ...place, standingToken: undefined }])),
});

/** Rows of before go as the first new ones come; the cursor will be on the same name. */
const emptied = (tab: Tab): Tab =>
  tab.isStale ? { ...tab, ...noRows, goal: tab.goal ?? currentRow(tab)?.name, links: unasked(tab.links) } : tab;

/** The tab that asked. */
const inTab = (state: State, token: number, change: (tab: Tab) => Tab): State =>
  mapTabs(state, (tab) => (tab.token === token ? change(tab) : tab));

/** The host is where files come from and go to. */
const hostNode = {
  id: HOST,
  depth: 0,
  kind: 'fs',
  label: 'host',
  detail: 'this computer',
  advice: '',
} as const;

/** Open a place in the active tab, once it is known. */
export function enterPlace(state: State, place: PlaceId): Step {
  return followedBy([state, unread(activeTab(state))], (before) =>
    ask(before, { what: 'enter', place }, (now, token) => withTab(now, (tab) => ({ ...tab, token }))),
  );
}

const refreshedNoting = (state: State): Step =>
  followedBy(refreshedTab(state), (now) => still({ ...now, note: state.note }));

const movedInto = (tab: Tab, state: State): Tab => movedTo(tab, tab.cursor, listHeight(state));

function withEntries(old: Tab, entries: Entries, state: State): Tab {
  const tab = old.isStale ? { ...emptied(old), isStale: false, isComplete: false } : old;
  return movedInto(withMore(tab, entries), state);
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
  return ask(state, { what: 'list', place: tab.place, dir: tab.dir }, (now, token) =>
    mapTabs(now, (one) => (one === tab ? { ...one, token, isStale: true } : one)),
  );
}
