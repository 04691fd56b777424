/** patch: apply what diff --bundle wrote, as one transaction, to an image that is as the bundle expects. */
import { FsError, O, tarEntries } from 'ukfs';
import type { ByteSource, TarEntry } from 'ukfs';
import { UsageError } from '../command.ts';
import type { Command, Invocation } from '../command.ts';
import { addressText } from '../context.ts';
import type { Context, ImageName } from '../context.ts';
import { pathMembers } from '../format/json.ts';
import { safeText } from '../format/name.ts';
import { FileSums } from '../filesums.ts';
import { Given } from '../given.ts';
import { applyPatches, mismatch } from '../patch/apply.ts';
import type { Content } from '../patch/apply.ts';
import { MANIFEST } from '../patch/bundle.ts';
import { readPatches, reversed } from '../patch/manifest.ts';
import type { Manifest } from '../patch/manifest.ts';
import { readWhole, STREAM } from '../stream.ts';

export const patch: Command = {
  name: 'patch',
  summary: 'Apply a bundle of diff --bundle to an image: all of it or nothing.',
  synopsis: { addresses: 'IMAGE BUNDLE', paths: 'BUNDLE' },
  options: [
    { flags: '-R, --reverse', summary: 'take it back (of a bundle that diff made --reversible)' },
    { flags: '-C, --check', summary: 'only look whether the image is as the bundle expects: exit status 1 if not' },
    { flags: '--mismatch', summary: 'apply it although files are not as it expects' },
  ],
  examples: [
    { command: 'fsu patch old.img edit.fsu', does: 'apply what fsu diff --bundle edit.fsu old.img new.img wrote' },
    { command: 'fsu_patch disk.img -R edit.fsu', does: 'take it back' },
  ],
  image: 'write',
  outer: () => true,
  run,
};

/** Its manifest is held in memory. */
const MANIFEST_MAX = 64 * 1024 * 1024;

async function run(ctx: Context, args: Invocation): Promise<number> {
  const given = new Given(args);
  const [reverse, check, force] = [given.has('reverse'), given.has('check'), given.has('mismatch')];
  const { image, bundle } = operandsOf(ctx, args);
  const fs = await ctx.tryOpenForWriting(image, { trial: check });
  if (fs === undefined) return ctx.status;
  const mask = fs.umask(0);
  try {
    const input = bundle === STREAM ? { read: (dst: Uint8Array) => ctx.shell.stdin.read(dst) } : undefined;
    const archive = await (await ctx.shell.archives()).openArchive(bundle, input);
    try {
      const { reversible, patches: forward } = manifestOf(archive.open());
      if (reverse && !reversible) throw new FsError('EINVAL', { what: 'the bundle was not made with --reversible' });
      const patches = reverse ? forward.map(reversed) : forward;
      const host = await ctx.shell.host();
      const sums = new FileSums();
      const sha256 = (path: string): string => sums.of(fs, path, host.sha256(), O.RDONLY | O.NOFOLLOW).digest;
      ctx.json?.member('differences', patches.length);
      ctx.json?.array('mismatches');
      for (const one of patches) {
        const what = mismatch(fs, one, sha256);
        if (what === undefined) continue;
        if (!force) ctx.raise(1);
        ctx.json?.element({ ...pathMembers('path', one.path), what });
        ctx.warn(`${safeText(addressText(image, one.path))}: not as the bundle expects: ${what}`);
      }
      if (ctx.status === 0 && !check) applyPatches(fs, patches, { contents: contentsOf(archive.open()), host, force });
    } finally {
      archive.close();
    }
  } catch (thrown) {
    if (!(thrown instanceof FsError)) throw thrown;
    const { image: named, path } = thrown.context;
    ctx.fail(thrown, named === undefined ? bundle : path === undefined ? image : addressText(image, path));
  } finally {
    fs.umask(mask);
  }
  return ctx.status;
}

function operandsOf(ctx: Context, { operands }: Invocation): { readonly image: ImageName; readonly bundle: string } {
  const given = ctx.settings.image;
  const [first, second, more] = operands;
  if (first === undefined || more !== undefined || (second === undefined) === (given === undefined))
    throw new UsageError('say which image to patch, and with which bundle');
  if (given !== undefined) return { image: given, bundle: first };
  const { image, path } = ctx.addressTarget(first);
  if (path !== '/') throw new UsageError('the paths are in the bundle: an image is named without one');
  return { image, bundle: second ?? '' };
}

function manifestOf(source: ByteSource): Manifest {
  for (const entry of tarEntries(source)) {
    if (entry.path !== MANIFEST) break;
    const bytes = readWhole(entry, MANIFEST_MAX);
    if (bytes === undefined) throw new FsError('EFBIG', { what: 'bundle: its manifest has more than 64 MiB' });
    return readPatches(new TextDecoder().decode(bytes));
  }
  throw new FsError('EINVAL', { what: 'this is no bundle of diff --bundle' });
}

function* contentsOf(source: ByteSource): Generator<Content> {
  for (const entry of tarEntries(source)) {
    const [, sha256] = /^content\/([0-9a-f]{64})$/.exec(entry.path) ?? [];
    if (sha256 !== undefined && isFile(entry)) yield { sha256, read: (dst) => entry.read(dst) };
  }
}

const isFile = ({ type }: TarEntry): boolean => type === 'reg';
