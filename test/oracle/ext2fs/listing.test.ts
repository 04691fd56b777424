/**
 * Listing a directory while it changes: what was there all the time comes exactly once, however leaves split meanwhile.
 * Indexes that the kernel and e2fsck built are listed whole; damaged ones as they lie.
 */
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeEach, describe, expect, test } from 'vitest';
import { assertClean, debugfs, e2fsck } from '../../support/e2fsprogs.ts';
import { withKernelMount } from '../../support/kernel-tree.ts';
import { requireOracle } from '../../support/oracle.ts';
import { Rng } from '../../support/rng.ts';
import { newImage, Rig, scratchDir } from './rig.ts';

const scratch = scratchDir();
const image = join(scratch.path, 'image');
afterAll(() => scratch.remove());
beforeEach(() => requireOracle('mke2fs'));

/** Cookies of a listing by hash are above this. */
const BY_HASH = 2 ** 52;

/** The names of /d, `max` at a time, with `between` after each piece; and the cookies. */
function list(rig: Rig, max: number, between: () => void = () => {}): { names: string[]; cookies: number[] } {
  const names: string[] = [];
  const cookies: number[] = [];
  for (let cookie = 0; ;) {
    const entries = rig.on('/d', (vp) => vp.ops.readdir(vp, cookie, max));
    if (entries.length === 0) return { names, cookies };
    expect(entries.length).toBeLessThanOrEqual(max);
    names.push(...entries.map((entry) => entry.name));
    cookies.push(...entries.map((entry) => entry.next));
    cookie = cookies.at(-1)!;
    between();
  }
}

const isOld = (name: string): boolean => name.startsWith('old');
const ascends = (cookies: readonly number[]): boolean =>
  cookies.every((cookie, i) => i === 0 || cookie > (cookies[i - 1] ?? 0));

describe('names that stay come once while others come and go', () => {
  test.each([
    ['-t ext4 -b 1024', 3],
    ['-t ext4 -b 1024', 300],
    ['-t ext4 -b 1024 -O large_dir', 500],
    ['-t ext4 -b 1024 -T tea', 200],
    ['-t ext4 -b 1024 -T legacy', 200],
    ['-t ext3 -b 1024', 200],
    ['-t ext4 -b 1024 -O inline_data', 2],
    ['-t ext4 -b 1024 -O ^dir_index', 200],
    ['-t ext2 -b 4096', 500],
  ])('%s, %i names', (words, count) => {
    newImage(image, `${words} -N 8000`, '24M');
    const rig = new Rig(image);
    rig.make('/d', 'dir');
    const name = (kind: string, i: number): string => `${kind}${i}-${'é'.repeat(i % 60)}`;
    for (let i = 0; i < count; i++) rig.make(`/d/${name('old', i)}`, 'reg');
    const rng = new Rng(count);
    const others: string[] = [];
    const { names, cookies } = list(rig, 3, () => {
      if (others.length < 2000) {
        for (let i = 0; i < 12; i++) {
          others.push(`/d/${name('new', others.length)}`);
          rig.make(others.at(-1)!, 'reg');
        }
      }
      // Names go, too, and leave room that others take.
      const gone = others.findIndex((path) => path !== '' && rng.oneIn(3));
      if (gone >= 0) rig.unlink(others[gone]!);
      if (gone >= 0) others[gone] = '';
    });
    expect(names.filter(isOld).sort()).toEqual(Array.from({ length: count }, (_, i) => name('old', i)).sort());
    expect(new Set(names).size).toBe(names.length);
    expect(names.slice(0, 2)).toEqual(['.', '..']);
    expect(ascends(cookies)).toBe(true);
    expect(cookies[0]! > BY_HASH).toBe(!words.includes('^dir_index'));
    rig.close();
    assertClean(image);
  });
});

test('names whose hashes are equal come once, in any pieces', () => {
  // The legacy hash has few bits that matter for such names: with 6,000 of them some collide.
  newImage(image, '-t ext4 -b 1024 -T legacy -N 9000', '24M');
  const rig = new Rig(image);
  rig.make('/d', 'dir');
  const wanted = Array.from({ length: 6000 }, (_, i) => `${i.toString(3)}\u0001${i}`);
  for (const name of wanted) rig.make(`/d/${name}`, 'reg');
  for (const max of [1, 7, 1000]) {
    const { names, cookies } = list(rig, max);
    expect(names.slice(2).sort()).toEqual([...wanted].sort());
    expect(ascends(cookies)).toBe(true);
    expect(cookies[0]! > BY_HASH).toBe(true);
  }
  rig.device.close();
});

test.each([
  ['-t ext4 -b 1024', false],
  ['-t ext4 -b 1024', true],
  ['-t ext4 -b 4096', false],
])('%s: an index that the kernel built (rebuilt by e2fsck -D: %s) is listed whole', (words, optimize) => {
  requireOracle('loop mount');
  newImage(image, words, '24M');
  if (optimize) debugfs(image, ['set_super_value flags 2'], { write: true });
  const wanted = Array.from({ length: 2500 }, (_, i) => `${'ü€'.repeat(i % 30)}${i}`);
  withKernelMount(image, { write: true }, (dir) => {
    mkdirSync(join(dir, 'd'));
    for (const name of wanted) writeFileSync(join(dir, 'd', name), '');
    expect(readdirSync(join(dir, 'd')).length).toBe(2500);
  });
  if (optimize) e2fsck(image, ['-fyD']);
  const rig = new Rig(image);
  const { names, cookies } = list(rig, 100);
  expect(names.slice(2).sort()).toEqual(wanted.sort());
  expect(cookies[0]! > BY_HASH).toBe(true);
  rig.device.close();
});

test('an index that leaves a block out is not followed: the directory is listed as it lies', () => {
  newImage(image, '-t ext4 -b 1024 -O ^metadata_csum', '24M');
  const first = new Rig(image);
  first.make('/d', 'dir');
  const wanted = Array.from({ length: 300 }, (_, i) => `name ${i}`);
  for (const name of wanted) first.make(`/d/${name}`, 'reg');
  first.close();
  // The last entry of the root's list is cut off: count and limit are two bytes each at 32.
  const root = Number(/\d+/.exec(debugfs(image, ['bmap /d 0'])[0] ?? '')?.[0]);
  const rig = new Rig(image);
  const block = new Uint8Array(1024);
  rig.device.read(block, root * 1024);
  block[34] = (block[34] ?? 0) - 1;
  rig.device.write(block, root * 1024);
  rig.cache.evict();
  rig.mp.bufs.dropAll();
  const { names, cookies } = list(rig, 10);
  expect(names.slice(2).sort()).toEqual(wanted.sort());
  expect(cookies[0]! < BY_HASH).toBe(true);
  rig.device.close();
});
