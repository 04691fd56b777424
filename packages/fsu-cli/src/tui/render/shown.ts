/** Text as the terminal can show it: control characters never, and nothing but ASCII where it has no Unicode. */
import { octalOf, safeText } from '../../format/name.ts';
import type { Look } from '../model/state.ts';
import type { Line } from './line.ts';

const NOT_ASCII = /[^\p{ASCII}]/gu;

/** Marks of our own. What else is not ASCII is shown as its bytes. */
const marks: Readonly<Record<string, string>> = { '…': '...', '×': 'x' };

/** Of a name, or of anything else from an image. */
export function shownText(text: string, { unicode }: Look): string {
  const safe = safeText(text);
  return unicode ? safe : safe.replace(NOT_ASCII, (char) => marks[char] ?? octalOf(char));
}

/** The line in the look; it may be longer then, and is to be fitted. */
export const shownLine = (line: Line, look: Look): Line =>
  line.map(({ text, style }) => ({ text: shownText(text, look), style }));
