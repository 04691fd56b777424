/** The review of what is staged: asked for, asked again when that has changed, and given up when nobody looks any more. */
import type { Effect } from './event.ts';
import type { State } from './state.ts';
import { ask, followedBy, noted, still } from './step.ts';
import type { AnswerHandlers, Step } from './step.ts';

/** `top`: the line that it begins with, once it is there. */
export const reviewed = (state: State, top: number): Step =>
  followedBy([state, reviewDropped(state)], (before) =>
    ask(before, { what: 'review' }, (now, token) => ({
      ...now,
      screen: { name: 'review', top, images: undefined, token },
    })),
  );

/** It shows what is staged now; nothing left: there is nothing to review. */
export function reviewedAgain(state: State): Step {
  const { screen, editing } = state;
  if (screen.name !== 'review') return still(state);
  return editing.staged.length === 0
    ? [{ ...state, screen: { name: 'files' } }, reviewDropped(state)]
    : reviewed(state, screen.top);
}

/** One that is not there yet is not wanted any more. */
export const reviewDropped = ({ screen }: State): readonly Effect[] =>
  screen.name === 'review' && screen.images === undefined ? [{ kind: 'cancel', token: screen.token }] : [];

const isAwaited = ({ screen }: State, token: number): boolean => screen.name === 'review' && screen.token === token;

export const reviewingAnswers: Pick<AnswerHandlers, 'review'> = {
  review: {
    answer: (state, { token, value }) =>
      still(
        state.screen.name === 'review' && isAwaited(state, token)
          ? { ...state, screen: { ...state.screen, images: value } }
          : state,
      ),
    failed: (state, { token, message }) =>
      still(isAwaited(state, token) ? noted({ ...state, screen: { name: 'files' } }, message, 'error') : state),
  },
};
