/** Lists of findings: how they fill, where the cursor is, and the way to what is under it. */
import { layoutOf } from './layout.ts';
import { openEntry } from './moving.ts';
import type { Pick, PickRow } from './looking-state.ts';
import { activeTab } from './state.ts';
import type { PlaceId, State } from './state.ts';
import { ask, followedBy, still } from './step.ts';
import type { Action, Step } from './step.ts';

const noPick = { rows: [], usage: [], isComplete: false, cursor: 0, top: 0, token: 0 } as const;
const usual = { only: undefined, isApparent: false, goal: undefined } as const;

type Begun = Omit<Pick, keyof typeof noPick | keyof typeof usual> & Partial<globalThis.Pick<Pick, keyof typeof usual>>;

/** A list that is whole already. */
export const opened = (state: State, pick: Begun & globalThis.Pick<Pick, 'rows'>): State => ({
  ...state,
  screen: { name: 'pick', ...noPick, ...usual, ...pick, isComplete: true },
});

/** An empty list, which the answer to the question fills. */
export function picking(state: State, pick: Begun, question: Parameters<typeof ask>[1]): Step {
  return ask(state, question, (now, token) => ({
    ...now,
    screen: { name: 'pick', ...noPick, ...usual, ...pick, token },
  }));
}

/** Rows that come to the list of the question, if it is still shown. */
export function picked(state: State, token: number, change: (pick: Pick) => Pick): Step {
  const { screen } = state;
  return screen.name === 'pick' && screen.token === token ? still(rearranged(state, change(screen))) : still(state);
}

/** The list with other rows; the cursor stays within it. */
export function rearranged(state: State, pick: Pick): State {
  const height = pickHeight(state);
  const rows = shownRows(pick);
  const goal = pick.goal === undefined ? -1 : rows.findIndex(({ path }) => path === pick.goal);
  const cursor = Math.max(0, Math.min(goal < 0 ? pick.cursor : goal, rows.length - 1));
  const top = Math.max(0, Math.min(Math.max(pick.top, cursor - height + 1), cursor));
  return { ...state, screen: { ...pick, name: 'pick', cursor, top } };
}

/** The rows that are seen. */
export const shownRows = ({ rows, only }: Pick): readonly PickRow[] =>
  only === undefined ? rows : rows.filter(({ change }) => change === only);

const HEADING = 1;

/** Lines of findings on the screen, below their heading. */
export const pickHeight = (state: State): number => Math.max(1, layoutOf(state).middle.height - HEADING);

function movedBy(state: State, lines: number): Step {
  const { screen } = state;
  if (screen.name !== 'pick') return still(state);
  return still(rearranged(state, { ...screen, goal: undefined, cursor: screen.cursor + lines }));
}

/** The cursor on the row that a line of the screen shows; undefined: it shows none. */
export function pickedAt(state: State, line: number): State | undefined {
  const { screen } = state;
  if (screen.name !== 'pick') return undefined;
  const at = screen.top + line - layoutOf(state).middle.top - HEADING;
  return at >= screen.top && at < shownRows(screen).length ? rearranged(state, { ...screen, cursor: at }) : undefined;
}

/** To the lists, with the cursor on what was found: where its place is seen already, or in the active list. */
export function goTo(state: State, { place, path }: { readonly place: PlaceId; readonly path: string }): Step {
  const { screen } = state;
  if (screen.name !== 'pick') return still(state);
  const dir = path.slice(0, path.lastIndexOf('/')) || '/';
  const name = path.slice(path.lastIndexOf('/') + 1);
  const other = state.panes[state.active === 0 ? 1 : 0];
  const isOther = activeTab(state).place !== place && other?.tabs[other.tab]?.place === place;
  const active = isOther ? (state.active === 0 ? 1 : 0) : state.active;
  const lists: State = { ...state, active, screen: { name: 'files' } };
  const known: Step = state.places.has(place) ? still(lists) : ask(lists, { what: 'enter', place });
  const [now, effects] = followedBy(known, (there) => openEntry(there, { place, dir }, name));
  return [now, [...effects, { kind: 'cancel', token: screen.token }]];
}

export const pickingActions: Readonly<Record<string, Action>> = {
  pickDown: (state) => movedBy(state, 1),
  pickUp: (state) => movedBy(state, -1),
  pickPageDown: (state) => movedBy(state, pickHeight(state)),
  pickPageUp: (state) => movedBy(state, -pickHeight(state)),
  pickFirst: (state) => movedBy(state, -Infinity),
  pickLast: (state) => movedBy(state, Infinity),
  pickClose: (state) => [
    { ...state, screen: { name: 'files' } },
    state.screen.name === 'pick' ? [{ kind: 'cancel', token: state.screen.token }] : [],
  ],
};
