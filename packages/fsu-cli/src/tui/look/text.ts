/**
 * Which encoding a text has, guessed from its beginning: by its byte order mark (Unicode, "The Unicode Standard", 23.8), by where its
 * zero bytes are, by whether it is valid UTF-8. What has too many control characters for a text is none.
 */
import { displayWidth, safeText } from '../../format/name.ts';
import { latin1, u8 } from './bytes.ts';

export type Encoding = 'ASCII' | 'UTF-8' | 'UTF-16LE' | 'UTF-16BE' | 'ISO 8859-1';

/** An encoding, and what stands before the text. */
interface Guess {
  readonly encoding: Encoding;
  /** Bytes of the byte order mark. */
  readonly mark: number;
}

/** Bytes that are looked at. */
const SAMPLE = 8192;
/** Of so many units one may be a control character. */
const CONTROLS = 64;

/** undefined: it is no text. `isWhole`: nothing comes after these bytes. */
export function encodingOf(bytes: Uint8Array, isWhole: boolean): Guess | undefined {
  const sample = bytes.subarray(0, SAMPLE);
  const whole = isWhole && sample.length === bytes.length;
  const [a, b, c] = [u8(sample, 0), u8(sample, 1), u8(sample, 2)];
  if (a === 0xef && b === 0xbb && c === 0xbf) return { encoding: 'UTF-8', mark: 3 };
  if (sample.length >= 2 && a === 0xff && b === 0xfe) return fewControls(decode16(sample, 'LE'), 'UTF-16LE', 2);
  if (sample.length >= 2 && a === 0xfe && b === 0xff) return fewControls(decode16(sample, 'BE'), 'UTF-16BE', 2);
  if (sample.includes(0)) return utf16(sample);
  if (isUtf8(sample, whole)) {
    const text = new TextDecoder().decode(sample);
    return fewControls(text, sample.every((byte) => byte < 0x80) ? 'ASCII' : 'UTF-8', 0);
  }
  // Latin-1 has control characters at 0x80 … 0x9f, too: what is another encoding or none has many of them.
  return fewControls(latin1(sample), 'ISO 8859-1', 0);
}

/** Most characters of most texts are below U+0100: their zero bytes are all on one side. */
function utf16(sample: Uint8Array): Guess | undefined {
  let [even, odd] = [0, 0];
  for (let at = 0; at < sample.length; at++) {
    if (sample[at] !== 0) continue;
    if (at % 2 === 0) even++;
    else odd++;
  }
  const units = sample.length / 2;
  if (odd > units / 3 && even < units / 50) return fewControls(decode16(sample, 'LE'), 'UTF-16LE', 0);
  if (even > units / 3 && odd < units / 50) return fewControls(decode16(sample, 'BE'), 'UTF-16BE', 0);
  return undefined;
}

function fewControls(text: string, encoding: Encoding, mark: number): Guess | undefined {
  let controls = 0;
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    const isSpace = code >= 8 && code <= 13;
    // ESC colours listings and logs.
    if ((code < 0x20 && !isSpace && code !== 0x1b) || (code >= 0x7f && code < 0xa0)) controls++;
  }
  return controls * CONTROLS > text.length ? undefined : { encoding, mark };
}

/** A character that is cut off at the end does no harm, unless the text ends there. */
function isUtf8(bytes: Uint8Array, isWhole: boolean): boolean {
  try {
    new TextDecoder('utf-8', { fatal: true }).decode(bytes, { stream: !isWhole });
    return true;
  } catch (thrown) {
    if (thrown instanceof TypeError) return false;
    throw thrown;
  }
}

/** `at` counts from the beginning of the text, whose pairs of bytes begin at even ones. */
function decode16(bytes: Uint8Array, order: 'LE' | 'BE'): string {
  const high = order === 'LE' ? 1 : 0;
  let text = '';
  for (let at = 0; at + 1 < bytes.length; at += 2)
    text += String.fromCharCode(0x100 * u8(bytes, at + high) + u8(bytes, at + 1 - high));
  return text;
}

/** The characters; what is none is U+FFFD. */
export function decoded(bytes: Uint8Array, encoding: Encoding): string {
  switch (encoding) {
    case 'ASCII':
    case 'UTF-8':
      return new TextDecoder('utf-8').decode(bytes);
    case 'UTF-16LE':
      return decode16(bytes, 'LE').replace(/\p{Cs}/gu, '\ufffd');
    case 'UTF-16BE':
      return decode16(bytes, 'BE').replace(/\p{Cs}/gu, '\ufffd');
    case 'ISO 8859-1':
      return latin1(bytes);
  }
}

/** Columns between tab stops. */
const TAB = 8;
/** Characters of a line that are kept: no terminal is wider. */
const LINE_MAX = 1000;

/** A line as a terminal may have it: tabs are blanks, control characters escaped, long ones cut. */
function shownLine(line: string): string {
  const kept = line.length > LINE_MAX ? line.slice(0, LINE_MAX).replace(/[\ud800-\udbff]$/, '') : line;
  if (!kept.includes('\t')) return safeText(kept);
  let shown = '';
  for (const [at, piece] of kept.split('\t').entries()) {
    if (at > 0) shown += ' '.repeat(TAB - (displayWidth(shown) % TAB));
    shown += safeText(piece);
  }
  return shown;
}

/** At most `max` lines of a text, fit for a terminal. */
export function textLines(bytes: Uint8Array, encoding: Encoding, max: number): readonly string[] {
  const text = decoded(bytes, encoding).replace(/^\ufeff/, '');
  const lines = text.split('\n', max + 1);
  if (lines.length <= max && lines.at(-1) === '') lines.pop();
  return lines.slice(0, max).map((line) => shownLine(line.endsWith('\r') ? line.slice(0, -1) : line));
}

/** Bytes after which a line without an end is cut in two. */
const LINE_BYTES = 4096;

/** Of one unit of the encoding. */
const unitOf = (encoding: Encoding): 1 | 2 => (encoding === 'UTF-16LE' || encoding === 'UTF-16BE' ? 2 : 1);

function isLineFeed(bytes: Uint8Array, at: number, encoding: Encoding): boolean {
  if (encoding === 'UTF-16LE') return bytes[at] === 10 && bytes[at + 1] === 0;
  if (encoding === 'UTF-16BE') return bytes[at] === 0 && bytes[at + 1] === 10;
  return bytes[at] === 10;
}

/** Where the line after the one at `at` begins; the end of the bytes when they end before. */
export function nextLine(bytes: Uint8Array, at: number, encoding: Encoding): number {
  const unit = unitOf(encoding);
  const from = at - (at % unit);
  const limit = Math.min(bytes.length, from + LINE_BYTES);
  for (let i = from; i < limit; i += unit) if (isLineFeed(bytes, i, encoding)) return Math.min(bytes.length, i + unit);
  return limit;
}

/** Where the line begins that `at` is in: behind the line feed before it, or as far back as lines go. */
export function lineStart(bytes: Uint8Array, at: number, encoding: Encoding): number {
  const unit = unitOf(encoding);
  const from = at - (at % unit);
  const limit = Math.max(0, from - LINE_BYTES);
  for (let i = from - unit; i >= limit; i -= unit) if (isLineFeed(bytes, i, encoding)) return i + unit;
  return limit;
}

/** Where the line before the one that begins at `at` begins. */
export const previousLine = (bytes: Uint8Array, at: number, encoding: Encoding): number =>
  at <= 0 ? 0 : lineStart(bytes, at - unitOf(encoding), encoding);

/** A text as the bytes to look for in such a file. undefined: Latin-1 does not have all of its characters. */
export function encoded(text: string, encoding: Encoding): Uint8Array | undefined {
  switch (encoding) {
    case 'ASCII':
    case 'UTF-8':
      return new TextEncoder().encode(text);
    case 'ISO 8859-1':
      return [...text].every((char) => char.charCodeAt(0) < 0x100)
        ? Uint8Array.from(text, (char) => char.charCodeAt(0))
        : undefined;
    default: {
      const bytes = new Uint8Array(text.length * 2);
      for (let i = 0; i < text.length; i++) {
        const code = text.charCodeAt(i);
        bytes[2 * i + (encoding === 'UTF-16LE' ? 0 : 1)] = code & 0xff;
        bytes[2 * i + (encoding === 'UTF-16LE' ? 1 : 0)] = code >>> 8;
      }
      return bytes;
    }
  }
}
