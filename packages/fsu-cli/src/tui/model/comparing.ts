/** Two file systems held against each other: what was added, removed, changed; and how the contents of a file differ. */
import type { Pick, PickRow } from './looking-state.ts';
import { goTo, picked, picking, rearranged } from './picking.ts';
import { lineQuestion } from './prompt.ts';
import type { PromptHandlers } from './prompt.ts';
import { activeTab, HOST } from './state.ts';
import type { PlaceId, State } from './state.ts';
import { ask, noted, still } from './step.ts';
import type { Action, AnswerHandlers, Step } from './step.ts';

/** With the other list's image; with what is committed, where something is staged; or with one that is asked for. */
export function compare(state: State): Step {
  const { place } = activeTab(state);
  const other = state.panes[state.active === 0 ? 1 : 0];
  const tab = other?.tabs[other.tab];
  if (tab !== undefined && tab.place !== HOST && tab.place !== '' && tab.place !== place)
    return compared(state, tab.place);
  if (state.editing.staged.length > 0) return compared(state, undefined);
  return lineQuestion(state, 'compareWith', 'compare with image: ');
}

function compared(state: State, after: PlaceId | undefined): Step {
  const { place, dir } = activeTab(state);
  const title = after === undefined ? `what is staged, below ${dir}` : `from ${place} to ${after}, below ${dir}`;
  return picking(state, { kind: 'compare', title, place, after, dir }, { what: 'compare', before: place, after, dir });
}

/** Only these, or all again. */
const only =
  (change: NonNullable<Pick['only']>): Action =>
  (state) => {
    const { screen } = state;
    if (screen.name !== 'pick' || screen.kind !== 'compare') return still(state);
    return still(rearranged(state, { ...screen, only: screen.only === change ? undefined : change, cursor: 0 }));
  };

export const comparingActions: Readonly<Record<string, Action>> = {
  pickAdded: only('added'),
  pickRemoved: only('removed'),
  pickChanged: only('changed'),
  contentsClose: ({ screen, ...state }) =>
    still({ ...state, screen: screen.name === 'contents' ? { ...screen.pick, name: 'pick' } : screen }),
};

/** How the contents differ, of a file that is on both sides; otherwise to where it is. */
export function lookedInto(state: State, pick: Pick, { path, change, isFile }: PickRow): Step {
  const { place, after } = pick;
  if (change === 'changed' && isFile === true) return ask(state, { what: 'contents', before: place, after, path });
  return goTo(state, { place: change === 'removed' ? place : (after ?? place), path });
}

export const comparingPrompts: PromptHandlers = {
  answered: { compareWith: (state, image) => (image === '' ? still(state) : compared(state, image)) },
};

export const comparingAnswers: globalThis.Pick<AnswerHandlers, 'compare' | 'contents'> = {
  compare: {
    part: (state, { token, value }) =>
      picked(state, token, (pick) => ({
        ...pick,
        rows: [
          ...pick.rows,
          ...value.map(({ path, change, what, isFile }): PickRow => {
            const kind = change === 'added' || change === 'removed' ? change : 'changed';
            const text = `${change.padEnd(8)} ${what === '' ? '' : `${what}  `}`;
            return { path, text, style: kind, change: kind, isFile };
          }),
        ],
      })),
    answer: (state, { token }) => picked(state, token, (pick) => ({ ...pick, isComplete: true })),
    failed: (state, { token, message }) =>
      state.screen.name === 'pick' && state.screen.token === token
        ? still(noted({ ...state, screen: { name: 'files' } }, message, 'error'))
        : still(state),
  },
  contents: {
    answer: (state, { value }) =>
      state.screen.name === 'pick'
        ? still({ ...state, screen: { name: 'contents', lines: value, top: 0, pick: state.screen } })
        : still(state),
  },
};
