/** get: files and trees out of an image, to the host or to standard output. */
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
  realPath,
  reportMembers,
  rootIfEmpty,
  sparseOption,
  tellLoss,
  withTree,
} from '../copying.ts';
import { pathMembers } from '../format/json.ts';
import { safeText } from '../format/name.ts';
import type { HostTrees } from '../host.ts';

export const get: Command = {
  name: 'get',
  summary: 'Copy files and trees out of an image, to DEST or the current directory.',
  synopsis: { addresses: 'ADDRESS... [DEST]', paths: 'PATH... [DEST]' },
  options: [
    { flags: '-a, --archive', summary: 'keep all that the host can hold: as -p --xattrs --devices' },
    { flags: '-p, --preserve', summary: 'owners and set-id bits, too' },
    { flags: '-L, --dereference', summary: 'follow an operand that is a symbolic link' },
    { flags: '-n, --no-clobber', summary: 'leave files alone that are there already' },
    { flags: '-R, --recursive', summary: 'ignored: directories are copied with all they hold' },
    { flags: '-v, --verbose', summary: 'name each file (fsu_get: after the image)' },
    { flags: '--devices', summary: 'make devices on the host (root only)' },
    { flags: '--xattrs', summary: 'extended attributes too, if the host has setfattr(1)' },
    { flags: '--parents', summary: 'make missing directories of DEST' },
    sparseOption,
  ],
  examples: [
    { command: 'fsu get disk.img:/etc/fstab .', does: 'a file, to here' },
    { command: 'fsu get disk.img:2/etc etc-copy', does: 'a tree' },
    { command: 'fsu_get disk.img /etc/fstab -', does: 'to standard output' },
  ],
  image: 'read',
  outer: (at, count) => count > 1 && at === count - 1,
  run,
};

interface GetOptions {
  readonly copy: CopyOptions;
  readonly trees: Parameters<HostTrees['hostTree']>[1];
  readonly follow: boolean;
  readonly parents: boolean;
  readonly verbose: boolean;
}

async function run(ctx: Context, args: Invocation): Promise<number> {
  const options = readOptions(ctx, args);
  const { sources, dest } = split(ctx, args.operands);
  const [only] = sources;
  if (args.operands.length === 1 && only?.path === '/' && !only.shown.endsWith('/'))
    throw new UsageError(`say what to get, such as ${only.image.text}:/etc; ${only.image.text}:/ is all of it`);
  if (dest === '-') return toOutput(ctx, sources);
  const trees = await ctx.shell.trees();
  try {
    if (options.parents) trees.makeHostDir(sources.length > 1 || dest.endsWith('/') ? dest : parentOf(dest));
    if (sources.length > 1 && trees.hostKind(dest) !== 'dir') throw new FsError('ENOTDIR');
  } catch (thrown) {
    if (!(thrown instanceof FsError)) throw thrown;
    ctx.fail(thrown, dest);
    return ctx.status;
  }
  ctx.json?.array('copies');
  for (const source of sources) await copyOne(ctx, { source, dest, options, trees });
  return ctx.status;
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

const BUFFER = 128 * 1024;

/** Files one after the other, as cat does. */
async function toOutput(ctx: Context, sources: readonly Target[]): Promise<number> {
  if (ctx.json !== undefined) throw new UsageError('--json: standard output takes the file already');
  const buffer = new Uint8Array(BUFFER);
  for (const source of sources) {
    const fs = await ctx.tryOpen(source.image);
    if (fs === undefined) continue;
    let fd: number | undefined;
    try {
      fd = fs.open(source.path);
      if (fs.fstat(fd).type === 'dir') throw new FsError('EISDIR');
      for (let n = fs.read(fd, buffer); n > 0; n = fs.read(fd, buffer)) ctx.out.bytes(buffer, n);
    } catch (thrown) {
      if (!(thrown instanceof FsError)) throw thrown;
      ctx.fail(thrown, source);
    } finally {
      if (fd !== undefined) fs.close(fd);
    }
  }
  return ctx.status;
}

interface Job {
  readonly source: Target;
  readonly dest: string;
  readonly options: GetOptions;
  readonly trees: HostTrees;
}

async function copyOne(ctx: Context, job: Job): Promise<void> {
  const { source, dest, options } = job;
  const fs = await ctx.tryOpen(source.image);
  if (fs === undefined) return;
  try {
    const report = copy(ctx, fs, job);
    const where = addressText(source.image, source.path);
    for (const loss of report.losses) tellLoss(ctx, where, { ...loss, verbose: options.verbose });
    ctx.json?.element({
      image: source.image.text,
      ...pathMembers('path', source.path),
      dest,
      ...reportMembers(report),
    });
  } catch (thrown) {
    if (!(thrown instanceof FsError)) throw thrown;
    ctx.fail(thrown, whereOf(thrown, source, dest));
  }
}

/** What the copy itself refuses is mostly about its target. */
const isAboutSource = ({ code }: FsError): boolean => code === 'EINVAL' || code === 'ENOENT';

/** The side on which a copy failed as a whole. Errors of the image name it. */
function whereOf(error: FsError, source: Target, target: string): Target | string {
  const { context } = error;
  if (context.image !== undefined || context.path === undefined) return source;
  if (context.op !== 'copy') return context.path;
  return isAboutSource(error) ? source : target;
}

function copy(ctx: Context, fs: Ukfs, { source, dest, options, trees }: Job): CopyReport {
  const path = options.follow && fs.lstat(source.path).type === 'lnk' ? realPath(fs, source.path) : source.path;
  const name = baseOf(path);
  const kind = trees.hostKind(dest);
  if (kind === 'other' && trees.hostRealPath(dest) === trees.hostRealPath(source.image.image))
    throw new FsError('EEXIST', { op: 'copy', path: dest, what: 'is the image itself' });
  const whole = isWhole(name);
  const [parent, target] = kind === 'dir' ? [dest, name] : [rootIfEmpty(parentOf(dest)), baseOf(dest)];
  /** Where an entry of the copy is in the image. */
  const inside = (entry: string): string => joinPath(path, whole ? entry : entry.split('/').slice(1).join('/'));
  const outside = (entry: string): string => joinPath(whole ? dest : parent, entry);
  const copyOptions: CopyOptions = {
    ...options.copy,
    done: (entry) => {
      if (!options.verbose) return;
      ctx.shell.err(`${safeText(addressText(source.image, inside(entry)))} -> ${safeText(outside(entry))}\n`);
    },
    failed(entry, error) {
      const { image: named, op, path: told } = error.context;
      // The host's errors have a path.
      const isOurs = named !== undefined || told === undefined || (op === 'copy' && isAboutSource(error));
      ctx.fail(error, isOurs ? { ...source, path: inside(entry) } : outside(entry));
      return afterFailure(error);
    },
  };
  if (whole) {
    if (kind === 'none') trees.makeHostDir(dest);
    return withTree(trees.hostTree(dest, options.trees), (to) => copyContents(ukfsTree(fs, path), to, copyOptions));
  }
  const from = { dir: ukfsTree(fs, rootIfEmpty(parentOf(path).replace(/^\.$/, ''))), name };
  return withTree(trees.hostTree(parent, options.trees), (to) =>
    copyTree(from, { dir: to, name: target }, copyOptions),
  );
}

function readOptions(ctx: Context, args: Invocation): GetOptions {
  const has = (...names: string[]): boolean => args.options.some(({ name }) => names.includes(name));
  const all = has('preserve', 'archive');
  const xattrs = has('xattrs', 'archive');
  return {
    copy: {
      keep: { owner: all, xattrs },
      holes: holesOf(args),
      ...(has('no-clobber') ? { existing: 'skip' as const } : {}),
    },
    trees: { owners: all, specialModes: all, devices: has('devices', 'archive'), xattrs },
    follow: has('dereference'),
    parents: has('parents'),
    verbose: has('verbose') || ctx.settings.verbose > 0,
  };
}
