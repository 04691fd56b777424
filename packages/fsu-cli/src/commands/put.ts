/** put: files and trees of the host into an image, as one transaction. */
import { FsError } from 'ukfs';
import { copyContents, copyTree, ukfsTree } from 'ukfs';
import type { CopyOptions, CopyReport, Ukfs } from 'ukfs';
import { UsageError } from '../command.ts';
import type { Command, Invocation } from '../command.ts';
import { addressText } from '../context.ts';
import type { Context, Target } from '../context.ts';
import {
  afterFailure,
  baseOf,
  holesOf,
  isWhole,
  joinPath,
  parentOf,
  reportMembers,
  rootIfEmpty,
  sparseOption,
  tellLoss,
  withTree,
} from '../copying.ts';
import { pathMembers } from '../format/json.ts';
import { safeText } from '../format/name.ts';
import type { HostTrees } from '../host.ts';

export const put: Command = {
  name: 'put',
  summary: 'Copy host files and trees into an image: all of them or nothing.',
  synopsis: { addresses: 'FILE... ADDRESS', paths: 'FILE... PATH' },
  options: [
    { flags: '-R, --recursive', summary: 'directories, too, with all they hold' },
    { flags: '-r', summary: 'as -R' },
    { flags: '-L, --dereference', summary: 'follow an operand that is a symbolic link' },
    { flags: '-n, --no-clobber', summary: 'leave files alone that are there already' },
    { flags: '-v, --verbose', summary: 'name each file (fsu_put: after the image)' },
    { flags: '--parents', summary: 'make missing directories of the target' },
    sparseOption,
  ],
  examples: [
    { command: 'fsu put fstab disk.img:/etc', does: 'a file into a directory' },
    { command: 'fsu put -R www disk.img:2/srv/www', does: 'a tree; without /srv/www there it gets that name' },
    { command: 'fsu put -R build/. disk.img:/', does: 'what a directory holds' },
    { command: 'fsu_put disk.img fstab /etc', does: 'the way of fs-utils' },
  ],
  image: 'write',
  imagePath: 'last',
  outer: (at, count) => at < count - 1,
  run,
};

interface PutOptions {
  readonly copy: CopyOptions;
  readonly follow: boolean;
  readonly parents: boolean;
  readonly verbose: boolean;
}

interface Job {
  readonly fs: Ukfs;
  readonly dest: Target;
  readonly trees: HostTrees;
  readonly options: PutOptions;
}

async function run(ctx: Context, args: Invocation): Promise<number> {
  const options = readOptions(ctx, args);
  const sources = args.operands.slice(0, -1);
  const [dest] = args.operands.length < 2 ? [] : ctx.targets(args.operands.slice(-1));
  if (dest === undefined) throw new UsageError('say what to put, and where to');
  const fs = await ctx.tryOpenForWriting(dest.image);
  if (fs === undefined) return ctx.status;
  const trees = await ctx.shell.trees();
  try {
    putAll(ctx, { fs, dest, trees, options }, sources);
  } catch (thrown) {
    if (!(thrown instanceof FsError)) throw thrown;
    ctx.fail(thrown, dest);
  }
  return ctx.status;
}

function putAll(ctx: Context, job: Job, sources: readonly string[]): void {
  const { fs, dest, options } = job;
  const parents = sources.length > 1 || dest.path.endsWith('/') ? dest.path : parentOf(dest.path);
  if (options.parents) fs.mkdir(rootIfEmpty(parents), { recursive: true });
  // From here on permissions are those of the host's files, whole.
  fs.umask(0);
  if (sources.length > 1 && kindOf(fs, dest.path) !== 'dir') throw new FsError('ENOTDIR');
  ctx.json?.array('copies');
  for (const source of sources) putOne(ctx, job, source);
}

function putOne(ctx: Context, job: Job, source: string): void {
  const { dest, options } = job;
  try {
    const report = copy(ctx, job, source);
    for (const loss of report.losses) tellLoss(ctx, source, { ...loss, verbose: options.verbose });
    ctx.json?.element({
      ...pathMembers('source', source),
      ...pathMembers('dest', dest.path),
      ...reportMembers(report),
    });
  } catch (thrown) {
    if (!(thrown instanceof FsError)) throw thrown;
    ctx.fail(thrown, whereOf(thrown, source, dest));
  }
}

/** The side on which it failed: errors of the image name it, the host's name their path. */
const whereOf = ({ code, context }: FsError, source: string, target: Target): string | Target =>
  context.image === undefined && (context.op !== 'copy' || code === 'ENOENT' || code === 'EISDIR') ? source : target;

function copy(ctx: Context, { fs, dest, trees, options }: Job, operand: string): CopyReport {
  const source = options.follow ? trees.hostRealPath(operand) : operand;
  const name = baseOf(source);
  const whole = isWhole(name);
  const into = kindOf(fs, dest.path) === 'dir';
  const [parent, target] = into ? [dest.path, name] : [rootIfEmpty(parentOf(dest.path)), baseOf(dest.path)];
  const inside = (entry: string): string => joinPath(whole ? dest.path : parent, entry);
  /** Where an entry of the copy is on the host. */
  const outside = (entry: string): string => joinPath(source, whole ? entry : entry.split('/').slice(1).join('/'));
  const copyOptions: CopyOptions = {
    ...options.copy,
    done: (entry) => {
      if (!options.verbose) return;
      ctx.shell.err(`${safeText(outside(entry))} -> ${safeText(addressText(dest.image, inside(entry)))}\n`);
    },
    failed(entry, error) {
      ctx.fail(error, whereOf(error, outside(entry), { ...dest, path: inside(entry) }));
      return afterFailure(error);
    },
  };
  if (whole) {
    if (options.copy.recursive !== true) throw new FsError('EISDIR', { op: 'copy', path: source });
    if (!into) fs.mkdir(dest.path);
    return withTree(trees.hostTree(source, HOST), (from) => copyContents(from, ukfsTree(fs, dest.path), copyOptions));
  }
  const to = { dir: ukfsTree(fs, parent), name: target };
  return withTree(trees.hostTree(rootIfEmpty(parentOf(source)), HOST), (from) =>
    copyTree({ dir: from, name }, to, copyOptions),
  );
}

/** It is only read. */
const HOST = { owners: false, specialModes: false, devices: false, xattrs: false } as const;

/** What a path of the image names, links followed. */
const kindOf = (fs: Ukfs, path: string): 'dir' | 'other' | 'none' =>
  !fs.exists(path) ? 'none' : fs.stat(path).type === 'dir' ? 'dir' : 'other';

function readOptions(ctx: Context, args: Invocation): PutOptions {
  const has = (...names: string[]): boolean => args.options.some(({ name }) => names.includes(name));
  return {
    copy: {
      recursive: has('recursive', 'r'),
      holes: holesOf(args),
      ...(has('no-clobber') ? { existing: 'skip' as const } : {}),
    },
    follow: has('dereference'),
    parents: has('parents'),
    verbose: has('verbose') || ctx.settings.verbose > 0,
  };
}
