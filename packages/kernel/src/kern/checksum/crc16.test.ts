import { expect, test } from 'vitest';
import { crc16 } from './crc16.ts';

const digits = Uint8Array.from('123456789', (c) => c.charCodeAt(0));

test('the check value of CRC-16/ARC', () => {
  expect(crc16(0, digits)).toBe(0xbb3d);
});

test('a run in two pieces gives what it gives in one', () => {
  expect(crc16(crc16(0xffff, digits, 0, 4), digits, 4)).toBe(crc16(0xffff, digits));
});
