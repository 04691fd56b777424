/** Their image → our reader: every variant of the format, compared field by field with what the kernel (or debugfs) reads. */
import { afterAll, describe, expect, test } from 'vitest';
import { cachedImage, expectedTree, extVariants, removeCachedImages } from '../../support/ext-images.ts';
import { lacksOracle } from '../../support/oracle.ts';
import { compareTrees, type TreeEntry } from '../../support/tree.ts';
import { ourTree, withImage } from './walk.ts';

afterAll(removeCachedImages, 60_000);

const names = ['ours', 'theirs'] as const;

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
      });
    }
  },
);
