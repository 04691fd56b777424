/** apply: a manifest's files made what it says, as one transaction; --check only looks whether they are. */
import { FsError } from 'ukfs';
import type { ComparedTree } from 'ukfs';
import { UsageError } from '../command.ts';
import type { Command, Invocation } from '../command.ts';
import { addressText } from '../context.ts';
import type { Context, ImageName } from '../context.ts';
import { baseOf, parentOf, rootIfEmpty } from '../copying.ts';
import { Exit } from '../errors.ts';
import { pathMembers } from '../format/json.ts';
import { safeText } from '../format/name.ts';
import { Given } from '../given.ts';
import type { HostTrees } from '../host.ts';
import { Owners } from '../owners.ts';
import { readStream, readWhole, STREAM } from '../stream.ts';
import type { Entry } from '../apply/manifest.ts';

export const apply: Command = {
  name: 'apply',
  summary: 'Make files of an image what a manifest says: all of it or nothing.',
  synopsis: { addresses: 'MANIFEST IMAGE', paths: 'MANIFEST' },
  options: [
    { flags: '--check', summary: 'change nothing; exit status 1 and a line for each file that is not as it says' },
    { flags: '--allow-outside', summary: "sources may lie outside of the manifest's directory" },
    { flags: '-v, --verbose', summary: 'name each file that is changed (fsu_apply: after the image)' },
  ],
  examples: [
    { command: 'fsu apply site.yaml disk.img', does: 'make it so' },
    { command: 'fsu apply --check site.yaml disk.img:2', does: 'is it so?' },
    { command: 'fsu_apply disk.img site.yaml', does: 'the way of fs-utils' },
  ],
  image: 'write',
  outer: () => true,
  run,
};

interface ApplyOptions {
  readonly check: boolean;
  readonly outside: boolean;
  readonly verbose: boolean;
}

async function run(ctx: Context, args: Invocation): Promise<number> {
  const given = new Given(args);
  const options = {
    check: given.has('check'),
    outside: given.has('allow-outside'),
    verbose: given.has('verbose') || ctx.settings.verbose > 0,
  };
  const { manifest, image } = operandsOf(ctx, args);
  const entries = await readEntries(ctx, manifest);
  if (entries === undefined) return ctx.status;
  const fs = await ctx.tryOpenForWriting(image, { trial: options.check });
  if (fs === undefined) return ctx.status;
  const mask = fs.umask(0);
  const trees = await ctx.shell.trees();
  const source = (path: string): ComparedTree => sourceTree(trees, { manifest, path, outside: options.outside });
  const { enforce } = await import('../apply/enforce.ts');
  ctx.json?.member('entries', entries.length);
  ctx.json?.array('changes');
  const declared = new Map(entries.map((entry) => [entry.path, entry]));
  let owners = new Owners(fs);
  const make = (entry: Entry): readonly string[] => {
    const what = enforce({ fs, owners, source, declared: (path) => declared.get(path) }, entry);
    if (what.length > 0 && /^\/etc\/(passwd|group)$/.test(entry.path)) owners = new Owners(fs);
    return what;
  };
  // The time of a directory last: what is made in it changes that.
  const again = entries.filter(({ state, attributes }) => state === 'directory' && attributes.mtime !== undefined);
  try {
    for (const [i, entry] of [...entries, ...again].entries()) {
      try {
        const what = make(entry);
        if (what.length > 0 && i < entries.length) tell(ctx, { entry, what, image }, options);
      } catch (thrown) {
        if (!(thrown instanceof FsError)) throw thrown;
        ctx.fail(thrown, placeText(manifest, entry, image));
        // What follows may need it, and half of it nobody asked for. A check tells the rest, too.
        if (!options.check) break;
      }
    }
  } finally {
    fs.umask(mask);
  }
  return ctx.status;
}

function operandsOf(ctx: Context, { operands }: Invocation): { readonly manifest: string; readonly image: ImageName } {
  const [manifest, address, more] = operands;
  const given = ctx.settings.image;
  if (manifest === undefined || more !== undefined || (address === undefined) === (given === undefined))
    throw new UsageError('say which manifest to apply, and to which image');
  if (given !== undefined) return { manifest, image: given };
  const { image, path } = ctx.addressTarget(address ?? '');
  if (path !== '/') throw new UsageError('the paths are in the manifest: an image is named without one');
  return { manifest, image };
}

/** undefined: it makes no sense, which has been said. */
async function readEntries(ctx: Context, manifest: string): Promise<readonly Entry[] | undefined> {
  const [{ readManifest }, { ManifestError, TEXT_MAX }] = await Promise.all([
    import('../apply/manifest.ts'),
    import('../apply/yaml.ts'),
  ]);
  try {
    return readManifest(await readText(ctx, manifest, TEXT_MAX), { escapes: ctx.settings.bytes });
  } catch (thrown) {
    if (thrown instanceof FsError) ctx.fail(thrown, manifest);
    else if (thrown instanceof ManifestError) {
      const { line, column } = thrown.at;
      const message = `${manifest}:${line}:${column}: ${thrown.message}`;
      ctx.raise(Exit.usage);
      ctx.warn(safeText(message));
      ctx.json?.error({ errno: 'EINVAL', op: 'manifest', path: manifest, place: undefined, message });
    } else throw thrown;
    return undefined;
  }
}

async function readText(ctx: Context, manifest: string, max: number): Promise<string> {
  let bytes: Uint8Array;
  if (manifest === STREAM) bytes = readStream(ctx, max);
  else {
    const file = (await ctx.shell.host()).openForReading(manifest);
    try {
      const all = readWhole(file, max);
      if (all === undefined) throw new FsError('EFBIG', { path: manifest, what: 'more than 4 MiB is no manifest' });
      bytes = all;
    } finally {
      file.close();
    }
  }
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (thrown) {
    throw new FsError('EILSEQ', { path: manifest, what: 'the manifest is not UTF-8' }, { cause: thrown });
  }
}

/** A file of the host, which the manifest may reach by links and `..` only when that is allowed. */
function sourceTree(
  trees: HostTrees,
  { manifest, path, outside }: { readonly manifest: string; readonly path: string; readonly outside: boolean },
): ComparedTree {
  const base = trees.hostRealPath(manifest === STREAM ? '.' : rootIfEmpty(parentOf(manifest)));
  const real = trees.hostRealPath(path.startsWith('/') ? path : `${base}/${path}`);
  const isInside = real.startsWith(base.endsWith('/') ? base : `${base}/`);
  if (!isInside && !outside)
    throw new FsError('EPERM', {
      path,
      what: `source ${path} is outside of the manifest's directory (--allow-outside)`,
    });
  const dir = trees.hostTree(rootIfEmpty(parentOf(real)), HOST);
  const name = baseOf(real);
  const type = dir.lstat(name)?.type;
  if (type === 'reg') return { dir, name, tells: new Set(['content']), grainNs: 1 };
  dir.close();
  throw new FsError(type === 'dir' ? 'EISDIR' : 'EINVAL', { path, what: `source ${path} is no file` });
}

/** It is only read. */
const HOST = { owners: false, specialModes: false, devices: false, xattrs: false };

const placeText = (manifest: string, { at, path }: Entry, image: ImageName): string =>
  `${manifest}:${at.line}:${at.column}: ${addressText(image, path)}`;

function tell(
  ctx: Context,
  { entry, what, image }: { readonly entry: Entry; readonly what: readonly string[]; readonly image: ImageName },
  { check, verbose }: ApplyOptions,
): void {
  if (check) ctx.raise(1);
  ctx.json?.element({ ...pathMembers('path', entry.path), state: entry.state, what, line: entry.at.line });
  const line = `${safeText(addressText(image, entry.path))}: ${what.join(', ')}\n`;
  if (check && ctx.json === undefined) ctx.out.text(line);
  else if (verbose) ctx.shell.err(line);
}
