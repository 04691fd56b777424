/** What actions are about: the selection, or the entry under the cursor, of a place that may be changed. */
import { activeTab, chosenNames, pathIn } from './state.ts';
import type { State } from './state.ts';
import { noted, still } from './step.ts';
import type { Action, Step } from './step.ts';

/** An action that needs a place which can be changed. */
export const changing =
  (act: Action): Action =>
  (state) => {
    const why = state.places.get(activeTab(state).place)?.readOnly;
    return why === undefined ? act(state) : still(noted(state, why, 'error'));
  };

/** An action on what is chosen: the selection, or the entry under the cursor. */
export const onChosen =
  (act: (state: State, names: readonly string[]) => Step): Action =>
  (state) => {
    const names = chosenNames(activeTab(state));
    return names.length === 0 ? still(noted(state, 'nothing is chosen', 'error')) : act(state, names);
  };

export const pathsOf = (state: State, names: readonly string[]): readonly string[] =>
  names.map((name) => pathIn(activeTab(state).dir, name));

/** What was typed: a name here, or a path from the root. */
export const pathTyped = (state: State, typed: string): string =>
  typed.startsWith('/') ? typed : pathIn(activeTab(state).dir, typed);

export const some = (names: readonly string[]): string =>
  names.length === 1 ? (names[0] ?? '') : `${names.length} entries`;
