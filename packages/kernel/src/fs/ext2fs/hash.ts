/**
 * The hashes that order names in indexed directories: legacy, half MD4, TEA (names as signed or unsigned characters) and
 * SipHash-2-4 (encrypted and casefolded directories). Spec: "Hash Tree Directories"; MD4 is RFC 1320, TEA is Wheeler and
 * Needham 1994, SipHash is Aumasson and Bernstein 2012.
 */
import { getLe32 } from '../../kern/struct.ts';
import { HASH, HTREE_EOF } from './format.ts';

/** `hash` chooses the block (its lowest bit is always 0), `minor` only orders a listing. */
export interface NameHash {
  readonly hash: number;
  readonly minor: number;
}

/**
 * Hash of a name. `version` is a HASH with its signedness already in it; `seed` is the superblock's (all zero: the
 * algorithm's own start), `key` SipHash's. undefined for a version that does not exist.
 */
export function nameHash(
  name: Uint8Array,
  options: { readonly version: number; readonly seed: readonly number[]; readonly key?: readonly bigint[] },
): NameHash | undefined {
  const { version } = options;
  if (version === HASH.SIPHASH) return options.key === undefined ? undefined : finish(sipHash(name, options.key));
  const isSigned = version < HASH.LEGACY_UNSIGNED;
  switch (isSigned ? version : version - HASH.LEGACY_UNSIGNED) {
    case HASH.LEGACY:
      return finish({ hash: legacyHash(name, isSigned), minor: 0 });
    case HASH.HALF_MD4:
      return finish(halfMd4Hash(name, options.seed, isSigned));
    case HASH.TEA:
      return finish(teaHash(name, startState(options.seed), isSigned));
    default:
      return undefined;
  }
}

/** The lowest bit marks collisions in index entries, and the largest value means the end. */
function finish({ hash, minor }: NameHash): NameHash {
  const even = (hash & ~1) >>> 0;
  return { hash: even === (HTREE_EOF << 1) >>> 0 ? ((HTREE_EOF - 1) << 1) >>> 0 : even, minor: minor >>> 0 };
}

/** MD4's and the default start value; a seed that is not all zero takes its place. */
const DEFAULT_STATE = [0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476] as const;
const startOf = (seed: readonly number[]): readonly number[] =>
  seed[0] === 0 && seed[1] === 0 && seed[2] === 0 && seed[3] === 0 ? DEFAULT_STATE : seed;
const startState = (seed: readonly number[]): number[] => [...startOf(seed)];

const charAt = (name: Uint8Array, i: number, isSigned: boolean): number => {
  const byte = name[i] as number;
  return isSigned ? (byte << 24) >> 24 : byte;
};

function legacyHash(name: Uint8Array, isSigned: boolean): number {
  let hash = 0x12a3fe2d;
  let before = 0x37abe8f9;
  for (let i = 0; i < name.length; i++) {
    let next = (before + (hash ^ Math.imul(charAt(name, i, isSigned), 7152373))) >>> 0;
    if ((next & 0x80000000) !== 0) next = (next - 0x7fffffff) >>> 0;
    before = hash;
    hash = next;
  }
  return (hash << 1) >>> 0;
}

/**
 * Up to `count` words of the name from `at` on, four characters to a word, first character highest; what is missing is
 * filled with the length of the rest in every byte.
 */
function nameWords(name: Uint8Array, at: number, count: number, isSigned: boolean): number[] {
  const rest = name.length - at;
  let fill = rest | (rest << 8);
  fill |= fill << 16;
  const words: number[] = [];
  const length = Math.min(rest, count * 4);
  let word = fill;
  for (let i = 0; i < length; i++) {
    word = charAt(name, at + i, isSigned) + (word << 8);
    if (i % 4 === 3) {
      words.push(word | 0);
      word = fill;
    }
  }
  if (words.length < count) words.push(word | 0);
  while (words.length < count) words.push(fill | 0);
  return words;
}

const ORDERS = [
  [0, 1, 2, 3, 4, 5, 6, 7],
  [1, 3, 5, 7, 0, 2, 4, 6],
  [3, 7, 2, 6, 1, 5, 0, 4],
] as const;
const SHIFTS = [
  [3, 7, 11, 19],
  [3, 5, 9, 13],
  [3, 9, 11, 15],
] as const;
/** Flat, a step after the other: this is done for every name of an indexed directory. */
const ORDER = Uint8Array.from(ORDERS.flat());
const SHIFT = Uint8Array.from(SHIFTS.flatMap((row) => [...row, ...row]));
const words8 = new Int32Array(8);

/** MD4 with its three rounds cut to eight steps each. */
function halfMd4Hash(name: Uint8Array, seed: readonly number[], isSigned: boolean): NameHash {
  const start = startOf(seed);
  let s0 = start[0] ?? 0;
  let s1 = start[1] ?? 0;
  let s2 = start[2] ?? 0;
  let s3 = start[3] ?? 0;
  for (let at = 0; at < name.length; at += 32) {
    fillWords(name, at, isSigned);
    let a = s0;
    let b = s1;
    let c = s2;
    let d = s3;
    for (let step = 0; step < 24; step++) {
      let mixed: number;
      if (step < 8) mixed = d ^ (b & (c ^ d));
      else if (step < 16) mixed = ((b & c) + ((b ^ c) & d) + 0x5a827999) | 0;
      else mixed = ((b ^ c ^ d) + 0x6ed9eba1) | 0;
      const sum = (a + mixed + (words8[ORDER[step] ?? 0] ?? 0)) | 0;
      const shift = SHIFT[step] ?? 0;
      a = d;
      d = c;
      c = b;
      b = (sum << shift) | (sum >>> (32 - shift));
    }
    s0 = (s0 + a) | 0;
    s1 = (s1 + b) | 0;
    s2 = (s2 + c) | 0;
    s3 = (s3 + d) | 0;
  }
  return { hash: s1, minor: s2 };
}

/** As nameWords, of eight words, without making anything. */
function fillWords(name: Uint8Array, at: number, isSigned: boolean): void {
  const rest = name.length - at;
  let fill = rest | (rest << 8);
  fill |= fill << 16;
  const length = Math.min(rest, 32);
  let word = fill;
  let count = 0;
  for (let i = 0; i < length; i++) {
    const byte = name[at + i] ?? 0;
    word = ((isSigned ? (byte << 24) >> 24 : byte) + (word << 8)) | 0;
    if ((i & 3) !== 3) continue;
    words8[count++] = word;
    word = fill;
  }
  if (count < 8) words8[count++] = word;
  while (count < 8) words8[count++] = fill;
}

function teaTransform(state: number[], words: readonly number[]): void {
  const [a, b, c, d] = words as [number, number, number, number];
  let x = state[0] as number;
  let y = state[1] as number;
  let sum = 0;
  for (let round = 0; round < 16; round++) {
    sum = (sum + 0x9e3779b9) | 0;
    x = (x + (((y << 4) + a) ^ (y + sum) ^ ((y >>> 5) + b))) | 0;
    y = (y + (((x << 4) + c) ^ (x + sum) ^ ((x >>> 5) + d))) | 0;
  }
  state[0] = ((state[0] as number) + x) | 0;
  state[1] = ((state[1] as number) + y) | 0;
}

function teaHash(name: Uint8Array, state: number[], isSigned: boolean): NameHash {
  for (let at = 0; at < name.length; at += 16) teaTransform(state, nameWords(name, at, 4, isSigned));
  return { hash: state[0] as number, minor: state[1] as number };
}

const MASK64 = (1n << 64n) - 1n;
const rotl64 = (x: bigint, n: bigint): bigint => ((x << n) | (x >> (64n - n))) & MASK64;

/** SipHash-2-4 of the name: the upper word is the hash, the lower one the minor. Rare, so BigInt is good enough. */
function sipHash(name: Uint8Array, key: readonly bigint[]): NameHash {
  const [k0 = 0n, k1 = 0n] = key;
  let v0 = 0x736f6d6570736575n ^ k0;
  let v1 = 0x646f72616e646f6dn ^ k1;
  let v2 = 0x6c7967656e657261n ^ k0;
  let v3 = 0x7465646279746573n ^ k1;
  const rounds = (count: number): void => {
    for (let i = 0; i < count; i++) {
      v0 = (v0 + v1) & MASK64;
      v1 = rotl64(v1, 13n) ^ v0;
      v0 = rotl64(v0, 32n);
      v2 = (v2 + v3) & MASK64;
      v3 = rotl64(v3, 16n) ^ v2;
      v0 = (v0 + v3) & MASK64;
      v3 = rotl64(v3, 21n) ^ v0;
      v2 = (v2 + v1) & MASK64;
      v1 = rotl64(v1, 17n) ^ v2;
      v2 = rotl64(v2, 32n);
    }
  };
  const padded = new Uint8Array((Math.floor(name.length / 8) + 1) * 8);
  padded.set(name);
  padded[padded.length - 1] = name.length & 0xff;
  for (let at = 0; at < padded.length; at += 8) {
    const word = BigInt(getLe32(padded, at)) | (BigInt(getLe32(padded, at + 4)) << 32n);
    v3 ^= word;
    rounds(2);
    v0 ^= word;
  }
  v2 ^= 0xffn;
  rounds(4);
  const result = v0 ^ v1 ^ v2 ^ v3;
  return { hash: Number(result >> 32n), minor: Number(result & 0xffffffffn) };
}
