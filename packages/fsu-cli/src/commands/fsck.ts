/** fsck: check a file system without mounting it, and repair it as one transaction, or not at all. */
import { check, NotRecognisedError } from 'ukfs';
import type { CheckReport, Finding, FindingPlace } from 'ukfs';
import { UsageError } from '../command.ts';
import type { Command, Invocation } from '../command.ts';
import type { Context, ImageName } from '../context.ts';
import { pathMembers } from '../format/json.ts';
import type { Json } from '../format/json.ts';
import { safeText } from '../format/name.ts';

/** e2fsck's, one bit for each. */
const Status = { clean: 0, corrected: 1, left: 4, failed: 8, usage: 16 } as const;

export const fsck: Command = {
  name: 'fsck',
  summary: 'Check a file system, and repair it: wholly or not at all.',
  synopsis: { addresses: 'IMAGE', paths: '' },
  options: [
    { flags: '-n', summary: 'look only, and change nothing (the default)' },
    { flags: '-p', summary: 'repair what can be repaired without loss' },
    { flags: '-y', summary: 'repair all that can be' },
    { flags: '-f', summary: 'also when it says that it is clean (always so; for fsu_fsck after the image)' },
  ],
  examples: [
    { command: 'fsu fsck disk.img', does: 'look for errors' },
    { command: 'fsu fsck -y disk.img:2', does: 'repair the file system in partition 2' },
  ],
  image: 'read',
  statuses: { failed: Status.failed, usage: Status.usage },
  run,
};

async function run(ctx: Context, args: Invocation): Promise<number> {
  const repair = repairOf(args);
  const targets = ctx.targets(args.operands);
  const [target] = targets;
  if (target === undefined || targets.length > 1) throw new UsageError('one image, please');
  if (target.path !== '/') throw new UsageError(`'${target.shown}' is a path in an image`);
  const { image } = target;
  ctx.json?.path('image', image.text);
  ctx.json?.array('findings');
  let report: CheckReport;
  try {
    report = await check(
      { image: image.image, selectors: image.selectors },
      { ...ctx.settings.open, repair, report: (finding) => tell(ctx, image, finding) },
    );
  } catch (thrown) {
    ctx.fail(thrown, image, { opening: true });
    if (isNothingKnown(thrown)) ctx.shell.err(`  --type ext4 looks for a copy of the superblock\n`);
    return ctx.status;
  }
  conclude(ctx, image, { report, repair });
  if (report.left > 0) return Status.left;
  return report.repaired > 0 ? Status.corrected : Status.clean;
}

/** Where a superblock was destroyed, nothing is recognised any more. */
const isNothingKnown = (thrown: unknown): boolean =>
  thrown instanceof NotRecognisedError && thrown.recognised === undefined;

type Repair = 'none' | 'safe' | 'all';

function repairOf({ options }: Invocation): Repair {
  const given = (['n', 'p', 'y'] as const).filter((letter) => options.some(({ name }) => name === letter));
  if (given.length > 1) throw new UsageError(`-${given.join(' and -')} exclude each other`);
  return given[0] === 'p' ? 'safe' : given[0] === 'y' ? 'all' : 'none';
}

function tell(ctx: Context, image: ImageName, finding: Finding): void {
  const { code, severity, message, where, repair, repaired } = finding;
  if (ctx.json !== undefined) {
    ctx.json.element({ code, severity, message, where: placeJson(where), repair, repaired });
    return;
  }
  const place = placeText(where);
  const done = repaired ? ' (repaired)' : '';
  ctx.out.text(`${safeText(image.text)}: ${severity}: ${place}${safeText(message)} [${code}]${done}\n`);
}

function placeText(where: FindingPlace): string {
  const words = [
    ...(where.group === undefined ? [] : [`group ${where.group}`]),
    ...(where.ino === undefined ? [] : [`inode ${where.ino}`]),
    ...(where.block === undefined ? [] : [`block ${where.block}`]),
    ...(where.name === undefined ? [] : [`'${safeText(where.name)}'`]),
  ];
  return words.length === 0 ? '' : `${words.join(' ')}: `;
}

const placeJson = ({ ino, block, group, name }: FindingPlace): Json => ({
  group,
  ino,
  block,
  ...pathMembers('name', name),
});

function conclude(
  ctx: Context,
  image: ImageName,
  { report, repair }: { readonly report: CheckReport; readonly repair: Repair },
): void {
  const { type, variant, errors, notes, repaired, left, changed, statistics } = report;
  if (ctx.json !== undefined) {
    ctx.json.member('type', type);
    ctx.json.member('variant', variant);
    ctx.json.member('clean', left === 0);
    ctx.json.member('found', errors);
    ctx.json.member('notes', notes);
    ctx.json.member('repaired', repaired);
    ctx.json.member('left', left);
    ctx.json.member('changed', changed);
    ctx.json.member('statistics', statistics);
    return;
  }
  const { inodes = 0, inodesUsed = 0, blocks = 0, blocksUsed = 0 } = statistics;
  const use = `${inodesUsed}/${inodes} files, ${blocksUsed}/${blocks} blocks`;
  const found = `${errors} ${errors === 1 ? 'error' : 'errors'}`;
  const state =
    errors === 0
      ? 'clean'
      : left === 0
        ? `${found}, repaired`
        : `${found}, ${left} left${repair === 'none' ? '' : '; the image was not changed'}`;
  ctx.out.text(`${safeText(image.text)}: ${variant}: ${state}, ${use}\n`);
}
