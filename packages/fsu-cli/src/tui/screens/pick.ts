/** Findings, one a line: what was searched for, what takes the space, what differs. */
import { safeText } from '../../format/name.ts';
import type { Pick } from '../model/looking-state.ts';
import { pickHeight, shownRows } from '../model/picking.ts';
import { span } from '../render/line.ts';
import type { ScreenModule } from './index.ts';

export const pick: ScreenModule<'pick'> = {
  lines(state, screen) {
    const { title, isComplete, cursor, top } = screen;
    const rows = shownRows(screen);
    const count = `${isComplete ? `${rows.length}` : `${rows.length} so far …`}${howText(screen)}`;
    return [
      [span(`${safeText(title)}  ${count}`, 'heading')],
      ...rows
        .slice(top, top + pickHeight(state))
        .map(({ path, text, style }, at) => [
          span(safeText(text), top + at === cursor ? 'cursor' : 'dim'),
          span(safeText(path), top + at === cursor ? 'cursor' : style),
        ]),
    ];
  },
  // They are the model's: findings are lists, with a cursor.
  actions: {},
};

/** Which of them, or by what. */
function howText({ kind, rows, only, isApparent }: Pick): string {
  if (only !== undefined) return ` of ${rows.length}: ${only}`;
  return kind === 'usage' ? `, by ${isApparent ? 'size' : 'bytes on disk'}` : '';
}
