/** mtree: specifications of trees: printed, held against an image, and (-u) made true. */
import { FsError } from 'ukfs';
import { UsageError } from '../command.ts';
import type { Command, Invocation } from '../command.ts';
import type { Context, Target } from '../context.ts';
import { linesOf, openLines } from '../lists.ts';
import { convertSpecification } from '../mtree/convert.ts';
import { FileDigests } from '../mtree/digests.ts';
import { mtreeOptionSpecs, mtreeOptionsOf } from '../mtree/options.ts';
import type { MtreeOptions } from '../mtree/options.ts';
import { Verification } from '../mtree/verify.ts';
import { writeSpecification } from '../mtree/write.ts';
import type { Tree } from '../mtree/write.ts';
import { Owners } from '../owners.ts';
import { excludes } from '../tar/names.ts';

export const mtree: Command = {
  name: 'mtree',
  summary: 'Print the specification of a tree, or hold a tree against one and set what differs.',
  synopsis: { addresses: '[ADDRESS]', paths: '[PATH]' },
  options: mtreeOptionSpecs,
  examples: [
    { command: 'fsu mtree -c -K sha256 disk.img > spec', does: 'the tree, with digests of the files' },
    { command: 'fsu mtree -f spec disk.img', does: 'is it still so? Exit status 2: it is not' },
    { command: 'fsu mtree -U -f spec disk.img', does: 'owners, modes, times … as specified' },
    { command: 'fsu_mtree disk.img -c -k uid,gid,mode /etc', does: 'some keywords of a directory' },
  ],
  image: 'write',
  run,
};

async function run(ctx: Context, args: Invocation): Promise<number> {
  const options = mtreeOptionsOf(args);
  const [operand, ...more] = args.operands;
  if (more.length > 0) throw new UsageError(`too many operands: '${more[0] ?? ''}'`);
  if (options.mode === 'convert') {
    if (operand !== undefined) throw new UsageError(`-C and -D read a specification only: '${operand}'`);
    await withLines(ctx, options, (lines) => convertSpecification(ctx, lines, options));
    return ctx.status;
  }
  const [given] = ctx.targets(operand === undefined ? [] : [operand]);
  if (given === undefined) throw new UsageError('no image given');
  const target = { ...given, path: pathOf(given, options) };
  const excludeLists = await Promise.all(options.excludeFrom.map((file) => linesOf(ctx, file, '\n')));
  const writes = options.update || options.extras === 'remove';
  const fs = await (writes ? ctx.tryOpenForWriting(target.image) : ctx.tryOpen(target.image));
  if (fs === undefined) return ctx.status;
  const digests = new FileDigests(await ctx.shell.host());
  const tree: Tree = { fs, target, owners: new Owners(fs), digests, excluded: excludes(excludeLists.flat()) };
  try {
    if (fs.stat(target.path).type !== 'dir') throw new FsError('ENOTDIR');
    if (options.mode === 'create') writeSpecification(ctx, tree, options);
    else await withLines(ctx, options, (lines) => new Verification(ctx, tree, options).run(lines));
  } catch (thrown) {
    if (!(thrown instanceof FsError)) throw thrown;
    ctx.fail(thrown, { ...target, path: thrown.context.path ?? target.path });
  }
  return ctx.status;
}

function pathOf({ path }: Target, { path: below }: MtreeOptions): string {
  const whole = below === undefined ? path : `${path}/${below}`;
  return whole.startsWith('/') ? whole.replace(/\/{2,}/g, '/') : `/${whole}`;
}

/** With the lines of the specification; what is wrong with it is told of it. */
async function withLines(ctx: Context, { spec }: MtreeOptions, use: (lines: Iterable<string>) => void): Promise<void> {
  const file = spec ?? '-';
  const source = await openLines(ctx, file);
  try {
    use(source.lines);
  } catch (thrown) {
    if (!(thrown instanceof FsError) || thrown.context.op !== 'mtree') throw thrown;
    ctx.fail(thrown, source.shown);
  } finally {
    source.close();
  }
}
