/** info: what an image is: partitions, file systems, their features and what we do with each, journal and log. */
import { diskMeant, FsError, recover } from 'ukfs';
import type { Candidate, FeatureReport, FsInfo, ImageReport, Partition, RecoverReport, Ukfs } from 'ukfs';
import { UsageError } from '../command.ts';
import type { Command, Invocation } from '../command.ts';
import type { Context, ImageName } from '../context.ts';
import type { Json } from '../format/json.ts';
import { displayWidth, safeText, wordsOf } from '../format/name.ts';
import { humanBsd } from '../format/size.ts';
import { alignedRows } from '../format/table.ts';

export const info: Command = {
  name: 'info',
  summary: 'Show what an image is and what we can do with it.',
  synopsis: { addresses: 'IMAGE...', paths: '' },
  options: [{ flags: '-a, --all', summary: 'features the image does not have, too' }],
  examples: [
    { command: 'fsu info disk.img', does: 'partitions, or the one file system' },
    { command: 'fsu info disk.img:2', does: 'the file system in partition 2' },
  ],
  image: 'read',
  run,
};

async function run(ctx: Context, args: Invocation): Promise<number> {
  const all = args.options.some(({ name }) => name === 'all');
  const targets = ctx.targets(args.operands);
  for (const { path, shown } of targets) {
    if (path !== '/') throw new UsageError(`'${shown}' is a path in an image`);
  }
  ctx.json?.array('images');
  let first = true;
  for (const { image } of targets) {
    const found = await look(ctx, image);
    if (found === undefined) continue;
    if (ctx.json !== undefined) ctx.json.element(jsonOf(image, found));
    else {
      if (!first) ctx.out.text('\n');
      for (const line of linesOf(image, found, all)) ctx.out.text(`${line}\n`);
    }
    first = false;
  }
  return ctx.status;
}

interface Found {
  readonly report: ImageReport;
  readonly log: RecoverReport | undefined;
  /** undefined: not mounted; the reason has been told, unless the image has several and none was chosen. */
  readonly mounted: { readonly handle: Ukfs; readonly info: FsInfo } | undefined;
}

async function look(ctx: Context, image: ImageName): Promise<Found | undefined> {
  let report: ImageReport;
  try {
    report = await ctx.inspect(image);
  } catch (thrown) {
    ctx.fail(thrown, image, { opening: true });
    return undefined;
  }
  const log = await logOf(ctx, image);
  // Several file systems and none chosen: the list is the answer.
  const several = report.candidates.filter(({ type }) => type !== undefined).length > 1;
  if (several && diskMeant(image).parts.length === 0 && ctx.settings.open.type === undefined) {
    return { report, log, mounted: undefined };
  }
  const handle = await ctx.tryOpen(image);
  if (handle === undefined) return { report, log, mounted: undefined };
  try {
    return { report, log, mounted: { handle, info: handle.fsinfo('/') } };
  } catch (thrown) {
    ctx.fail(thrown, image);
    return { report, log, mounted: undefined };
  }
}

async function logOf(ctx: Context, image: ImageName): Promise<RecoverReport | undefined> {
  // Nothing in an image is edited where it lies.
  if (diskMeant(image).within !== undefined) return undefined;
  try {
    const { log } = ctx.settings.open;
    return await recover(image.image, 'report', log === undefined ? {} : { log });
  } catch (thrown) {
    // A block device without --log has no place for one; anything worse was said by inspect().
    if (thrown instanceof FsError) return undefined;
    throw thrown;
  }
}

function* linesOf(image: ImageName, { report, log, mounted }: Found, all: boolean): Generator<string> {
  yield* pairs([
    ['Image', safeText(image.text)],
    ['Size', sizeText(report.sizeBytes)],
    ['Partition table', report.table ?? 'none'],
    ...(log === undefined ? [] : ([['Transaction log', logText(log)]] as const)),
    ...report.notes.map((note) => ['Note', safeText(note)] as const),
  ]);
  if (report.candidates.length > 0 && (report.table !== undefined || mounted === undefined)) {
    yield '';
    yield* alignedRows([['SELECTOR', 'OFFSET', 'SIZE', 'CONTENT', 'LABEL'], ...report.candidates.map(candidateCells)], {
      right: [1, 2],
      gap: '  ',
      widthOf: displayWidth,
    });
    for (const { selector, advice } of report.candidates)
      if (advice !== '') yield `  ${selector === '' ? '(whole)' : selector}: ${safeText(advice)}`;
  }
  if (mounted === undefined) return;
  yield '';
  yield* fileSystemLines(mounted.handle, mounted.info, all);
}

function candidateCells({ selector, device, description, label }: Candidate): readonly string[] {
  return [
    selector === '' ? '(whole)' : `:${selector}`,
    String(device.offset),
    humanBsd(device.sizeBytes),
    description === '' ? (device.partition?.type ?? '') || 'unknown' : safeText(description),
    safeText(label === '' ? (device.partition?.name ?? '') : label),
  ];
}

function* fileSystemLines(handle: Ukfs, found: FsInfo, all: boolean): Generator<string> {
  yield* pairs([
    ['File system', `${found.variant} (${handle.type})`],
    ['Label', found.label === '' ? '(none)' : safeText(found.label)],
    ['UUID', found.uuid === '' ? '(none)' : safeText(found.uuid)],
    ...Object.entries(found.details)
      .filter(([, value]) => value !== '')
      .map(([name, value]) => [titleOf(safeText(name)), safeText(String(value))] as const),
    ...found.notes.map((note) => ['Note', safeText(note)] as const),
  ]);
  const features = found.features.filter(({ present }) => present || all);
  if (features.length === 0) return;
  yield '';
  const cells = features.map((feature) => featureCells(feature, all));
  const head = ['FEATURE', 'SET', ...(all ? ['PRESENT'] : []), 'READ', 'WRITE'];
  yield* alignedRows([head, ...cells], { gap: '  ', widthOf: displayWidth });
}

/** `blockSize` → `Block size`. */
const titleOf = (name: string): string => name.charAt(0).toUpperCase() + wordsOf(name.slice(1));

function featureCells({ name, set, present, read, write }: FeatureReport, all: boolean): readonly string[] {
  const writing = write === true ? 'yes' : `refused: ${write}`;
  return [safeText(name), set, ...(all ? [present ? 'yes' : 'no'] : []), read ? 'yes' : 'refused', safeText(writing)];
}

/** `Name: value`, values in one column. */
function* pairs(rows: readonly (readonly [string, string])[]): Generator<string> {
  const width = Math.max(...rows.map(([name]) => name.length)) + 1;
  for (const [name, value] of rows) yield `${`${name}:`.padEnd(width)} ${value}`;
}

const sizeText = (bytes: number): string => `${humanBsd(bytes)} (${bytes} bytes)`;

export function logText({ state, problem, incomplete }: RecoverReport): string {
  const left = incomplete ? '; an edit that was not committed is left behind' : '';
  switch (state) {
    case 'none':
      return `none${left}`;
    case 'done':
      return `done, not yet removed${left}`;
    case 'committed':
      return `committed, not yet applied${left}`;
    case 'refused':
      return `refused: ${safeText(problem ?? 'unknown')}${left}`;
  }
}

function jsonOf(image: ImageName, { report, log, mounted }: Found): Json {
  return {
    image: image.text,
    sizeBytes: report.sizeBytes,
    table: report.table,
    notes: report.notes,
    log: log === undefined ? undefined : { state: log.state, problem: log.problem, incomplete: log.incomplete },
    candidates: report.candidates.map(({ selector, device, type, kind, description, label, uuid, advice }) => ({
      selector,
      offset: device.offset,
      sizeBytes: device.sizeBytes,
      sectorSize: device.sectorSize,
      partition: device.partition === undefined ? undefined : partitionJson(device.partition),
      type,
      kind,
      description,
      label,
      uuid,
      advice,
    })),
    filesystem: mounted === undefined ? undefined : fileSystemJson(mounted.handle, mounted.info),
  };
}

function partitionJson({ table, number, offset, sizeBytes, name, uuid, typeId, type, bootable }: Partition): Json {
  return { table, number, offset, sizeBytes, name, uuid, typeId, type, bootable };
}

function fileSystemJson(
  handle: Ukfs,
  { variant, label, uuid, details, notes, readOnlyReasons, features }: FsInfo,
): Json {
  return {
    type: handle.type,
    variant,
    label,
    uuid,
    details,
    notes,
    readOnlyReasons: readOnlyReasons.map(({ cause, what }) => ({ cause, what })),
    readOnly: handle.readOnly,
    offset: handle.device.offset,
    sizeBytes: handle.device.sizeBytes,
    features: features.map(({ name, set, bit, present, read, write }) => ({ name, set, bit, present, read, write })),
  };
}
