/** mkdir: directories in an image, as one transaction for each image. */
import { FsError } from 'ukfs';
import type { Ukfs } from 'ukfs';
import { modeGiven, modeOption, setNewMode } from '../attrs/newmode.ts';
import { eachTarget } from '../attrs/targets.ts';
import { UsageError } from '../command.ts';
import type { Command, Invocation } from '../command.ts';
import { addressText } from '../context.ts';
import type { Context, Target } from '../context.ts';
import { parentOf, rootIfEmpty } from '../copying.ts';
import type { ModeChange } from '../format/modechange.ts';
import { safeText } from '../format/name.ts';
import { Given } from '../given.ts';

export const mkdir: Command = {
  name: 'mkdir',
  summary: 'Make directories in an image: all of them or nothing.',
  synopsis: { addresses: 'ADDRESS...', paths: 'PATH...' },
  options: [
    { flags: '-p, --parents', summary: 'missing parents, too; one that is there is no failure' },
    modeOption,
    { flags: '-v, --verbose', summary: 'name each directory made (fsu_mkdir: after the image)' },
  ],
  examples: [
    { command: 'fsu mkdir disk.img:/srv', does: 'a directory' },
    { command: 'fsu mkdir -p -m 0750 disk.img:2/srv/www/data', does: 'with all above it' },
    { command: 'fsu_mkdir disk.img -m u=rwx,go=rx /a /b', does: 'the way of fs-utils' },
  ],
  image: 'write',
  run,
};

interface MkdirOptions {
  readonly parents: boolean;
  readonly mode: ModeChange | undefined;
  readonly verbose: boolean;
}

async function run(ctx: Context, args: Invocation): Promise<number> {
  const given = new Given(args);
  const options: MkdirOptions = {
    parents: given.has('parents'),
    mode: modeGiven(given),
    verbose: given.has('verbose') || ctx.settings.verbose > 0,
  };
  if (args.operands.length === 0) throw new UsageError('no directory to make given');
  let created = 0;
  await eachTarget(ctx, ctx.targets(args.operands), (fs, target) => {
    created += make(ctx, fs, target, options);
  });
  ctx.json?.member('created', created);
  return ctx.status;
}

/** Directories made. */
function make(ctx: Context, fs: Ukfs, { image, path }: Target, { parents, mode, verbose }: MkdirOptions): number {
  const made = parents ? missing(fs, path) : [path];
  if (parents) fs.mkdir(path, { recursive: true });
  else fs.mkdir(path);
  if (mode !== undefined && made.length > 0) setNewMode(fs, path, { change: mode, from: 0o777 });
  if (verbose) for (const each of made) ctx.shell.err(`${safeText(addressText(image, each))}\n`);
  return made.length;
}

/** The directories of a path that are not there, the uppermost first. */
function missing(fs: Ukfs, path: string): readonly string[] {
  const all: string[] = [];
  for (let at = path; at !== '.' && !isThere(fs, at); at = rootIfEmpty(parentOf(at))) all.unshift(at);
  return all;
}

/** A link that leads nowhere is there, too: making the directory fails then. */
function isThere(fs: Ukfs, path: string): boolean {
  try {
    fs.lstat(path);
    return true;
  } catch (thrown) {
    if (thrown instanceof FsError && thrown.code === 'ENOENT') return false;
    throw thrown;
  }
}
