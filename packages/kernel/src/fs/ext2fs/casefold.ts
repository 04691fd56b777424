/**
 * Names in casefolded directories: equal when their folded forms are. The format asks for Unicode 12.1, canonical
 * decomposition and full case folding with ignorable characters removed; we take decomposition and case from the
 * JavaScript engine, whose Unicode is newer, and leave alone the letters that are younger than 12.1.
 */
import { ENCODING_STRICT } from './format.ts';

let decoder: { decode(bytes: Uint8Array): string } | undefined;
/** TypeError for what is not UTF-8. Made on first use: a strict decoder takes half a millisecond to make. */
const decodeUtf8 = (bytes: Uint8Array): string =>
  (decoder ??= new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })).decode(bytes);
const encoder = new TextEncoder();
const IGNORABLE = /\p{Default_Ignorable_Code_Point}/gu;

/** Code point ranges of cased letters that came after Unicode 12.1: to it they are not letters. */
const YOUNGER: readonly (readonly [number, number])[] = [
  [0x1c89, 0x1c8a],
  [0x2c2f, 0x2c2f],
  [0x2c5f, 0x2c5f],
  [0xa7c0, 0xa7c1],
  [0xa7c7, 0xa7ca],
  [0xa7cb, 0xa7dc],
  [0xa7f5, 0xa7f6],
  [0x10570, 0x105bc],
  [0x10d50, 0x10d85],
  [0x16ea0, 0x16ed3],
];

/** Full case folding of one character. Lower, upper, lower again gives it for all but those named. */
function foldCharacter(character: string): string {
  const code = character.codePointAt(0) as number;
  // Dotless i stays itself; Cherokee folds to its capitals, which came first.
  if (code === 0x131) return character;
  if ((code >= 0x13a0 && code <= 0x13f5) || (code >= 0x13f8 && code <= 0x13fd) || (code >= 0xab70 && code <= 0xabbf)) {
    return character.toUpperCase();
  }
  if (YOUNGER.some(([from, to]) => code >= from && code <= to)) return character;
  return character.toLowerCase().toUpperCase().toLowerCase();
}

/** The folded form of a name, or undefined when it is not valid UTF-8: such names compare as bytes. */
export function casefold(name: Uint8Array): Uint8Array | undefined {
  let text: string;
  try {
    text = decodeUtf8(name);
  } catch {
    return undefined;
  }
  let folded = '';
  for (const character of text.normalize('NFD').replace(IGNORABLE, '')) folded += foldCharacter(character);
  return encoder.encode(folded.normalize('NFD'));
}

/** Must names in casefolded directories be valid UTF-8? */
export const isStrict = (encodingFlags: number): boolean => (encodingFlags & ENCODING_STRICT) !== 0;
