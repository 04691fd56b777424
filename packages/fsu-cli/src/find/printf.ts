/** find's -printf: GNU's directives, field widths and escapes. */
import type { Timespec, VType } from 'ukfs';
import { UsageError } from '../command.ts';
import { modeText } from '../format/mode.ts';
import type { Clock } from '../format/time.ts';
import { timeOf } from './tests.ts';
import type { Visit } from './visit.ts';

type Piece = (file: Visit) => string;

/** Turns the format into what makes the text of a file; `ends`: a `\c` was met, after which nothing comes. UsageError. */
export function compilePrintf(format: string, clock: Clock): Piece {
  const pieces: Piece[] = [];
  let literal = '';
  const flush = (): void => {
    const text = literal;
    literal = '';
    if (text !== '') pieces.push(() => text);
  };
  const pattern = /\\(c|[0-7]{1,3}|[^])|%([-+ 0#]*)(\d*)(?:\.(\d+))?([ABCT].|[^])|[^\\%]+|[\\%]$/gsu;
  for (const [whole, escape, flags, width, precision, directive] of format.matchAll(pattern)) {
    if (escape === 'c') break;
    if (escape !== undefined) literal += escaped(escape);
    else if (directive === undefined) literal += whole;
    else if (directive === '%') literal += '%';
    else {
      const piece = directiveOf(directive, clock);
      if (piece === undefined) throw new UsageError(`-printf: '${whole}' is no directive`);
      flush();
      pieces.push(fitted(piece, { flags: flags ?? '', width: Number(width ?? 0), precision }));
    }
  }
  flush();
  return (file) => {
    let text = '';
    for (const piece of pieces) text += piece(file);
    return text;
  };
}

const escapes: Readonly<Record<string, string>> = {
  a: '\x07',
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
  v: '\v',
  '\\': '\\',
};

function escaped(text: string): string {
  if (!/^[0-7]/.test(text)) return escapes[text] ?? `\\${text}`;
  const byte = Number.parseInt(text, 8) & 0xff;
  // A byte that is no character by itself goes out as it is.
  return String.fromCharCode(byte < 0x80 ? byte : 0xdc00 | byte);
}

function fitted(
  piece: Piece,
  how: { readonly flags: string; readonly width: number; readonly precision: string | undefined },
): Piece {
  const { flags, width, precision } = how;
  if (width === 0 && precision === undefined && flags === '') return piece;
  return (file) => {
    let text = piece(file);
    const isNumber = /^\d+$/.test(text);
    if (precision !== undefined)
      text = isNumber ? text.padStart(Number(precision), '0') : text.slice(0, Number(precision));
    if (flags.includes('-')) return text.padEnd(width);
    return text.padStart(width, flags.includes('0') && isNumber ? '0' : ' ');
  };
}

const letters: Readonly<Record<VType | 'none' | 'loop', string>> = {
  reg: 'f',
  dir: 'd',
  lnk: 'l',
  chr: 'c',
  blk: 'b',
  fifo: 'p',
  sock: 's',
  none: 'N',
  loop: 'L',
};

function parentShown(shown: string): string {
  const slash = shown.replace(/\/+$/, '').lastIndexOf('/');
  return slash < 0 ? '.' : shown.slice(0, slash);
}

const directives: Readonly<Record<string, Piece>> = {
  b: ({ stat }) => String(Math.ceil(stat.bytes / 512)),
  d: ({ entry }) => String(entry.depth),
  D: ({ stat }) => String(stat.dev),
  f: ({ entry, shown }) => (entry.name === '' ? shown : entry.name),
  F: ({ start }) => start.fstypes[0] ?? 'unknown',
  g: ({ stat, start }) => start.owners.group(stat.gid) ?? String(stat.gid),
  G: ({ stat }) => String(stat.gid),
  h: ({ shown }) => (/^\/+$/.test(shown) ? '' : parentShown(shown)),
  H: ({ start }) => start.shown,
  i: ({ stat }) => String(stat.ino),
  k: ({ stat }) => String(Math.ceil(stat.bytes / 1024)),
  l: (file) => file.target ?? '',
  m: ({ stat }) => (stat.mode & 0o7777).toString(8),
  M: ({ stat }) => modeText(stat.type, stat.mode),
  n: ({ stat }) => String(stat.nlink),
  p: ({ shown }) => shown,
  P: ({ start, path }) => path.slice(start.path.length).replace(/^\/+/, ''),
  s: ({ stat }) => String(stat.size),
  S: ({ stat }) => (stat.size === 0 ? '1' : sixDigits(stat.bytes / stat.size)),
  u: ({ stat, start }) => start.owners.user(stat.uid) ?? String(stat.uid),
  U: ({ stat }) => String(stat.uid),
  y: (file) => letters[file.type],
  Y: (file) => letters[file.otherType],
};

/** C's %g. */
function sixDigits(value: number): string {
  if (value !== 0 && (Math.abs(value) < 1e-4 || Math.abs(value) >= 1e6))
    return value
      .toExponential(5)
      .replace(/\.?0+e/, 'e')
      .replace(/e([-+])(\d)$/, 'e$10$2');
  return String(Number(value.toPrecision(6)));
}

function directiveOf(text: string, clock: Clock): Piece | undefined {
  const kind = { a: 'a', A: 'a', B: 'B', c: 'c', C: 'c', t: 'm', T: 'm' } as const;
  const letter = text.charAt(0);
  if (!Object.hasOwn(kind, letter)) return Object.hasOwn(directives, text) ? directives[text] : undefined;
  const of = kind[letter as keyof typeof kind];
  const show = text.length === 1 ? fullTime(clock) : timeText(text.slice(1), clock);
  return ({ stat }) => {
    const time = timeOf(stat, of);
    return time === undefined ? '' : show(time);
  };
}

/** GNU shows ten digits of a second. */
const fraction = ({ nsec }: Timespec): string => `.${String(nsec).padStart(9, '0')}0`;

const fullTime =
  (clock: Clock) =>
  (time: Timespec): string =>
    `${clock.strftime('%a %b %e %H:%M:%S', time)}${fraction(time)}${clock.strftime(' %Y', time)}`;

function timeText(code: string, clock: Clock): (time: Timespec) => string {
  if (code === '@') return (time) => `${time.sec}${fraction(time)}`;
  if (code === '+') return (time) => `${clock.strftime('%F+%T', time)}${fraction(time)}`;
  if ('STX'.includes(code)) return (time) => clock.strftime(`%${code}`, time) + fraction(time);
  return (time) => clock.strftime(`%${code}`, time);
}
