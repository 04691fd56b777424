/** Values of extended attributes as text: as they are, `"quoted"`, `0x…` hexadecimal, `0s…` base64; setfattr(1)'s forms. */
import { nameFromBytes, nameToBytes } from 'ukfs';
import { unescapeBytes } from '../format/escaped.ts';
import { base64, parseBase64 } from '../format/base64.ts';

export type Encoding = 'text' | 'hex' | 'base64';

/** Printable ASCII, and the white space of a text. */
const isPlain = (byte: number): boolean => (byte >= 0x20 && byte < 0x7f) || byte === 0x09 || byte === 0x0a;

/** Without an encoding: text where it is one, base64 otherwise. */
export function valueText(value: Uint8Array, encoding: Encoding | undefined): string {
  const how = encoding ?? (value.every(isPlain) ? 'text' : 'base64');
  if (how === 'base64') return `0s${base64(value)}`;
  if (how === 'hex') return `0x${[...value].map((byte) => byte.toString(16).padStart(2, '0')).join('')}`;
  let text = '"';
  for (const byte of value) {
    if (byte === 0x22 || byte === 0x5c) text += `\\${String.fromCharCode(byte)}`;
    else text += byte >= 0x20 && byte < 0x7f ? String.fromCharCode(byte) : `\\${byte.toString(8).padStart(3, '0')}`;
  }
  return `${text}"`;
}

/** undefined: it begins like a form that it does not keep to. */
export function parseValue(text: string): Uint8Array | undefined {
  if (/^0x/i.test(text)) {
    const digits = text.slice(2);
    if (!/^([0-9a-f]{2})*$/i.test(digits)) return undefined;
    return Uint8Array.from(digits.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));
  }
  if (/^0s/i.test(text)) return parseBase64(text.slice(2));
  if (!text.startsWith('"')) return nameToBytes(text);
  return /^"([^"\\]|\\.)*"$/s.test(text) ? unescapeBytes(text.slice(1, -1)) : undefined;
}

/** The bytes as they are, for a terminal or a pipe. */
export const rawValue = (value: Uint8Array): string => nameFromBytes(value);
