import type { FileSystemType } from '../../vfs/vfsops.ts';
import { tmpfsOptions } from './options.ts';
import { tmpfsTraits, tmpfsVfsops } from './vfsops.ts';

export const tmpfs: FileSystemType = {
  name: 'tmpfs',
  aliases: [],
  traits: tmpfsTraits,
  options: tmpfsOptions,
  ...tmpfsVfsops,
};
