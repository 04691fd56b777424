/**
 * What ln links to. With an image given (fsu_ln) it is a path in it, or with -s any text. Otherwise it may be an address, of the
 * image that the link is in; what is none is a path in that image, or with -s any text.
 */
import { FsError } from 'ukfs';
import { addressName } from '../context.ts';
import type { Context, ImageName } from '../context.ts';

/** A path in the link's image. Errors: EXDEV. */
export function linkPath(ctx: Context, source: string, image: ImageName): string {
  if (ctx.settings.image !== undefined) return ctx.targets([source])[0]?.path ?? source;
  const named = addressName(source, ctx.shell);
  if (named.image.image === source) return source;
  if (named.image.text !== image.text) throw new FsError('EXDEV', { what: `${source} is in another image` });
  return ctx.addressTarget(source).path;
}

/** The text of a symbolic link. */
export function linkText(ctx: Context, source: string, image: ImageName): string {
  const isHere = ctx.settings.image === undefined && source.startsWith(`${image.text}:`);
  return isHere ? linkPath(ctx, source, image) : source;
}
