/** The browser before anything has happened. */
import { noEdits } from './editing-state.ts';
import { newTab } from './listing.ts';
import { nothingSeen } from './looking-state.ts';
import type { Bookmark, PlaceId, State } from './state.ts';

/** `start`: where to begin; a place is what the command line chose of an image of several. */
interface Beginning extends Pick<State, 'image' | 'look' | 'columns' | 'lines'> {
  readonly start?: { readonly place: PlaceId | undefined; readonly dir: string };
  readonly bookmarks?: readonly Bookmark[];
}

export const newState = ({ start, bookmarks = [], ...init }: Beginning): State => ({
  ...init,
  places: new Map(),
  stack: [],
  stackCursor: 0,
  panes: [{ tabs: [newTab(start?.place ?? '', start?.dir ?? '/')], tab: 0 }],
  active: 0,
  focus: 'list',
  screen: { name: 'files' },
  note: undefined,
  prompt: undefined,
  over: undefined,
  tasks: [],
  looking: nothingSeen,
  editing: noEdits,
  bookmarks,
  sought: '',
  prefix: '',
  token: 0,
});
