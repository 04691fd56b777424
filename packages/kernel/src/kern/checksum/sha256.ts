/** SHA-256 (FIPS 180-4), plain: for names and identities, not for bulk. */
let constants: { readonly k: Int32Array; readonly h: Int32Array } | undefined;

/** The first 32 bits of the fractional parts of cube (k) and square (h) roots of the primes. */
function buildConstants(): { readonly k: Int32Array; readonly h: Int32Array } {
  const k = new Int32Array(64);
  const h = new Int32Array(8);
  const fraction = (x: number): number => ((x - Math.floor(x)) * 0x1_0000_0000) | 0;
  for (let candidate = 2, found = 0; found < 64; candidate++) {
    let isPrime = true;
    for (let d = 2; d * d <= candidate && isPrime; d++) isPrime = candidate % d !== 0;
    if (!isPrime) continue;
    if (found < 8) h[found] = fraction(Math.sqrt(candidate));
    k[found++] = fraction(Math.cbrt(candidate));
  }
  return { k, h };
}

const rotr = (x: number, n: number): number => (x >>> n) | (x << (32 - n));

/** The 32-byte digest. */
export function sha256(bytes: Uint8Array): Uint8Array {
  const { k, h } = (constants ??= buildConstants());
  const padded = new Uint8Array(Math.ceil((bytes.length + 9) / 64) * 64);
  padded.set(bytes);
  padded[bytes.length] = 0x80;
  const bits = bytes.length * 8;
  for (let i = 0; i < 6; i++) padded[padded.length - 1 - i] = Math.floor(bits / 2 ** (8 * i));
  const state = Int32Array.from(h);
  const w = new Int32Array(64);
  const at = (i: number): number => w[i] as number;
  for (let base = 0; base < padded.length; base += 64) {
    for (let i = 0; i < 16; i++) {
      const p = base + i * 4;
      w[i] =
        ((padded[p] as number) << 24) |
        ((padded[p + 1] as number) << 16) |
        ((padded[p + 2] as number) << 8) |
        (padded[p + 3] as number);
    }
    for (let i = 16; i < 64; i++) {
      const s0 = rotr(at(i - 15), 7) ^ rotr(at(i - 15), 18) ^ (at(i - 15) >>> 3);
      const s1 = rotr(at(i - 2), 17) ^ rotr(at(i - 2), 19) ^ (at(i - 2) >>> 10);
      w[i] = at(i - 16) + s0 + at(i - 7) + s1;
    }
    let [a, b, c, d, e, f, g, z] = state as unknown as [number, number, number, number, number, number, number, number];
    for (let i = 0; i < 64; i++) {
      const t1 = (z + (rotr(e, 6) ^ rotr(e, 11) ^ rotr(e, 25)) + ((e & f) ^ (~e & g)) + (k[i] as number) + at(i)) | 0;
      const t2 = ((rotr(a, 2) ^ rotr(a, 13) ^ rotr(a, 22)) + ((a & b) ^ (a & c) ^ (b & c))) | 0;
      [a, b, c, d, e, f, g, z] = [(t1 + t2) | 0, a, b, c, (d + t1) | 0, e, f, g];
    }
    [a, b, c, d, e, f, g, z].forEach((x, i) => (state[i] = (state[i] as number) + x));
  }
  const digest = new Uint8Array(32);
  state.forEach((word, i) => {
    for (let b = 0; b < 4; b++) digest[i * 4 + b] = word >>> (24 - 8 * b);
  });
  return digest;
}
