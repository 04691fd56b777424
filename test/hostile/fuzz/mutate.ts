/** Random changes of an input, of the kinds that parsers stumble over. */
import type { Rng } from '../../support/rng.ts';

const INTERESTING = [
  0, 1, 2, 3, 4, 7, 8, 15, 16, 31, 32, 63, 64, 100, 127, 128, 255, 256, 511, 512, 1023, 1024, 4095, 4096,
];
const LARGE = [0x7fff, 0x8000, 0xffff, 0x1_0000, 0x7fff_ffff, 0x8000_0000, 0xffff_fffe, 0xffff_ffff];

export interface MutateOptions {
  readonly corpus: readonly Uint8Array[];
  readonly maxBytes: number;
}

export function mutate(rng: Rng, from: Uint8Array, { corpus, maxBytes }: MutateOptions): Uint8Array {
  let bytes: Uint8Array = from.slice();
  const count = rng.oneIn(2) ? 1 : rng.between(1, 6);
  for (let i = 0; i < count; i++) bytes = change(rng, bytes, corpus);
  return bytes.length > maxBytes ? bytes.slice(0, maxBytes) : bytes;
}

function change(rng: Rng, bytes: Uint8Array, corpus: readonly Uint8Array[]): Uint8Array {
  const { length } = bytes;
  if (length === 0) return rng.bytes(rng.between(1, 16));
  const at = rng.int(length);
  switch (rng.int(12)) {
    case 0:
    case 1:
      bytes[at] = (bytes[at] ?? 0) ^ (1 << rng.int(8));
      return bytes;
    case 2:
    case 3:
      bytes[at] = rng.int(256);
      return bytes;
    case 4:
      bytes[at] = (bytes[at] ?? 0) + rng.between(-4, 4);
      return bytes;
    case 5:
    case 6:
    case 7:
      return putNumber(rng, bytes, at);
    case 8:
      return bytes.fill(rng.oneIn(2) ? 0 : 0xff, at, at + rng.between(1, 32));
    case 9: {
      // A piece of it moved to elsewhere within it.
      const length2 = rng.between(1, Math.min(64, length));
      const source = rng.int(length - length2 + 1);
      bytes.copyWithin(at, source, source + length2);
      return bytes;
    }
    case 10:
      return rng.oneIn(2)
        ? bytes.slice(0, at)
        : join(bytes.subarray(0, at), rng.bytes(rng.between(1, 8)), bytes.subarray(at));
    default: {
      const other = rng.pick(corpus);
      const cut = rng.int(other.length + 1);
      return rng.oneIn(3) ? join(bytes.subarray(0, at), other.subarray(cut)) : overlay(bytes, other, at, rng);
    }
  }
}

/** A number that means something, of 1, 2, 4 or 8 bytes, in either byte order, often where numbers lie. */
function putNumber(rng: Rng, bytes: Uint8Array, near: number): Uint8Array {
  const width = rng.pick([1, 2, 2, 4, 4, 8]);
  const at = rng.oneIn(4) ? near : near - (near % width);
  if (at + width > bytes.length) return bytes;
  let value = rng.oneIn(3) ? rng.pick(LARGE) : rng.pick(INTERESTING);
  if (rng.oneIn(8)) value = rng.next();
  const big = rng.oneIn(5);
  for (let i = 0; i < width; i++) {
    bytes[big ? at + width - 1 - i : at + i] = value & 0xff;
    value = Math.floor(value / 256);
  }
  return bytes;
}

function overlay(bytes: Uint8Array, other: Uint8Array, at: number, rng: Rng): Uint8Array {
  const length = Math.min(rng.between(1, 128), bytes.length - at, other.length);
  const from = Math.min(at, other.length - length);
  bytes.set(other.subarray(from, from + length), at);
  return bytes;
}

function join(...parts: readonly Uint8Array[]): Uint8Array {
  const out = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    out.set(part, at);
    at += part.length;
  }
  return out;
}
