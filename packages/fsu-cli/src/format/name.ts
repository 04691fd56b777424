/**
 * Names as text for people: names in an image are hostile input, and a terminal obeys control characters.
 *
 * A name string stands for bytes (kernel name.ts): a lone surrogate U+DCNN is the byte 0xNN. Every function here takes
 * such strings. `raw` leaves them as they are; the output layer turns escaped bytes back into bytes.
 */
import { compareNames, isWellFormedName, nameToBytes } from 'ukfs';

export { compareNames };

/** How names are shown. The first four are NetBSD's -w -q -B -b, the rest GNU's --quoting-style. */
export type NameStyle =
  | 'raw'
  | 'question'
  | 'octal'
  | 'cstyle'
  | 'literal'
  | 'shell'
  | 'shell-always'
  | 'shell-escape'
  | 'shell-escape-always'
  | 'c'
  | 'escape'
  | 'locale'
  | 'clocale';

export const quotingStyles = [
  'literal',
  'shell',
  'shell-always',
  'shell-escape',
  'shell-escape-always',
  'c',
  'escape',
  'locale',
  'clocale',
] as const satisfies readonly NameStyle[];

/**
 * Control characters (C0, DEL, C1), line and paragraph separators, bidi controls, and bytes that are no UTF-8. By number: looking
 * up the properties Cc and Cs costs V8 half a millisecond at every start.
 */
// oxlint-disable-next-line no-control-regex -- just those
const UNSAFE = /[\0-\x1f\x7f-\x9f\ud800-\udfff\u2028\u2029\u202a-\u202e\u2066-\u2069]/u;
const UNSAFE_ALL = new RegExp(UNSAFE.source, 'gu');

/** True when the name can go to a terminal as it is. */
export const isSafeName = (name: string): boolean => !UNSAFE.test(name);

const octalByte = (byte: number): string => `\\${byte.toString(8).padStart(3, '0')}`;
/** The bytes of the text, each as `\\377`. */
export const octalOf = (char: string): string => Array.from(nameToBytes(char), octalByte).join('');

const cEscapes: Readonly<Record<string, string>> = {
  '\x07': '\\a',
  '\b': '\\b',
  '\t': '\\t',
  '\n': '\\n',
  '\v': '\\v',
  '\f': '\\f',
  '\r': '\\r',
};
const cEscape = (char: string): string => cEscapes[char] ?? octalOf(char);

/** For messages: control characters and stray bytes as C escapes, always, wherever the message goes. */
export const safeText = (text: string): string => (UNSAFE.test(text) ? text.replace(UNSAFE_ALL, cEscape) : text);

/** As safeText for text of several lines: line feeds and tabs stay. */
export const safeLines = (text: string): string =>
  UNSAFE.test(text)
    ? text.replace(UNSAFE_ALL, (char) => (char === '\n' || char === '\t' ? char : cEscape(char)))
    : text;

/** The name in a style; `terminal` replaces what GNU's literal style would send raw. */
export function styleName(name: string, style: NameStyle): string {
  switch (style) {
    case 'raw':
    case 'literal':
      return name;
    case 'question':
      return UNSAFE.test(name) ? name.replace(UNSAFE_ALL, '?') : name;
    case 'octal':
      // vis(3) with VIS_OCTAL and VIS_WHITE: white space too, the backslash doubled.
      return name.replace(/\\/g, '\\\\').replace(/ /g, '\\040').replace(UNSAFE_ALL, octalOf);
    case 'cstyle':
      return name.replace(/\\/g, '\\\\').replace(/ /g, '\\s').replace(UNSAFE_ALL, cEscape);
    case 'escape':
      return name.replace(/[\\ ]/g, '\\$&').replace(UNSAFE_ALL, cEscape);
    case 'c':
      return `"${name.replace(/[\\"]/g, '\\$&').replace(UNSAFE_ALL, cEscape)}"`;
    case 'locale':
      return `'${name.replace(/[\\']/g, '\\$&').replace(UNSAFE_ALL, cEscape)}'`;
    case 'clocale':
      return `"${name.replace(/[\\"]/g, '\\$&').replace(UNSAFE_ALL, cEscape)}"`;
    default:
      return shellName(name, style);
  }
}

/** What a shell would not take as part of a plain word (GNU's set). */
const SHELL_SPECIAL = /[\s!"#$&'()*;<=>?[\\\]^`{|}~]/;
const shellNeeds = (name: string): boolean =>
  name === '' ||
  /^[#~]/.test(name) ||
  SHELL_SPECIAL.test(name.replace(/[#~{}\]=]/g, (char, at: number) => (at === 0 ? char : 'x')));

function shellName(name: string, style: NameStyle): string {
  const escape = style === 'shell-escape' || style === 'shell-escape-always';
  const always = style === 'shell-always' || style === 'shell-escape-always';
  if (escape && UNSAFE.test(name)) return shellEscape(name);
  if (!always && !shellNeeds(name)) return name;
  if (name.includes("'") && !/["$`\\!]/.test(name)) return `"${name}"`;
  return `'${name.replace(/'/g, `'\\''`)}'`;
}

/** `'plain'$'\n''more'`: quoted pieces, control characters between them in $'…'. */
function shellEscape(name: string): string {
  let out = '';
  let inDollar = false;
  let open = true;
  out = "'";
  for (const char of name) {
    if (UNSAFE.test(char)) {
      if (!inDollar) out += `${open ? "'" : ''}$'`;
      out += cEscape(char);
      inDollar = true;
      open = true;
      continue;
    }
    if (inDollar) {
      out += "''";
      inDollar = false;
    }
    out += char === "'" ? `'\\''` : char;
  }
  return `${out}'`;
}

/** Columns that a terminal gives the text: 2 for wide East Asian characters and emoji, 0 for combining marks. */
export function displayWidth(text: string): number {
  let plain = true;
  for (let i = 0; i < text.length; i++) if (text.charCodeAt(i) > 0x2ff) plain = false;
  if (plain) return text.length;
  let width = 0;
  for (const char of text) width += charWidth(char.codePointAt(0) ?? 0);
  return width;
}

function charWidth(code: number): number {
  if (code < 0x300) return 1;
  if (/\p{M}|\p{Cf}/u.test(String.fromCodePoint(code))) return 0;
  const wide =
    (code >= 0x1100 && code <= 0x115f) ||
    (code >= 0x2e80 && code <= 0xa4cf && code !== 0x303f) ||
    (code >= 0xac00 && code <= 0xd7a3) ||
    (code >= 0xf900 && code <= 0xfaff) ||
    (code >= 0xfe30 && code <= 0xfe6f) ||
    (code >= 0xff00 && code <= 0xff60) ||
    (code >= 0xffe0 && code <= 0xffe6) ||
    (code >= 0x1f300 && code <= 0x1f64f) ||
    (code >= 0x1f900 && code <= 0x1f9ff) ||
    (code >= 0x20000 && code <= 0x3fffd);
  return wide ? 2 : 1;
}

/** GNU's version sort, in short: runs of digits compare as numbers, the rest by bytes. */
export function compareVersions(a: string, b: string): number {
  const partsOf = (name: string): string[] => name.match(/\d+|\D+/g) ?? [];
  const left = partsOf(a);
  const right = partsOf(b);
  for (let i = 0; i < Math.max(left.length, right.length); i++) {
    const x = left[i];
    const y = right[i];
    if (x === undefined || y === undefined) return x === undefined ? -1 : 1;
    const numbers = /^\d/.test(x) && /^\d/.test(y);
    const order = numbers ? compareDigits(x, y) : compareNames(x, y);
    if (order !== 0) return order;
  }
  return compareNames(a, b);
}

function compareDigits(x: string, y: string): number {
  const a = x.replace(/^0+(?=\d)/, '');
  const b = y.replace(/^0+(?=\d)/, '');
  return a.length - b.length || compareNames(a, b);
}

/** The name for JSON: bytes that are no UTF-8 become U+FFFD, and then `bytes` holds the truth. */
export function jsonName(name: string): { readonly text: string; readonly bytes: Uint8Array | undefined } {
  if (isWellFormedName(name)) return { text: name, bytes: undefined };
  return { text: name.replace(/\p{Cs}/gu, '\ufffd'), bytes: nameToBytes(name) };
}

/** A name of ours as words: `blockSize` → `block size`. */
export const wordsOf = (name: string): string => name.replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`);
