/**
 * One file searched line by line, in pieces of whole lines: memory is bounded whatever its length. A line of more than a MiB
 * is searched as several.
 */
import { nameFromBytes } from 'ukfs';
import { wholeLines } from '../lines.ts';
import type { GrepOptions } from './options.ts';

/** Where lines go. */
export interface GrepSink {
  /** `number` counts from 1; `isMatch` is false for lines around a match. */
  line(text: string, number: number, isMatch: boolean): void;
  /** Lines between two groups are left out. */
  gap(): void;
}

export interface Found {
  /** Lines selected. */
  readonly count: number;
  /** A line was selected in a file that is not text, and not shown. */
  readonly hidden: boolean;
}

let decoder: { decode(bytes: Uint8Array): string } | undefined;

/** The text of a piece, and whether it is UTF-8 and ASCII. Bytes that are no UTF-8 stay what they are, as in names. */
function decode(bytes: Uint8Array): { readonly text: string; readonly isUtf8: boolean; readonly isAscii: boolean } {
  try {
    decoder ??= new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
    const text = decoder.decode(bytes);
    return { text, isUtf8: true, isAscii: text.length === bytes.length };
  } catch {
    return { text: nameFromBytes(bytes), isUtf8: false, isAscii: false };
  }
}

export function searchFile(read: (dst: Uint8Array) => number, options: GrepOptions, sink: GrepSink): Found {
  const search = new Search(options, sink);
  for (const piece of wholeLines(read, options.delimiter === '\0' ? 0 : 10)) if (!search.piece(piece)) break;
  return { count: search.count, hidden: search.hidden };
}

class Search {
  readonly #options: GrepOptions;
  readonly #sink: GrepSink;
  /** Does the caller want the lines? */
  readonly #shows: boolean;
  /** One is enough. */
  readonly #first: boolean;
  readonly #before: string[] = [];
  #after = 0;
  /** Number of the last line that was shown. */
  #shown = 0;
  #number = 0;
  #isBinary = false;
  count = 0;
  hidden = false;

  constructor(options: GrepOptions, sink: GrepSink) {
    const { output } = options;
    this.#options = options;
    this.#sink = sink;
    this.#shows = output === 'lines' || output === 'matches';
    this.#first = output === 'with' || output === 'without' || output === 'nothing';
  }

  /** False: the rest of the file does not matter. */
  piece(bytes: Uint8Array): boolean {
    const { binary, delimiter, matcher, invert } = this.#options;
    const { text, isUtf8, isAscii } = decode(bytes);
    if (binary !== 'text' && (!isUtf8 || (delimiter === '\n' && bytes.includes(0)))) this.#isBinary = true;
    if (this.#isBinary && binary === 'without-match') return false;
    const { needle } = matcher;
    const skips = needle !== undefined && !invert && this.#options.before === 0;
    for (let at = 0; at < text.length;) {
      if (skips && this.#after === 0) {
        const next = text.indexOf(needle, at);
        const start = next < 0 ? text.length : text.lastIndexOf(delimiter, next) + 1;
        if (start > at) {
          this.#number += this.#options.numbers ? linesIn(text, at, start, delimiter) : 0;
          at = start;
          continue;
        }
      }
      const found = text.indexOf(delimiter, at);
      const end = found < 0 ? text.length : found;
      this.#number++;
      if (!this.#line(text.slice(at, end), isAscii)) return false;
      at = end + 1;
    }
    return true;
  }

  #line(line: string, isAscii: boolean): boolean {
    const { matcher, invert, maxCount, before, after } = this.#options;
    if (this.count >= maxCount) return this.#trailing(line);
    if (matcher.test(line, isAscii) === invert) {
      if (this.#after > 0) this.#trailing(line);
      else if (before > 0 && this.#shows) {
        this.#before.push(line);
        if (this.#before.length > before) this.#before.shift();
      }
      return true;
    }
    this.count++;
    if (this.#first) return false;
    if (!this.#shows) return this.count < maxCount;
    if (this.#isBinary) {
      this.hidden = true;
      return false;
    }
    const begins = this.#number - this.#before.length;
    if ((before > 0 || after > 0) && this.#shown > 0 && begins > this.#shown + 1) this.#sink.gap();
    this.#before.forEach((text, i) => this.#sink.line(text, begins + i, false));
    this.#before.length = 0;
    this.#sink.line(line, this.#number, true);
    this.#shown = this.#number;
    this.#after = after;
    return this.count < maxCount || after > 0;
  }

  /** A line behind a match. False: no more of them are wanted. */
  #trailing(line: string): boolean {
    if (this.#after === 0) return false;
    this.#after--;
    if (this.#shows) this.#sink.line(line, this.#number, false);
    this.#shown = this.#number;
    return this.count < this.#options.maxCount || this.#after > 0;
  }
}

function linesIn(text: string, from: number, to: number, delimiter: string): number {
  let lines = 0;
  for (let at = text.indexOf(delimiter, from); at >= 0 && at < to; at = text.indexOf(delimiter, at + 1)) lines++;
  return lines;
}
