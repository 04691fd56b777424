import { expect, test } from 'vitest';
import { crc32c } from './crc32c.ts';

const ascii = (text: string) => Uint8Array.from(text, (c) => c.charCodeAt(0));
const standard = (b: Uint8Array) => ~crc32c(0xffffffff, b) >>> 0;

test('the check value of the catalogue and the vectors of RFC 3720 B.4', () => {
  expect(standard(ascii('123456789'))).toBe(0xe3069283);
  expect(standard(new Uint8Array(32))).toBe(0x8a9136aa);
  expect(standard(new Uint8Array(32).fill(0xff))).toBe(0x62a8ab43);
  expect(standard(Uint8Array.from({ length: 32 }, (_, i) => i))).toBe(0x46dd794e);
});

test('a range split anywhere gives the same register, and matches the bitwise definition', () => {
  const bytes = Uint8Array.from({ length: 67 }, (_, i) => (i * 151 + 7) & 0xff);
  let bitwise = 0x12345678;
  for (const b of bytes) {
    bitwise ^= b;
    for (let k = 0; k < 8; k++) bitwise = bitwise & 1 ? (bitwise >>> 1) ^ 0x82f63b78 : bitwise >>> 1;
  }
  for (let cut = 0; cut <= bytes.length; cut++) {
    expect(crc32c(crc32c(0x12345678, bytes, 0, cut), bytes, cut)).toBe(bitwise >>> 0);
  }
});
