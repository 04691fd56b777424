/** tar -x: an archive into an image, as one transaction. */
import { FsError, untarSteps } from 'ukfs';
import type { CopyReport, TarEntry, Ukfs, UntarOptions } from 'ukfs';
import { UsageError } from '../command.ts';
import { addressText } from '../context.ts';
import type { Context, Target } from '../context.ts';
import { reportMembers, tellLoss } from '../copying.ts';
import { endIfSignalled } from '../edit.ts';
import { pathMembers } from '../format/json.ts';
import { safeText } from '../format/name.ts';
import { Owners } from '../owners.ts';
import { isOfArchive, openArchiveIn, placeOfArchive } from './archive.ts';
import type { ArchiveIn } from './archive.ts';
import { excludes, Members, namesOf, patternsOf, stripped } from './names.ts';
import type { TarOptions } from './options.ts';

export async function extract(ctx: Context, options: TarOptions, operands: readonly string[]): Promise<void> {
  const { target, names } = targetOf(ctx, options, operands);
  const members = new Members([...names, ...(await namesOf(ctx, options))]);
  const excluded = excludes(await patternsOf(ctx, options));
  // What is written is opened before what is read: both may be the same image.
  const fs = await ctx.tryOpenForWriting(target.image);
  if (fs === undefined) return;
  const archive = await openArchiveIn(ctx, placeOfArchive(ctx, options));
  if (archive === undefined) return;
  try {
    const report = await unpack(ctx, { fs, target, archive, options, members, excluded });
    members.tellMissing(ctx, archive.shown);
    tell(ctx, { report, target, archive, options });
  } catch (thrown) {
    if (!(thrown instanceof FsError)) throw thrown;
    ctx.fail(thrown, whereOf(thrown, target, archive));
  } finally {
    archive.close();
  }
}

/** Which side failed. */
function whereOf(thrown: FsError, target: Target, archive: ArchiveIn): Target | string {
  if (isOfArchive(thrown)) return archive.shown;
  return { ...target, path: thrown.context.path ?? target.path };
}

/** The first operand is where to, unless an image is given and -C says it; the rest are members. */
function targetOf(
  ctx: Context,
  { directory }: TarOptions,
  operands: readonly string[],
): { readonly target: Target; readonly names: readonly string[] } {
  const { image } = ctx.settings;
  if (image !== undefined && directory !== undefined) {
    return { target: { image, path: `/${directory}`, shown: directory }, names: operands };
  }
  if (image === undefined && operands.length === 0) throw new UsageError('no image given');
  const [target] = ctx.targets(operands.slice(0, 1));
  if (target === undefined) throw new UsageError('no image given');
  const path = directory === undefined ? target.path : `${target.path}/${directory}`;
  return { target: { ...target, path: path.startsWith('/') ? path : `/${path}` }, names: operands.slice(1) };
}

interface Job {
  readonly fs: Ukfs;
  readonly target: Target;
  readonly archive: ArchiveIn;
  readonly options: TarOptions;
  readonly members: Members;
  readonly excluded: (name: string) => boolean;
}

async function unpack(ctx: Context, { fs, target, archive, options, members, excluded }: Job): Promise<CopyReport> {
  if (fs.stat(target.path).type !== 'dir') throw new FsError('ENOTDIR', { path: target.path });
  const chosen = new Map<TarEntry, boolean>();
  const rename = (name: string, entry: TarEntry): string | undefined => {
    // The target of a link is asked for after its own name, and needs not be chosen itself.
    if (!chosen.has(entry)) {
      chosen.clear();
      chosen.set(entry, true);
      if (!members.has(name) || excluded(name)) return undefined;
    }
    return stripped(name, options.strip);
  };
  const { xattrs, acls, times, owners: owner } = options;
  const how: UntarOptions = {
    into: target.path.replace(/\/{2,}/g, '/'),
    rename,
    ...(options.numeric ? {} : { names: () => new Owners(fs) }),
    existing: options.keepOld ? 'keep' : 'replace',
    keep: { owner, times, xattrs, acls },
    followLinks: options.followOwnLinks,
    done: (path) => {
      if (options.verbose) ctx.shell.err(`${safeText(addressText(target.image, path))}\n`);
    },
  };
  const steps = untarSteps(archive.source, fs, how);
  for (;;) {
    const step = steps.next();
    if (step.done === true) return step.value;
    await endIfSignalled(ctx, fs);
  }
}

function tell(
  ctx: Context,
  told: {
    readonly report: CopyReport;
    readonly target: Target;
    readonly archive: ArchiveIn;
    readonly options: TarOptions;
  },
): void {
  const { report, target, archive, options } = told;
  for (const loss of report.losses) {
    tellLoss(ctx, addressText(target.image, target.path), { ...loss, verbose: options.verbose });
  }
  if (ctx.json === undefined) return;
  ctx.json.path('archive', archive.shown);
  ctx.json.member('unpacked', {
    ...pathMembers('image', target.image.text),
    ...pathMembers('path', target.path),
    ...reportMembers(report),
  });
}
