/** Looking into things: what the entry under the cursor is, and what the file system is made of. */
import type { UsageRow } from '../kernel/looks.ts';
import { humanBsd } from '../../format/size.ts';
import { compareNames } from '../../format/name.ts';
import { compare, lookedInto } from './comparing.ts';
import { bookmarkGone } from './bookmarks.ts';
import { layoutOf } from './layout.ts';
import type { Pick, PickRow } from './looking-state.ts';
import { goTo, picked, picking, shownRows } from './picking.ts';
import { lineQuestion } from './prompt.ts';
import type { PromptHandlers } from './prompt.ts';
import { activeTab, currentRow, HOST, pathIn } from './state.ts';
import type { State } from './state.ts';
import { ask, noted, still } from './step.ts';
import type { Action, AnswerHandlers, Step } from './step.ts';

/** Of a place in an image. */
const inImage =
  (act: Action): Action =>
  (state) => {
    const { place } = activeTab(state);
    return place === HOST || place === '' ? still(noted(state, 'only in images', 'error')) : act(state);
  };

const atCursor =
  (act: (state: State, path: string) => Step): Action =>
  (state) => {
    const tab = activeTab(state);
    const row = currentRow(tab);
    return row === undefined ? still(state) : act(state, pathIn(tab.dir, row.name));
  };

const question =
  (purpose: string, title: string): Action =>
  (state) =>
    lineQuestion(state, purpose, title);

function searching(what: 'find' | 'grep', title: (text: string) => string) {
  return (state: State, text: string): Step => {
    const { place, dir } = activeTab(state);
    if (text === '') return still(state);
    return picking(state, { kind: 'found', title: title(text), place, dir }, { what, place, dir, text });
  };
}

function usageIn(state: State, dir: string, goal?: string): Step {
  const { screen } = state;
  const { place } = activeTab(state);
  const isApparent = screen.name === 'pick' && screen.isApparent;
  return picking(
    state,
    { kind: 'usage', title: `what takes the space in ${dir}`, place, dir, isApparent, goal },
    { what: 'usage', place, dir },
  );
}

export const lookingActions: Readonly<Record<string, Action>> = {
  details: inImage(atCursor((state, path) => ask(state, { what: 'details', place: activeTab(state).place, path }))),
  inspect: inImage((state) => ask(state, { what: 'inspect', place: activeTab(state).place })),
  usage: inImage((state) => usageIn(state, activeTab(state).dir)),
  find: inImage(question('find', 'find names with: ')),
  grep: inImage(question('grep', 'find files that contain: ')),
  compare: inImage(compare),
  pickGo(state) {
    const { screen } = state;
    const row = screen.name === 'pick' ? shownRows(screen)[screen.cursor] : undefined;
    if (screen.name !== 'pick' || row === undefined) return still(state);
    if (screen.kind === 'usage' && row.isDir === true) return usageIn(state, row.path);
    if (screen.kind === 'bookmarks') return bookmarkGone(state, screen.cursor);
    if (screen.kind === 'compare') return lookedInto(state, screen, row);
    return goTo(state, { place: screen.place, path: row.path });
  },
  pickUpDir(state) {
    const { screen } = state;
    if (screen.name !== 'pick' || screen.kind !== 'usage' || screen.dir === '/') return still(state);
    return usageIn(state, screen.dir.slice(0, screen.dir.lastIndexOf('/')) || '/', screen.dir);
  },
  pickApparent({ screen, ...state }) {
    if (screen.name !== 'pick' || screen.kind !== 'usage') return still({ ...state, screen });
    return still({
      ...state,
      screen: withUsage({ ...screen, isApparent: !screen.isApparent, goal: undefined, cursor: 0, top: 0 }),
    });
  },
};

export const lookingPrompts: PromptHandlers = {
  answered: {
    find: searching('find', (text) => `names with ${text}`),
    grep: searching('grep', (text) => `files that contain ${text}`),
  },
};

/** The list, made of what is known of the space. */
function withUsage<P extends Pick>(pick: P): P {
  const { usage, dir, isApparent } = pick;
  const bytesOf = ({ allocated, apparent }: UsageRow): number => (isApparent ? apparent : allocated);
  const largest = Math.max(1, ...usage.map(bytesOf));
  const rows = [...usage]
    .sort((a, b) => bytesOf(b) - bytesOf(a) || compareNames(a.name, b.name))
    .map((row): PickRow => {
      const { name, isDir, entries } = row;
      const full = Math.round((bytesOf(row) / largest) * BAR);
      const bar = `${'#'.repeat(full)}${' '.repeat(BAR - full)}`;
      return {
        path: pathIn(dir, name),
        text: `${humanBsd(bytesOf(row)).padStart(6)} [${bar}] ${isDir ? `${entries}`.padStart(8) : ''.padStart(8)} `,
        style: isDir ? 'dir' : 'plain',
        isDir,
      };
    });
  return { ...pick, rows };
}
const BAR = 20;

const foundRows = (paths: readonly string[]): readonly PickRow[] =>
  paths.map((path) => ({ path, text: '', style: 'plain' }));

const found: AnswerHandlers['find'] = {
  part: (state, { token, value }) =>
    picked(state, token, (pick) => ({ ...pick, rows: [...pick.rows, ...foundRows(value)] })),
  answer: (state, { token }) => picked(state, token, (pick) => ({ ...pick, isComplete: true })),
};

export const lookingAnswers: globalThis.Pick<
  AnswerHandlers,
  'preview' | 'details' | 'inspect' | 'usage' | 'find' | 'grep'
> = {
  preview: {
    answer: (state, { token, value }) =>
      still(state.looking.token === token ? { ...state, looking: { ...state.looking, preview: value } } : state),
    failed: (state, { token, message }) =>
      still(
        state.looking.token === token
          ? { ...state, looking: { ...state.looking, preview: { title: message, lines: [] } } }
          : state,
      ),
  },
  details: {
    answer: (state, { value }) => still({ ...state, screen: { name: 'facts', facts: value, top: 0 } }),
  },
  inspect: {
    answer: (state, { value }) => still({ ...state, screen: { name: 'facts', facts: value, top: 0 } }),
  },
  usage: {
    part: (state, { token, value }) => picked(state, token, (pick) => withUsage({ ...pick, usage: value })),
    answer: (state, { token, value }) =>
      picked(state, token, (pick) => withUsage({ ...pick, usage: value, isComplete: true })),
  },
  find: found,
  grep: {
    part: (state, event) => found.part?.(state, { ...event, what: 'find' }) ?? still(state),
    answer: (state, event) => found.answer(state, { ...event, what: 'find' }),
  },
};

/** After each event: when another entry is under the cursor, it is asked about, and the old question is not wanted any more. */
export function followed([state, effects]: Step): Step {
  const { preview } = layoutOf(state);
  if (preview === undefined || state.screen.name !== 'files') return [state, effects];
  const tab = activeTab(state);
  const row = tab.place === HOST ? undefined : currentRow(tab);
  const key =
    row === undefined
      ? ''
      : [tab.place, pathIn(tab.dir, row.name), row.ino, row.size, row.mtime.sec, row.mtime.nsec].join('\0');
  const { looking } = state;
  if (key === looking.key) return [state, effects];
  const cancel =
    looking.token === 0 || looking.preview !== undefined ? [] : [{ kind: 'cancel', token: looking.token } as const];
  if (row === undefined) return [{ ...state, looking: { token: 0, key, preview: undefined } }, [...effects, ...cancel]];
  const path = pathIn(tab.dir, row.name);
  const [now, asked] = ask(
    state,
    { what: 'preview', place: tab.place, path, row, width: preview.width - 1 },
    (one, token) => ({
      ...one,
      // The old one stays until the new one is there: it would flicker.
      looking: { token, key, preview: looking.preview },
    }),
  );
  return [now, [...effects, ...cancel, ...asked]];
}
