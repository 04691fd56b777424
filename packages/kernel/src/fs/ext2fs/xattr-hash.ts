/** The hash that an entry of extended attributes keeps of its name and value. Spec: "Extended Attributes". */
import { getLe32 } from '../../kern/struct.ts';

/**
 * Of the name's bytes and the value's words, the value padded with zeros. Some kernels took the name's bytes as signed:
 * who checks has to accept either.
 */
export function entryHash(name: Uint8Array, padded: Uint8Array, options: { readonly signed?: boolean } = {}): number {
  let hash = 0;
  for (const byte of name) {
    hash = (hash << 5) ^ (hash >>> 27) ^ (options.signed === true ? (byte << 24) >> 24 : byte);
  }
  for (let at = 0; at < padded.length; at += 4) hash = (hash << 16) ^ (hash >>> 16) ^ getLe32(padded, at);
  return hash >>> 0;
}
