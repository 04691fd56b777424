/** tmpfs is never found on a disk: it has a name and no probe. */
import type { FileSystemModule } from '../../vfs/vfsops.ts';

export const tmpfsModule: FileSystemModule = {
  name: 'tmpfs',
  aliases: [],
  load: () => import('./index.ts').then((module) => module.tmpfs),
};
