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

export function layoutOf({ columns, lines, panes }: Pick<State, 'columns' | 'lines' | 'panes'>): Layout {
  const height = Math.max(1, lines - 2);
  const whole = { left: 0, width: columns };
  const middle = { ...whole, top: 1, height };
  const bars = { title: { ...whole, top: 0, height: 1 }, status: { ...whole, top: 1 + height, height: 1 }, middle };
  const isNarrow = columns < NARROW;
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
export const listHeight = (state: Pick<State, 'columns' | 'lines' | 'panes'>): number =>
  Math.max(1, (layoutOf(state).lists[0]?.height ?? 1) - HEADING);
