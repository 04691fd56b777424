/** The whole screen as lines, area by area: what components put side by side. */
import { safeText } from '../../format/name.ts';
import { layoutOf } from '../model/layout.ts';
import type { Area } from '../model/layout.ts';
import { activeTab, HOST } from '../model/state.ts';
import type { Prompt } from '../model/prompt.ts';
import type { Note, State } from '../model/state.ts';
import { screenLines } from '../screens/index.ts';
import { followingKeys, hintLine } from './hints.ts';
import { cut, cutFront, fill, fitLine, fits, span, widthOf } from './line.ts';
import type { Line } from './line.ts';
import { listLines } from './lists.ts';
import { previewLines } from './preview.ts';
import { shownLine } from './shown.ts';
import { stackLines } from './stack.ts';

export interface Frame {
  readonly title: Line;
  /** From left to right; shorter where a question needs several lines. */
  readonly columns: readonly { readonly area: Area; readonly lines: readonly Line[] }[];
  /** The beginning of such a question, above the status. */
  readonly dialog: readonly Line[];
  readonly status: Line;
}

export function frameOf(state: State): Frame {
  const { title, columns } = wholeFrame(state);
  const height = columns[0]?.area.height ?? 0;
  const below = lastLines(state);
  const room = Math.max(1, height);
  // What finds no room goes on in the last line, which says by its end that there is more.
  const lines = below.length <= room ? below : [...below.slice(0, room - 1), below.slice(room - 1).flat()];
  const dialog = lines.slice(0, -1).map((line) => fitLine(shownLine(line, state.look), state.columns));
  return {
    title,
    columns: columns.map(({ area, lines: all }) => ({
      area: { ...area, height: area.height - dialog.length },
      lines: all.slice(0, all.length - dialog.length),
    })),
    dialog,
    status: fitLine(shownLine(lines.at(-1) ?? [], state.look), state.columns),
  };
}

/** A question, how a key goes on, what has happened, or which keys there are; most often one line. */
function lastLines(state: State): readonly Line[] {
  const { prompt, prefix, note, columns } = state;
  if (prompt !== undefined) return questionLines(prompt, columns);
  if (prefix !== '') return packed([[span(`${prefix} `, 'bold')], ...followingKeys(state)], columns);
  return note === undefined ? [hintLine(state)] : noteLines(note, columns);
}

/** By words, where one line is too short. */
function noteLines({ text, kind }: Note, columns: number): readonly Line[] {
  const style = kind === 'error' ? 'error' : 'plain';
  if (fits(text, columns)) return [[span(text, style)]];
  return packed(
    text.split(' ').map((word) => [span(`${word} `, style)]),
    columns,
  );
}

function wholeFrame(state: State): Pick<Frame, 'title' | 'columns'> {
  const layout = layoutOf(state);
  const filled = (lines: readonly Line[], area: Area): Line[] =>
    fill(
      lines.map((line) => shownLine(line, state.look)),
      area,
    );
  const title = fitLine(shownLine(titleLine(state), state.look), state.columns);
  const other = screenLines(state, layout.middle);
  if (other !== undefined)
    return {
      title,
      columns: [{ area: layout.middle, lines: filled(other, layout.middle) }],
    };
  const columns = [];
  if (layout.stack !== undefined)
    columns.push({ area: layout.stack, lines: filled(stackLines(state, layout.stack), layout.stack) });
  for (const [at, area] of layout.lists.entries()) {
    const pane = state.panes[at === 0 ? 0 : 1];
    const tab = pane?.tabs[pane.tab];
    if (tab === undefined) continue;
    // Side by side they do not fit: the active one is seen.
    if (layout.lists.length === 2 && area.width === state.columns && at !== state.active) continue;
    columns.push({
      area,
      lines: filled(listLines(state, { tab, area, isActive: at === state.active && state.focus === 'list' }), area),
    });
  }
  if (layout.preview !== undefined)
    columns.push({ area: layout.preview, lines: filled(previewLines(state, layout.preview), layout.preview) });
  return { title, columns };
}

function titleLine(state: State): Line {
  const place = state.places.get(activeTab(state).place);
  const { variant = place?.type ?? '', journal, readOnly: reasons = [] } = place?.standing ?? {};
  const type = variant === '' ? '' : ` ${variant}`;
  const { staged, held } = state.editing;
  const isHeld = held.some(
    ({ image, partition }) => image === place?.named?.image && partition === place.named.partition,
  );
  const mode =
    state.over !== undefined
      ? `KERNEL ENDED, ${staged.length} STAGED`
      : staged.length > 0
        ? `STAGED ${staged.length}`
        : isHeld
          ? 'RW'
          : place?.id === HOST
            ? 'host'
            : ['RO', ...reasons].join(': ');
  const work = state.tasks
    .map(({ title, progress }) => `  … ${safeText(title.split('\n', 1)[0] ?? '')} ${progress}`)
    .join('');
  const log = journal === undefined ? '' : `  journal ${journal}`;
  return fitLine(
    [span(` ${safeText(`${place?.named?.image ?? state.image}${type}  ${mode}`)}${work}${safeText(log)}`, 'title')],
    state.columns,
  );
}

/** What is asked; the last line is the status. Choices that find no room in it go on in the next. */
function questionLines(prompt: Prompt, columns: number): readonly Line[] {
  if (prompt.kind === 'line')
    return [
      ...packed(
        (prompt.hints ?? []).map((hint) => [span(`${safeText(hint)}  `)]),
        columns,
      ),
      typedLine(prompt, columns),
    ];
  const text = prompt.text.map((line): Line => [span(safeText(line))]);
  const pieces = prompt.choices.map(({ key, label }): Line => [span(` ${key} `, 'key'), span(`${safeText(label)} `)]);
  return [...text, ...packed([[span(`${safeText(prompt.title)} `, 'bold')], ...pieces], columns)];
}

/** The line that is typed, with the cursor, which is seen; what is selected of it reversed. */
function typedLine(
  { title, input: { text, at, isSelected } }: Extract<Prompt, { kind: 'line' }>,
  columns: number,
): Line {
  const isLong = !fits(`${safeText(title)}${safeText(text)}`, columns - 1);
  const head = isLong ? cut(safeText(title), columns >> 1) : safeText(title);
  // A cursor behind what is reversed would be one more blank of it.
  if (isSelected === true) return [span(head, 'bold'), span(safeText(text), 'cursor'), span(' ')];
  const [before, here, after] = [text.slice(0, at), text.slice(at, at + 1) || ' ', text.slice(at + 1)].map(safeText);
  // One cell is for the sign that there is more behind.
  const room = columns - 1 - widthOf(head) - widthOf(here ?? '');
  return [
    span(head, 'bold'),
    span(isLong ? cutFront(before ?? '', Math.max(0, room)) : (before ?? '')),
    span(here ?? ' ', 'cursor'),
    span(after ?? ''),
  ];
}

/** Pieces side by side, in as few lines as it takes. */
function packed(pieces: readonly Line[], columns: number): readonly Line[] {
  const lines: Line[] = [];
  let used = columns;
  for (const piece of pieces) {
    const width = piece.reduce((sum, { text }) => sum + widthOf(text), 0);
    if (used + width > columns + 1) {
      lines.push(piece);
      used = width;
      continue;
    }
    lines.push([...(lines.pop() ?? []), ...piece]);
    used += width;
  }
  return lines;
}
