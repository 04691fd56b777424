import { expect, test } from 'vitest';
import { planOnly } from './mkfs.ts';

const request = (leastFiles: number, options: Record<string, string> = {}) => ({
  variant: 'ext4',
  options,
  blank: true,
  leastFiles,
  now: { sec: 0, nsec: 0 },
  random: () => undefined,
});

test('there are as many inodes as are asked for at least, however many groups they are divided among', () => {
  for (const files of [1, 100, 20_100, 20_101, 99_999]) {
    for (let size = 64 << 20; size < 96 << 20; size += 1_234_944) {
      expect(planOnly(size, request(files)).freeFiles).toBeGreaterThanOrEqual(files);
    }
  }
});

test('a number of inodes that is given holds', () => {
  expect(planOnly(64 << 20, request(50_000, { inodes: '1024' })).files).toBe(1024);
});

test('room for files grows by no more than what is added: the search for the least size counts on it', () => {
  let before = 0;
  for (let size = 8 << 20; size < 24 << 20; size += 64 << 10) {
    const { freeBytes } = planOnly(size, request(0));
    // A last group that comes to be brings the blocks that were too few for one.
    if (before > 0) expect(freeBytes - before).toBeLessThanOrEqual((64 << 10) + 400 * 1024);
    before = freeBytes;
  }
});
