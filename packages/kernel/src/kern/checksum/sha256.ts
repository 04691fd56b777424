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

/** Words 16 to 63 of a block's schedule, from the first 16. */
function expand(w: Int32Array): void {
  const at = (i: number): number => w[i] ?? 0;
  for (let i = 16; i < 64; i++) {
    const s0 = rotr(at(i - 15), 7) ^ rotr(at(i - 15), 18) ^ (at(i - 15) >>> 3);
    const s1 = rotr(at(i - 2), 17) ^ rotr(at(i - 2), 19) ^ (at(i - 2) >>> 10);
    w[i] = at(i - 16) + s0 + at(i - 7) + s1;
  }
}

function compress(state: Int32Array, w: Int32Array, k: Int32Array): void {
  let [a = 0, b = 0, c = 0, d = 0, e = 0, f = 0, g = 0, z = 0] = state;
  for (let i = 0; i < 64; i++) {
    const t1 = (z + (rotr(e, 6) ^ rotr(e, 11) ^ rotr(e, 25)) + ((e & f) ^ (~e & g)) + (k[i] ?? 0) + (w[i] ?? 0)) | 0;
    const t2 = ((rotr(a, 2) ^ rotr(a, 13) ^ rotr(a, 22)) + ((a & b) ^ (a & c) ^ (b & c))) | 0;
    [a, b, c, d, e, f, g, z] = [(t1 + t2) | 0, a, b, c, (d + t1) | 0, e, f, g];
  }
  [a, b, c, d, e, f, g, z].forEach((x, i) => (state[i] = (state[i] ?? 0) + x));
}

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
  for (let base = 0; base < padded.length; base += 64) {
    w.fill(0);
    for (let i = 0; i < 64; i++) w[i >> 2] = ((w[i >> 2] ?? 0) << 8) | (padded[base + i] ?? 0);
    expand(w);
    compress(state, w, k);
  }
  const digest = new Uint8Array(32);
  state.forEach((word, i) => {
    for (let b = 0; b < 4; b++) digest[i * 4 + b] = word >>> (24 - 8 * b);
  });
  return digest;
}
