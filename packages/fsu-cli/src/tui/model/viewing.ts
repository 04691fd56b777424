/** The pager: a file of any size, of which the browser has a window, as text or as numbers. */
import { bytesAcross } from '../look/hex.ts';
import { encoded, encodingOf, lineStart, nextLine, previousLine } from '../look/text.ts';
import { layoutOf } from './layout.ts';
import type { View } from './looking-state.ts';
import { offered } from './lineinput.ts';
import { lineQuestion } from './prompt.ts';
import type { PromptHandlers } from './prompt.ts';
import { activeTab, currentRow, HOST, pathIn } from './state.ts';
import type { State } from './state.ts';
import { ask, noted, still } from './step.ts';
import type { Action, AnswerHandlers, Step } from './step.ts';

/** Bytes of the window before the screen's first, and in all. */
const BEFORE = 16 * 1024;
const WINDOW = 64 * 1024;

/** Lines of the file on the screen, below the heading. */
const heightOf = (state: State): number => Math.max(1, layoutOf(state).middle.height - 1);

const inView =
  (act: (state: State, view: View) => Step): Action =>
  (state) =>
    state.screen.name === 'view' ? act(state, state.screen) : still(state);

const withView = (state: State, view: View): State => ({ ...state, screen: { ...view, name: 'view' } });

/** The screen begins at a byte; the window around it is asked for. */
function viewAt(state: State, view: View, offset: number, settles: View['settles'] = 'nowhere'): Step {
  const at = Math.max(0, Math.min(offset, Math.max(0, view.size - 1)));
  // Even, so that both bytes of a character are in it.
  const start = Math.max(0, at - BEFORE - (at % 2));
  const [now, effects] = ask(
    state,
    { what: 'window', place: view.place, path: view.path, offset: start, length: WINDOW },
    (one, token) => withView(one, { ...view, offset: at, settles, token }),
  );
  return [now, [{ kind: 'cancel', token: view.token }, ...effects]];
}

/** Down or up by lines, as far as the window goes. */
const by = (lines: (state: State) => number): Action =>
  inView((state, view) => viewAt(state, view, steppedFrom(view, view.offset, { lines: lines(state), state })));

interface Stepping {
  readonly lines: number;
  readonly state: State;
}

function steppedFrom(view: View, offset: number, { lines, state }: Stepping): number {
  const { bytes, start, encoding, isHex, size } = view;
  if (isHex || encoding === undefined) {
    const across = bytesAcross(state.columns);
    const last = Math.max(0, Math.ceil(size / across) - 1) * across;
    return Math.max(0, Math.min(offset - (offset % across) + lines * across, last));
  }
  let at = offset - start;
  for (let n = 0; n < lines; n++) {
    const next = nextLine(bytes, at, encoding);
    // The last line stays on the screen.
    if (start + next >= size || next >= bytes.length) break;
    at = next;
  }
  for (let n = 0; n > lines; n--) at = previousLine(bytes, at, encoding);
  return start + at;
}

const search = (state: State, view: View, from: number): Step => {
  const { sought, encoding, isHex, way } = view;
  const wanted = encoded(sought, (isHex ? undefined : encoding) ?? 'UTF-8');
  if (sought === '' || wanted === undefined) return still(withView(state, { ...view, search: 'failed' }));
  return ask(state, { what: 'seek', place: view.place, path: view.path, wanted, from, way }, (now, token) =>
    withView(now, { ...view, search: 'runs', token }),
  );
};

export const viewingActions: Readonly<Record<string, Action>> = {
  view(state) {
    const tab = activeTab(state);
    const row = currentRow(tab);
    if (row === undefined) return still(state);
    if (tab.place === HOST || tab.place === '') return still(noted(state, 'only in images', 'error'));
    if (row.type !== 'reg') return still(noted(state, 'only a regular file has contents', 'error'));
    const { place } = tab;
    const view: View = {
      place,
      path: pathIn(tab.dir, row.name),
      size: row.size,
      isHex: false,
      encoding: undefined,
      offset: 0,
      start: 0,
      bytes: new Uint8Array(),
      settles: 'nowhere',
      sought: '',
      way: 'ahead',
      search: 'none',
      token: 0,
    };
    return viewAt(state, view, 0);
  },
  viewDown: by(() => 1),
  viewUp: by(() => -1),
  viewPageDown: by((state) => Math.max(1, heightOf(state) - 1)),
  viewPageUp: by((state) => -Math.max(1, heightOf(state) - 1)),
  viewFirst: inView((state, view) => viewAt(state, view, 0)),
  viewLast: inView((state, view) => viewAt(state, view, view.size - 1, 'end')),
  viewHex: inView((state, view) =>
    view.encoding === undefined ? still(state) : viewAt(state, { ...view, isHex: !view.isHex }, view.offset, 'line'),
  ),
  viewSearch: inView((state, { sought }) => lineQuestion(state, 'viewSearch', 'search for: ', offered(sought))),
  viewNext: inView((state, view) => search(state, { ...view, way: 'ahead' }, view.offset + lineBytes(state, view))),
  viewBack: inView((state, view) => search(state, { ...view, way: 'back' }, view.offset)),
};

/** The next search begins behind the first line of the screen, which has the place that was found. */
function lineBytes(state: State, view: View): number {
  if (view.isHex || view.encoding === undefined) return bytesAcross(state.columns);
  const at = view.offset - view.start;
  return Math.max(1, nextLine(view.bytes, at, view.encoding) - at);
}

export const viewingPrompts: PromptHandlers = {
  answered: {
    viewSearch: (state, text) =>
      state.screen.name === 'view'
        ? search(state, { ...state.screen, sought: text, way: 'ahead' }, state.screen.offset)
        : still(state),
  },
};

const asked = (state: State, token: number, act: (view: View) => Step): Step =>
  state.screen.name === 'view' && state.screen.token === token ? act(state.screen) : still(state);

export const viewingAnswers: Pick<AnswerHandlers, 'window' | 'seek'> = {
  window: {
    answer: (state, { token, value }) =>
      asked(state, token, (view) => {
        const start = Math.max(0, view.offset - BEFORE - (view.offset % 2));
        const isFirst = view.bytes.length === 0 && start === 0;
        const guess = isFirst ? encodingOf(value, value.length >= view.size) : undefined;
        const now = {
          ...view,
          bytes: value,
          start,
          ...(isFirst ? { encoding: guess?.encoding, isHex: guess === undefined } : {}),
        };
        return still(withView(state, { ...now, offset: settled(state, now), settles: 'nowhere' }));
      }),
  },
  seek: {
    answer: (state, { token, value }) =>
      asked(state, token, (view) =>
        value === undefined
          ? still(withView(state, { ...view, search: 'failed' }))
          : viewAt(state, { ...view, search: 'none' }, value, 'line'),
      ),
    failed: (state, { token, message }) =>
      asked(state, token, (view) => still(noted(withView(state, { ...view, search: 'none' }), message, 'error'))),
  },
};

/** Where the screen begins, now that it is known what is there. */
function settled(state: State, view: View): number {
  const { settles, offset, bytes, start, encoding, isHex, size } = view;
  if (settles === 'nowhere') return offset;
  if (isHex || encoding === undefined) {
    const across = bytesAcross(state.columns);
    const rows = settles === 'end' ? heightOf(state) - 1 : 0;
    return Math.max(0, offset - (offset % across) - rows * across);
  }
  // The file may have become shorter meanwhile.
  const at = Math.min(offset - start, bytes.length);
  if (settles === 'line') return start + lineStart(bytes, at, encoding);
  const end = Math.min(size - start, bytes.length);
  let top = end;
  for (let n = 0; n < heightOf(state); n++) top = previousLine(bytes, top, encoding);
  return start + top;
}
