/** The order of names that everything which must come out alike has: that of their bytes. */
import { nameToBytes } from '@ukfs/kernel';

/** Order of strcmp(3) on the names' bytes. */
export function compareNames(a: string, b: string): number {
  const length = Math.min(a.length, b.length);
  for (let i = 0; i < length; i++) {
    const x = a.charCodeAt(i);
    const y = b.charCodeAt(i);
    if (x === y) continue;
    // Below the surrogates the order of code units is the order of UTF-8's bytes.
    if (x < 0xd800 && y < 0xd800) return x - y;
    return compareBytes(nameToBytes(a), nameToBytes(b));
  }
  return a.length - b.length;
}

function compareBytes(a: Uint8Array, b: Uint8Array): number {
  const length = Math.min(a.length, b.length);
  for (let i = 0; i < length; i++) {
    const difference = (a[i] ?? 0) - (b[i] ?? 0);
    if (difference !== 0) return difference;
  }
  return a.length - b.length;
}
