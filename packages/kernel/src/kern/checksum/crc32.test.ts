import { crc32 as zlibCrc32 } from 'node:zlib';
import { expect, test } from 'vitest';
import { crc32 } from './crc32.ts';

const text = new TextEncoder().encode('123456789');

test("crc32() gives the standard's check value", () => {
  expect(crc32(text)).toBe(0xcbf43926);
  expect(crc32(new Uint8Array(0))).toBe(0);
});

test('crc32() goes on from an earlier piece', () => {
  expect(crc32(text.subarray(4), crc32(text.subarray(0, 4)))).toBe(0xcbf43926);
});

test.runIf(typeof zlibCrc32 === 'function')('crc32() agrees with zlib', () => {
  const bytes = Uint8Array.from({ length: 5000 }, (_, i) => (i * 7919) >>> 3);
  expect(crc32(bytes)).toBe(zlibCrc32(bytes));
});
