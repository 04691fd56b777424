import type { FileSystemType } from '../../vfs/vfsops.ts';
import { checkDevice } from './check.ts';
import { mkfs, planOnly } from './mkfs.ts';
import { ext2fsMkfsWords } from './mkfs/options.ts';
import { ext2fsOptions, ext2fsTraits, ext2fsVfsops } from './vfsops.ts';

export const ext2fs: FileSystemType = {
  name: 'ext2fs',
  aliases: ['ext2', 'ext3', 'ext4'],
  traits: ext2fsTraits,
  options: ext2fsOptions,
  mkfs: { options: ext2fsMkfsWords, plan: planOnly, make: mkfs },
  ...ext2fsVfsops,
  check: (device, options) => checkDevice(ext2fs, device, options),
};
