/**
 * Where files and directories go, against what the kernel does with the same calls: directories below the root spread over
 * the flex groups, what they hold stays with them, a large file lies in one piece but for the metadata in its way.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeEach, describe, expect, test } from 'vitest';
import { assertClean, debugfs, dumpe2fs } from '../../support/e2fsprogs.ts';
import { withKernelMount } from '../../support/kernel-tree.ts';
import { requireOracle } from '../../support/oracle.ts';
import { newImage, Rig, scratchDir } from './rig.ts';

const scratch = scratchDir();
const [ours, theirs] = [join(scratch.path, 'ours'), join(scratch.path, 'theirs')];
afterAll(() => scratch.remove());
beforeEach(() => {
  requireOracle('mke2fs');
  requireOracle('debugfs');
  requireOracle('dumpe2fs');
});

const TOPS = 24;
const tops = Array.from({ length: TOPS }, (_, i) => `top${i}`);
const below = tops.flatMap((top) => [`${top}/d`, `${top}/d/f`, `${top}/g`]);

interface Layout {
  /** Flex groups that hold directories below the root. */
  readonly flexes: number;
  /** The most of those directories in one flex group. */
  readonly crowd: number;
  /** Part of the other inodes that is in the flex group of what it hangs below. */
  readonly near: number;
  /** Part of the files whose data is in their inode's flex group. */
  readonly dataNear: number;
  /** Files in more than one piece. */
  readonly fragmented: number;
}

function layoutOf(image: string): Layout {
  const info = dumpe2fs(image);
  const number = (name: string): number => Number(info.get(name) ?? 0);
  const flexSize = number('Flex block group size') || 1;
  const firstBlock = number('First block');
  const paths = [...tops, ...below];
  const stats = debugfs(
    image,
    paths.map((path) => `stat /${path}`),
  );
  const flexOfIno = (ino: number): number => Math.floor((ino - 1) / number('Inodes per group') / flexSize);
  const flexes = new Map(
    paths.map((path, i) => [path, flexOfIno(Number(/Inode: (\d+)/.exec(stats[i] ?? '')?.[1]))] as const),
  );
  const files = paths.map((path, i) => ({ path, stat: stats[i] ?? '' })).filter(({ path }) => /[fg]$/.test(path));
  const places = files.map(({ path, stat }) => {
    const extents = /EXTENTS:\n(.*)/.exec(stat)?.[1] ?? '';
    const block = Number(/\):(\d+)/.exec(extents)?.[1]);
    const flex = Math.floor((block - firstBlock) / number('Blocks per group') / flexSize);
    return { pieces: extents.split(',').length, isNear: flex === flexes.get(path) };
  });
  const topFlexes = tops.map((top) => flexes.get(top));
  return {
    flexes: new Set(topFlexes).size,
    crowd: Math.max(...topFlexes.map((flex) => topFlexes.filter((other) => other === flex).length)),
    near:
      below.filter((path) => flexes.get(path) === flexes.get(path.slice(0, path.lastIndexOf('/')))).length /
      below.length,
    dataNear: places.filter(({ isNear }) => isNear).length / places.length,
    fragmented: places.filter(({ pieces }) => pieces > 1).length,
  };
}

const data = new Uint8Array(20_000).fill(0x78);

describe.each(['-t ext4 -b 1024 -N 20000', '-t ext4 -b 1024 -N 20000 -G 4', '-t ext4 -b 1024 -N 20000 -O ^flex_bg'])(
  '%s, 1 GiB',
  (words) => {
    test('directories below the root are spread as well as the kernel spreads them, and what they hold is with them', () => {
      requireOracle('loop mount');
      newImage(ours, words, '1G');
      newImage(theirs, words, '1G');
      const rig = new Rig(ours);
      for (const path of [...tops, ...below]) {
        if (/[fg]$/.test(path)) {
          rig.make(`/${path}`, 'reg');
          rig.write(`/${path}`, data);
        } else rig.make(`/${path}`, 'dir');
      }
      rig.close();
      assertClean(ours);
      withKernelMount(theirs, { write: true }, (dir) => {
        for (const path of [...tops, ...below]) {
          if (/[fg]$/.test(path)) writeFileSync(join(dir, path), data);
          else mkdirSync(join(dir, path));
        }
      });
      const [us, kernel] = [layoutOf(ours), layoutOf(theirs)];
      expect(us.flexes).toBeGreaterThanOrEqual(Math.min(kernel.flexes, 8));
      expect(us.crowd).toBeLessThanOrEqual(kernel.crowd);
      expect(us.near).toBeGreaterThanOrEqual(Math.min(kernel.near, 1));
      expect(us.dataNear).toBeGreaterThanOrEqual(kernel.dataNear);
      expect(us.fragmented).toBe(0);
    });
  },
);

/** Extents of a file, from debugfs's list, level by level: what lies in leaves. */
const extentsOf = (image: string, path: string): number =>
  (debugfs(image, [`ex ${path}`])[0] ?? '').split('\n').filter((line) => / (\d+)\/ *\1 /.test(line)).length;

test.each([
  ['-t ext4 -b 4096', '1G', 300, 4],
  ['-t ext4 -b 1024', '256M', 60, 6],
])('%s: a file of %s written in order has no more pieces than the kernel makes', (words, size, mebibytes, most) => {
  requireOracle('loop mount');
  const piece = new Uint8Array(1 << 20).fill(0x78);
  newImage(ours, words, size);
  const rig = new Rig(ours);
  rig.make('/big', 'reg');
  for (let i = 0; i < mebibytes; i++) rig.write('/big', piece, i << 20);
  rig.close();
  assertClean(ours);
  const count = extentsOf(ours, '/big');
  expect(count).toBeGreaterThan(0);
  expect(count).toBeLessThanOrEqual(most);
  newImage(theirs, words, size);
  withKernelMount(theirs, { write: true }, (dir) => {
    writeFileSync(join(dir, 'big'), Buffer.alloc(mebibytes << 20, 0x78));
  });
  expect(count).toBeLessThanOrEqual(extentsOf(theirs, '/big'));
});
