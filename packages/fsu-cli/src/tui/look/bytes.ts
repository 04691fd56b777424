/** Numbers in the first bytes of a file; what is not there reads as 0. */

export const u8 = (bytes: Uint8Array, at: number): number => bytes[at] ?? 0;
export const le16 = (bytes: Uint8Array, at: number): number => u8(bytes, at) + 0x100 * u8(bytes, at + 1);
export const le32 = (bytes: Uint8Array, at: number): number => le16(bytes, at) + 0x10000 * le16(bytes, at + 2);
export const be16 = (bytes: Uint8Array, at: number): number => 0x100 * u8(bytes, at) + u8(bytes, at + 1);
export const be32 = (bytes: Uint8Array, at: number): number => 0x10000 * be16(bytes, at) + be16(bytes, at + 2);

/** Bytes as characters of Latin-1. */
export function latin1(bytes: Uint8Array, at = 0, length = bytes.length - at): string {
  let text = '';
  for (let i = at; i < Math.min(at + length, bytes.length); i++) text += String.fromCharCode(u8(bytes, i));
  return text;
}

/** Latin-1 up to a NUL. */
export const cString = (bytes: Uint8Array, at: number, max: number): string =>
  latin1(bytes, at, max).split('\0', 1)[0] ?? '';
