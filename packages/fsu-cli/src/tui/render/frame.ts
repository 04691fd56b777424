/** The whole screen as lines, area by area: what components put side by side. */
import { safeText } from '../../format/name.ts';
import { layoutOf } from '../model/layout.ts';
import type { Area } from '../model/layout.ts';
import { activeTab, HOST } from '../model/state.ts';
import type { Prompt } from '../model/prompt.ts';
import type { State } from '../model/state.ts';
import { screenLines } from '../screens/index.ts';
import { followingKeys, hintLine } from './hints.ts';
import { fill, fitLine, span, widthOf } from './line.ts';
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
  const { title, columns, status } = wholeFrame(state);
  const asked = state.prompt === undefined ? prefixLines(state) : questionLines(state.prompt, state.columns);
  const height = columns[0]?.area.height ?? 0;
  const dialog = asked
    .slice(0, -1)
    .slice(0, Math.max(0, height - 1))
    .map((line) => fitLine(shownLine(line, state.look), state.columns));
  const last = asked.at(-1);
  return {
    title,
    columns: columns.map(({ area, lines }) => ({
      area: { ...area, height: area.height - dialog.length },
      lines: lines.slice(0, lines.length - dialog.length),
    })),
    dialog,
    status: last === undefined ? status : fitLine(shownLine(last, state.look), state.columns),
  };
}

function wholeFrame(state: State): Omit<Frame, 'dialog'> {
  const layout = layoutOf(state);
  const filled = (lines: readonly Line[], area: Area): Line[] =>
    fill(
      lines.map((line) => shownLine(line, state.look)),
      area,
    );
  const fitted = (line: Line): Line => fitLine(shownLine(line, state.look), state.columns);
  const [title, status] = [fitted(titleLine(state)), fitted(statusLine(state))];
  const other = screenLines(state, layout.middle);
  if (other !== undefined)
    return {
      title,
      columns: [{ area: layout.middle, lines: filled(other, layout.middle) }],
      status,
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
  return { title, columns, status };
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

function statusLine(state: State): Line {
  const { note } = state;
  if (note === undefined) return hintLine(state);
  return [span(note.text, note.kind === 'error' ? 'error' : 'plain')];
}

/** Of a key that begins combinations: how they go on. */
const prefixLines = (state: State): readonly Line[] =>
  state.prefix === '' ? [] : packed([[span(`${state.prefix} `, 'bold')], ...followingKeys(state)], state.columns);

/** What is asked; the last line is the status. Choices that find no room in it go on in the next. */
function questionLines(prompt: Prompt, columns: number): readonly Line[] {
  if (prompt.kind === 'line')
    return [
      ...packed(
        (prompt.hints ?? []).map((hint) => [span(`${safeText(hint)}  `)]),
        columns,
      ),
      typedLine(prompt),
    ];
  const text = prompt.text.map((line): Line => [span(safeText(line))]);
  const pieces = prompt.choices.map(({ key, label }): Line => [span(` ${key} `, 'key'), span(`${safeText(label)} `)]);
  return [...text, ...packed([[span(`${safeText(prompt.title)} `, 'bold')], ...pieces], columns)];
}

/** The line that is typed, with the cursor; what is selected of it reversed. */
function typedLine({ title, input: { text, at, isSelected } }: Extract<Prompt, { kind: 'line' }>): Line {
  // A cursor behind what is reversed would be one more blank of it.
  if (isSelected === true) return [span(safeText(title), 'bold'), span(safeText(text), 'cursor'), span(' ')];
  const [before, here, after] = [text.slice(0, at), text.slice(at, at + 1) || ' ', text.slice(at + 1)].map(safeText);
  return [span(safeText(title), 'bold'), span(before ?? ''), span(here ?? ' ', 'cursor'), span(after ?? '')];
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
