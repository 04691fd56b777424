import { expect, test } from 'vitest';
import { FsError } from '../kern/errno.ts';
import type { BlockDevice, Extent, SuperblockHint } from './blockdev.ts';
import { ramDisk } from './ramdisk.ts';
import { sliceDevice } from './slice.ts';

const codeOf = (act: () => unknown): string => {
  try {
    act();
  } catch (e) {
    return e instanceof FsError ? e.code : String(e);
  }
  return 'no error';
};

test('a slice reads and writes its window only, wherever it begins', () => {
  const disk = ramDisk(10_000);
  const slice = sliceDevice(disk, { offset: 777, length: 1000 });
  slice.write(Uint8Array.of(1, 2), 998);
  expect([...disk.bytes.subarray(1774, 1779)]).toEqual([0xa5, 1, 2, 0xa5, 0xa5]);
  const dst = new Uint8Array(2);
  slice.read(dst, 998);
  expect([...dst]).toEqual([1, 2]);
  for (const [length, offset] of [
    [2, 999],
    [1, 1000],
    [1, -1],
    [0, 1001],
  ] as const) {
    expect(codeOf(() => slice.read(new Uint8Array(length), offset))).toBe('EINVAL');
    expect(codeOf(() => slice.write(new Uint8Array(length), offset))).toBe('EINVAL');
  }
  expect(codeOf(() => sliceDevice(disk, { offset: 9000, length: 1001 }))).toBe('EINVAL');
  expect(codeOf(() => sliceDevice(ramDisk(512, { readOnly: true }), { offset: 0, length: 512 }).write(dst, 0))).toBe(
    'EROFS',
  );
});

test('what a file system tells its device arrives translated, through nested slices, with the partition as scope', () => {
  const told: [string, Extent][] = [];
  let hint: SuperblockHint | undefined;
  const disk: BlockDevice = {
    ...ramDisk(10_000),
    fresh: (e) => told.push(['fresh', e]),
    released: (e) => told.push(['released', e]),
    isReleased: ({ offset }) => offset === 3100,
    superblock: (sb) => {
      hint = sb;
    },
  };
  const inner = sliceDevice(sliceDevice(disk, { offset: 2000, length: 5000 }), { offset: 1000, length: 2000 });
  inner.fresh({ offset: 10, length: 20 });
  inner.released({ offset: 30, length: 40 });
  expect(told).toEqual([
    ['fresh', { offset: 3010, length: 20 }],
    ['released', { offset: 3030, length: 40 }],
  ]);
  expect([inner.isReleased({ offset: 100, length: 1 }), inner.isReleased({ offset: 101, length: 1 })]).toEqual([
    true,
    false,
  ]);
  inner.superblock({ extent: { offset: 1024, length: 512 }, dirtyMark: (old) => old.map((x) => x + 1) });
  expect(hint).toMatchObject({ extent: { offset: 4024, length: 512 }, scope: { offset: 3000, length: 2000 } });
  expect([...(hint?.dirtyMark(Uint8Array.of(1, 2)) ?? [])]).toEqual([2, 3]);
  expect(codeOf(() => inner.fresh({ offset: 1990, length: 11 }))).toBe('EINVAL');
});
