/**
 * What stands before commander: finding the image of `fsu_X`, fs-utils' mount options before it, and long options whose
 * value is optional. docs/cli.md has the grammar.
 */
import type { OptionShape } from './command.ts';
import { UsageError } from './command.ts';

/** Mount options as they were given, whichever way. */
export interface MountWords {
  readonly type: string | undefined;
  readonly options: readonly string[];
  readonly verbose: number;
}

export interface SplitWords {
  /** For commander. */
  readonly words: readonly string[];
  readonly mount: MountWords;
  /** The operand that is the image; `literal`: after -f, a file name and never an address. */
  readonly image: { readonly text: string; readonly literal: boolean } | undefined;
}

const noMount: MountWords = { type: undefined, options: [], verbose: 0 };

/**
 * Words of `fsu_X`. Before the image -t, -o, -s, -f and -v mean what they mean to fs-utils, if they begin their word;
 * everything else is the tool's. `imageGiven`: FSU_DEVICE names the image and no operand does.
 */
export function splitClassic(
  words: readonly string[],
  shapes: () => readonly OptionShape[],
  imageGiven: boolean,
): SplitWords {
  const tool: string[] = [];
  const options: string[] = [];
  let type: string | undefined;
  let verbose = 0;
  let image: SplitWords['image'];
  let at = 0;
  const next = (option: string): string => {
    const value = words[++at];
    if (value === undefined) throw new UsageError(`option '${option}' needs a value`);
    return value;
  };
  for (; at < words.length && image === undefined; at++) {
    const word = words[at] ?? '';
    if (word === '--') {
      // The image follows; later operands keep their own `--`.
      if (imageGiven) break;
      at++;
      image = words[at] === undefined ? undefined : { text: words[at] ?? '', literal: false };
      if (image !== undefined) tool.push('--');
      continue;
    }
    if (word === '-' || !word.startsWith('-')) {
      if (imageGiven) break;
      image = { text: word, literal: false };
      continue;
    }
    let rest = /^-[tosfv]/.test(word) ? word.slice(1) : '';
    if (rest === '') {
      tool.push(word);
      if (needsNextWord(word, shapes)) tool.push(next(word));
      if (word === '--image' || word.startsWith('--image=')) imageGiven = true;
      continue;
    }
    while (rest !== '') {
      const letter = rest.charAt(0);
      rest = rest.slice(1);
      if (letter === 'v') verbose += 1;
      else if ('tosf'.includes(letter)) {
        const value = rest === '' ? next(`-${letter}`) : rest;
        rest = '';
        if (letter === 't') type = value;
        else if (letter === 'o') options.push(value);
        else if (letter === 'f') image = { text: value, literal: true };
        else if (value.trim() !== '') throw new UsageError(`no file system here takes flags: -s '${value}'`);
      } else {
        tool.push(`-${letter}${rest}`);
        if (needsNextWord(`-${letter}${rest}`, shapes)) tool.push(next(`-${letter}`));
        rest = '';
      }
    }
  }
  return {
    words: fillOptional([...tool, ...words.slice(at)], shapes),
    mount: { type, options, verbose },
    image,
  };
}

/** Words of `fsu X`: nothing is special in front. */
export function splitModern(words: readonly string[], shapes: () => readonly OptionShape[]): SplitWords {
  return { words: fillOptional(words, shapes), mount: noMount, image: undefined };
}

/** Is the word an option whose value is the next word? */
function needsNextWord(word: string, shapes: () => readonly OptionShape[]): boolean {
  if (word.startsWith('--')) {
    const name = word.slice(2);
    return shapes().some((shape) => shape.long === name && shape.takes === 'value');
  }
  // In a cluster the first option that takes a value takes the rest of the word, or else the next one.
  for (let i = 1; i < word.length; i++) {
    const letter = word.charAt(i);
    const shape = shapes().find((candidate) => candidate.short === letter);
    if (shape?.takes === 'value') return i + 1 === word.length;
  }
  return false;
}

/** `--color` alone becomes `--color=always`: commander would take the next word for its value. */
function fillOptional(words: readonly string[], shapes: () => readonly OptionShape[]): readonly string[] {
  const end = words.indexOf('--');
  return words.map((word, at) => {
    if (!word.startsWith('--') || word.length === 2 || (end >= 0 && at > end)) return word;
    const shape = shapes().find((candidate) => candidate.bare !== undefined && `--${candidate.long ?? ''}` === word);
    return shape === undefined ? word : `${word}=${shape.bare ?? ''}`;
  });
}

/** `\xNN` and `\\` of --bytes: the text's UTF-8 with those bytes in place, as a string of bytes 0 … 255. */
export function bytesOfEscapes(text: string, encode: (text: string) => Uint8Array): Uint8Array {
  const out: number[] = [];
  for (const piece of text.split(/(\\x[0-9a-fA-F]{2}|\\\\)/)) {
    if (piece === '\\\\') out.push(0x5c);
    else if (/^\\x[0-9a-fA-F]{2}$/.test(piece)) out.push(Number.parseInt(piece.slice(2), 16));
    else for (const byte of encode(piece)) out.push(byte);
  }
  return Uint8Array.from(out);
}
