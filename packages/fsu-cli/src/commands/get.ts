/** get: files and trees out of an image, to the host or to standard output. */
import { progressOption, UsageError } from '../command.ts';
import type { Command, Invocation } from '../command.ts';
import type { Context, Target } from '../context.ts';
import { copyAll } from '../copy/engine.ts';
import { manifestOptions, outPlan, sparseOption } from '../copy/options.ts';
import { toOutput } from '../copy/streams.ts';
import { reportMembers } from '../copying.ts';
import { pathMembers } from '../format/json.ts';

export const get: Command = {
  name: 'get',
  summary: 'Copy files and trees out of an image, to DEST or the current directory.',
  synopsis: { addresses: 'ADDRESS... [DEST]', paths: 'PATH... [DEST]' },
  options: [
    { flags: '-a, --archive', summary: 'keep all that the host can hold: as -p --xattrs --devices' },
    { flags: '-p, --preserve', summary: 'owners and set-id bits, too' },
    { flags: '-L, --dereference', summary: 'follow symbolic links: copy what they lead to' },
    { flags: '-d, --delete', summary: 'remove from the image what was copied whole' },
    { flags: '-n, --no-clobber', summary: 'leave files alone that are there already' },
    { flags: '-R, --recursive', summary: 'ignored: directories are copied with all they hold' },
    { flags: '-v, --verbose', summary: 'name each file (fsu_get: after the image)' },
    { flags: '--devices', summary: 'make devices on the host (root only)' },
    { flags: '--xattrs', summary: 'extended attributes too, if the host has setfattr(1)' },
    { flags: '--parents', summary: 'make missing directories of DEST' },
    sparseOption,
    ...manifestOptions,
    progressOption,
  ],
  examples: [
    { command: 'fsu get disk.img:/etc/fstab .', does: 'a file, to here' },
    { command: 'fsu get disk.img:2/etc etc-copy', does: 'a tree' },
    { command: 'fsu_get disk.img /etc/fstab -', does: 'to standard output' },
  ],
  image: 'read',
  outer: (at, { operands }) => operands.length > 1 && at === operands.length - 1,
  run,
};

async function run(ctx: Context, args: Invocation): Promise<number> {
  const { sources, dest } = split(ctx, args.operands);
  const [only] = sources;
  if (args.operands.length === 1 && only?.path === '/' && !only.shown.endsWith('/'))
    throw new UsageError(`say what to get, such as ${only.image.text}:/etc; ${only.image.text}:/ is all of it`);
  if (dest === '-') return toOutput(ctx, sources);
  return copyAll(ctx, {
    sources: sources.map((target) => ({ kind: 'image', ...target })),
    dest: { kind: 'host', path: dest, shown: dest },
    plan: outPlan(ctx, args),
    members: ({ source, report }) => ({
      image: source.kind === 'image' ? source.image.text : source.path,
      ...pathMembers('path', source.path),
      dest,
      ...reportMembers(report),
    }),
  });
}

function split(
  ctx: Context,
  operands: readonly string[],
): { readonly sources: readonly Target[]; readonly dest: string } {
  if (operands.length === 0) throw new UsageError('nothing to get: say what, and where to');
  // With one operand the destination is the current directory.
  const dest = operands.length === 1 ? '.' : (operands.at(-1) ?? '.');
  return { sources: ctx.targets(operands.length === 1 ? operands : operands.slice(0, -1)), dest };
}
