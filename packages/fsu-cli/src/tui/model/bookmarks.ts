/** Bookmarks: directories with a name; those of the image and of the host are kept for sessions to come. */
import { offered } from './lineinput.ts';
import { openSpot } from './moving.ts';
import { opened, rearranged } from './picking.ts';
import type { PickRow } from './looking-state.ts';
import { lineQuestion } from './prompt.ts';
import type { PromptHandlers } from './prompt.ts';
import { activeTab } from './state.ts';
import type { Bookmark, State } from './state.ts';
import { ask, noted, still } from './step.ts';
import type { Action, AnswerHandlers, Step } from './step.ts';

const rowOf = ({ name, place, dir }: Bookmark): PickRow => ({ path: dir, text: `${name}  ${place}:`, style: 'dir' });

function listed(state: State): Step {
  const { bookmarks } = state;
  if (bookmarks.length === 0) return still(noted(state, 'no bookmarks: m makes one', 'error'));
  const { place, dir } = activeTab(state);
  return still(opened(state, { kind: 'bookmarks', title: 'bookmarks', place, dir, rows: bookmarks.map(rowOf) }));
}

const withBookmarks = (state: State, bookmarks: readonly Bookmark[]): Step =>
  ask({ ...state, bookmarks }, { what: 'keepBookmarks', bookmarks });

export const bookmarkActions: Readonly<Record<string, Action>> = {
  bookmark(state) {
    const { place, dir } = activeTab(state);
    if (place === '') return still(state);
    return lineQuestion(
      state,
      'bookmark',
      'bookmark this directory as: ',
      offered(dir.slice(dir.lastIndexOf('/') + 1) || '/'),
    );
  },
  bookmarks: listed,
  pickDrop(state) {
    const { screen } = state;
    if (screen.name !== 'pick' || screen.kind !== 'bookmarks') return still(state);
    const bookmarks = state.bookmarks.filter((_, at) => at !== screen.cursor);
    return withBookmarks(
      bookmarks.length === 0
        ? { ...state, screen: { name: 'files' } }
        : rearranged(state, { ...screen, rows: bookmarks.map(rowOf) }),
      bookmarks,
    );
  },
};

/** The one under the cursor, in the active list. */
export function bookmarkGone(state: State, at: number): Step {
  const bookmark = state.bookmarks[at];
  return bookmark === undefined ? still(state) : openSpot({ ...state, screen: { name: 'files' } }, bookmark);
}

export const bookmarkPrompts: PromptHandlers = {
  answered: {
    bookmark(state, name) {
      if (name === '') return still(state);
      const { place, dir } = activeTab(state);
      // One of the same name is no longer wanted.
      const others = state.bookmarks.filter((one) => one.name !== name);
      return withBookmarks(noted(state, `' lists the bookmarks`), [...others, { name, place, dir }]);
    },
  },
};

export const bookmarkAnswers: Pick<AnswerHandlers, 'keepBookmarks'> = {
  keepBookmarks: {
    answer: still,
    failed: (state, { message }) => still(noted(state, `for this session alone: ${message}`, 'error')),
  },
};
