/** Running lines of edits, and seeing afterwards what has become of the lists. */
import { choiceQuestion, yesOrNo } from './prompt.ts';
import { activeTab, HOST } from './state.ts';
import { addressOf, imageOptions } from './words.ts';
import type { Named } from './words.ts';
import type { PlaceId, State } from './state.ts';
import { ask, followedBy, noted, still } from './step.ts';
import type { Step } from './step.ts';
import { relisted } from './moving.ts';

/** The file system that was entered first: lines that name no image mean it. */
export const rootPlace = (state: State): PlaceId | undefined => [...state.places.keys()].find((id) => id !== HOST);

/** What commands call a place. */
export const namedOf = (state: State, id: PlaceId): Named =>
  state.places.get(id)?.named ?? { image: id, partition: '' };

/** A person's word is needed before the first edit. */
export const wordFor = (state: State, lines: readonly string[]): Step =>
  choiceQuestion(state, 'allow', 'edit it? nothing is written before you commit:', yesOrNo, lines);

/** Run a line. */
export const edit = (state: State, line: string): Step => editAll(state, [line]);

/** Run lines as one edit: all of them, or none. */
export function editAll(state: State, lines: readonly string[], { isRedo = false } = {}): Step {
  const { editing } = state;
  if (lines.length === 0) return still(noted(state, 'nothing to do'));
  if (editing.token !== 0) return still(noted(state, 'wait for the edit that runs, or cancel it with Ctrl-C', 'error'));
  return ask({ ...state, note: undefined }, { what: 'run', lines, mayEdit: editing.isAllowed }, (now, token) => ({
    ...now,
    tasks: [...now.tasks, { token, title: lines.join('; '), progress: '' }],
    editing: { ...now.editing, token, isRedo },
  }));
}

/** Every directory that is seen is read again; the cursors stay. */
export const refreshed = (state: State): Step => followedBy(still(state), relisted);

/** Options of a line that is about a place. */
export const optionsFor = (state: State, place: PlaceId): readonly string[] =>
  place === rootPlace(state) ? [] : imageOptions(namedOf(state, place));

/**
 * A path as an operand that may be an address, of a line on `line`. The script's image goes without its name, so that the lines can be
 * run on any other; and `/a:b` could be the address of b in a host's /a.
 */
export function operandFor(state: State, place: PlaceId, path: string, line: PlaceId): string {
  if (place === line && !path.includes(':')) return path;
  return place === rootPlace(state) ? `:${path}` : addressOf(namedOf(state, place), path);
}

/** The place that is shown. */
export const placeOptions = (state: State): readonly string[] => optionsFor(state, activeTab(state).place);
