/**
 * Files unlinked while open, at a commit: on the orphan list or in the orphan file, from which e2fsck, the kernel and our
 * next writer remove them.
 */
import { copyFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeEach, expect, test } from 'vitest';
import { vrele, vref } from '../../../packages/kernel/src/vfs/vnode.ts';
import { assertClean, dumpe2fs, e2fsck, featuresOf, mustRun } from '../../support/e2fsprogs.ts';
import { withKernelMount } from '../../support/kernel-tree.ts';
import { requireOracle } from '../../support/oracle.ts';
import { newImage, Rig, scratchDir } from './rig.ts';

const scratch = scratchDir();
const [image, copy] = [join(scratch.path, 'image'), join(scratch.path, 'copy')];
afterAll(() => scratch.remove());
beforeEach(() => {
  requireOracle('mke2fs');
  requireOracle('dumpe2fs');
});

/**
 * e2fsck removes the orphans. It is told to look at everything: with -p alone, 1.47.0 leaves the entries in the orphan file,
 * and quotas and the free blocks of clusters uncounted, also on images that the kernel left.
 */
const recheck = (path: string): string => mustRun('e2fsck', ['-fy', path], { allowed: [0, 1] });

const freeOf = (path: string): string | undefined => dumpe2fs(path).get('Free inodes');

test.each([
  ['-t ext4 -b 1024', false],
  ['-t ext4 -b 1024 -O orphan_file', true],
  ['-t ext4 -b 4096 -O orphan_file,^metadata_csum', true],
  ['-t ext4 -b 1024 -O orphan_file,bigalloc,quota -C 4096', true],
  ['-t ext2 -b 1024', false],
])('%s: they are noted, and e2fsck, the kernel and we remove them', (words, inFile) => {
  requireOracle('loop mount');
  newImage(image, words, '12M');
  const rig = new Rig(image);
  const free = rig.mp.type.statvfs(rig.mp).freeFiles;
  rig.make('/stays', 'reg');
  rig.make('/a', 'reg');
  rig.write('/a', new Uint8Array(20_000).fill(7));
  rig.make('/b', 'reg');
  rig.make('/d', 'dir');
  rig.make('/l', 'lnk', { target: 'x'.repeat(200) });
  const open = ['/a', '/b', '/d', '/l'].map((path) => rig.file(path));
  for (const path of ['/a', '/b', '/d', '/l']) rig.unlink(path);
  rig.op(() => rig.mp.type.sync(rig.mp));

  expect(featuresOf(image).includes('orphan_present')).toBe(inFile);
  expect(dumpe2fs(image).has('First orphan inode')).toBe(!inFile);
  copyFileSync(image, copy);
  recheck(copy);
  assertClean(copy);
  expect(freeOf(copy)).toBe(String(free - 1));
  if (!words.includes('quota')) {
    copyFileSync(image, copy);
    withKernelMount(copy, { write: true }, (dir) => expect(readdirSync(dir).sort()).toEqual(['lost+found', 'stays']));
    assertClean(copy);
    expect(featuresOf(copy)).not.toContain('orphan_present');
    expect(freeOf(copy)).toBe(String(free - 1));
  }

  // One goes with its last user and is noted no more; the others with the next writer.
  rig.op(() => vrele(open[0]!));
  rig.op(() => rig.mp.type.sync(rig.mp));
  for (const vp of open.slice(1)) vref(vp);
  rig.crash();
  expect(rig.mp.notes.join()).toContain('3 orphaned');
  expect(rig.mp.type.statvfs(rig.mp).freeFiles).toBe(free - 1);
  rig.close();
  assertClean(image);
});

test('what does not fit in the orphan file goes on the list', () => {
  newImage(image, '-t ext4 -b 1024 -O orphan_file -E orphan_file_size=4 -N 3000', '16M');
  const rig = new Rig(image);
  const open = Array.from({ length: 1200 }, (_, i) => {
    rig.make(`/f${i}`, 'reg');
    const vp = rig.file(`/f${i}`);
    rig.unlink(`/f${i}`);
    return vp;
  });
  rig.op(() => rig.mp.type.sync(rig.mp));
  expect(featuresOf(image)).toContain('orphan_present');
  expect(dumpe2fs(image).has('First orphan inode')).toBe(true);
  copyFileSync(image, copy);
  recheck(copy);
  assertClean(copy);
  for (const vp of open) vref(vp);
  rig.crash();
  expect(rig.mp.notes.join()).toContain('1200 orphaned');
  rig.close();
  expect(e2fsck(image).status).toBe(0);
});
