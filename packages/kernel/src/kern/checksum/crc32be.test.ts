import { expect, test } from 'vitest';
import { crc32be } from './crc32be.ts';

const text = new TextEncoder().encode('123456789');

test("crc32be() gives the catalogue's check value of CRC-32/MPEG-2, in one piece or two", () => {
  expect(crc32be(0xffffffff, text)).toBe(0x0376e6e7);
  expect(crc32be(crc32be(0xffffffff, text.subarray(0, 4)), text.subarray(4))).toBe(0x0376e6e7);
});
