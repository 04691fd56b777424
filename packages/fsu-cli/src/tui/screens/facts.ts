/** Names and what they are worth, as two columns. */
import { safeText } from '../../format/name.ts';
import type { Fact } from '../kernel/looks.ts';
import { span, widthOf } from '../render/line.ts';
import type { Line } from '../render/line.ts';
import type { ScreenModule } from './index.ts';
import { scrolling } from './scroll.ts';

export const facts: ScreenModule<'facts'> = {
  lines(_, { facts: all, top }, { height }) {
    const column = Math.min(
      30,
      Math.max(...all.map(([name, value]) => (value === undefined ? 0 : widthOf(safeText(name))))),
    );
    return all.slice(top, top + height).map((fact) => factLine(fact, column));
  },
  actions: scrolling('facts', ({ screen }) => (screen.name === 'facts' ? screen.facts.length : 0)),
};

const factLine = ([name, value]: Fact, column: number): Line =>
  value === undefined
    ? [span(safeText(name), 'heading')]
    : [
        span(`${safeText(name)}${' '.repeat(Math.max(0, column - widthOf(safeText(name))))}  `, 'dim'),
        span(safeText(value)),
      ];
