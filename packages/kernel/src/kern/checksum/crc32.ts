/**
 * CRC-32 (IEEE 802.3, reflected polynomial 0xEDB88320), as GPT, gzip and PNG use it: inverted at both ends.
 */
let table: Int32Array | undefined;

function buildTable(): Int32Array {
  const t = new Int32Array(256);
  for (let i = 0; i < 256; i++) {
    let c = i;
    for (let bit = 0; bit < 8; bit++) c = c & 1 ? (c >>> 1) ^ 0xedb88320 : c >>> 1;
    t[i] = c;
  }
  return t;
}

/** The checksum of `bytes`, unsigned; `previous` continues an earlier piece. */
export function crc32(bytes: Uint8Array, previous = 0): number {
  const t = (table ??= buildTable());
  let c = ~previous;
  for (const byte of bytes) c = (c >>> 8) ^ (t[(c ^ byte) & 0xff] as number);
  return ~c >>> 0;
}
