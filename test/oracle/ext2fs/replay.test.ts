/** Dirty images: what we see through a replay in memory is what the kernel recovers on a copy. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { dirtyVariants, makeDirtyImages, type DirtyImage, type DirtyVariant } from '../../support/dirty-images.ts';
import { assertClean } from '../../support/e2fsprogs.ts';
import { withKernelMount } from '../../support/kernel-tree.ts';
import { lacksOracle } from '../../support/oracle.ts';
import { compareTrees, type TreeEntry } from '../../support/tree.ts';
import { Rig } from './rig.ts';
import { ourTree, withImage } from './walk.ts';

const names = ['ours', 'theirs'] as const;
let outDir = '';
beforeAll(() => {
  outDir = mkdtempSync(join(tmpdir(), 'ukfs-dirty-'));
});
afterAll(() => rmSync(outDir, { recursive: true, force: true }));

/**
 * Fast commits do not log a directory's times: the kernel's are those of its recovery, ours those of the files in it. And
 * the kernel gives a directory that it makes again one link too few (which e2fsck then finds).
 */
function differences(variant: DirtyVariant, ours: readonly TreeEntry[], theirs: readonly TreeEntry[]): string[] {
  const all = compareTrees(ours, theirs, { names });
  if (!variant.shows.includes('fast-commit')) return all;
  const directories = new Set(theirs.filter(({ type }) => type === 'dir').map(({ path }) => JSON.stringify(path)));
  return all.filter((line) => {
    const [, path = '', field = ''] = /^("(?:[^"\\]|\\.)*"): (\w+):/.exec(line) ?? [];
    const isKnown = field === 'mtime' || field === 'ctime' || (field === 'nlink' && !variant.recoversClean);
    return !(isKnown && directories.has(path));
  });
}

describe.skipIf(lacksOracle('mke2fs', 'e2fsck', 'debugfs', 'mount'))('a dirty journal is replayed in memory', () => {
  for (const variant of dirtyVariants) {
    test(`${variant.name}: ${variant.notes}`, () => {
      const images: DirtyImage[] = makeDirtyImages(variant, { outDir });
      for (const { image, tree } of images) {
        const before = readFileSync(image);
        const { ours, notes } = withImage(image, (mp) => ({ ours: ourTree(mp), notes: mp.notes }));
        expect(differences(variant, ours, tree)).toEqual([]);
        expect(notes.join('\n')).toContain('replayed in memory');
        expect(readFileSync(image).equals(before)).toBe(true);
      }
      for (const { image, recovered, tree } of images) {
        // A writer recovers for good: the same tree, nothing left to replay, and e2fsck finds nothing.
        const rig = new Rig(image);
        expect(rig.mp.readOnly).toBe(false);
        rig.close();
        assertClean(image);
        const { ours, notes } = withImage(image, (mp) => ({ ours: ourTree(mp), notes: mp.notes }));
        expect(differences(variant, ours, tree)).toEqual([]);
        expect(notes).toEqual([]);
        // The kernel goes on with the emptied log, a commit and a clean end.
        withKernelMount(image, { write: true }, (dir) => writeFileSync(join(dir, 'after'), 'x'.repeat(5000)));
        assertClean(image);
        for (const path of [image, recovered]) rmSync(path);
      }
    });
  }
});
