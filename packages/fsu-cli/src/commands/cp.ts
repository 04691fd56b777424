/** cp: files and trees between images, the host and the standard streams. */
import { copyTree, FsError, ukfsTree } from 'ukfs';
import type { TreeDir } from 'ukfs';
import { UsageError } from '../command.ts';
import type { Command, Invocation } from '../command.ts';
import type { Context } from '../context.ts';
import { baseOf, parentOf, rootIfEmpty, withTree } from '../copying.ts';
import { placeOf } from '../place.ts';
import type { Place } from '../place.ts';

export const cp: Command = {
  name: 'cp',
  summary: 'Copy files and trees between images and the host.',
  synopsis: { addresses: 'SOURCE DEST', paths: 'SOURCE DEST' },
  options: [{ flags: '-R, --recursive', summary: 'directories, too, with all they hold' }],
  examples: [{ command: 'fsu cp -R a.img:/etc b.img:/etc', does: 'a tree from one image into another' }],
  image: 'write',
  run,
};

async function run(ctx: Context, args: Invocation): Promise<number> {
  const [from, to] = args.operands.map((operand) => placeOf(ctx, operand));
  if (from === undefined || to === undefined || args.operands.length > 2)
    throw new UsageError('say what to copy, and where to');
  if (from.kind !== 'image' && to.kind !== 'image') throw new UsageError('no image in it');
  const recursive = args.options.some(({ name }) => name === 'recursive');
  // What is written is opened before what is read: the two may be one image.
  const target = await parentTree(ctx, to, true);
  if (target === undefined) return ctx.status;
  const source = await parentTree(ctx, from, false);
  if (source === undefined) return ctx.status;
  try {
    withTree(target.dir, () => withTree(source.dir, () => copyTree(source, target, { recursive })));
  } catch (thrown) {
    if (!(thrown instanceof FsError)) throw thrown;
    ctx.fail(thrown, from.shown);
  }
  return ctx.status;
}

type Open = { readonly dir: TreeDir; readonly name: string };

async function parentTree(ctx: Context, place: Place, write: boolean): Promise<Open | undefined> {
  if (place.kind === 'stream') throw new UsageError('standard streams are not copied yet');
  const parent = rootIfEmpty(parentOf(place.path));
  const name = baseOf(place.path);
  if (place.kind === 'host') {
    const trees = await ctx.shell.trees();
    return {
      dir: trees.hostTree(parent, { owners: false, specialModes: false, devices: false, xattrs: false }),
      name,
    };
  }
  const fs = await (write ? ctx.tryOpenForWriting(place.image) : ctx.tryOpen(place.image));
  return fs === undefined ? undefined : { dir: ukfsTree(fs, parent), name };
}
