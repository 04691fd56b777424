/** How the contents of two files differ: unified text, or numbers about the first byte that does. */
import { safeText } from '../../format/name.ts';
import { span } from '../render/line.ts';
import type { Line, Style } from '../render/line.ts';
import type { ScreenModule } from './index.ts';
import { scrolling } from './scroll.ts';

const styles: Readonly<Record<string, Style>> = { '+': 'added', '-': 'removed', '@': 'heading' };

export const contents: ScreenModule<'contents'> = {
  lines: (_, { lines, top }, { height }) =>
    lines.slice(top, top + height).map((line): Line => [span(safeText(line), styles[line.charAt(0)] ?? 'plain')]),
  actions: scrolling('contents', ({ screen }) => (screen.name === 'contents' ? screen.lines.length : 0)),
};
