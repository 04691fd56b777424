/**
 * Names in casefolded directories: equal when their folded forms are. The format asks for Unicode 12.1, canonical
 * decomposition and full case folding with ignorable characters removed; we take decomposition and case from the
 * JavaScript engine, whose Unicode is newer, and leave alone the letters that are younger than 12.1 (unicode-age.ts).
 */
import { ENCODING_STRICT } from './format.ts';
import { isAssigned } from './unicode-age.ts';

let decoder: { decode(bytes: Uint8Array): string } | undefined;
/** TypeError for what is not UTF-8. Made on first use: a strict decoder takes half a millisecond to make. */
const decodeUtf8 = (bytes: Uint8Array): string =>
  (decoder ??= new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })).decode(bytes);
const encoder = new TextEncoder();
const IGNORABLE = /\p{Default_Ignorable_Code_Point}/u;

/** Full case folding of one character. Lower, upper, lower again gives it for all but those named. */
function foldCharacter(character: string): string {
  const code = character.codePointAt(0) as number;
  // Dotless i stays itself; Cherokee folds to its capitals, which came first.
  if (code === 0x131) return character;
  if ((code >= 0x13a0 && code <= 0x13f5) || (code >= 0x13f8 && code <= 0x13fd) || (code >= 0xab70 && code <= 0xabbf)) {
    return character.toUpperCase();
  }
  if (!isAssigned(code)) return character;
  return character.toLowerCase().toUpperCase().toLowerCase();
}

const isAscii = (name: Uint8Array): boolean => name.every((byte) => byte < 0x80);

/** The text of a name, or undefined when it is not valid UTF-8. */
function textOf(name: Uint8Array): string | undefined {
  try {
    return decodeUtf8(name);
  } catch {
    return undefined;
  }
}

/** A code point of the name that Unicode 12.1 does not know, if there is one. */
export function youngCharacter(name: Uint8Array): number | undefined {
  if (isAscii(name)) return undefined;
  for (const character of textOf(name) ?? '') {
    const code = character.codePointAt(0) as number;
    if (!isAssigned(code)) return code;
  }
  return undefined;
}

/** Each character by itself; only when all are folded are the marks put in order. */
function foldPiece(piece: string): string {
  let folded = '';
  for (const character of piece) {
    for (const part of character.normalize('NFD')) folded += foldCharacter(part);
  }
  return folded.normalize('NFD');
}

/** The folded form of a name, or undefined when it is not valid UTF-8: such names compare as bytes. */
export function casefold(name: Uint8Array): Uint8Array | undefined {
  if (isAscii(name)) return name.map((byte) => (byte >= 0x41 && byte <= 0x5a ? byte + 0x20 : byte));
  const text = textOf(name);
  if (text === undefined) return undefined;
  let folded = '';
  // A character that is left out still keeps the marks on its sides from changing places.
  for (const piece of text.split(IGNORABLE)) folded += foldPiece(piece);
  return encoder.encode(folded);
}

/** May a new name in a casefolded directory be these bytes? Not if it must be UTF-8 and is not. */
export const isAllowed = (name: Uint8Array, encodingFlags: number): boolean =>
  (encodingFlags & ENCODING_STRICT) === 0 || textOf(name) !== undefined;
