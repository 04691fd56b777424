/** browse: an image in the terminal, to look at and to edit. */
import { UsageError } from '../command.ts';
import type { Command, Invocation } from '../command.ts';
import type { Context } from '../context.ts';
import { Given } from '../given.ts';
import { keyTables } from '../tui/keys/tables.ts';
import { lookOf } from '../tui/terminallook.ts';

export const browse: Command = {
  name: 'browse',
  summary: 'Explore and edit an image in the terminal; nothing of it is changed before you commit.',
  synopsis: { addresses: 'IMAGE[:SELECTOR][/DIR]', paths: '[DIR]' },
  options: [
    { flags: '--ascii', summary: 'show ASCII only, as where the locale is not UTF-8: other characters as their bytes' },
    {
      flags: '--plain',
      summary: 'for screen readers: lines that tell what changes, instead of a screen that is drawn',
    },
  ],
  examples: [{ command: 'fsu browse disk.img', does: 'look around; ? lists the keys' }],
  tables: keyTables,
  image: 'write',
  run,
};

async function run(ctx: Context, args: Invocation): Promise<number> {
  if (!ctx.shell.stdin.isTTY || !ctx.out.isTTY)
    throw new UsageError('needs a terminal; fsu ls, fsu script and so on do not');
  const [target, ...more] = ctx.targets(args.operands);
  if (target === undefined) throw new UsageError('no image given');
  if (more[0] !== undefined) throw new UsageError(`too many operands: '${more[0].shown}'`);
  const given = new Given(args);
  const look = lookOf((name) => ctx.shell.env(name), { ascii: given.has('ascii') });
  return ctx.shell.browse(ctx.words, { image: target.image.text, look: { ...look, isPlain: given.has('plain') } });
}
