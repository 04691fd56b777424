import { expect, test } from 'vitest';
import {
  clearBit,
  clearRange,
  clearRun,
  countSet,
  findClear,
  findClearByte,
  findSet,
  setBit,
  setRange,
  setRun,
  testBit,
} from './bitmap.ts';

test('bit 0 is the least significant bit of byte 0', () => {
  const map = new Uint8Array(2);
  setBit(map, 0);
  setBit(map, 9);
  expect([...map]).toEqual([1, 2]);
  clearBit(map, 0);
  expect(testBit(map, 0)).toBe(false);
  expect(testBit(map, 9)).toBe(true);
});

test('every range of a small map behaves as a loop over single bits', () => {
  for (let start = 0; start <= 26; start++) {
    for (let end = start; end <= 26; end++) {
      const bits = (map: Uint8Array): boolean[] => Array.from({ length: 32 }, (_, i) => testBit(map, i));
      const inside = (i: number): boolean => i >= start && i < end;
      const filled = new Uint8Array(4);
      setRange(filled, start, end);
      expect(bits(filled)).toEqual(bits(filled).map((_, i) => inside(i)));
      expect(countSet(filled, 0, 32)).toBe(end - start);
      expect(countSet(filled, start, 32)).toBe(end - start);
      expect(findSet(filled, 0, 32)).toBe(start === end ? -1 : start);
      expect(setRun(filled, start, 32)).toBe(end - start);
      expect(findClear(filled, start, end)).toBe(-1);
      const holed = new Uint8Array(4).fill(0xff);
      clearRange(holed, start, end);
      expect(bits(holed)).toEqual(bits(holed).map((_, i) => !inside(i)));
      expect(findClear(holed, 0, 32)).toBe(start === end ? -1 : start);
      expect(clearRun(holed, start, 32)).toBe(end - start);
      expect(findSet(holed, start, end)).toBe(-1);
    }
  }
});

test('searches stay inside [start, end)', () => {
  const map = Uint8Array.from([0xff, 0xff, 0x0f, 0x00]);
  expect(findClear(map, 0, 20)).toBe(-1);
  expect(findClear(map, 0, 21)).toBe(20);
  expect(findClear(map, 25, 32)).toBe(25);
  expect(findClearByte(map, 0, 32)).toBe(24);
  expect(findClearByte(map, 0, 31)).toBe(-1);
  expect(findClear(map, 5, 5)).toBe(-1);
});
