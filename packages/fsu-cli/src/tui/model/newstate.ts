/** The browser before anything has happened. */
import { noEdits } from './editing-state.ts';
import { newTab } from './listing.ts';
import { nothingSeen } from './looking-state.ts';
import type { State } from './state.ts';

export const newState = (init: Pick<State, 'image' | 'look' | 'columns' | 'lines'>): State => ({
  ...init,
  places: new Map(),
  stack: [],
  stackCursor: 0,
  panes: [{ tabs: [newTab('', '/')], tab: 0 }],
  active: 0,
  focus: 'list',
  screen: { name: 'files' },
  note: undefined,
  prompt: undefined,
  tasks: [],
  looking: nothingSeen,
  editing: noEdits,
  sought: '',
  prefix: '',
  token: 0,
});
