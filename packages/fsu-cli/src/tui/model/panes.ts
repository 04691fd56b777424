/** Tabs, two panes, and what of the screen has the focus. */
import { listHeight, layoutOf } from './layout.ts';
import { movedTo, newTab } from './listing.ts';
import { enterPlace, goAhead, goBack, list, refreshedTab } from './moving.ts';
import { lineQuestion } from './prompt.ts';
import type { PromptHandlers } from './prompt.ts';
import { activePane, activeTab, HOST } from './state.ts';
import type { Pane, State } from './state.ts';
import { ask, noted, still, unread, withTab } from './step.ts';
import type { Action, Step } from './step.ts';

function withPane(state: State, pane: Pane): State {
  const [first, second] = state.panes;
  if (second === undefined) return { ...state, panes: [pane] };
  return { ...state, panes: state.active === 0 ? [pane, second] : [first, pane] };
}

/** Another tab of the active pane; what is in its directory may have changed meanwhile. */
function shownTab(state: State, at: number): Step {
  const pane = activePane(state);
  if (at === pane.tab || pane.tabs[at] === undefined) return still(state);
  const now = withPane(state, { ...pane, tab: at });
  return refreshedTab(withTab(now, (tab) => movedTo(tab, tab.cursor, listHeight(state))));
}

const turned =
  (by: 1 | -1): Action =>
  (state) => {
    const { tab, tabs } = activePane(state);
    return shownTab(state, (tab + by + tabs.length) % tabs.length);
  };

const MAX_TABS = 9;

function openTab(state: State): Step {
  const pane = activePane(state);
  if (pane.tabs.length === MAX_TABS) return still(noted(state, `there are ${MAX_TABS} tabs, which is all`));
  const tab = activeTab(state);
  if (tab.place === '') return still(state);
  const copy = { ...newTab(tab.place, tab.dir, tab), cursor: tab.cursor };
  const tabs = [...pane.tabs.slice(0, pane.tab + 1), copy, ...pane.tabs.slice(pane.tab + 1)];
  return list(withPane(state, { tabs, tab: pane.tab + 1 }), copy);
}

function closeTab(state: State): Step {
  const pane = activePane(state);
  if (pane.tabs.length === 1) return still(noted(state, 'this is the last tab'));
  const closed = activeTab(state);
  const tabs = pane.tabs.filter((_, at) => at !== pane.tab);
  const [now, effects] = refreshedTab(withPane(state, { tabs, tab: Math.min(pane.tab, tabs.length - 1) }));
  return [now, [...unread(closed), ...effects]];
}

/** The second list begins at the host: files go between it and the image. */
function twoPanes(state: State): Step {
  const [first, second] = state.panes;
  if (second !== undefined) {
    const kept = activePane(state);
    const dropped = state.panes.filter((pane) => pane !== kept).flatMap(({ tabs }) => tabs);
    return [{ ...state, panes: [kept], active: 0 }, dropped.flatMap(unread)];
  }
  const panes = [first, { tabs: [newTab('', '/')], tab: 0 }] as const;
  return enterPlace({ ...state, panes, active: 1, focus: 'list' }, HOST);
}

/** From the list to the other one, or to the tree and back. */
function otherFocus(state: State): Step {
  if (state.focus === 'stack') return still({ ...state, focus: 'list' });
  if (state.panes.length === 2) return still({ ...state, active: state.active === 0 ? 1 : 0 });
  return still({ ...state, focus: 'stack' });
}

/** The cursor of the tree. */
const inStack = (state: State, to: (at: number) => number): Step =>
  still({ ...state, stackCursor: Math.max(0, Math.min(to(state.stackCursor), state.stack.length - 1)) });

const stackPage = (state: State): number => Math.max(1, Math.floor((layoutOf(state).stack?.height ?? 2) / 2));

export const paneActions: Readonly<Record<string, Action>> = {
  newTab: openTab,
  closeTab,
  nextTab: turned(1),
  previousTab: turned(-1),
  ...Object.fromEntries(
    Array.from({ length: MAX_TABS }, (_, at): [string, Action] => [`tab${at + 1}`, (state) => shownTab(state, at)]),
  ),
  back: goBack,
  ahead: goAhead,
  twoPanes,
  otherFocus,
  focusStack: (state) => still({ ...state, focus: 'stack' }),
  focusList: (state) => still({ ...state, focus: 'list' }),
  stackDown: (state) => inStack(state, (at) => at + 1),
  stackUp: (state) => inStack(state, (at) => at - 1),
  stackPageDown: (state) => inStack(state, (at) => at + stackPage(state)),
  stackPageUp: (state) => inStack(state, (at) => at - stackPage(state)),
  stackFirst: (state) => inStack(state, () => 0),
  stackLast: (state) => inStack(state, () => Infinity),
  stackEnter(state) {
    const node = state.stack[state.stackCursor];
    if (node === undefined) return still(state);
    if (node.kind === 'fs' && node.advice === '') return enterPlace(state, node.id);
    return still(noted(state, node.advice === '' ? `${node.label}: no file system to enter` : node.advice));
  },
  openImage: (state) => lineQuestion(state, 'openImage', 'open another image: '),
};

export const panePrompts: PromptHandlers = {
  answered: {
    openImage: (state, image) => (image === '' ? still(state) : ask(state, { what: 'stack', image })),
  },
};
