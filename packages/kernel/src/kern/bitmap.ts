/**
 * Bitmaps over a Uint8Array: bit i is bit i % 8 of byte i / 8 (least significant first), as ext2, FFS, NTFS and exFAT keep
 * them. Mechanism only: which bits mean "free", and where to look first, is each file system's policy.
 *
 * Ranges are [start, end) in bits; the caller has bounded them by the map. Full bytes are handled eight bits at a time,
 * so that scanning or filling a 32768-bit map costs microseconds.
 */

export const testBit = (map: Uint8Array, bit: number): boolean => ((map[bit >>> 3] ?? 0) & (1 << (bit & 7))) !== 0;

export function setBit(map: Uint8Array, bit: number): void {
  map[bit >>> 3] = (map[bit >>> 3] ?? 0) | (1 << (bit & 7));
}

export function clearBit(map: Uint8Array, bit: number): void {
  map[bit >>> 3] = (map[bit >>> 3] ?? 0) & ~(1 << (bit & 7));
}

export function setRange(map: Uint8Array, start: number, end: number): void {
  eachPart(start, end, {
    part: (byte, mask) => (map[byte] = (map[byte] ?? 0) | mask),
    whole: (first, last) => map.fill(0xff, first, last),
  });
}

export function clearRange(map: Uint8Array, start: number, end: number): void {
  eachPart(start, end, {
    part: (byte, mask) => (map[byte] = (map[byte] ?? 0) & ~mask),
    whole: (first, last) => map.fill(0, first, last),
  });
}

/** First clear bit of [start, end), or -1. */
export const findClear = (map: Uint8Array, start: number, end: number): number => find(map, start, end, 0xff);

/** First set bit of [start, end), or -1. */
export const findSet = (map: Uint8Array, start: number, end: number): number => find(map, start, end, 0);

/** First clear bit of [start, end) at a multiple of 8 whose whole byte is clear, or -1: room for a run, cheaply found. */
export function findClearByte(map: Uint8Array, start: number, end: number): number {
  const byte = map.indexOf(0, (start + 7) >>> 3);
  return byte < 0 || byte * 8 + 8 > end ? -1 : byte * 8;
}

/** How many bits from `start` on are clear, at most up to `end`. */
export function clearRun(map: Uint8Array, start: number, end: number): number {
  const stop = findSet(map, start, end);
  return (stop < 0 ? end : stop) - start;
}

/** How many bits from `start` on are set, at most up to `end`. */
export function setRun(map: Uint8Array, start: number, end: number): number {
  const stop = findClear(map, start, end);
  return (stop < 0 ? end : stop) - start;
}

/** How many bits of [start, end) are set. */
export function countSet(map: Uint8Array, start: number, end: number): number {
  let count = 0;
  eachPart(start, end, {
    part: (byte, mask) => (count += bitsInByte[(map[byte] ?? 0) & mask] ?? 0),
    whole: (first, last) => {
      for (let byte = first; byte < last; byte++) count += bitsInByte[map[byte] ?? 0] ?? 0;
    },
  });
  return count;
}

const bitsInByte = new Uint8Array(256);
for (let i = 1; i < 256; i++) bitsInByte[i] = (i & 1) + (bitsInByte[i >> 1] ?? 0);

/** First bit that differs from the `skip` pattern (0xff: all set, 0: all clear). */
function find(map: Uint8Array, start: number, end: number, skip: number): number {
  if (start >= end) return -1;
  let byte = start >>> 3;
  const last = (end - 1) >>> 3;
  let wanted = ((map[byte] ?? skip) ^ skip) & (0xff << (start & 7)) & 0xff;
  while (wanted === 0) {
    if (++byte > last) return -1;
    wanted = (map[byte] ?? skip) ^ skip;
  }
  const bit = byte * 8 + 31 - Math.clz32(wanted & -wanted);
  return bit < end ? bit : -1;
}

function eachPart(
  start: number,
  end: number,
  to: { readonly part: (byte: number, mask: number) => void; readonly whole: (first: number, last: number) => void },
): void {
  if (start >= end) return;
  const first = start >>> 3;
  const last = end >>> 3;
  const head = (0xff << (start & 7)) & 0xff;
  const tail = 0xff >>> (8 - (end & 7));
  if (first === last) {
    to.part(first, head & tail);
    return;
  }
  if ((start & 7) === 0) to.whole(first, last);
  else {
    to.part(first, head);
    to.whole(first + 1, last);
  }
  if ((end & 7) !== 0) to.part(last, tail);
}
