import { expect, test } from 'vitest';
import { crc16 } from './crc16.ts';

const text = new TextEncoder().encode('123456789');

test("crc16() gives the catalogue's check values (ARC from 0, MODBUS from 0xffff)", () => {
  expect(crc16(0, text)).toBe(0xbb3d);
  expect(crc16(0xffff, text)).toBe(0x4b37);
});

test('a range split anywhere gives the same register', () => {
  for (let cut = 0; cut <= text.length; cut++) {
    expect(crc16(crc16(0xffff, text, 0, cut), text, cut)).toBe(0x4b37);
  }
});
