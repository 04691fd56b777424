/**
 * CRC-32C (Castagnoli, reflected polynomial 0x82F63B78), slicing by 8.
 *
 * Raw register style, as ext4 and NetBSD's kernel use it: the seed goes into the register as it is and the register comes
 * out, with no inversion at either end. So `crc32c(crc32c(s, a), b)` equals `crc32c(s, ab)`, ext4's checksums are
 * `crc32c(0xffffffff, bytes)` and the standard's check value is `~crc32c(0xffffffff, bytes) >>> 0`.
 */
let tables: Int32Array | undefined;

/** Eight tables of 256, one after the other. Built on first use: 8 KiB that most runs never need. */
function buildTables(): Int32Array {
  const t = new Int32Array(8 * 256);
  for (let i = 0; i < 256; i++) {
    let c = i;
    for (let bit = 0; bit < 8; bit++) c = c & 1 ? (c >>> 1) ^ 0x82f63b78 : c >>> 1;
    t[i] = c;
  }
  for (let i = 256; i < 8 * 256; i++) {
    const previous = t[i - 256] as number;
    t[i] = (previous >>> 8) ^ (t[previous & 0xff] as number);
  }
  return t;
}

/** The register after `bytes[start..end)`, given the register before. Unsigned 32-bit in and out. */
export function crc32c(seed: number, bytes: Uint8Array, start = 0, end = bytes.length): number {
  const t = (tables ??= buildTables());
  let c = seed | 0;
  let i = start;
  for (const stop = end - 7; i < stop; i += 8) {
    const low =
      c ^
      ((bytes[i] as number) |
        ((bytes[i + 1] as number) << 8) |
        ((bytes[i + 2] as number) << 16) |
        ((bytes[i + 3] as number) << 24));
    c =
      (t[1792 + (low & 0xff)] as number) ^
      (t[1536 + ((low >>> 8) & 0xff)] as number) ^
      (t[1280 + ((low >>> 16) & 0xff)] as number) ^
      (t[1024 + (low >>> 24)] as number) ^
      (t[768 + (bytes[i + 4] as number)] as number) ^
      (t[512 + (bytes[i + 5] as number)] as number) ^
      (t[256 + (bytes[i + 6] as number)] as number) ^
      (t[bytes[i + 7] as number] as number);
  }
  for (; i < end; i++) c = (c >>> 8) ^ (t[(c ^ (bytes[i] as number)) & 0xff] as number);
  return c >>> 0;
}
