import { expect, test } from 'vitest';
import { newState } from '../model/newstate.ts';
import type { Row, State } from '../model/state.ts';
import { frameOf } from './frame.ts';
import { widthOf } from './line.ts';
import { shownText } from './shown.ts';

const unicode = { colors: 0, unicode: true } as const;
const ascii = { colors: 0, unicode: false } as const;

test('without Unicode bytes are seen, and our marks in ASCII', () => {
  expect(shownText('naïve…', unicode)).toBe('naïve…');
  expect(shownText('naïve…', ascii)).toBe('na\\303\\257ve...');
  expect(shownText('2 × 3', ascii)).toBe('2 x 3');
  expect(shownText('\udcff', ascii)).toBe('\\377');
});

test.each([unicode, ascii])('control characters are never shown: %j', (look) => {
  expect(shownText('a\x1b[2Jb\n\u202e', look)).toMatch(/^a\\033\[2Jb\\n\\342\\200\\256$/);
});

test('a frame without Unicode is ASCII, and its columns keep their places', () => {
  const row: Row = { name: `日本${'é'.repeat(60)}`, type: 'reg', mode: 0o644, size: 7 } as Row;
  const state: State = newState({ image: 'ü.img', look: ascii, columns: 60, lines: 8 });
  const [pane] = state.panes;
  const tabs = pane.tabs.map((tab) => ({
    ...tab,
    place: 'ü.img',
    rows: [row],
    shown: Uint32Array.of(0),
    isComplete: false,
  }));
  const { title, columns, status } = frameOf({ ...state, panes: [{ ...pane, tabs }] });
  const texts = [title, ...columns.flatMap(({ lines }) => lines), status].map((line) =>
    line.map(({ text }) => text).join(''),
  );
  for (const text of texts) expect(text).toMatch(/^[\x20-\x7e]*$/);
  for (const { area, lines } of columns)
    for (const line of lines) expect(widthOf(line.map(({ text }) => text).join(''))).toBe(area.width);
  expect(texts.join('\n')).toMatch(/\\346\\227\\245.*~ +7/);
});
