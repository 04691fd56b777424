/** Bookmarks: directories with a name, for as long as the browser runs. */
import { offered } from './lineinput.ts';
import { openSpot } from './moving.ts';
import { opened, rearranged } from './picking.ts';
import type { PickRow } from './looking-state.ts';
import { lineQuestion } from './prompt.ts';
import type { PromptHandlers } from './prompt.ts';
import { activeTab } from './state.ts';
import type { Bookmark, State } from './state.ts';
import { noted, still } from './step.ts';
import type { Action, Step } from './step.ts';

const rowOf = ({ name, place, dir }: Bookmark): PickRow => ({ path: dir, text: `${name}  ${place}:`, style: 'dir' });

function listed(state: State): Step {
  const { bookmarks } = state;
  if (bookmarks.length === 0) return still(noted(state, 'no bookmarks: m makes one', 'error'));
  const { place, dir } = activeTab(state);
  return still(opened(state, { kind: 'bookmarks', title: 'bookmarks', place, dir, rows: bookmarks.map(rowOf) }));
}

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
    if (bookmarks.length === 0) return still({ ...state, bookmarks, screen: { name: 'files' } });
    return still(rearranged({ ...state, bookmarks }, { ...screen, rows: bookmarks.map(rowOf) }));
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
      return still(noted({ ...state, bookmarks: [...others, { name, place, dir }] }, `' lists the bookmarks`));
    },
  },
};
