/** Dirty images: what we see through a replay in memory is what the kernel recovers on a copy. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { dirtyVariants, makeDirtyImages, type DirtyImage } from '../../support/dirty-images.ts';
import { lacksOracle } from '../../support/oracle.ts';
import { compareTrees } from '../../support/tree.ts';
import { ourTree, withImage } from './walk.ts';

const names = ['ours', 'theirs'] as const;
let outDir = '';
beforeAll(() => {
  outDir = mkdtempSync(join(tmpdir(), 'ukfs-dirty-'));
});
afterAll(() => rmSync(outDir, { recursive: true, force: true }));

describe.skipIf(lacksOracle('mke2fs', 'e2fsck', 'debugfs', 'mount'))('a dirty journal is replayed in memory', () => {
  for (const variant of dirtyVariants) {
    test(`${variant.name}: ${variant.notes}`, () => {
      const images: DirtyImage[] = makeDirtyImages(variant, { outDir });
      for (const { image, tree } of images) {
        const before = readFileSync(image);
        const { ours, notes } = withImage(image, (mp) => ({ ours: ourTree(mp), notes: mp.notes }));
        expect(compareTrees(ours, tree, { names })).toEqual([]);
        expect(notes.join('\n')).toContain('replayed in memory');
        expect(readFileSync(image).equals(before)).toBe(true);
      }
      for (const { image, recovered } of images) for (const path of [image, recovered]) rmSync(path);
    });
  }
});
