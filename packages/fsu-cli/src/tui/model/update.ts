/**
 * The reducer: what an event does to the browser. Parts of the work are in files of their own, by what they are about; here they
 * are put together.
 */
import { meaningOf } from '../keys/index.ts';
import { helpPrompts } from '../screens/help.ts';
import { screenActions } from '../screens/index.ts';
import type { AskName, AnswerOf, FailureOf, PartOf } from './ask.ts';
import type { Event } from './event.ts';
import { listHeight } from './layout.ts';
import { movedTo } from './listing.ts';
import { bookmarkActions, bookmarkAnswers, bookmarkPrompts } from './bookmarks.ts';
import { choosingActions, choosingPrompts } from './choosing.ts';
import { dialogActions, dialogAnswers, dialogPrompts } from './dialogs.ts';
import { editingActions, editingAnswers, editingPrompts } from './editing.ts';
import { ended, leavingActions, leavingAnswers, leavingPrompts } from './leaving.ts';
import { transferActions, transferAnswers, transferPrompts } from './transfer.ts';
import { comparingActions, comparingAnswers, comparingPrompts } from './comparing.ts';
import { followed, lookingActions, lookingAnswers, lookingPrompts } from './looking.ts';
import { linkAnswers, withLinks } from './links.ts';
import { nestingAnswers } from './nesting.ts';
import { viewingActions, viewingAnswers, viewingPrompts } from './viewing.ts';
import { pickingActions } from './picking.ts';
import { movingActions, movingAnswers } from './moving.ts';
import { moused } from './mouse.ts';
import { paneActions, panePrompts } from './panes.ts';
import { promptKey, promptPaste } from './prompt.ts';
import type { PromptHandlers } from './prompt.ts';
import { reviewingAnswers } from './reviewing.ts';
import type { State } from './state.ts';
import { mapTabs, noted, still } from './step.ts';
import type { Action, AnswerHandlers, Step } from './step.ts';

/** By the names that keys.ts has. */
export const actions: Readonly<Record<string, Action>> = {
  ...movingActions,
  ...paneActions,
  ...bookmarkActions,
  ...choosingActions,
  ...lookingActions,
  ...pickingActions,
  ...comparingActions,
  ...viewingActions,
  ...editingActions,
  ...dialogActions,
  ...transferActions,
  ...leavingActions,
  ...screenActions,
  suspend: (state) => [state, [{ kind: 'suspend' }]],
};

const answerHandlers: AnswerHandlers = {
  ...movingAnswers,
  ...bookmarkAnswers,
  ...linkAnswers,
  ...lookingAnswers,
  ...comparingAnswers,
  ...viewingAnswers,
  ...nestingAnswers,
  ...editingAnswers,
  ...dialogAnswers,
  ...reviewingAnswers,
  ...transferAnswers,
  ...leavingAnswers,
};

const promptHandlers = together([
  panePrompts,
  bookmarkPrompts,
  choosingPrompts,
  lookingPrompts,
  comparingPrompts,
  viewingPrompts,
  editingPrompts,
  dialogPrompts,
  transferPrompts,
  leavingPrompts,
  helpPrompts,
]);

function together(all: readonly PromptHandlers[]): PromptHandlers {
  return {
    answered: Object.assign({}, ...all.map(({ answered }) => answered)),
    typed: Object.assign({}, ...all.map(({ typed }) => typed)),
    completed: Object.assign({}, ...all.map(({ completed }) => completed)),
    dropped: Object.assign({}, ...all.map(({ dropped }) => dropped)),
  };
}

/** What the event does; whatever it was, afterwards the entry under the cursor is previewed, and links that are seen are read. */
export const update = (state: State, event: Event): Step =>
  state.over === undefined ? withLinks(followed(happened(state, event))) : withoutKernel(state, happened(state, event));

/** Nobody is there to be asked but the screen's own side, which writes scripts. */
function withoutKernel(before: State, [state, effects]: Step): Step {
  const isIdle = effects.every((effect) => effect.kind !== 'ask' || effect.ask.what === 'saveScript');
  const why = (now: State): State => noted(now, before.over ?? '', 'error');
  // Why nothing goes on stays to be read.
  return isIdle
    ? [state.note === undefined ? why(state) : state, effects]
    : still(why({ ...before, prompt: undefined }));
}

function happened(state: State, event: Event): Step {
  switch (event.kind) {
    case 'key':
      return pressed(state, event.key);
    case 'paste':
      return state.prompt === undefined ? still(state) : promptPaste(state, state.prompt, event.text, promptHandlers);
    case 'resize':
      return still(resized({ ...state, columns: event.columns, lines: event.lines }));
    case 'part':
    case 'answer':
    case 'failed':
      return answered(state, event);
    case 'ended':
      return still(ended(state, event.why));
    case 'mouse':
      return moused(state, event, acted);
  }
}

function pressed(state: State, key: string): Step {
  if (state.prompt !== undefined) return promptKey(state, state.prompt, key, promptHandlers);
  const meaning = meaningOf(state, key);
  const prefix = meaning !== 'prefix' ? '' : state.prefix === '' ? key : `${state.prefix} ${key}`;
  // A note is of what was done before.
  const ready = { ...state, prefix, note: undefined };
  if (meaning === 'prefix') return still(ready);
  const action = meaning === undefined ? undefined : actions[meaning.action];
  return action === undefined ? still(ready) : action(ready);
}

const acted = (state: State, name: string): Step => actions[name]?.(state) ?? still(state);

function answered<K extends AskName>(state: State, event: PartOf<K> | AnswerOf<K> | FailureOf<K>): Step {
  const { screen } = state;
  if (screen.name === 'help') {
    const [below, effects] = answered({ ...state, screen: screen.over }, event);
    return [below.screen.name === 'help' ? below : { ...below, screen: { ...screen, over: below.screen } }, effects];
  }
  const handler: AnswerHandlers[K] = answerHandlers[event.what];
  switch (event.kind) {
    case 'part':
      return handler.part?.(state, event) ?? still(state);
    case 'answer':
      return handler.answer(state, event);
    case 'failed':
      return handler.failed?.(state, event) ?? still(noted(state, event.message, 'error'));
  }
}

const resized = (state: State): State => mapTabs(state, (tab) => movedTo(tab, tab.cursor, listHeight(state)));
