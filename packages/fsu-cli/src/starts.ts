/** Where a tool that goes through trees begins (find, du, tree, grep, hash), and how what lies below is shown. */
import { walk } from 'ukfs';
import type { Ukfs, Walk, WalkName, WalkOptions, WalkOrder } from 'ukfs';
import type { GivenOption } from './command.ts';
import { addressText } from './context.ts';
import type { Context, ImageName, Target } from './context.ts';
import { compareNames } from './format/name.ts';

export interface TreeStart {
  readonly fs: Ukfs;
  readonly image: ImageName;
  /** Path in the image. */
  readonly path: string;
  /** As it is printed: as typed, or an address, which other tools take. */
  readonly shown: string;
}

export function startAt(ctx: Context, fs: Ukfs, { image, path, shown }: Target): TreeStart {
  return { fs, image, path, shown: ctx.settings.image === undefined ? addressText(image, path) : shown };
}

/** The starting points that operands mean, of those images that can be opened. */
export async function startsOf(ctx: Context, operands: readonly string[]): Promise<TreeStart[]> {
  const starts: TreeStart[] = [];
  for (const target of ctx.targets(operands)) {
    const fs = await ctx.tryOpen(target.image);
    if (fs !== undefined) starts.push(startAt(ctx, fs, target));
  }
  return starts;
}

/** A path that a walk from `start` came to, as it is printed. */
export const shownBelow = ({ shown, path }: Pick<TreeStart, 'shown' | 'path'>, entry: string): string =>
  shown === path ? entry : shown + entry.slice(path.length);

/** The path as JSON has it. */
export const absolute = (path: string): string => (path.startsWith('/') ? path : `/${path}`);

/** Of -H, -L (or -h) and -P the last one counts. */
export function followOf(options: readonly GivenOption[], all = ['L', 'h']): 'none' | 'root' | 'all' {
  const last = options.findLast(({ name }) => ['H', 'P', ...all].includes(name))?.name;
  if (last === undefined || last === 'P') return 'none';
  return last === 'H' ? 'root' : 'all';
}

/** As sort(1) would sort the paths in the C locale: what is in a directory comes where its name and a slash would. */
const byPath: WalkOrder = (a, b) =>
  a.type === 'dir' || b.type === 'dir' ? compareNames(keyOf(a), keyOf(b)) : compareNames(a.name, b.name);
const keyOf = ({ name, type }: WalkName): string => (type === 'dir' ? `${name}/` : name);

const dirsFirst: WalkOrder = (a, b) => Number(b.type === 'dir') - Number(a.type === 'dir') || byPath(a, b);

/** A walk whose order is the same everywhere. */
export const sortedWalk = ({ fs, path }: TreeStart, options: WalkOptions & { readonly dirsFirst?: boolean }): Walk =>
  walk(fs, path, { ...options, order: options.dirsFirst === true ? dirsFirst : byPath });
