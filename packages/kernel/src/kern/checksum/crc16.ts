/**
 * CRC-16 (reflected polynomial 0xA001), byte by byte: raw register in and out, as crc32c.ts.
 * ext4's older group descriptor checksum is `crc16(0xffff, …)`; the check value of "123456789" from 0 is 0xBB3D.
 */
const table = new Uint16Array(256);
for (let i = 0; i < 256; i++) {
  let c = i;
  for (let bit = 0; bit < 8; bit++) c = c & 1 ? (c >>> 1) ^ 0xa001 : c >>> 1;
  table[i] = c;
}

/** The register after `bytes[start..end)`, given the register before. */
export function crc16(seed: number, bytes: Uint8Array, start = 0, end = bytes.length): number {
  let c = seed & 0xffff;
  for (let i = start; i < end; i++) c = (c >>> 8) ^ (table[(c ^ (bytes[i] ?? 0)) & 0xff] ?? 0);
  return c;
}
