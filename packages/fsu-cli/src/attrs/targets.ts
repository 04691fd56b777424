/** The files that operands name, one by one in their images; and abilities that the type of an image's file system may lack. */
import { FsError } from 'ukfs';
import type { FsTraits, Ukfs } from 'ukfs';
import type { Context, ImageName, Target } from '../context.ts';

interface Demands {
  /** Default: to change it. */
  readonly open?: 'read' | 'write';
  /** Why this file system cannot do what is asked; undefined: it can. */
  readonly refuse?: ((traits: FsTraits) => string | undefined) | undefined;
  /** What is to be done when the images are open: who reads another file waits for it. False: it failed, and no target has its turn. */
  readonly prepare?: (() => Promise<boolean>) | undefined;
}

/**
 * Do something to each target. What fails is told and those behind have their turn; an image that cannot be opened, or whose
 * type cannot do it (EOPNOTSUPP), is told once.
 */
export async function eachTarget(
  ctx: Context,
  targets: readonly Target[],
  act: (fs: Ukfs, target: Target) => void,
  demands: Demands = {},
): Promise<void> {
  const opened = new Map<string, Ukfs | undefined>();
  for (const { image } of targets)
    if (!opened.has(image.text)) opened.set(image.text, await openImage(ctx, image, demands));
  if (demands.prepare !== undefined && !(await demands.prepare())) return;
  for (const target of targets) {
    const fs = opened.get(target.image.text);
    if (fs !== undefined) attempt(ctx, target, () => act(fs, target));
  }
}

async function openImage(ctx: Context, image: ImageName, { open, refuse }: Demands): Promise<Ukfs | undefined> {
  const fs = open === 'read' ? await ctx.tryOpen(image) : await ctx.tryOpenForWriting(image);
  const lack = fs === undefined ? undefined : refuse?.(fs.traits);
  if (fs === undefined || lack === undefined) return fs;
  ctx.fail(new FsError('EOPNOTSUPP', { what: `${fs.type} ${lack}` }), image);
  return undefined;
}

/** Run it; what it throws of a file system's errors is told of the target. */
export function attempt(ctx: Context, target: Target, act: () => void): void {
  try {
    act();
  } catch (thrown) {
    if (!(thrown instanceof FsError)) throw thrown;
    ctx.fail(thrown, target);
  }
}
