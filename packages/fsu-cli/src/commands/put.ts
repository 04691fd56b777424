/** put: files and trees of the host into an image, as one transaction. */
import { UsageError } from '../command.ts';
import type { Command, Invocation } from '../command.ts';
import type { Context } from '../context.ts';
import { copyAll } from '../copy/engine.ts';
import { inPlan, manifestOptions, sparseOption } from '../copy/options.ts';
import { reportMembers } from '../copying.ts';
import { pathMembers } from '../format/json.ts';

export const put: Command = {
  name: 'put',
  summary: 'Copy host files and trees into an image: all of them or nothing.',
  synopsis: { addresses: 'FILE... ADDRESS', paths: 'FILE... PATH' },
  options: [
    { flags: '-R, --recursive', summary: 'directories, too, with all they hold' },
    { flags: '-r', summary: 'as -R' },
    { flags: '-L, --dereference', summary: 'follow symbolic links: copy what they lead to' },
    { flags: '-d, --delete', summary: 'remove from the host what was copied, once the image is committed' },
    { flags: '-n, --no-clobber', summary: 'leave files alone that are there already' },
    { flags: '-v, --verbose', summary: 'name each file (fsu_put: after the image)' },
    { flags: '--xattrs', summary: 'extended attributes and ACLs too, if the host has getfattr(1)' },
    { flags: '--parents', summary: 'make missing directories of the target' },
    sparseOption,
    ...manifestOptions,
  ],
  examples: [
    { command: 'fsu put fstab disk.img:/etc', does: 'a file into a directory' },
    { command: 'fsu put -R www disk.img:2/srv/www', does: 'a tree; without /srv/www there it gets that name' },
    { command: 'fsu put -R build/. disk.img:/', does: 'what a directory holds' },
    { command: 'fsu_put disk.img fstab /etc', does: 'the way of fs-utils' },
  ],
  image: 'write',
  imagePath: 'last',
  outer: (at, { operands }) => at < operands.length - 1,
  run,
};

async function run(ctx: Context, args: Invocation): Promise<number> {
  const sources = args.operands.slice(0, -1);
  const [dest] = args.operands.length < 2 ? [] : ctx.targets(args.operands.slice(-1));
  if (dest === undefined) throw new UsageError('say what to put, and where to');
  return copyAll(ctx, {
    sources: sources.map((path) => ({ kind: 'host', path, shown: path })),
    dest: { kind: 'image', ...dest },
    plan: inPlan(ctx, args),
    members: ({ source, report }) => ({
      ...pathMembers('source', source.path),
      ...pathMembers('dest', dest.path),
      ...reportMembers(report),
    }),
  });
}
