/** Their image → our reader: every variant of the format, compared field by field with what the kernel (or debugfs) reads. */
import { statfsSync } from 'node:fs';
import { afterAll, describe, expect, test } from 'vitest';
import { dumpe2fs, featuresOf } from '../../support/e2fsprogs.ts';
import {
  cachedImage,
  expectedTree,
  extVariants,
  removeCachedImage,
  removeCachedImages,
} from '../../support/ext-images.ts';
import { withKernelMount } from '../../support/kernel-tree.ts';
import { lacksOracle } from '../../support/oracle.ts';
import { compareTrees, type TreeEntry } from '../../support/tree.ts';
import { ourTree, withImage } from './walk.ts';

afterAll(removeCachedImages, 300_000);

const names = ['ours', 'theirs'] as const;
/** Variants that are looked at more closely. */
const some = [
  'ext2-1k',
  'ext3-4k',
  'ext4-4k',
  'ext4-meta-bg',
  'ext4-bigalloc-4k',
  'ext4-sparse-super2',
  'ext4-large-dir',
];

describe.skipIf(lacksOracle('mke2fs', 'e2fsck', 'debugfs', 'mount'))(
  'every variant reads as the kernel reads it',
  () => {
    for (const variant of extVariants) {
      test(`${variant.name}: ${variant.notes}`, () => {
        const expected = expectedTree(variant);
        const ours = withImage(cachedImage(variant), (mp) => ourTree(mp));
        const ignore: (keyof TreeEntry)[] = variant.kernelMounts ? [] : ['xattrs', 'flags', 'btime'];
        expect(compareTrees(ours, expected, { names, ignore })).toEqual([]);
        expect(ours.length).toBeGreaterThan(10);
        // All together would fill a small disk.
        if (!some.includes(variant.name)) removeCachedImage(variant);
      });
    }
  },
);

describe.skipIf(lacksOracle('mke2fs', 'mount'))('what else the kernel tells', () => {
  for (const variant of extVariants.filter(({ name }) => some.includes(name))) {
    test(`statvfs(2) of ${variant.name}`, () => {
      const image = cachedImage(variant);
      const theirs = withKernelMount(image, {}, (dir) => statfsSync(dir));
      const ours = withImage(image, (mp) => mp.type.statvfs(mp));
      expect({
        bsize: ours.blockSize,
        blocks: ours.blocks,
        bfree: ours.freeBlocks,
        bavail: ours.availBlocks,
        files: ours.files,
        ffree: ours.freeFiles,
      }).toEqual({
        bsize: theirs.bsize,
        blocks: theirs.blocks,
        bfree: theirs.bfree,
        bavail: theirs.bavail,
        files: theirs.files,
        ffree: theirs.ffree,
      });
    });
  }

  test('features, label and UUID are those that dumpe2fs prints', () => {
    for (const variant of extVariants.filter(({ name }) => some.includes(name))) {
      const image = cachedImage(variant);
      const info = withImage(image, (mp) => mp.type.info?.(mp));
      const theirs = dumpe2fs(image);
      const present = info?.features.filter((f) => f.present).map((f) => f.name);
      expect(present?.slice().sort()).toEqual(featuresOf(image).slice().sort());
      expect(info?.uuid).toBe(theirs.get('Filesystem UUID'));
    }
  });

  test('a copy of the superblock is as good as the first', () => {
    const variant = extVariants.find(({ name }) => name === 'ext4-1k');
    if (variant === undefined) throw new Error('no variant ext4-1k');
    const expected = expectedTree(variant);
    for (const sb of ['8193', '24577']) {
      const [ours, notes] = withImage(cachedImage(variant), (mp) => [ourTree(mp), mp.notes] as const, { sb });
      expect(compareTrees(ours, expected, { names })).toEqual([]);
      expect(notes.join()).toContain('superblock');
    }
    expect(() => withImage(cachedImage(variant), () => 0, { sb: '5' })).toThrow('no superblock');
  });
});
