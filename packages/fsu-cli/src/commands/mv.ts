/** mv: files and trees to another name, or to another file system, another image or the host. */
import { FsError } from 'ukfs';
import { UsageError } from '../command.ts';
import type { Command, Invocation } from '../command.ts';
import type { Context, Target } from '../context.ts';
import { ask, isNewer } from '../copy/ask.ts';
import { copyAll } from '../copy/engine.ts';
import type { CopyPlan } from '../copy/engine.ts';
import { isVerbose, placesOf, usageUnlessImage } from '../copy/options.ts';
import type { TreePlaceName } from '../copy/engine.ts';
import { refuseWhole } from '../copy/move.ts';
import { renameTo } from '../copy/rename.ts';
import type { RenamePlan } from '../copy/rename.ts';
import { imageSide } from '../copy/side.ts';
import { targetIn } from '../copy/target.ts';
import { baseOf, joinPath, reportMembers } from '../copying.ts';
import { pathMembers } from '../format/json.ts';
import { safeText } from '../format/name.ts';
import { Given } from '../given.ts';
import { isOuterPlace } from '../place.ts';

export const mv: Command = {
  name: 'mv',
  summary: 'Move files and trees: within an image, between images, and between images and the host.',
  synopsis: { addresses: 'SOURCE... DEST', paths: 'SOURCE... DEST' },
  options: [
    { flags: '-f, --replace', summary: 'do not ask, as usual (fsu_mv: after the image)' },
    { flags: '-i, --interactive', summary: 'ask before a file is overwritten' },
    { flags: '-n, --no-clobber', summary: 'leave files alone that are there already' },
    { flags: '-u, --update', summary: 'leave files alone that are no older' },
    { flags: '--exchange', summary: 'each gets the name of the other; within one file system' },
    { flags: '-t, --target-directory <dir>', summary: 'where to, as an option (fsu_mv: after the image)' },
    { flags: '-T, --no-target-directory', summary: 'the destination is the new name, not where it goes' },
    { flags: '-v, --verbose', summary: 'name each file (fsu_mv: after the image)' },
  ],
  examples: [
    { command: 'fsu mv disk.img:/etc/motd disk.img:/etc/motd.old', does: 'a new name' },
    { command: 'fsu mv a.img:/srv b.img:/', does: 'a tree to another image, which commits first' },
    { command: 'fsu mv disk.img:/var/crash .', does: 'out of the image' },
  ],
  image: 'write',
  outer: isOuterPlace,
  run,
};

async function run(ctx: Context, args: Invocation): Promise<number> {
  const given = new Given(args);
  const { sources, dest, into } = placesOf(ctx, args);
  const places = [...sources, dest].map((place): TreePlaceName => {
    if (place.kind === 'stream') throw new UsageError('a standard stream is nothing to move');
    return place;
  });
  if (dest.kind === 'host') for (const source of sources) usageUnlessImage(source);
  const to = places.pop();
  if (to === undefined) return ctx.status;
  const job: Job = { sources: places, dest: to, plan: planOf(ctx, args, into), args };
  const isRename = to.kind === 'image' && (await renames(ctx, to, places));
  if (ctx.status !== 0) return ctx.status;
  if (isRename) return moveNames(ctx, job, to);
  if (given.has('exchange')) throw new UsageError('--exchange: within one file system');
  return copyAll(ctx, {
    sources: places,
    dest: to,
    plan: job.plan,
    members: ({ source, report }) => ({
      ...pathMembers('source', source.shown),
      ...pathMembers('dest', to.shown),
      renamed: false,
      ...reportMembers(report),
    }),
  });
}

interface Job {
  readonly sources: readonly TreePlaceName[];
  readonly dest: TreePlaceName;
  readonly plan: CopyPlan;
  readonly args: Invocation;
}

/** Is every operand in the file system of the destination? Then nothing has to be copied. */
async function renames(ctx: Context, dest: Target, sources: readonly TreePlaceName[]): Promise<boolean> {
  const fs = await ctx.tryOpenForWriting(dest.image);
  if (fs === undefined) return true;
  for (const source of sources) {
    if (source.kind !== 'image' || (await ctx.tryOpenForWriting(source.image)) !== fs) return false;
  }
  return true;
}

async function moveNames(ctx: Context, { sources, dest, plan, args }: Job, to: Target): Promise<number> {
  const given = new Given(args);
  const fs = await ctx.tryOpenForWriting(to.image);
  if (fs === undefined || ctx.status !== 0) return ctx.status;
  const side = imageSide(fs, to.image);
  const how: RenamePlan = {
    keepsOld: plan.copy.existing === 'skip',
    exchange: given.has('exchange'),
    mayReplace: undefined,
  };
  if ((sources.length > 1 || plan.into === 'always') && side.kind(dest.path) !== 'dir') {
    ctx.fail(new FsError('ENOTDIR'), to);
    return ctx.status;
  }
  ctx.json?.array('copies');
  for (const { path, shown } of sources) {
    try {
      const name = baseOf(path);
      refuseWhole(path);
      const target = targetIn(side, dest.path, { name, into: how.exchange ? 'never' : plan.into });
      const full = joinPath(target.parent, target.name);
      const mayReplace = (): boolean => plan.copy.mayReplace?.(full, side.stat(full), side.stat(path)) !== false;
      const done = renameTo(fs, path, full, { ...how, mayReplace });
      if (done && plan.verbose) ctx.shell.err(`${safeText(side.text(path))} -> ${safeText(side.text(full))}\n`);
      ctx.json?.element({ ...pathMembers('source', shown), ...pathMembers('dest', dest.shown), renamed: done });
    } catch (thrown) {
      if (!(thrown instanceof FsError)) throw thrown;
      ctx.fail(thrown, side.place(path));
    }
  }
  return ctx.status;
}

function planOf(ctx: Context, args: Invocation, into: CopyPlan['into']): CopyPlan {
  const given = new Given(args);
  const how = given.lastOf('no-clobber', 'interactive', 'replace');
  const update = given.has('update');
  const asks = how === 'interactive';
  return {
    copy: {
      ...(how === 'no-clobber' ? { existing: 'skip' as const } : {}),
      ...(asks || update
        ? { mayReplace: (path, there, stat) => (!update || isNewer(stat, there)) && (!asks || ask(ctx, path)) }
        : {}),
    },
    host: { owners: true, specialModes: true, devices: true, xattrs: true, durable: true },
    resolve: false,
    into,
    parents: 'needed',
    verbose: isVerbose(ctx, args),
    move: true,
  };
}
