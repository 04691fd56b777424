/** Which keys matter now: the words of the status line, and what may follow a key that begins combinations. */
import { bindingsIn, hereIn } from '../keys/index.ts';
import type { KeyBinding } from '../keys/binding.ts';
import { activeTab } from '../model/state.ts';
import type { State } from '../model/state.ts';
import { span } from './line.ts';
import type { Line } from './line.ts';

/** Actions, and what they are called in a word or two. */
type Hints = Readonly<Record<string, string>>;

const back: Hints = { closeScreen: 'back', showHelp: 'help' };

const onScreens: Readonly<Record<Exclude<KeyBinding['in'], 'list' | 'pick' | 'everywhere'>, Hints>> = {
  stack: {
    quit: 'quit',
    showHelp: 'help',
    stackEnter: 'enter',
    focusList: 'back to the list',
    openImage: 'open another',
  },
  help: { closeScreen: 'back', helpFilter: 'filter', helpPageDown: 'page down' },
  review: {
    ...back,
    commit: 'commit',
    undo: 'undo the last',
    discardAll: 'discard all',
    saveScript: 'save as a script',
  },
  facts: back,
  output: back,
  contents: { contentsClose: 'back', showHelp: 'help' },
  view: { ...back, viewSearch: 'search', viewNext: 'next', viewHex: 'text or numbers' },
};

const ofFindings = {
  found: { pickGo: 'go there' },
  usage: { pickGo: 'into it', pickUpDir: 'above', pickApparent: 'other sizes' },
  compare: { pickGo: 'how it differs', pickAdded: 'added', pickRemoved: 'removed', pickChanged: 'changed' },
  bookmarks: { pickGo: 'go there', pickDrop: 'drop' },
} as const;

function hintsOf(state: State): Hints {
  const { screen } = state;
  const here = hereIn(state);
  if (screen.name === 'pick') return { pickClose: 'back', showHelp: 'help', ...ofFindings[screen.kind] };
  if (here !== 'list' && here !== 'pick' && here !== 'everywhere') return onScreens[here];
  const { staged, clipboard } = state.editing;
  return {
    quit: 'quit',
    showHelp: 'help',
    ...(staged.length > 0 ? { review: 'review and commit', undo: 'undo' } : {}),
    ...(clipboard === undefined ? {} : { paste: 'paste' }),
    ...selectionHints(state),
  };
}

/** What is done with selected entries; without any, what else there is. */
function selectionHints(state: State): Hints {
  const { selected, anchor } = activeTab(state);
  if (anchor !== undefined) return { selectRange: 'to here', clear: 'no range' };
  if (selected.size > 0) return { copy: 'copy', cut: 'cut', remove: 'delete', clear: 'drop the selection' };
  return { search: 'search', details: 'details', command: 'command' };
}

/** The keys come from the tables: what is bound otherwise is told otherwise. */
export function hintLine(state: State): Line {
  const bindings = bindingsIn(state);
  return Object.entries(hintsOf(state)).flatMap(([action, words], at): Line => {
    const key = bindings.find((binding) => binding.action === action)?.keys[0];
    return key === undefined ? [] : [span(`${at === 0 ? '' : '  '}${key} ${words}`, 'dim')];
  });
}

/** The keys that may come next, each with what it does. */
export const followingKeys = (state: State): readonly Line[] =>
  bindingsIn(state).flatMap(({ keys, help }): readonly Line[] => {
    const key = keys.find((one) => one.startsWith(`${state.prefix} `));
    return key === undefined ? [] : [[span(` ${key.slice(state.prefix.length + 1)} `, 'key'), span(`${help} `)]];
  });
