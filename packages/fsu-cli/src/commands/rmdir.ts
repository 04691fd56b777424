/** rmdir: empty directories out of an image, as one transaction for each image. */
import { FsError } from 'ukfs';
import type { Ukfs } from 'ukfs';
import { eachTarget } from '../attrs/targets.ts';
import { UsageError } from '../command.ts';
import type { Command, Invocation } from '../command.ts';
import { addressText } from '../context.ts';
import type { Context, Target } from '../context.ts';
import { parentOf } from '../copying.ts';
import { safeText } from '../format/name.ts';
import { Given } from '../given.ts';

export const rmdir: Command = {
  name: 'rmdir',
  summary: 'Remove empty directories from an image: all of them or nothing.',
  synopsis: { addresses: 'ADDRESS...', paths: 'PATH...' },
  options: [
    { flags: '-p, --parents', summary: 'then those above it, up to the root' },
    { flags: '--ignore-fail-on-non-empty', summary: 'one that holds something stays, and is no failure' },
    { flags: '-v, --verbose', summary: 'name each directory removed (fsu_rmdir: after the image)' },
  ],
  examples: [
    { command: 'fsu rmdir disk.img:/srv/empty', does: 'an empty directory' },
    { command: 'fsu_rmdir disk.img -p /a/b/c', does: '/a/b/c, then /a/b, then /a' },
  ],
  image: 'write',
  run,
};

interface RmdirOptions {
  readonly parents: boolean;
  readonly lenient: boolean;
  readonly verbose: boolean;
}

async function run(ctx: Context, args: Invocation): Promise<number> {
  const given = new Given(args);
  const options: RmdirOptions = {
    parents: given.has('parents'),
    lenient: given.has('ignore-fail-on-non-empty'),
    verbose: given.has('verbose') || ctx.settings.verbose > 0,
  };
  if (args.operands.length === 0) throw new UsageError('no directory to remove given');
  let removed = 0;
  await eachTarget(ctx, ctx.targets(args.operands), (fs, target) => {
    removed += remove(ctx, fs, target, options);
  });
  ctx.json?.member('removed', removed);
  return ctx.status;
}

/** Directories removed. */
function remove(ctx: Context, fs: Ukfs, { image, path }: Target, { parents, lenient, verbose }: RmdirOptions): number {
  let count = 0;
  for (let at = path; at !== '' && at !== '.'; at = parents ? parentOf(at) : '') {
    try {
      fs.rmdir(at);
    } catch (thrown) {
      if (lenient && thrown instanceof FsError && thrown.code === 'ENOTEMPTY') break;
      if (!(thrown instanceof FsError) || at === path) throw thrown;
      ctx.fail(thrown, { image, path: at, shown: at });
      break;
    }
    count++;
    if (verbose) ctx.shell.err(`${safeText(addressText(image, at))}\n`);
  }
  return count;
}
