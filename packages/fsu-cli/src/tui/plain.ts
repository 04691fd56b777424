/**
 * The browser for screen readers: what changes is told in lines, which stay. The keys are those of the screen, and so is the model;
 * what a screen shows at once is told when it is come to.
 */
import { humanBsd } from '../format/size.ts';
import { safeText } from '../format/name.ts';
import type { Show } from './show.ts';
import { layoutOf } from './model/layout.ts';
import { activeTab, currentRow } from './model/state.ts';
import type { Row, State, Tab } from './model/state.ts';
import { shownText } from './render/shown.ts';
import { screenLines } from './screens/index.ts';

const kinds: Readonly<Record<NonNullable<Row['type']>, string>> = {
  reg: 'file',
  dir: 'directory',
  lnk: 'link',
  blk: 'block device',
  chr: 'character device',
  fifo: 'FIFO',
  sock: 'socket',
};

/** "3 of 7: hostname, file, 5B". */
function rowText(tab: Tab): string {
  const row = currentRow(tab);
  if (row === undefined) return 'empty';
  const words = [
    row.name,
    row.type === undefined ? 'damaged' : kinds[row.type],
    ...(row.type === 'reg' ? [humanBsd(row.size)] : []),
    ...(tab.selected.has(row.name) ? ['selected'] : []),
    ...(row.damage === undefined ? [] : [row.damage]),
  ];
  return `${tab.cursor + 1} of ${tab.shown.length}: ${words.join(', ')}`;
}

const isReady = ({ isComplete, isStale }: Tab): boolean => isComplete && !isStale;

/** The directory when it is another, its list when it has come; then the entry, when it is another. */
function listText(before: State | undefined, after: State): readonly string[] {
  const tab = activeTab(after);
  if (!isReady(tab)) return [];
  if (tab.failure !== undefined) {
    const told = before === undefined ? undefined : activeTab(before).failure;
    return told === tab.failure ? [] : [`${tab.dir}: ${tab.failure}`];
  }
  const old = before === undefined ? undefined : activeTab(before);
  const isNew =
    old === undefined ||
    old.place !== tab.place ||
    old.dir !== tab.dir ||
    (!isReady(old) && old.token === tab.token && !old.isStale);
  const entry = rowText(tab);
  if (isNew && after.screen.name === 'files')
    return [`${tab.dir}, ${tab.shown.length} ${tab.shown.length === 1 ? 'entry' : 'entries'}`, entry];
  return old !== undefined && rowText(old) === entry ? [] : [entry];
}

function promptText(before: State | undefined, { prompt }: State): readonly string[] {
  const old = before?.prompt;
  if (prompt === undefined) return old?.kind === 'line' ? [`${old.title}${old.input.text}`] : [];
  if (old !== undefined && old.kind === prompt.kind && old.purpose === prompt.purpose && old.title === prompt.title)
    return prompt.kind === 'line' && old.kind === 'line' && prompt.hints !== old.hints ? (prompt.hints ?? []) : [];
  if (prompt.kind === 'line')
    return [`${prompt.title}${prompt.input.text}${prompt.input.isSelected === true ? ', selected' : ''}`];
  return [prompt.title, ...prompt.text, prompt.choices.map(({ key, label }) => `${key}: ${label}`).join(', ')];
}

const linesOf = (state: State): readonly string[] =>
  (screenLines(state, layoutOf(state).middle) ?? []).map((line) =>
    line
      .map(({ text }) => text)
      .join('')
      .trimEnd(),
  );

/** Of a screen that was scrolled or has filled, the lines that were not there before. */
function screenText(before: State | undefined, after: State): readonly string[] {
  if (before?.screen === after.screen || after.screen.name === 'files') return [];
  const told = new Set(before?.screen.name === after.screen.name ? linesOf(before) : []);
  return linesOf(after).filter((line) => line !== '' && !told.has(line));
}

/** What a person has to hear of a change, line by line. `before` undefined: all that there is. */
export function spoken(before: State | undefined, after: State): readonly string[] {
  const staged = after.editing.staged.length;
  const { note } = after;
  const lines = [
    ...(before === undefined ? [`${after.image}: ? tells the keys`] : []),
    ...promptText(before, after),
    ...screenText(before, after),
    ...(before?.screen.name !== undefined && before.screen.name !== 'files' && after.screen.name === 'files'
      ? ['back in the list']
      : []),
    ...listText(before, after),
    ...(staged === (before?.editing.staged.length ?? 0) ? [] : [`staged: ${staged}`]),
    ...(note === undefined || note.text === '' || note === before?.note ? [] : [note.text]),
  ];
  return lines.map((line) => shownText(safeText(line), after.look));
}

/** As components/app.tsx shows frames: the store's changes, from now on. */
export const speak: Show = (store, stdout) => {
  let told: State | undefined;
  const tell = (): void => {
    const { state } = store;
    const lines = spoken(told, state);
    // A list that is being read has nothing to say yet, and is compared with what was told last.
    told =
      told !== undefined && !isReady(activeTab(state)) ? { ...state, panes: told.panes, active: told.active } : state;
    if (lines.length > 0) stdout.write(`${lines.join('\n')}\n`);
  };
  tell();
  return store.watch(tell);
};
