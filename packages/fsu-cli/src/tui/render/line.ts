/** What is seen, before any terminal: lines of spans. Text here is fit for a terminal, and a line as wide as its area. */
import stringWidth from 'string-width';

/** What a piece of text is, not how it looks: paint.ts knows that. */
export type Style =
  | 'plain'
  | 'dim'
  | 'bold'
  | 'title'
  | 'heading'
  | 'cursor'
  | 'cursorElsewhere'
  | 'selected'
  | 'dir'
  | 'link'
  | 'exec'
  | 'special'
  | 'error'
  | 'warning'
  | 'added'
  | 'removed'
  | 'changed'
  | 'key';

interface Span {
  readonly text: string;
  readonly style: Style;
}
export type Line = readonly Span[];

export const span = (text: string, style: Style = 'plain'): Span => ({ text, style });

/** ASCII is a cell a character: most names are, and measuring others takes 20 times as long. */
const isAscii = (text: string): boolean => /^[\x20-\x7e]*$/.test(text);

/** Cells that the text takes on a terminal. */
export const widthOf = (text: string): number => (isAscii(text) ? text.length : stringWidth(text));

const graphemes = new Intl.Segmenter(undefined, { granularity: 'grapheme' });

/** Measuring a long text takes seconds: of more characters than this for a cell nobody reads the rest. */
const CHARS_PER_CELL = 32;

const charsFor = (cells: number): number => CHARS_PER_CELL * (cells + 1);

/** Is there room for all of the text? */
export const fits = (text: string, cells: number): boolean => text.length <= charsFor(cells) && widthOf(text) <= cells;

/** The text cut to at most `cells`, with `mark` at its end when something is missing. */
export function cut(whole: string, cells: number, mark = '~'): string {
  if (cells <= 0) return '';
  if (fits(whole, cells)) return whole;
  const text = whole.slice(0, charsFor(cells));
  const room = cells - widthOf(mark);
  if (room < 0) return mark.slice(0, cells);
  if (isAscii(text)) return text.slice(0, room) + mark;
  let kept = '';
  let used = 0;
  for (const { segment } of graphemes.segment(text)) {
    const width = widthOf(segment);
    if (used + width > room) break;
    kept += segment;
    used += width;
  }
  return kept + mark;
}

/** As cut(), but of text that is too long its end is kept. */
export function cutFront(whole: string, cells: number, mark = '~'): string {
  if (cells <= 0) return '';
  if (fits(whole, cells)) return whole;
  const text = whole.slice(-charsFor(cells));
  const kept: string[] = [];
  let used = widthOf(mark);
  for (const { segment } of [...graphemes.segment(text)].reverse()) {
    used += widthOf(segment);
    if (used > cells) break;
    kept.unshift(segment);
  }
  return `${mark}${kept.join('')}`;
}

/** The text in exactly `cells`. */
export function fit(text: string, cells: number, align: 'left' | 'right' = 'left'): string {
  const kept = cut(text, cells);
  const pad = ' '.repeat(Math.max(0, cells - widthOf(kept)));
  return align === 'left' ? kept + pad : pad + kept;
}

/** The line in exactly `cells`: cut, or filled with blanks in the style of its last span. */
export function fitLine(line: Line, cells: number): Line {
  const fitted: Span[] = [];
  let left = cells;
  for (const one of line) {
    if (left <= 0) break;
    const text = cut(one.text, left);
    left -= widthOf(text);
    fitted.push({ ...one, text });
  }
  if (left > 0) fitted.push(span(' '.repeat(left), line.at(-1)?.style ?? 'plain'));
  return fitted;
}

/** Lines that fill an area exactly. */
export function fill(
  lines: readonly Line[],
  { width, height }: { readonly width: number; readonly height: number },
): Line[] {
  return Array.from({ length: height }, (_, at) => fitLine(lines[at] ?? [], width));
}
