/** The two sides of a comparison: what an operand means, and the tree that it names. */
import { aspectsOf, FsError, realPath, ukfsTree } from 'ukfs';
import type { Aspect, ComparedTree } from 'ukfs';
import { UsageError } from '../command.ts';
import { addressText } from '../context.ts';
import type { Context, ImageName, Target } from '../context.ts';
import { baseOf, isWhole, joinPath, parentOf, rootIfEmpty } from '../copying.ts';
import type { HostTrees } from '../host.ts';
import { outerPlace, placeOf } from '../place.ts';
import type { Place } from '../place.ts';
import { readStream, STREAM, streamTree } from '../stream.ts';

interface DiffSide {
  readonly tree: ComparedTree;
  /** The operand, as typed. */
  readonly label: string;
  readonly isDir: boolean;
  /** A file below it, for people: "" is the side itself. */
  shown(path: string): string;
  /** The same for ctx.fail(). */
  where(path: string): Target | string;
  close(): void;
}

export interface Sides {
  readonly before: DiffSide;
  readonly after: DiffSide;
}

/** What the host tells. Its times survive a copy with microseconds, so that is how exactly they count. */
const hostTells: ReadonlySet<Aspect> = new Set([
  'content',
  'target',
  'rdev',
  'mode',
  'owner',
  'mtime',
  'links',
  'nlink',
]);
const HOST_GRAIN_NS = 1000;

/** Both sides, open; undefined: one cannot be opened, which has been said. UsageError. */
export async function openSides(
  ctx: Context,
  operands: readonly string[],
  follow: boolean,
): Promise<Sides | undefined> {
  const [first, second] = await placesOf(ctx, operands);
  const before = await openSide(ctx, first, follow);
  const after = before === undefined ? undefined : await openSide(ctx, second, follow);
  if (before === undefined || after === undefined) {
    before?.close();
    return undefined;
  }
  if (before.isDir === after.isDir) return { before, after };
  // diff(1): a directory and a file are the file of that name in the directory, and the file.
  const [dir, file, place] = before.isDir ? [before, after, first] : [after, before, second];
  dir.close();
  if (place.kind === 'stream' || file.label === STREAM)
    throw new UsageError(`${STREAM} cannot be compared with a directory`);
  const name = baseOf(file.label);
  const shown = dir.shown(name);
  const inside = await openSide(ctx, { ...place, path: joinPath(place.path, name), shown }, follow);
  if (inside === undefined) {
    file.close();
    return undefined;
  }
  return before.isDir ? { before: inside, after: file } : { before: file, after: inside };
}

async function placesOf(ctx: Context, operands: readonly string[]): Promise<readonly [Place, Place]> {
  const [one, two] = operands;
  const { image } = ctx.settings;
  if (one === undefined || operands.length > 2 || (two === undefined && image === undefined))
    throw new UsageError('say which two places to compare');
  const places = [
    two === undefined && image !== undefined ? rootOf(image) : placeOf(ctx, one),
    two === undefined ? outerPlace(ctx, one) : placeOf(ctx, two),
  ] as const;
  if (places[0].kind === 'stream' && places[1].kind === 'stream') throw new UsageError(`${STREAM} twice`);
  return asImages(ctx, places);
}

const rootOf = (image: ImageName): Place => ({ kind: 'image', image, path: '/', shown: image.text });

/** Host files that are images mean what is in them, unless it is a file that they are compared with. */
async function asImages(ctx: Context, [a, b]: readonly [Place, Place]): Promise<readonly [Place, Place]> {
  const isFile = async (place: Place): Promise<boolean> =>
    place.kind === 'host' && (await ctx.shell.trees()).hostKind(place.path) === 'other';
  const files = [await isFile(a), await isFile(b)] as const;
  const image = (place: Place): Place =>
    place.kind === 'host' ? { kind: 'image', ...ctx.addressTarget(place.path) } : place;
  if (files[0] && files[1]) {
    return (await isImage(ctx, a)) || (await isImage(ctx, b)) ? [image(a), image(b)] : [a, b];
  }
  if (files[0] && (await isDirectory(ctx, b)) && (await isImage(ctx, a))) return [image(a), b];
  if (files[1] && (await isDirectory(ctx, a)) && (await isImage(ctx, b))) return [a, image(b)];
  return [a, b];
}

async function isImage(ctx: Context, place: Place): Promise<boolean> {
  if (place.kind !== 'host') return false;
  try {
    const { candidates } = await ctx.inspect({ text: place.path, image: place.path, selectors: [] });
    return candidates.some(({ kind }) => kind === 'fs');
  } catch (thrown) {
    if (thrown instanceof FsError) return false;
    throw thrown;
  }
}

async function isDirectory(ctx: Context, place: Place): Promise<boolean> {
  if (place.kind === 'stream') return false;
  if (place.kind === 'host') return (await ctx.shell.trees()).hostKind(place.path) === 'dir';
  const fs = await ctx.tryOpen(place.image);
  try {
    return fs?.lstat(place.path).type === 'dir';
  } catch (thrown) {
    if (thrown instanceof FsError) return false;
    throw thrown;
  }
}

async function openSide(ctx: Context, place: Place, follow: boolean): Promise<DiffSide | undefined> {
  try {
    if (place.kind === 'stream') return streamSide(ctx);
    if (place.kind === 'host') return hostSide(await ctx.shell.trees(), place, follow);
    return await imageSide(ctx, place, follow);
  } catch (thrown) {
    if (!(thrown instanceof FsError)) throw thrown;
    ctx.fail(thrown, place.kind === 'image' ? place : place.shown);
    return undefined;
  }
}

function streamSide(ctx: Context): DiffSide {
  return {
    tree: { ...streamTree(readStream(ctx)), tells: new Set(['content']), grainNs: 1 },
    label: STREAM,
    isDir: false,
    shown: () => STREAM,
    where: () => STREAM,
    close() {
      // Nothing is held.
    },
  };
}

function hostSide(trees: HostTrees, { path, shown }: Place & { kind: 'host' }, follow: boolean): DiffSide {
  const real = follow ? trees.hostRealPath(path) : path;
  const base = baseOf(real);
  const inDir = path.endsWith('/') || isWhole(base);
  const parent = inDir ? undefined : trees.hostTree(rootIfEmpty(parentOf(real)), trees.READ_ONLY);
  const stat = parent?.lstat(base);
  if (parent !== undefined && stat === undefined) {
    parent.close();
    throw new FsError('ENOENT', { path });
  }
  const isDir = parent === undefined || stat?.type === 'dir';
  if (isDir) parent?.close();
  const dir = isDir || parent === undefined ? trees.hostTree(real, trees.READ_ONLY) : parent;
  const below = (inside: string): string => joinPath(shown, inside);
  return {
    tree: { dir, name: isDir ? '.' : base, tells: hostTells, grainNs: HOST_GRAIN_NS },
    label: shown,
    isDir,
    shown: below,
    where: below,
    close: () => dir.close(),
  };
}

async function imageSide(
  ctx: Context,
  { image, path, shown }: Place & { kind: 'image' },
  follow: boolean,
): Promise<DiffSide | undefined> {
  const fs = await ctx.tryOpen(image);
  if (fs === undefined) return undefined;
  const real = follow ? realPath(fs, path) : path;
  const base = baseOf(real);
  const isDir = fs.lstat(real).type === 'dir';
  const dir = ukfsTree(fs, isDir ? real : rootIfEmpty(parentOf(real)));
  const below = (inside: string): string => (inside === '' ? path : joinPath(path, inside));
  return {
    tree: { dir, name: isDir ? '.' : base, ...aspectsOf(fs) },
    label: shown,
    isDir,
    // Both in the image given: their paths alone tell them apart.
    shown: (inside) => (shown.startsWith('/') ? below(inside) : addressText(image, below(inside))),
    where: (inside) => ({ image, path: below(inside), shown: addressText(image, below(inside)) }),
    close: () => dir.close(),
  };
}
