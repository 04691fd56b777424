/** A file, as text or as numbers; of it the screen has a window. */
import { safeText } from '../../format/name.ts';
import { humanBsd } from '../../format/size.ts';
import { bytesAcross, hexLines } from '../look/hex.ts';
import { nextLine, textLines } from '../look/text.ts';
import type { Encoding } from '../look/text.ts';
import type { View } from '../model/looking-state.ts';
import { span } from '../render/line.ts';
import type { ScreenModule } from './index.ts';

/** Bytes of one line on the screen, at most: what is cut off need not be decoded. */
const LINE_BYTES = 4096;

export const view: ScreenModule<'view'> = {
  lines(_, screen, { width, height }) {
    const { path, size, offset, start, bytes, isHex, encoding } = screen;
    const here = bytes.subarray(offset - start, offset - start + LINE_BYTES * height);
    const isText = !isHex && encoding !== undefined;
    const lines = isText
      ? textLines(here, encoding, height - 1)
      : hexLines(here.subarray(0, bytesAcross(width) * (height - 1)), offset, width);
    const shown = isText ? lengthOf(here, encoding, height - 1) : bytesAcross(width) * (height - 1);
    // Of what is seen and what is before it, as pagers have it.
    const percent = size === 0 ? 100 : Math.min(100, Math.floor(((offset + shown) / size) * 100));
    const how = isText ? encoding : 'hexadecimal';
    return [
      [span(`${safeText(path)}  ${how}  ${percent}% of ${humanBsd(size)}${searchText(screen)}`, 'heading')],
      ...lines.map((line) => [span(safeText(line))]),
    ];
  },
  actions: {},
};

/** Bytes of so many lines. */
function lengthOf(bytes: Uint8Array, encoding: Encoding, lines: number): number {
  let at = 0;
  for (let n = 0; n < lines && at < bytes.length; n++) at = nextLine(bytes, at, encoding);
  return at;
}

function searchText({ search, sought, way }: View): string {
  if (search === 'none') return '';
  if (search === 'runs') return `  searching for ${safeText(sought)}`;
  return `  no ${safeText(sought)} ${way === 'back' ? 'before here' : 'from here on'}`;
}
