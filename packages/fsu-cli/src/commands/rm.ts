/** rm: files and trees out of an image, as one transaction for each image. */
import { FsError, removeTree } from 'ukfs';
import type { Ukfs } from 'ukfs';
import { UsageError } from '../command.ts';
import type { Command, Invocation } from '../command.ts';
import { addressText } from '../context.ts';
import type { Context, Target } from '../context.ts';
import { baseOf } from '../copying.ts';
import { safeText } from '../format/name.ts';

export const rm: Command = {
  name: 'rm',
  summary: 'Remove files and trees from an image: all of them or nothing.',
  synopsis: { addresses: 'ADDRESS...', paths: 'PATH...' },
  options: [
    { flags: '-r, --recursive', summary: 'directories, too, with all they hold' },
    { flags: '-R', summary: 'as -r' },
    { flags: '-d, --dir', summary: 'directories that are empty' },
    { flags: '-f, --ignore-missing', summary: 'what is not there is no failure (fsu_rm: after the image)' },
    { flags: '-v, --verbose', summary: 'name each file (fsu_rm: after the image)' },
  ],
  examples: [
    { command: 'fsu rm disk.img:/etc/motd', does: 'a file' },
    { command: 'fsu rm -r disk.img:2/var/cache', does: 'a tree' },
    { command: 'fsu_rm disk.img -rf /tmp/a /tmp/b', does: 'the way of fs-utils' },
  ],
  image: 'write',
  run,
};

interface RmOptions {
  readonly recursive: boolean;
  readonly emptyDirs: boolean;
  readonly missingOk: boolean;
  readonly verbose: boolean;
}

async function run(ctx: Context, args: Invocation): Promise<number> {
  if (args.operands.length === 0) throw new UsageError('nothing to remove given');
  const options = readOptions(ctx, args);
  let removed = 0;
  for (const target of ctx.targets(args.operands)) removed += await removeOne(ctx, target, options);
  ctx.json?.member('removed', removed);
  return ctx.status;
}

/** Entries removed. */
async function removeOne(ctx: Context, target: Target, options: RmOptions): Promise<number> {
  const fs = await ctx.tryOpenForWriting(target.image);
  if (fs === undefined) return 0;
  try {
    return remove(ctx, fs, target, options);
  } catch (thrown) {
    if (!(thrown instanceof FsError)) throw thrown;
    ctx.fail(thrown, target);
    return 0;
  }
}

function remove(ctx: Context, fs: Ukfs, { image, path }: Target, options: RmOptions): number {
  const name = baseOf(path);
  if (name === '.' || name === '..') throw new FsError('EINVAL', { what: '. and .. are not removed' });
  if (name === '') throw new FsError('EBUSY', { what: 'the root directory is not removed' });
  let count = 0;
  const done = (removed: string): void => {
    ctx.progress.files(1);
    count++;
    if (options.verbose) ctx.shell.err(`${safeText(addressText(image, removed))}\n`);
  };
  try {
    const { type, dev } = fs.lstat(path);
    if (type === 'dir' && options.recursive) removeTree(fs, path, { dev, done });
    else {
      if (type !== 'dir') fs.unlink(path);
      else if (options.emptyDirs) fs.rmdir(path);
      else throw new FsError('EISDIR');
      done(path);
    }
  } catch (thrown) {
    if (!(options.missingOk && thrown instanceof FsError && thrown.code === 'ENOENT')) throw thrown;
  }
  return count;
}

function readOptions(ctx: Context, args: Invocation): RmOptions {
  const has = (...names: string[]): boolean => args.options.some(({ name }) => names.includes(name));
  return {
    recursive: has('recursive', 'R'),
    emptyDirs: has('dir'),
    missingOk: has('ignore-missing'),
    verbose: has('verbose') || ctx.settings.verbose > 0,
  };
}
