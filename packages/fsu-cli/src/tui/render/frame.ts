/** The whole screen as lines, area by area: what components put side by side. */
import { safeText } from '../../format/name.ts';
import { layoutOf } from '../model/layout.ts';
import type { Area } from '../model/layout.ts';
import { activeTab } from '../model/state.ts';
import type { Prompt } from '../model/prompt.ts';
import type { State } from '../model/state.ts';
import { screenLines } from '../screens/index.ts';
import { fill, fitLine, span } from './line.ts';
import type { Line } from './line.ts';
import { listLines } from './lists.ts';
import { previewLines } from './preview.ts';
import { shownLine } from './shown.ts';
import { stackLines } from './stack.ts';

export interface Frame {
  readonly title: Line;
  /** From left to right. */
  readonly columns: readonly { readonly area: Area; readonly lines: readonly Line[] }[];
  readonly status: Line;
}

export function frameOf(state: State): Frame {
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
          : ['RO', ...reasons].join(': ');
  const work = state.tasks
    .map(({ title, progress }) => `  … ${safeText(title.split('\n', 1)[0] ?? '')} ${progress}`)
    .join('');
  const log = journal === undefined ? '' : `  journal ${journal}`;
  return fitLine(
    [span(` ${safeText(`${state.image}${type}  ${mode}`)}${work}${safeText(log)}`, 'title')],
    state.columns,
  );
}

function statusLine(state: State): Line {
  const { note, prefix, prompt } = state;
  if (prompt !== undefined) return promptLine(prompt, state.columns);
  if (note !== undefined) return fitLine([span(note.text, note.kind === 'error' ? 'error' : 'plain')], state.columns);
  return fitLine([span(prefix === '' ? 'q quit  ? help' : prefix, 'dim')], state.columns);
}

/** The line that is typed, with the cursor; long ones show their end. */
function promptLine(prompt: Prompt, columns: number): Line {
  if (prompt.kind === 'choice') {
    const choices = prompt.choices.flatMap(({ key, label }) => [span(` ${key} `, 'key'), span(`${safeText(label)} `)]);
    return fitLine([span(`${safeText(prompt.title)} `, 'bold'), ...choices], columns);
  }
  const { text, at } = prompt.input;
  const title = safeText(prompt.title);
  const [before, here, after] = [text.slice(0, at), text.slice(at, at + 1) || ' ', text.slice(at + 1)].map(safeText);
  return fitLine([span(title, 'bold'), span(before ?? ''), span(here ?? ' ', 'cursor'), span(after ?? '')], columns);
}
