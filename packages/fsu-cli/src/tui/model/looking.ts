/** Looking into things: what the entry under the cursor is, and what the file system is made of. */
import type { UsageRow } from '../kernel/looks.ts';
import { humanBsd } from '../../format/size.ts';
import { openDir } from './moving.ts';
import { layoutOf } from './layout.ts';
import { lineInput } from './lineinput.ts';
import type { Pick, PickRow } from './looking-state.ts';
import { asking } from './prompt.ts';
import type { PromptHandlers } from './prompt.ts';
import { activeTab, currentRow, HOST, pathIn } from './state.ts';
import type { State } from './state.ts';
import { ask, noted, still, withTab } from './step.ts';
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
    still(asking(state, { kind: 'line', purpose, title, input: lineInput(), about: [] }));

const noPick = { rows: [], isComplete: false, cursor: 0, top: 0, token: 0 } as const;

function picking(state: State, pick: Omit<Pick, keyof typeof noPick>, question: Parameters<typeof ask>[1]): Step {
  return ask(state, question, (now, token) => ({ ...now, screen: { name: 'pick', ...noPick, ...pick, token } }));
}

function searching(what: 'find' | 'grep', title: (text: string) => string) {
  return (state: State, text: string): Step => {
    const { place, dir } = activeTab(state);
    if (text === '') return still(state);
    return picking(state, { kind: 'found', title: title(text), place, dir }, { what, place, dir, text });
  };
}

function usageIn(state: State, dir: string): Step {
  const { place } = activeTab(state);
  return picking(
    state,
    { kind: 'usage', title: `what takes the space in ${dir}`, place, dir },
    { what: 'usage', place, dir },
  );
}

function movedBy(state: State, lines: number): Step {
  const { screen } = state;
  if (screen.name !== 'pick') return still(state);
  const height = pickHeight(state);
  const cursor = Math.max(0, Math.min(screen.cursor + lines, screen.rows.length - 1));
  const top = Math.max(0, Math.min(Math.max(screen.top, cursor - height + 1), cursor));
  return still({ ...state, screen: { ...screen, cursor, top } });
}

/** Lines of findings on the screen, below their heading. */
export const pickHeight = (state: State): number => Math.max(1, layoutOf(state).middle.height - 1);

export const lookingActions: Readonly<Record<string, Action>> = {
  details: inImage(atCursor((state, path) => ask(state, { what: 'details', place: activeTab(state).place, path }))),
  inspect: inImage((state) => ask(state, { what: 'inspect', place: activeTab(state).place })),
  usage: inImage((state) => usageIn(state, activeTab(state).dir)),
  find: inImage(question('find', 'find names with: ')),
  grep: inImage(question('grep', 'find files that contain: ')),
  compareStaged: inImage((state) => {
    const { place, dir } = activeTab(state);
    const other = state.panes[state.active === 0 ? 1 : 0];
    const tab = other?.tabs[other.tab];
    const after = tab === undefined || tab.place === HOST || tab.place === place ? undefined : tab.place;
    const title = after === undefined ? `what is staged, below ${dir}` : `from ${place} to ${after}, below ${dir}`;
    return picking(
      state,
      { kind: 'compare', title, place: after ?? place, dir },
      { what: 'compare', before: place, after, dir },
    );
  }),
  pickDown: (state) => movedBy(state, 1),
  pickUp: (state) => movedBy(state, -1),
  pickPageDown: (state) => movedBy(state, pickHeight(state)),
  pickPageUp: (state) => movedBy(state, -pickHeight(state)),
  pickFirst: (state) => movedBy(state, -Infinity),
  pickLast: (state) => movedBy(state, Infinity),
  pickGo(state) {
    const { screen } = state;
    const row = screen.name === 'pick' ? screen.rows[screen.cursor] : undefined;
    if (screen.name !== 'pick' || row === undefined) return still(state);
    if (screen.kind === 'usage' && row.isDir === true) return usageIn(state, row.path);
    const dir = row.path.slice(0, row.path.lastIndexOf('/')) || '/';
    const memory = new Map(activeTab(state).memory).set(dir, row.path.slice(row.path.lastIndexOf('/') + 1));
    const lists: State = { ...withTab(state, (tab) => ({ ...tab, memory })), screen: { name: 'files' } };
    const [now, effects] = openDir(lists, dir);
    return [now, [...effects, { kind: 'cancel', token: screen.token }]];
  },
  pickUpDir(state) {
    const { screen } = state;
    if (screen.name !== 'pick' || screen.kind !== 'usage' || screen.dir === '/') return still(state);
    return usageIn(state, screen.dir.slice(0, screen.dir.lastIndexOf('/')) || '/');
  },
  pickClose: (state) => [
    { ...state, screen: { name: 'files' } },
    state.screen.name === 'pick' ? [{ kind: 'cancel', token: state.screen.token }] : [],
  ],
};

export const lookingPrompts: PromptHandlers = {
  answered: {
    find: searching('find', (text) => `names with ${text}`),
    grep: searching('grep', (text) => `files that contain ${text}`),
  },
};

/** Rows that come to the list of the question, if it is still shown. */
function picked(state: State, token: number, change: (pick: Pick) => Pick): Step {
  const { screen } = state;
  if (screen.name !== 'pick' || screen.token !== token) return still(state);
  const next = change(screen);
  const cursor = Math.max(0, Math.min(next.cursor, next.rows.length - 1));
  return still({ ...state, screen: { ...next, name: 'pick', cursor } });
}

function usageRows(rows: readonly UsageRow[], dir: string): readonly PickRow[] {
  const largest = Math.max(1, ...rows.map(({ allocated }) => allocated));
  return [...rows]
    .sort((a, b) => b.allocated - a.allocated || (a.name < b.name ? -1 : 1))
    .map(({ name, isDir, allocated, entries }) => {
      const full = Math.round((allocated / largest) * BAR);
      const bar = `${'#'.repeat(full)}${' '.repeat(BAR - full)}`;
      return {
        path: pathIn(dir, name),
        text: `${humanBsd(allocated).padStart(6)} [${bar}] ${isDir ? `${entries}`.padStart(8) : ''.padStart(8)} `,
        style: isDir ? 'dir' : 'plain',
        isDir,
      };
    });
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
  'preview' | 'details' | 'inspect' | 'usage' | 'find' | 'grep' | 'compare'
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
    answer: (state, { value }) =>
      still({ ...state, screen: { name: 'facts', title: 'details', facts: value, top: 0 } }),
  },
  inspect: {
    answer: (state, { value }) =>
      still({ ...state, screen: { name: 'facts', title: 'file system', facts: value, top: 0 } }),
  },
  usage: {
    part: (state, { token, value }) => picked(state, token, (pick) => ({ ...pick, rows: usageRows(value, pick.dir) })),
    answer: (state, { token, value }) =>
      picked(state, token, (pick) => ({ ...pick, rows: usageRows(value, pick.dir), isComplete: true })),
  },
  find: found,
  grep: {
    part: (state, event) => found.part?.(state, { ...event, what: 'find' }) ?? still(state),
    answer: (state, event) => found.answer(state, { ...event, what: 'find' }),
  },
  compare: {
    part: (state, { token, value }) =>
      picked(state, token, (pick) => ({
        ...pick,
        rows: [
          ...pick.rows,
          ...value.map(({ path, change, what }): PickRow => ({
            path,
            text: `${change.padEnd(8)} ${what === '' ? '' : `${what}  `}`,
            style: change === 'added' || change === 'removed' ? change : 'changed',
          })),
        ],
      })),
    answer: (state, { token }) => picked(state, token, (pick) => ({ ...pick, isComplete: true })),
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
