/** chgrp: groups of files and trees in an image, as one transaction for each image. */
import { changeOwners, chownOptions } from '../attrs/chowning.ts';
import type { Command } from '../command.ts';

export const chgrp: Command = {
  name: 'chgrp',
  summary: 'Change groups in an image, by the names of its /etc/group: of all files or none.',
  synopsis: { addresses: 'GROUP ADDRESS...', paths: 'GROUP PATH...' },
  options: chownOptions('the group of this file'),
  examples: [
    { command: 'fsu chgrp -R wheel disk.img:/srv', does: "a name of the image's /etc/group" },
    { command: 'fsu_chgrp disk.img 100 /srv/data', does: 'the way of fs-utils' },
  ],
  image: 'write',
  imagePath: 'last',
  run: (ctx, args) =>
    changeOwners(ctx, args, {
      keep: ['uid'],
      parse: (word) => ({ owner: undefined, group: word === '' ? undefined : word, loginGroup: false }),
    }),
};
