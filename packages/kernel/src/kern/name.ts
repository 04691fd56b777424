/**
 * File-name bytes ↔ string, one to one.
 *
 * Names are bytes on disk and strings in the API: UTF-8 where valid; an invalid byte 0xNN becomes the lone surrogate
 * U+DCNN (the "surrogateescape" idea of PEP 383). A lone surrogate that a UTF-16 format brings is its three WTF-8 bytes,
 * each escaped, so that the map stays one to one.
 */
let decoder: { decode(bytes: Uint8Array): string } | undefined;
/** TypeError for what is not UTF-8. Made on first use: a strict decoder takes half a millisecond to make. */
const decodeUtf8 = (bytes: Uint8Array): string =>
  (decoder ??= new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })).decode(bytes);
const encoder = new TextEncoder();

/** Name of `src[start, end)`. */
export function nameFromBytes(src: Uint8Array, start = 0, end = src.length): string {
  let name = '';
  let i = start;
  // Eight at a time: a string for each byte would be most of what listing a directory leaves behind.
  for (; i + 8 <= end; i += 8) {
    const a = src[i] as number;
    const b = src[i + 1] as number;
    const c = src[i + 2] as number;
    const d = src[i + 3] as number;
    const e = src[i + 4] as number;
    const f = src[i + 5] as number;
    const g = src[i + 6] as number;
    const h = src[i + 7] as number;
    if ((a | b | c | d | e | f | g | h) >= 0x80) return decodeSlow(src.subarray(start, end));
    name += String.fromCharCode(a, b, c, d, e, f, g, h);
  }
  for (; i < end; i++) {
    const byte = src[i] as number;
    if (byte >= 0x80) return decodeSlow(src.subarray(start, end));
    name += String.fromCharCode(byte);
  }
  return name;
}

function decodeSlow(src: Uint8Array): string {
  try {
    return decodeUtf8(src);
  } catch {
    return decodeEscaping(src);
  }
}

function decodeEscaping(src: Uint8Array): string {
  let name = '';
  for (let i = 0; i < src.length;) {
    const length = sequenceLength(src, i);
    if (length === 0) name += String.fromCharCode(0xdc00 | (src[i++] as number));
    else {
      name += decodeUtf8(src.subarray(i, i + length));
      i += length;
    }
  }
  return name;
}

/** Length of the valid UTF-8 sequence at `i`, or 0 (RFC 3629 table: no overlong forms, no surrogates, <= U+10FFFF). */
function sequenceLength(src: Uint8Array, i: number): number {
  const lead = src[i] as number;
  if (lead < 0x80) return 1;
  const length =
    lead >= 0xc2 && lead < 0xe0 ? 2 : lead >= 0xe0 && lead < 0xf0 ? 3 : lead >= 0xf0 && lead < 0xf5 ? 4 : 0;
  if (length === 0 || i + length > src.length) return 0;
  const second = src[i + 1] as number;
  const low = lead === 0xe0 ? 0xa0 : lead === 0xf0 ? 0x90 : 0x80;
  const high = lead === 0xed ? 0x9f : lead === 0xf4 ? 0x8f : 0xbf;
  if (second < low || second > high) return 0;
  for (let k = 2; k < length; k++) if (((src[i + k] as number) & 0xc0) !== 0x80) return 0;
  return length;
}

/** Bytes of a name. The inverse of nameFromBytes for every string that it gives. */
export function nameToBytes(name: string): Uint8Array {
  const bytes = new Uint8Array(name.length);
  for (let i = 0; i < name.length; i++) {
    const unit = name.charCodeAt(i);
    if (unit >= 0x80) return encodeSlow(name);
    bytes[i] = unit;
  }
  return bytes;
}

function encodeSlow(name: string): Uint8Array {
  for (let i = 0; i < name.length; i++) {
    if (name.charCodeAt(i) >= 0xd800) return encodeEscaping(name);
  }
  return encoder.encode(name);
}

function encodeEscaping(name: string): Uint8Array {
  const out: number[] = [];
  for (let i = 0; i < name.length; i++) {
    const unit = name.charCodeAt(i);
    const pair = name.codePointAt(i) as number;
    if (pair > 0xffff) {
      out.push(...encoder.encode(String.fromCodePoint(pair)));
      i++;
    } else if (unit >= 0xdc80 && unit <= 0xdcff) out.push(unit & 0xff);
    else if (unit >= 0xd800 && unit <= 0xdfff)
      out.push(0xe0 | (unit >> 12), 0x80 | ((unit >> 6) & 0x3f), 0x80 | (unit & 0x3f));
    else out.push(...encoder.encode(String.fromCharCode(unit)));
  }
  return Uint8Array.from(out);
}

/** Length of a name in bytes, without making them. */
export function nameByteLength(name: string): number {
  let length = 0;
  for (let i = 0; i < name.length; i++) {
    const unit = name.charCodeAt(i);
    if (unit < 0x80) length += 1;
    else if (unit < 0x800) length += 2;
    else if (unit >= 0xdc80 && unit <= 0xdcff && !isHigh(name.charCodeAt(i - 1))) length += 1;
    else if (isHigh(unit) && isLow(name.charCodeAt(i + 1))) {
      length += 4;
      i++;
    } else length += 3;
  }
  return length;
}

const isHigh = (unit: number): boolean => unit >= 0xd800 && unit < 0xdc00;
const isLow = (unit: number): boolean => unit >= 0xdc00 && unit < 0xe000;

/** True when every byte of the name was valid UTF-8 (nothing is escaped). */
export function isWellFormedName(name: string): boolean {
  for (let i = 0; i < name.length; i++) {
    if (name.charCodeAt(i) >= 0xd800) return !/[\uD800-\uDFFF]/u.test(name);
  }
  return true;
}
