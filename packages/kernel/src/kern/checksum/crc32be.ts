/**
 * CRC-32 with the most significant bit first (polynomial 0x04C11DB7, not reflected), raw register style, as jbd2's first
 * kind of checksum uses it. The catalogue's CRC-32/MPEG-2 is `crc32be(0xffffffff, bytes)`.
 */
let table: Int32Array | undefined;

function buildTable(): Int32Array {
  const t = new Int32Array(256);
  for (let i = 0; i < 256; i++) {
    let c = i << 24;
    for (let bit = 0; bit < 8; bit++) c = c < 0 ? (c << 1) ^ 0x04c11db7 : c << 1;
    t[i] = c;
  }
  return t;
}

/** The register after `bytes`, given the register before. Unsigned 32-bit in and out. */
export function crc32be(seed: number, bytes: Uint8Array): number {
  const t = (table ??= buildTable());
  let c = seed | 0;
  for (const byte of bytes) c = (c << 8) ^ (t[(c >>> 24) ^ byte] as number);
  return c >>> 0;
}
