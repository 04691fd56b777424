/** Where things are on the screen, in cells: rendering and the mouse follow the same numbers. */
import type { State } from './state.ts';

/** Columns [left, left + width), lines [top, top + height). */
export interface Area {
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
}

export interface Layout {
  readonly title: Area;
  readonly stack: Area | undefined;
  readonly lists: readonly Area[];
  readonly preview: Area | undefined;
  /** All between title and status: screens other than the lists. */
  readonly middle: Area;
  readonly status: Area;
}

/** Below this many columns only the lists are shown. */
const NARROW = 80;
/** Heading of a pane. */
const HEADING = 1;

type Seen = Pick<State, 'columns' | 'lines' | 'panes' | 'focus'>;

export function layoutOf({ columns, lines, panes, focus }: Seen): Layout {
  const height = Math.max(1, lines - 2);
  const whole = { left: 0, width: columns };
  const middle = { ...whole, top: 1, height };
  const bars = { title: { ...whole, top: 0, height: 1 }, status: { ...whole, top: 1 + height, height: 1 }, middle };
  const isNarrow = columns < NARROW;
  // Where there is no room for the tree beside the lists, it takes their place while it has the focus.
  if (focus === 'stack' && (isNarrow || panes.length === 2))
    return { ...bars, stack: middle, lists: [], preview: undefined };
  if (panes.length === 2) {
    const left = Math.floor(columns / 2);
    const lists = isNarrow
      ? [middle, middle]
      : [
          { ...middle, width: left },
          { ...middle, left, width: columns - left },
        ];
    return { ...bars, stack: undefined, lists, preview: undefined };
  }
  if (isNarrow) return { ...bars, stack: undefined, lists: [middle], preview: undefined };
  const stack = Math.min(30, Math.floor(columns / 5));
  const preview = Math.floor((columns - stack) * 0.45);
  const list = columns - stack - preview;
  return {
    ...bars,
    stack: { ...middle, width: stack },
    lists: [{ ...middle, left: stack, width: list }],
    preview: { ...middle, left: stack + list, width: preview },
  };
}

/** Lines of a list that are seen at once. */
export const listHeight = (state: Pick<State, 'lines'>): number => Math.max(1, Math.max(1, state.lines - 2) - HEADING);

/** Lines that a node of the stack takes. */
export const NODE = 2;

/** Nodes of the stack that are seen: page by page, so that a press does not move them away. */
export function stackWindow(cursor: number, { height }: Area): { readonly first: number; readonly count: number } {
  const count = Math.max(1, Math.floor(height / NODE));
  return { first: Math.floor(cursor / count) * count, count };
}

/** What is at a cell of the screen with the lists. */
type Hit =
  | { readonly what: 'row'; readonly pane: 0 | 1; readonly at: number }
  | { readonly what: 'pane'; readonly pane: 0 | 1 }
  | { readonly what: 'node'; readonly at: number }
  | { readonly what: 'stack' }
  | { readonly what: 'preview' }
  | undefined;

const isIn = ({ left, top, width, height }: Area, column: number, line: number): boolean =>
  column >= left && column < left + width && line >= top && line < top + height;

export function hitOf(state: State, column: number, line: number): Hit {
  const { stack, lists, preview } = layoutOf(state);
  if (stack !== undefined && isIn(stack, column, line)) {
    const { first, count } = stackWindow(state.stackCursor, stack);
    const nth = Math.floor((line - stack.top) / NODE);
    return nth < count && first + nth < state.stack.length ? { what: 'node', at: first + nth } : { what: 'stack' };
  }
  if (preview !== undefined && isIn(preview, column, line)) return { what: 'preview' };
  for (const at of [0, 1] as const) {
    const area = lists[at];
    const pane = state.panes[at];
    if (area === undefined || pane === undefined || !isIn(area, column, line)) continue;
    // Side by side they do not fit: the active one is seen.
    if (lists.length === 2 && area.width === state.columns && at !== state.active) continue;
    const tab = pane.tabs[pane.tab];
    const row = (tab?.top ?? 0) + line - area.top - HEADING;
    const isRow = line >= area.top + HEADING && row < (tab?.shown.length ?? 0);
    return isRow ? { what: 'row', pane: at, at: row } : { what: 'pane', pane: at };
  }
  return undefined;
}
