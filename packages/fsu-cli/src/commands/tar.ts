/** tar: archives out of images and into them, and what is in one. */
import type { Command, Invocation } from '../command.ts';
import type { Context } from '../context.ts';
import { create } from '../tar/create.ts';
import { extract } from '../tar/extract.ts';
import { list } from '../tar/list.ts';
import { modernWords, tarOptionSpecs, tarOptionsOf } from '../tar/options.ts';

export const tar: Command = {
  name: 'tar',
  summary: 'Archive files of an image, unpack an archive into one (all of it or nothing), or list an archive.',
  synopsis: { addresses: '-c|-x|-t ADDRESS [NAME...]', paths: '-c|-x|-t [PATH...]' },
  options: tarOptionSpecs,
  examples: [
    { command: 'fsu tar -c disk.img:/etc > etc.tar', does: 'a tree, as pax archive' },
    { command: 'fsu tar -czf www.tgz -C /srv disk.img www', does: 'names as seen from a directory, compressed' },
    { command: 'fsu tar -xf rootfs.tar.gz disk.img:2', does: 'unpack into the root of partition 2' },
    { command: 'fsu tar -c a.img:/srv | fsu tar -x b.img:/', does: 'from image to image' },
    { command: 'fsu_tar disk.img cvf etc.tar /etc', does: 'as people type it' },
  ],
  image: 'write',
  // Of an archive they are the names in it.
  outer: (_at, { options }) => !options.some(({ name }) => name === 'create'),
  takeOwn: (words) => ({ words: modernWords(words), own: [] }),
  run,
};

async function run(ctx: Context, args: Invocation): Promise<number> {
  const options = tarOptionsOf(ctx, args);
  if (options.mode === 'c') await create(ctx, options, args.operands);
  else if (options.mode === 'x') await extract(ctx, options, args.operands);
  else await list(ctx, options, args.operands);
  return ctx.status;
}
