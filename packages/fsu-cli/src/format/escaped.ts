/** Text with `\ooo` for the bytes that would end it too early: names and values in the dumps of getfattr and getfacl. */
import { nameFromBytes, nameToBytes } from 'ukfs';

/** A name in a line of its own. A backslash is `\134` to getfattr, two of them to getfacl. */
export const escapeName = (name: string, backslash = '\\134'): string =>
  name.replace(/[\n\r\\]/g, (char) =>
    char === '\\' ? backslash : `\\${char.charCodeAt(0).toString(8).padStart(3, '0')}`,
  );

/** The other way round. */
export const unescapeName = (text: string): string => (text.includes('\\') ? nameFromBytes(unescapeBytes(text)) : text);

/** Bytes of a text in which `\ooo` is a byte and `\c` is c. */
export function unescapeBytes(text: string): Uint8Array {
  const out: number[] = [];
  for (const piece of text.split(/(\\[0-7]{3}|\\[^0-7])/)) {
    if (/^\\[0-7]{3}$/.test(piece)) out.push(Number.parseInt(piece.slice(1), 8) & 0xff);
    else for (const byte of nameToBytes(piece.startsWith('\\') ? piece.slice(1) : piece)) out.push(byte);
  }
  return Uint8Array.from(out);
}
