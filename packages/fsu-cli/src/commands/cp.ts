/** cp: files and trees between images, the host and the standard streams. */
import type { CopyOptions } from 'ukfs';
import { UsageError } from '../command.ts';
import type { Command, Invocation } from '../command.ts';
import type { Context } from '../context.ts';
import { ask, isNewer } from '../copy/ask.ts';
import { copyAll } from '../copy/engine.ts';
import type { CopyPlan, TreePlaceName } from '../copy/engine.ts';
import {
  holesOf,
  isVerbose,
  manifestOf,
  manifestOptions,
  placesOf,
  sparseOption,
  usageUnlessImage,
} from '../copy/options.ts';
import { keepOf, preserved } from '../copy/preserve.ts';
import { fromInput, toOutput } from '../copy/streams.ts';
import { reportMembers } from '../copying.ts';
import { pathMembers } from '../format/json.ts';
import { Given } from '../given.ts';
import { isOuterPlace } from '../place.ts';

export const cp: Command = {
  name: 'cp',
  summary: 'Copy files and trees: within an image, between images, and between images, the host and `-`.',
  synopsis: { addresses: 'SOURCE... DEST', paths: 'SOURCE... DEST' },
  options: [
    { flags: '-R, --recursive', summary: 'directories, too, with all they hold' },
    { flags: '-r', summary: 'as -R' },
    { flags: '-a, --archive', summary: 'as -dR --preserve=all' },
    { flags: '-p', summary: 'as --preserve=mode,ownership,timestamps,flags' },
    { flags: '--preserve <list>', summary: 'keep mode (ACLs too), ownership, timestamps, links, xattr, flags; all' },
    { flags: '--no-preserve <list>', summary: 'of those, do not keep' },
    { flags: '-N', summary: 'with -p and -a: no file flags' },
    { flags: '-d', summary: 'as -P --preserve=links' },
    { flags: '-H', summary: 'follow symbolic links that are operands' },
    { flags: '-L, --dereference', summary: 'follow all symbolic links' },
    { flags: '-P, --no-dereference', summary: 'follow none' },
    { flags: '-f, --remove-destination', summary: 'new files in place of what is there (fsu_cp: after the image)' },
    { flags: '-i, --interactive', summary: 'ask before a file is overwritten' },
    { flags: '-n, --no-clobber', summary: 'leave files alone that are there already' },
    { flags: '-u, --update', summary: 'leave files alone that are no older' },
    { flags: '-l, --link', summary: 'hard links in place of copies' },
    { flags: '-s, --symbolic-link', summary: 'symbolic links in place of copies (fsu_cp: after the image)' },
    { flags: '-t, --target-directory <dir>', summary: 'where to, as an option (fsu_cp: after the image)' },
    { flags: '-T, --no-target-directory', summary: 'the destination is the copy, not where it goes' },
    { flags: '--parents', summary: "below the destination, as the source's path has it" },
    { flags: '--reflink [when]', summary: 'ignored', bare: 'always' },
    { flags: '-v, --verbose', summary: 'name each file (fsu_cp: after the image)' },
    sparseOption,
    ...manifestOptions,
  ],
  examples: [
    { command: 'fsu cp -a old.img:/etc new.img:/', does: 'a tree from one image into another' },
    { command: 'fsu cp -R disk.img:1/boot disk.img:2/srv www disk.img:3/', does: 'out of two partitions and the host' },
    { command: 'fsu cp disk.img:/etc/fstab -', does: 'to standard output' },
    { command: 'fsu_cp disk.img -p /etc/fstab /etc/fstab.old', does: 'within an image, as in fs-utils' },
  ],
  image: 'write',
  outer: isOuterPlace,
  run,
};

async function run(ctx: Context, args: Invocation): Promise<number> {
  const { sources, dest, into } = placesOf(ctx, args);
  const plan = planOf(ctx, args, into);
  if (dest.kind === 'stream') return toOutput(ctx, sources.map(usageUnlessImage));
  if (sources.some(({ kind }) => kind === 'stream')) {
    if (sources.length > 1) throw new UsageError('from standard input there is one file');
    return fromInput(ctx, dest);
  }
  if (dest.kind === 'host') for (const source of sources) usageUnlessImage(source);
  return copyAll(ctx, {
    sources: sources.flatMap((place): TreePlaceName[] => (place.kind === 'stream' ? [] : [place])),
    dest,
    plan,
    members: ({ source, report }) => ({
      ...pathMembers('source', source.shown),
      ...pathMembers('dest', dest.shown),
      ...reportMembers(report),
    }),
  });
}

function planOf(ctx: Context, args: Invocation, into: CopyPlan['into']): CopyPlan {
  const given = new Given(args);
  const kept = preserved(args.options);
  const recursive = given.has('recursive', 'r', 'archive');
  const all = kept.has('ownership');
  const xattrs = kept.has('xattr') || kept.has('mode');
  const instead = given.lastOf('link', 'symbolic-link');
  return {
    copy: {
      recursive,
      keep: given.has('manifest') ? {} : keepOf(kept),
      holes: holesOf(args),
      follow: followOf(args, recursive),
      ...existingOf(ctx, args),
    },
    host: { owners: all, specialModes: all && kept.has('mode'), devices: recursive, xattrs },
    resolve: false,
    into,
    parents: given.has('parents') ? 'as in source' : 'needed',
    instead: instead === 'link' ? 'hard links' : instead === undefined ? undefined : 'symbolic links',
    verbose: isVerbose(ctx, args),
    move: false,
    ...manifestOf(args),
  };
}

/** A link that is an operand is followed where trees are not copied, as cp(1) does. */
function followOf(args: Invocation, recursive: boolean): NonNullable<CopyOptions['follow']> {
  const given = new Given(args);
  const last = given.lastOf('H', 'dereference', 'no-dereference', 'd', 'archive');
  if (last === undefined) return recursive || given.has('link') ? 'never' : 'named';
  return last === 'H' ? 'named' : last === 'dereference' ? 'always' : 'never';
}

function existingOf(ctx: Context, args: Invocation): Pick<CopyOptions, 'existing' | 'mayReplace'> {
  const given = new Given(args);
  const how = given.lastOf('no-clobber', 'interactive', 'remove-destination');
  if (how === 'no-clobber') return { existing: 'skip' };
  const existing = given.has('remove-destination') ? 'replace' : 'overwrite';
  const update = given.has('update');
  if (how !== 'interactive' && !update) return { existing };
  return {
    existing,
    mayReplace: (path, there, stat) => (!update || isNewer(stat, there)) && (how !== 'interactive' || ask(ctx, path)),
  };
}
