/** Findings, one a line: what was searched for, what takes the space, what differs. */
import { safeText } from '../../format/name.ts';
import { pickHeight } from '../model/looking.ts';
import { span } from '../render/line.ts';
import type { ScreenModule } from './index.ts';

export const pick: ScreenModule<'pick'> = {
  lines(state, { title, rows, isComplete, cursor, top }) {
    const count = isComplete ? `${rows.length}` : `${rows.length} so far …`;
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
