/** diff: what differs between two places: images, files and trees in them, the host's. */
import { compareTrees, FsError } from 'ukfs';
import type { CompareOptions, Difference } from 'ukfs';
import { UsageError } from '../command.ts';
import type { Command, Invocation } from '../command.ts';
import type { Context } from '../context.ts';
import { detailsText } from '../diff/details.ts';
import { Digests } from '../diff/digest.ts';
import { differenceMembers } from '../diff/members.ts';
import { diffOptions, readDiffOptions } from '../diff/options.ts';
import type { DiffOptions } from '../diff/options.ts';
import { isTextual, unifiedText } from '../diff/text.ts';
import { openSides } from '../diff/sides.ts';
import type { Sides } from '../diff/sides.ts';
import { baseOf, parentOf, rootIfEmpty } from '../copying.ts';
import { writeBundle } from '../patch/bundle.ts';
import { isOuterPlace } from '../place.ts';
import { STREAM } from '../stream.ts';
import { safeText } from '../format/name.ts';

/** As diff(1): 0 the same, 1 different, 2 trouble. */
const statuses = { failed: 2, usage: 2 };

export const diff: Command = {
  name: 'diff',
  summary: 'Compare images, files and trees: contents and all attributes.',
  synopsis: { addresses: 'PLACE PLACE', paths: 'PATH PATH' },
  options: [
    ...diffOptions,
    { flags: '--bundle <file>', summary: 'write what differs into a bundle for fsu patch; - is standard output' },
    { flags: '--reversible', summary: 'old contents into the bundle, too: patch --reverse' },
    { flags: '--jsonl', summary: 'one JSON object a difference, one a line', group: 'Image options:' },
  ],
  examples: [
    { command: 'fsu diff old.img new.img', does: 'two images' },
    { command: 'fsu diff disk.img:2/etc etc', does: 'a tree of an image and one of the host' },
    { command: 'fsu diff -uN old.img:/etc new.img:/etc > etc.patch', does: 'the texts, for patch(1)' },
    { command: 'fsu_diff disk.img /etc /etc.old', does: 'two trees of one image' },
  ],
  image: 'read',
  statuses,
  // A single one is held against the image.
  outer: (at, line) => line.operands.length < 2 || isOuterPlace(at, line),
  run,
};

async function run(ctx: Context, args: Invocation): Promise<number> {
  const options = readDiffOptions(args);
  const sides = await openSides(ctx, args.operands, options.follow);
  if (sides === undefined) return ctx.status;
  try {
    if (options.unified !== undefined && ctx.settings.json !== 'no')
      throw new UsageError('unified text is for people: leave out --json');
    const bundle = args.options.findLast(({ name }) => name === 'bundle')?.value;
    if (bundle !== undefined) {
      const reversible = args.options.some(({ name }) => name === 'reversible');
      await bundleTo(ctx, bundle, { sides, options: { what: options.what, filter: options.filter }, reversible });
      return ctx.status;
    }
    const teller = ctx.json === undefined ? textTeller(ctx, sides, options) : await jsonTeller(ctx, sides);
    for (const difference of differences(ctx, sides, options)) {
      if (difference.change !== 'same') ctx.raise(1);
      attempt(ctx, sides, difference, () => teller(difference));
    }
  } finally {
    sides.before.close();
    sides.after.close();
  }
  return ctx.status;
}

/** Written beside its place, and put there when it is whole. */
async function bundleTo(
  ctx: Context,
  path: string,
  job: { readonly sides: Sides; readonly options: CompareOptions; readonly reversible: boolean },
): Promise<void> {
  const host = await ctx.shell.host();
  try {
    if (path === STREAM) {
      if (writeBundle({ write: (bytes, length) => ctx.out.bytes(bytes, length) }, { ...job, host }) > 0) ctx.raise(1);
      return;
    }
    const trees = await ctx.shell.trees();
    const keep = { owners: false, specialModes: false, devices: false, xattrs: false };
    const dir = trees.hostTree(rootIfEmpty(parentOf(path)), keep);
    try {
      const [name, partial] = [baseOf(path), `${baseOf(path)}.new`];
      if (dir.lstat(partial) !== undefined) dir.unlink(partial);
      const file = dir.create(partial);
      let at = 0;
      try {
        const write = (bytes: Uint8Array, length: number): void => {
          file.write(bytes.subarray(0, length), at);
          at += length;
        };
        if (writeBundle({ write }, { ...job, host }) > 0) ctx.raise(1);
        file.setattr({ mode: 0o644 });
      } catch (thrown) {
        dir.unlink(partial);
        throw thrown;
      } finally {
        file.close();
      }
      dir.rename?.(partial, name);
    } finally {
      dir.close();
    }
  } catch (thrown) {
    if (!(thrown instanceof FsError)) throw thrown;
    ctx.fail(thrown, path);
  }
}

const differences = (
  ctx: Context,
  { before, after }: Sides,
  { what, filter, same }: DiffOptions,
): Iterable<Difference> =>
  compareTrees(before.tree, after.tree, {
    what,
    filter,
    same,
    failed: (path, error, side) => ctx.fail(error, (side === 'before' ? before : after).where(path)),
  });

function attempt(ctx: Context, { before, after }: Sides, { path, ...of }: Difference, act: () => void): void {
  try {
    act();
  } catch (thrown) {
    if (!(thrown instanceof FsError)) throw thrown;
    ctx.fail(thrown, (of.after === undefined ? before : after).where(path));
  }
}

type Teller = (difference: Difference) => void;

async function jsonTeller(ctx: Context, { before, after }: Sides): Promise<Teller> {
  const digests = new Digests(await ctx.shell.host());
  const lines = ctx.settings.json === 'lines';
  if (!lines) {
    ctx.json?.path('before', before.label);
    ctx.json?.path('after', after.label);
    ctx.json?.array('differences');
  }
  return (difference) => {
    const members = differenceMembers(difference, digests);
    if (lines) ctx.out.text(`${JSON.stringify(members)}\n`);
    else ctx.json?.element(members);
  };
}

function textTeller(ctx: Context, { before, after }: Sides, options: DiffOptions): Teller {
  const line = (text: string): void => ctx.out.text(`${text}\n`);
  const changeText = (difference: Difference): string => {
    const { path, change } = difference;
    const name = safeText(path === '' && !before.isDir ? after.shown(path) : `/${path}`);
    return `${change === 'type' ? 'T' : 'M'} ${name}  ${detailsText(difference, ctx.clock)}`;
  };
  return (difference) => {
    const { path, change, within } = difference;
    const [a, b] = [safeText(before.shown(path)), safeText(after.shown(path))];
    const isFile = difference.before?.stat.type !== 'dir';
    if (tellsText(difference, options)) {
      if (difference.what.some((aspect) => aspect !== 'content')) line(changeText(difference));
      let isEmpty = true;
      const how = { context: options.unified, clock: ctx.clock };
      for (const text of unifiedText(difference, { before: before.shown(path), after: after.shown(path) }, how)) {
        ctx.out.text(text);
        isEmpty = false;
      }
      if (!isEmpty) return;
    }
    if (change === 'same') {
      if (isFile) line(`Files ${a} and ${b} are identical`);
    } else if (change === 'added' || change === 'removed') {
      const side = change === 'added' ? after : before;
      if (options.whole) line(`${change === 'added' ? 'A' : 'D'} ${safeText(`/${path}`)}`);
      else if (!within) line(`Only in ${safeText(side.shown(parentIn(path)))}: ${safeText(baseOf(path))}`);
    } else if (options.brief) line(`Files ${a} and ${b} differ`);
    else line(changeText(difference));
  };
}

/** -u: text in place of a line about it; a file on one side only is one line without -N. */
const tellsText = (
  difference: Difference,
  options: DiffOptions,
): options is DiffOptions & { readonly unified: number } =>
  options.unified !== undefined &&
  !options.brief &&
  difference.change !== 'same' &&
  (options.whole || difference.change === 'changed') &&
  isTextual(difference);

const parentIn = (path: string): string => (path.includes('/') ? parentOf(path) : '');
