/** What an event leads to: the next state, and what is to be done. */
import type { AnswerOf, Ask, AskName, FailureOf, PartOf } from './ask.ts';
import type { Effect } from './event.ts';
import type { Note, State, Tab } from './state.ts';
import { activePane } from './state.ts';

export type Step = readonly [State, readonly Effect[]];

/** What answers lead to. Without `failed` the message is shown below. */
export type AnswerHandlers = {
  readonly [K in AskName]: {
    readonly part?: (state: State, event: PartOf<K>) => Step;
    readonly answer: (state: State, event: AnswerOf<K>) => Step;
    readonly failed?: (state: State, event: FailureOf<K>) => Step;
  };
};

/** What a key or a click leads to. */
export type Action = (state: State) => Step;

export const still = (state: State): Step => [state, []];

/** A tab that goes, or is to have something else: what it is being filled with is not wanted any more. */
export const unread = ({ token, isComplete }: Tab): readonly Effect[] =>
  isComplete || token === 0 ? [] : [{ kind: 'cancel', token }];

/** A question with a token of its own; `keep` stores the token where the answer belongs. */
export function ask(state: State, question: Ask, keep: (state: State, token: number) => State = (same) => same): Step {
  const token = state.token + 1;
  return [keep({ ...state, token }, token), [{ kind: 'ask', ask: question, token }]];
}

/** One step after the other. */
export function followedBy([state, effects]: Step, next: (state: State) => Step): Step {
  const [after, more] = next(state);
  return [after, [...effects, ...more]];
}

export const noted = (state: State, text: string, kind: Note['kind'] = 'info'): State => ({
  ...state,
  note: { text, kind },
});

/** The tab that is active, changed. */
export function withTab(state: State, change: (tab: Tab) => Tab): State {
  const pane = activePane(state);
  return mapTabs(state, (tab) => (tab === pane.tabs[pane.tab] ? change(tab) : tab));
}

/** Every tab that the change concerns; it gives others back as they are. */
export function mapTabs(state: State, change: (tab: Tab) => Tab): State {
  const [first, second] = state.panes;
  const mapped = (pane: typeof first) => {
    const tabs = pane.tabs.map(change);
    return tabs.every((tab, i) => tab === pane.tabs[i]) ? pane : { ...pane, tabs };
  };
  return { ...state, panes: second === undefined ? [mapped(first)] : [mapped(first), mapped(second)] };
}
