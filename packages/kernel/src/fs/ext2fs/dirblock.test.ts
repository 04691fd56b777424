import { expect, test } from 'vitest';
import {
  initRecords,
  insertRecord,
  packRecords,
  recLenAt,
  recordSize,
  removeRecord,
  setRecLen,
  usedRecords,
} from './dirblock.ts';

const bytes = (name: string): Uint8Array => Uint8Array.from(name, (c) => c.charCodeAt(0));
const names = (block: Uint8Array): string[] =>
  usedRecords(block, 0, block.length).map(({ name }) => String.fromCharCode(...name));

function blockWith(...entries: string[]): Uint8Array {
  const block = new Uint8Array(1024);
  initRecords(block, 0, block.length);
  for (const [i, name] of entries.entries())
    insertRecord(block, block.length, { ino: i + 1, name: bytes(name), fileType: 1 });
  return block;
}

test('a record takes its header and name, rounded up to four', () => {
  expect([recordSize(1), recordSize(4), recordSize(5), recordSize(255)]).toEqual([12, 12, 16, 264]);
});

test('records fill the block whatever goes in and out, and no removed name stays in it', () => {
  const block = blockWith('one', 'two', 'three', 'four');
  const [first, , third] = usedRecords(block, 0, 1024);
  removeRecord(block, 1024, third?.at ?? -1);
  removeRecord(block, 1024, first?.at ?? -1);
  expect(names(block)).toEqual(['two', 'four']);
  expect(String.fromCharCode(...block)).not.toMatch(/one|three/);
  expect(insertRecord(block, 1024, { ino: 9, name: bytes('six'), fileType: 1 }).at).toBe(0);
  expect(names(block)).toEqual(['six', 'two', 'four']);
});

test('a block without room says how much it has', () => {
  const block = blockWith(...Array.from({ length: 3 }, (_, i) => `${i}`.repeat(255)));
  const full = insertRecord(block, 1024, { ino: 9, name: bytes('x'.repeat(250)), fileType: 1 });
  expect(full).toEqual({ at: -1, longest: 1024 - 3 * 264 });
  expect(insertRecord(block, 1024, { ino: 9, name: bytes('y'.repeat(220)), fileType: 1 }).at).toBe(3 * 264);
});

test('packed records lie one behind the other and the last takes the rest', () => {
  const from = blockWith('a', 'b', 'c');
  const block = new Uint8Array(512);
  packRecords(from, usedRecords(from, 0, 1024), { block, end: 500 });
  expect([recLenAt(block, 0), recLenAt(block, 12), recLenAt(block, 24)]).toEqual([12, 12, 476]);
});

test('a record as long as a block of 64 KiB is written as 0xffff', () => {
  const block = new Uint8Array(0x10000);
  setRecLen(block, 0, 0x10000);
  expect([block[4], block[5], recLenAt(block, 0)]).toEqual([0xff, 0xff, 0x10000]);
});
