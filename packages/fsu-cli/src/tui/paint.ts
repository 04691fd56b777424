/** How styles look: the one place with SGR (ECMA-48 §8.3.117) numbers. Without colour, weight and reversal tell as much. */
import type { Look } from './model/state.ts';
import type { Frame } from './render/frame.ts';
import type { Line, Style } from './render/line.ts';

const colored: Readonly<Record<Style, string>> = {
  plain: '',
  dim: '2',
  bold: '1',
  title: '7;1',
  heading: '1;4',
  cursor: '7',
  cursorElsewhere: '4',
  selected: '1;33',
  dir: '1;34',
  link: '36',
  exec: '32',
  special: '33',
  error: '1;31',
  warning: '33',
  added: '32',
  removed: '31',
  changed: '33',
  key: '1;36',
};

const COLOR = /^(3|9)\d$/;

/** NO_COLOR forbids colour, and nothing else (no-color.org). */
const bare: Readonly<Record<string, string>> = Object.fromEntries(
  Object.entries(colored).map(([style, sgr]) => [
    style,
    sgr
      .split(';')
      .filter((one) => !COLOR.test(one))
      .join(';'),
  ]),
);

/** Whoever has made the text, and whatever the image holds: the only sequences on a line are ours. */
const CONTROL = /\p{Cc}/gu;

export function paint(line: Line, { colors }: Look): string {
  const sgrs: Readonly<Record<string, string>> = colors === 0 ? bare : colored;
  return line
    .map((one) => {
      const { style } = one;
      const text = one.text.replace(CONTROL, '?');
      const sgr = sgrs[style] ?? '';
      return sgr === '' || text === '' ? text : `\x1b[${sgr}m${text}\x1b[0m`;
    })
    .join('');
}

/** The whole frame as lines of text, each as wide as the screen. */
export function paintFrame({ title, columns, dialog, status }: Frame, look: Look): string {
  const height = Math.max(0, ...columns.map(({ lines }) => lines.length));
  const middle = Array.from({ length: height }, (_, at) =>
    columns.map(({ lines }) => paint(lines[at] ?? [], look)).join(''),
  );
  const asked = dialog.map((line) => paint(line, look));
  return [paint(title, look), ...middle, ...asked, paint(status, look)].join('\n');
}
