/** The components with ink's own renderer: what they put together is the frame, cell by cell. */
import { render } from 'ink-testing-library';
import { createElement } from 'react';
import { expect, test } from 'vitest';
import { newState } from '../model/newstate.ts';
import { noNames } from '../model/order.ts';
import type { State } from '../model/state.ts';
import { update } from '../model/update.ts';
import { paintFrame } from '../paint.ts';
import { frameOf } from '../render/frame.ts';
import { Screen } from './app.tsx';

/** The testing library's terminal has 100 columns. */
const start = (): State => newState({ image: 'disk.img', look: { colors: 0, unicode: true }, columns: 100, lines: 20 });

const withList = (state: State): State => {
  const node = { id: 'disk.img', depth: 0, kind: 'fs', label: 'disk.img', detail: 'ext4', advice: '' } as const;
  const [stacked] = update(state, { kind: 'answer', what: 'stack', token: 1, value: [node] });
  const place = { id: 'disk.img', label: 'disk.img', type: 'ext2fs', readOnly: undefined };
  const [entered] = update(stacked, { kind: 'answer', what: 'enter', token: stacked.token, value: place });
  const row = {
    type: 'reg',
    size: 5,
    bytes: 1024,
    mtime: { sec: 0, nsec: 0 },
    mode: 0o644,
    uid: 0,
    gid: 0,
    nlink: 1,
  } as const;
  const rows = ['plain', 'ünïcode', '日本語のファイル', '\x1b[31mred'].map((name, at) => ({
    ...row,
    name,
    ino: at + 12,
  }));
  const value = { rows, byName: { ...noNames, others: Uint32Array.of(3, 0, 1, 2) } };
  const [listed] = update(entered, { kind: 'part', what: 'list', token: entered.token, value });
  return listed;
};

const shown = (state: State): string => render(createElement(Screen, { state })).lastFrame() ?? '';

/** Without styles, and blanks at their ends. */
const linesOf = (frame: string): string[] =>
  frame.split('\n').map((line) => line.replace(/\x1b\[[\d;]*m/g, '').trimEnd()); // oxlint-disable-line no-control-regex -- SGR

test.each<[string, State]>([
  ['before anything is known', start()],
  ['a list with names of all kinds', withList(start())],
  ['the help screen', update(withList(start()), { kind: 'key', key: '?' })[0]],
  [
    'a question of several lines',
    {
      ...withList(start()),
      prompt: { kind: 'choice', purpose: 'x', title: 'which?', text: ['one', 'two'], choices: [], about: [] },
    },
  ],
  ['a question', update(withList(start()), { kind: 'key', key: ':' })[0]],
])('%s', (_title, state) => {
  expect(linesOf(shown(state))).toEqual(linesOf(paintFrame(frameOf(state), state.look)));
});
