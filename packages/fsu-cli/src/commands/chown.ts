/** chown: owners of files and trees in an image, as one transaction for each image. */
import { changeOwners, chownOptions } from '../attrs/chowning.ts';
import { parseOwner } from '../attrs/ownerspec.ts';
import type { Command } from '../command.ts';

export const chown: Command = {
  name: 'chown',
  summary: "Change owners and groups in an image, by its own users' names: of all files or none.",
  synopsis: { addresses: 'OWNER[:GROUP] ADDRESS...', paths: 'OWNER[:GROUP] PATH...' },
  options: chownOptions('owner and group of this file'),
  examples: [
    { command: 'fsu chown root:wheel disk.img:/etc/motd', does: "names of the image's /etc/passwd and /etc/group" },
    { command: 'fsu chown -R 1000:1000 disk.img:2/home/guest', does: 'numbers, over a tree' },
    { command: 'fsu_chown disk.img guest: /var/mail/guest', does: 'and the group that guest logs in with' },
  ],
  image: 'write',
  imagePath: 'last',
  run: (ctx, args) => changeOwners(ctx, args, { keep: [], parse: parseOwner }),
};
