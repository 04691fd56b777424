import { ext2fs } from '@ukfs/kernel/fs/ext2fs';
import { describe } from 'vitest';
import { extVariants } from '../support/ext-adapter.ts';
import { lacksOracle } from '../support/oracle.ts';
import { declareSuite } from './declare.ts';

describe.skipIf(lacksOracle('mke2fs', 'e2fsck'))('ext3', () => {
  for (const variant of extVariants(ext2fs, 'ext3')) declareSuite(variant);
});
