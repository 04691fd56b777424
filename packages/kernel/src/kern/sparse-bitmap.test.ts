import { describe, expect, test } from 'vitest';
import { SparseBitmap } from './sparse-bitmap.ts';

describe('SparseBitmap', () => {
  test('ranges that cross pieces, beyond 2^32', () => {
    const map = new SparseBitmap();
    const base = 5 * 2 ** 32;
    expect(map.isEmpty).toBe(true);
    map.setRange(base - 3, base + 40_000);
    expect(map.countSet(base - 100, base + 100_000)).toBe(40_003);
    expect(map.findSet(0, base + 1)).toBe(base - 3);
    expect(map.findSet(base + 40_000, base + 90_000)).toBe(-1);
    map.clearRange(base - 3, base + 32_768);
    expect(map.findSet(0, base * 2)).toBe(base + 32_768);
    expect([map.test(base), map.test(base + 39_999), map.test(base + 40_000)]).toEqual([false, true, false]);
  });

  test('a copy is an ordinary bitmap', () => {
    const map = new SparseBitmap();
    map.setRange(32_760, 32_771);
    const copy = new Uint8Array(4).fill(0x55);
    map.copyTo(copy, 32_752);
    expect([...copy]).toEqual([0, 0xff, 0x07, 0]);
  });
});
