/** What the entry under the cursor is. */
import { safeText } from '../../format/name.ts';
import type { Area } from '../model/layout.ts';
import type { State } from '../model/state.ts';
import { fitLine, span } from './line.ts';
import type { Line } from './line.ts';

export function previewLines({ looking: { preview } }: State, { width, height }: Area): Line[] {
  if (preview === undefined) return [];
  const lines = preview.lines
    .slice(0, height - 1)
    .map((line): Line => [span(' '), span(safeText(line.slice(0, width * 4)))]);
  return [fitLine([span(` ${safeText(preview.title)}`, 'heading')], width), ...lines];
}
