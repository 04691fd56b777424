/**
 * CRC-16 (reflected polynomial 0xA001), raw register style: the seed goes in as it is and the register comes out.
 * ext4's gdt_csum starts from 0xffff; the catalogue's CRC-16/ARC starts from 0.
 */
let table: Uint16Array | undefined;

function buildTable(): Uint16Array {
  const t = new Uint16Array(256);
  for (let i = 0; i < 256; i++) {
    let c = i;
    for (let bit = 0; bit < 8; bit++) c = c & 1 ? (c >>> 1) ^ 0xa001 : c >>> 1;
    t[i] = c;
  }
  return t;
}

/** The register after `bytes[start..end)`, given the register before. */
export function crc16(seed: number, bytes: Uint8Array, start = 0, end = bytes.length): number {
  const t = (table ??= buildTable());
  let c = seed & 0xffff;
  for (let i = start; i < end; i++) c = (c >>> 8) ^ (t[(c ^ (bytes[i] as number)) & 0xff] as number);
  return c;
}
