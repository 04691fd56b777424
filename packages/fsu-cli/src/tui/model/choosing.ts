/** Finding entries, selecting them, and how lists show them. */
import { listHeight } from './layout.ts';
import { arranged, filtered, movedTo, namesShown, walkedTo } from './listing.ts';
import { offered } from './lineinput.ts';
import { pathTyped } from './chosen.ts';
import { openDir } from './moving.ts';
import { lineQuestion } from './prompt.ts';
import type { PromptHandlers } from './prompt.ts';
import { activeTab, currentRow } from './state.ts';
import type { Row, State, Tab } from './state.ts';
import { ask, noted, still, withTab } from './step.ts';
import type { Action, Step } from './step.ts';

const question =
  (purpose: string, title: string, text: (tab: Tab) => string = () => ''): Action =>
  (state) =>
    lineQuestion(state, purpose, title, offered(text(activeTab(state))));

/** The list made anew, its cursor seen. */
const changed = (state: State, change: (tab: Tab) => Tab): Step =>
  still(
    withTab(state, (tab) => {
      const now = change(tab);
      return movedTo(now, now.cursor, listHeight(state));
    }),
  );

const sorted = (state: State, change: (sort: Tab['sort']) => Tab['sort']): Step =>
  changed(state, (tab) => arranged({ ...tab, sort: change(tab.sort) }));

const refiltered = (state: State, change: Partial<Pick<Tab, 'filter' | 'showsHidden' | 'selected' | 'anchor'>>): Step =>
  changed(state, (tab) => filtered({ ...tab, ...change }, tab));

const sortedBy =
  (by: Tab['sort']['by']): Action =>
  (state) =>
    sorted(state, (sort) => ({ ...sort, by }));

const going =
  (dir: string): Action =>
  (state) =>
    openDir(state, dir);

/** The cursor on the next entry from `start`, that one included, whose name has the text in it; around the end. */
function sought(state: State, step: 1 | -1, isStartMeant: boolean): Step {
  const tab = activeTab(state);
  const wanted = state.sought.toLowerCase();
  const count = tab.shown.length;
  for (let n = isStartMeant ? 0 : 1; n <= count; n++) {
    const at = (tab.cursor + step * n + count) % count;
    const row: Row | undefined = tab.rows[tab.shown[at] ?? -1];
    if (row?.name.toLowerCase().includes(wanted) === true)
      return still(withTab(state, (one) => walkedTo(one, at, listHeight(state))));
  }
  return still(noted(state, `no name here has ${state.sought} in it`, 'error'));
}

/** Select the entry, and on to the next: held down, it selects many. */
const selectedMoving =
  (lines: 1 | -1): Action =>
  (state) => {
    const name = currentRow(activeTab(state))?.name;
    if (name === undefined) return still(state);
    return still(
      withTab(state, (tab) =>
        walkedTo({ ...tab, selected: new Set(tab.selected).add(name) }, tab.cursor + lines, listHeight(state)),
      ),
    );
  };

export const choosingActions: Readonly<Record<string, Action>> = {
  filter: question('filter', 'filter: ', ({ filter }) => filter),
  search: question('search', '/'),
  searchNext: (state) => (state.sought === '' ? still(state) : sought(state, 1, false)),
  searchBack: (state) => (state.sought === '' ? still(state) : sought(state, -1, false)),
  jump: question('jump', 'go to: ', ({ dir }) => (dir === '/' ? '/' : `${dir}/`)),
  goRoot: going('/'),
  goEtc: going('/etc'),
  goHome: going('/home'),
  goBoot: going('/boot'),
  select(state) {
    const name = currentRow(activeTab(state))?.name;
    if (name === undefined) return still(state);
    return still(
      withTab(state, (tab) => {
        const selected = new Set(tab.selected);
        if (!selected.delete(name)) selected.add(name);
        return walkedTo({ ...tab, selected }, tab.cursor + 1, listHeight(state));
      }),
    );
  },
  selectDown: selectedMoving(1),
  selectUp: selectedMoving(-1),
  selectRange(state) {
    const tab = activeTab(state);
    const name = currentRow(tab)?.name;
    if (name === undefined) return still(state);
    if (tab.anchor === undefined)
      return still(
        noted(
          withTab(state, (one) => ({ ...one, anchor: name })),
          'V again selects all from here to there',
        ),
      );
    const names = namesShown(tab);
    // The entry where it began may be hidden, or gone: then it is this one alone.
    const begin = names.includes(tab.anchor) ? names.indexOf(tab.anchor) : tab.cursor;
    const range = names.slice(Math.min(begin, tab.cursor), Math.max(begin, tab.cursor) + 1);
    const selected = new Set([...tab.selected, ...range]);
    return still(withTab({ ...state, note: undefined }, (one) => ({ ...one, selected, anchor: undefined })));
  },
  selectAll: (state) => still(withTab(state, (tab) => ({ ...tab, selected: new Set(namesShown(tab)) }))),
  selectInverse: (state) =>
    still(
      withTab(state, (tab) => ({
        ...tab,
        selected: new Set(namesShown(tab).filter((name) => !tab.selected.has(name))),
      })),
    ),
  clear: (state) => refiltered({ ...state, note: undefined }, { selected: new Set(), anchor: undefined, filter: '' }),
  hidden: (state) => refiltered(state, { showsHidden: !activeTab(state).showsHidden }),
  sortName: sortedBy('name'),
  sortSize: sortedBy('size'),
  sortTime: sortedBy('mtime'),
  sortExt: sortedBy('ext'),
  sortNone: sortedBy('none'),
  sortReverse: (state) => sorted(state, (sort) => ({ ...sort, isReversed: !sort.isReversed })),
};

/** As text, which is how the lists go up, too. */
function cleaned(path: string): string {
  const names: string[] = [];
  for (const name of path.split('/')) {
    if (name === '..') names.pop();
    else if (name !== '' && name !== '.') names.push(name);
  }
  return `/${names.join('/')}`;
}

export const choosingPrompts: PromptHandlers = {
  answered: {
    filter: (state) => still(state),
    search: (state, text) => (text === '' ? still(state) : sought({ ...state, sought: text }, 1, false)),
    jump: (state, path) =>
      ask(state, {
        what: 'follow',
        place: activeTab(state).place,
        path: cleaned(pathTyped(state, path)),
        isLink: false,
      }),
  },
  typed: {
    filter: (state, filter) => refiltered(state, { filter }),
  },
  dropped: {
    filter: (state) => refiltered(state, { filter: '' }),
  },
};
