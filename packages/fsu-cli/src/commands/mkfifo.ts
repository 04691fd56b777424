/** mkfifo: FIFOs in an image, as one transaction for each image. */
import type { FsTraits } from 'ukfs';
import { modeGiven, modeOption, setNewMode } from '../attrs/newmode.ts';
import { eachTarget } from '../attrs/targets.ts';
import { UsageError } from '../command.ts';
import type { Command, Invocation } from '../command.ts';
import type { Context } from '../context.ts';
import { Given } from '../given.ts';

export const mkfifo: Command = {
  name: 'mkfifo',
  summary: 'Make FIFOs in an image: all of them or nothing.',
  synopsis: { addresses: 'ADDRESS...', paths: 'PATH...' },
  options: [modeOption],
  examples: [
    { command: 'fsu mkfifo disk.img:/run/initctl', does: 'a FIFO' },
    { command: 'fsu_mkfifo disk.img -m 600 /a /b', does: 'the way of fs-utils' },
  ],
  image: 'write',
  run,
};

async function run(ctx: Context, args: Invocation): Promise<number> {
  const mode = modeGiven(new Given(args));
  if (args.operands.length === 0) throw new UsageError('no FIFO to make given');
  let created = 0;
  await eachTarget(
    ctx,
    ctx.targets(args.operands),
    (fs, { path }) => {
      fs.mkfifo(path, 0o666);
      if (mode !== undefined) setNewMode(fs, path, { change: mode, from: 0o666 });
      created++;
    },
    { refuse: ({ devices }: FsTraits) => (devices ? undefined : 'has no FIFOs') },
  );
  ctx.json?.member('created', created);
  return ctx.status;
}
