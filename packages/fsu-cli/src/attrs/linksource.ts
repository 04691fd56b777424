/**
 * What ln links to. With an image given (fsu_ln) it is a path in it, or with -s any text. Otherwise it may be an address, of the
 * image that the link is in; what is none is a path in that image, or with -s any text.
 */
import { FsError } from 'ukfs';
import { addressName } from '../context.ts';
import type { Context, ImageName } from '../context.ts';

/** A path in the link's image. Errors: EXDEV. */
export function linkPath(ctx: Context, source: string, image: ImageName): string {
  if (ctx.settings.image === undefined && addressName(source, ctx.shell).image.image === source) return source;
  const [target] = ctx.targets([source]);
  if (target?.image.text !== image.text) throw new FsError('EXDEV', { what: `${source} is in another image` });
  return target.path;
}

/** The text of a symbolic link. */
export function linkText(ctx: Context, source: string, image: ImageName): string {
  const isHere = ctx.settings.image === undefined && source.startsWith(`${image.text}:`);
  return isHere ? linkPath(ctx, source, image) : source;
}
