/** ln: hard and symbolic links in an image, as one transaction. */
import { FsError } from 'ukfs';
import type { FsTraits, Stat, Ukfs } from 'ukfs';
import { linkPath, linkText } from '../attrs/linksource.ts';
import { attempt, eachTarget } from '../attrs/targets.ts';
import { canonical, relativePath } from '../canonical.ts';
import { UsageError } from '../command.ts';
import type { Command, Invocation } from '../command.ts';
import { addressText } from '../context.ts';
import type { Context, Target } from '../context.ts';
import { baseOf, joinPath, parentOf, rootIfEmpty } from '../copying.ts';
import { safeText } from '../format/name.ts';
import { Given } from '../given.ts';

export const ln: Command = {
  name: 'ln',
  summary: 'Make links in an image: all of them or nothing.',
  synopsis: { addresses: 'SOURCE... ADDRESS', paths: 'SOURCE... PATH' },
  options: [
    { flags: '-s, --symbolic', summary: 'symbolic links; SOURCE is their text (fsu_ln: after the image)' },
    { flags: '-r, --relative', summary: 'with -s: the text leads from the link to SOURCE' },
    { flags: '-f, --replace', summary: 'in the place of a file that is there (fsu_ln: after the image)' },
    { flags: '-h, --no-dereference', summary: 'a target that is a link to a directory is no directory' },
    { flags: '-n', summary: 'as -h' },
    { flags: '-T, --no-target-directory', summary: 'a target is never a directory to link into' },
    {
      flags: '-t, --target-directory <dir>',
      summary: 'the directory to link into; every operand is a SOURCE (fsu_ln: after the image)',
    },
    { flags: '-L, --logical', summary: 'hard links of what a symbolic link leads to' },
    { flags: '-P, --physical', summary: 'hard links of symbolic links themselves: the default' },
    { flags: '-v, --verbose', summary: 'name each link (fsu_ln: after the image)' },
  ],
  examples: [
    { command: 'fsu ln disk.img:/etc/hosts disk.img:/etc/hosts.old', does: 'a second name' },
    { command: 'fsu ln -sf /usr/share/zoneinfo/UTC disk.img:/etc/localtime', does: 'a symbolic link' },
    { command: 'fsu_ln disk.img -sr /usr/bin/vi /bin', does: '/bin/vi -> ../usr/bin/vi' },
  ],
  image: 'write',
  run,
};

interface LnOptions {
  readonly symbolic: boolean;
  readonly relative: boolean;
  readonly replace: boolean;
  readonly follow: boolean;
  readonly into: 'directory' | 'if directory' | 'if real directory' | 'never';
  readonly verbose: boolean;
}

async function run(ctx: Context, args: Invocation): Promise<number> {
  const given = new Given(args);
  const directory = given.value('target-directory');
  const sources = [...args.operands];
  const last = directory ?? (sources.length > 1 ? sources.pop() : undefined);
  if (last === undefined || sources.length === 0) throw new UsageError('needed are what to link to, and the link');
  const options = readOptions(ctx, given, sources.length > 1);
  if (options.relative && !options.symbolic) throw new UsageError('--relative is about symbolic links');
  const refuse = ({ hardLinks, symlinks }: FsTraits): string | undefined =>
    options.symbolic ? (symlinks ? undefined : 'has no symbolic links') : hardLinks ? undefined : 'has no hard links';
  let created = 0;
  const act = (fs: Ukfs, target: Target): void => {
    const dir = directoryOf(fs, target.path, options.into);
    for (const source of sources) attempt(ctx, target, () => linkTo(fs, target, { source, dir }));
  };
  const linkTo = (fs: Ukfs, target: Target, { source, dir }: { source: string; dir: string | undefined }): void => {
    const { image } = target;
    const isText = options.symbolic && !options.relative;
    const from = isText ? linkText(ctx, source, image) : linkPath(ctx, source, image);
    const path = dir === undefined ? target.path : joinPath(dir, baseOf(from));
    const ends = { from: { image, path: from, shown: source }, to: { image, path, shown: path } };
    if (link(ctx, fs, ends, options)) created++;
  };
  await eachTarget(ctx, ctx.targets([last]), act, { refuse });
  ctx.json?.member('created', created);
  return ctx.status;
}

/** The directory to link into; undefined: the target is the link's own name. Errors: ENOTDIR. */
function directoryOf(fs: Ukfs, path: string, into: LnOptions['into']): string | undefined {
  if (into === 'never') return undefined;
  const stat = statIf(() => (into === 'if real directory' ? fs.lstat(path) : fs.stat(path)));
  if (stat?.type === 'dir') return path;
  if (into !== 'directory') return undefined;
  throw new FsError(stat === undefined ? 'ENOENT' : 'ENOTDIR');
}

/** False: it was there already, or it failed. */
function link(
  ctx: Context,
  fs: Ukfs,
  { from, to }: { readonly from: Target; readonly to: Target },
  options: LnOptions,
): boolean {
  let source: Stat | undefined;
  if (!options.symbolic) {
    attempt(ctx, from, () => (source = options.follow ? fs.stat(from.path) : fs.lstat(from.path)));
    if (source === undefined) return false;
  }
  let made = false;
  attempt(ctx, to, () => (made = makeLink(fs, { from: from.path, to: to.path, source }, options)));
  if (made && options.verbose) {
    const arrow = options.symbolic ? `-> ${fs.readlink(to.path)}` : `=> ${from.path}`;
    ctx.shell.err(`${safeText(`${addressText(to.image, to.path)} ${arrow}`)}\n`);
  }
  return made;
}

/** False: it was there already. `source`: of a hard link, the file. */
function makeLink(
  fs: Ukfs,
  { from, to, source }: { readonly from: string; readonly to: string; readonly source: Stat | undefined },
  { relative, replace, follow }: LnOptions,
): boolean {
  const there = statIf(() => fs.lstat(to));
  if (there !== undefined) {
    const isIt = source !== undefined && isSame(there, source);
    if (isIt && nameOf(fs, to) === nameOf(fs, from)) throw new FsError('EEXIST', { what: 'is the source itself' });
    if (!replace) throw new FsError('EEXIST');
    if (isIt) return false;
    if (there.type === 'dir') throw new FsError('EISDIR');
    fs.unlink(to);
  }
  if (source !== undefined) fs.link(from, to, { follow });
  else fs.symlink(relative ? relativeText(fs, to, from) : from, to);
  return true;
}

const isSame = (a: Stat, b: Stat): boolean => a.ino === b.ino && a.dev === b.dev;

/** The name itself, the way to it without links. */
const nameOf = (fs: Ukfs, path: string): string =>
  joinPath(canonical(fs, rootIfEmpty(parentOf(path)), 'any'), baseOf(path));

function relativeText(fs: Ukfs, path: string, from: string): string {
  return relativePath(canonical(fs, rootIfEmpty(parentOf(path)), 'any'), canonical(fs, from, 'any'));
}

function statIf(get: () => Stat): Stat | undefined {
  try {
    return get();
  } catch (thrown) {
    if (thrown instanceof FsError && thrown.code === 'ENOENT') return undefined;
    throw thrown;
  }
}

function readOptions(ctx: Context, given: Given, several: boolean): LnOptions {
  const directory = given.value('target-directory') !== undefined;
  const never = given.has('no-target-directory');
  if (never && directory) throw new UsageError('-t and -T exclude each other');
  if (never && several) throw new UsageError('with -T there is one SOURCE');
  return {
    symbolic: given.has('symbolic'),
    relative: given.has('relative'),
    replace: given.has('replace'),
    follow: given.lastOf('logical', 'physical') === 'logical',
    into: never
      ? 'never'
      : directory || several
        ? 'directory'
        : given.has('no-dereference', 'n')
          ? 'if real directory'
          : 'if directory',
    verbose: given.has('verbose') || ctx.settings.verbose > 0,
  };
}
