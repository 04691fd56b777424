import { expect, test } from 'vitest';
import {
  checkNode,
  childOf,
  closeEntries,
  entriesOf,
  findEntry,
  firstOf,
  initNode,
  maxOf,
  openEntry,
  runOf,
  setChild,
  setRun,
  splitNode,
} from './extent-node.ts';

function nodeOf(count: number): Uint8Array {
  const node = new Uint8Array(1024);
  initNode(node, 0);
  for (let i = 0; i < count; i++) {
    openEntry(node, i);
    setRun(node, i, { fileBlock: i * 10, count: 5, block: 1000 + i, unwritten: i % 2 === 1 });
  }
  return node;
}

test('the inode holds four entries, a block of 1 KiB 84 and the room for a checksum', () => {
  const root = new Uint8Array(60);
  initNode(root, 0);
  expect([maxOf(root), maxOf(nodeOf(0))]).toEqual([4, 84]);
});

test('an entry is found by any file block from its first to the next one', () => {
  const node = nodeOf(3);
  expect([0, 9, 10, 25, 1e9].map((block) => findEntry(node, block))).toEqual([0, 0, 1, 2, 2]);
  setRun(node, 0, { fileBlock: 3, count: 1, block: 1, unwritten: false });
  expect(findEntry(node, 2)).toBe(-1);
});

test('lengths and 48-bit block numbers come back, unwritten or not', () => {
  const node = nodeOf(2);
  for (const run of [
    { fileBlock: 0xffff0000, count: 32768, block: 0xffff_ffff_ffff, unwritten: false },
    { fileBlock: 7, count: 32767, block: 0x1_0000_0000, unwritten: true },
  ]) {
    setRun(node, 1, run);
    expect(runOf(node, 1)).toEqual(run);
  }
  setChild(node, 0, { fileBlock: 5, block: 0xabcd_1234_5678 });
  expect([firstOf(node, 0), childOf(node, 0)]).toEqual([5, 0xabcd_1234_5678]);
});

test('entries move as a whole when some are put in, taken out or split off', () => {
  const node = nodeOf(6);
  closeEntries(node, 1, 3);
  expect([0, 1, 2, 3].map((i) => firstOf(node, i))).toEqual([0, 30, 40, 50]);
  const right = new Uint8Array(1024);
  initNode(right, 0);
  splitNode(node, 3, right);
  expect([entriesOf(node), entriesOf(right), firstOf(right, 0)]).toEqual([3, 1, 50]);
});

test('a node that lies about itself is damage', () => {
  const where = { ino: 12 };
  expect(() => checkNode(new Uint8Array(60), where)).toThrow('magic');
  const many = nodeOf(3);
  many[2] = 85;
  expect(() => checkNode(many, where)).toThrow('more entries');
  expect(() => checkNode(nodeOf(1), { ...where, depth: 1 })).toThrow('depth');
});
