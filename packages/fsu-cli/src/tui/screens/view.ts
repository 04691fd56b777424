/** A file, as text or as numbers; of it the screen has a window. */
import { safeText } from '../../format/name.ts';
import { humanBsd } from '../../format/size.ts';
import { hexLines } from '../look/hex.ts';
import { encodingOf, textLines } from '../look/text.ts';
import { span } from '../render/line.ts';
import type { ScreenModule } from './index.ts';

export const view: ScreenModule<'view'> = {
  lines(_, { path, size, offset, bytes, isHex }, { width, height }) {
    const encoding = encodingOf(bytes, offset + bytes.length >= size) ?? 'Latin-1';
    const percent = size === 0 ? 100 : Math.round((offset / size) * 100);
    const how = isHex ? 'hexadecimal' : encoding;
    const lines = isHex ? hexLines(bytes, offset, width) : textLines(bytes, encoding);
    return [
      [span(`${safeText(path)}  ${how}  ${percent}% of ${humanBsd(size)}`, 'heading')],
      ...lines.slice(0, height - 1).map((line) => [span(safeText(line))]),
    ];
  },
  actions: {},
};
