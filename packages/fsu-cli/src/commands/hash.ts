/** hash: check sums of files and trees as a manifest, in an order that is always the same; and a manifest checked. */
import { FsError } from 'ukfs';
import { UsageError } from '../command.ts';
import type { Command, Invocation } from '../command.ts';
import type { Context } from '../context.ts';
import { pathMembers } from '../format/json.ts';
import { Given } from '../given.ts';
import { checkManifest } from '../hash/check.ts';
import { algorithms, manifestLine } from '../hash/manifest.ts';
import { Sums } from '../hash/sums.ts';
import { absolute, shownBelow, sortedWalk, startsOf } from '../starts.ts';
import type { TreeStart } from '../starts.ts';

export const hash: Command = {
  name: 'hash',
  summary: 'Check sums of files and trees; manifests made and checked.',
  synopsis: { addresses: 'ADDRESS...', paths: '[PATH...]' },
  options: [
    {
      flags: '-a, --algorithm <name>',
      summary: 'sha256 (the default), sha1, sha224, sha384, sha512, md5 or b2',
      choices: algorithms,
    },
    { flags: '-r, --recursive', summary: 'the files of directories, sorted by their paths' },
    { flags: '-x, --one-file-system', summary: 'with -r: stay on one file system' },
    { flags: '-b, --binary', summary: '* before each name' },
    { flags: '--tag', summary: "BSD's lines: SHA256 (name) = sum" },
    { flags: '-z, --zero', summary: 'end lines with a NUL byte, and escape no names' },
    {
      flags: '-c, --check <manifest>',
      summary:
        'a host file, or - for standard input: are its sums those of the image? An operand is the directory its names are in',
    },
    { flags: '--quiet', summary: 'with -c: say nothing of files that are well' },
    { flags: '--ignore-missing', summary: 'with -c: pass over files that are not there' },
    { flags: '--strict', summary: 'with -c: fail for lines that are none of a manifest' },
  ],
  examples: [
    { command: 'fsu_hash disk.img -r / > manifest', does: 'every file of an image' },
    { command: 'fsu_hash disk.img -c manifest', does: 'are they all the same still?' },
    { command: 'fsu hash -a md5 disk.img:/etc/fstab', does: 'as md5sum' },
    { command: 'fsu hash --check sums disk.img:/srv/www', does: 'sums made in that directory, by sha256sum' },
  ],
  image: 'read',
  run,
};

async function run(ctx: Context, args: Invocation): Promise<number> {
  const given = new Given(args);
  const chosen = algorithms.find((name) => name === given.value('algorithm'));
  const manifest = given.value('check');
  const host = await ctx.shell.host();
  const sums = new Sums(host);
  if (manifest !== undefined) {
    if (given.has('recursive')) throw new UsageError('-c and -r exclude each other');
    const how = {
      quiet: given.has('quiet'),
      ignoreMissing: given.has('ignore-missing'),
      strict: given.has('strict'),
      zero: given.has('zero'),
    };
    return checkManifest(ctx, { manifest, host, sums, chosen, ...how, operands: args.operands });
  }
  const algorithm = chosen ?? 'sha256';
  const how = { tag: given.has('tag'), binary: given.has('binary'), end: given.has('zero') ? '\0' : '\n' } as const;
  ctx.json?.array('files');
  for (const start of await startsOf(ctx, args.operands)) {
    for (const path of filesOf(ctx, start, {
      recursive: given.has('recursive'),
      crossMounts: !given.has('one-file-system'),
    })) {
      try {
        const { digest: sum, size } = sums.of(start.fs, path, algorithm);
        if (ctx.json === undefined) {
          const name = ctx.shownName(shownBelow(start, path));
          ctx.out.text(manifestLine({ algorithm, sum, name }, how));
        } else
          ctx.json.element({
            ...pathMembers('image', start.image.text),
            ...pathMembers('path', absolute(path)),
            size,
            algorithm,
            hash: sum,
          });
      } catch (thrown) {
        if (!(thrown instanceof FsError)) throw thrown;
        ctx.fail(thrown, { image: start.image, path, shown: path });
      }
    }
  }
  return ctx.status;
}

/** The operand itself, or the regular files below it. */
function* filesOf(
  ctx: Context,
  start: TreeStart,
  { recursive, crossMounts }: { readonly recursive: boolean; readonly crossMounts: boolean },
): Generator<string> {
  if (!recursive) {
    yield start.path;
    return;
  }
  for (const entry of sortedWalk(start, { follow: 'root', crossMounts, attributes: false })) {
    if (entry.error !== undefined) ctx.fail(entry.error, { image: start.image, path: entry.path, shown: entry.path });
    else if (entry.type === 'reg' || (entry.depth === 0 && entry.type !== 'dir')) yield entry.path;
  }
}
