/** What a command has printed. */
import { safeText } from '../../format/name.ts';
import { span } from '../render/line.ts';
import type { ScreenModule } from './index.ts';
import { scrolling } from './scroll.ts';

export const output: ScreenModule<'output'> = {
  lines: (_, { lines, top }, { height }) => lines.slice(top, top + height).map((line) => [span(safeText(line))]),
  actions: scrolling('output', ({ screen }) => (screen.name === 'output' ? screen.lines.length : 0)),
};
