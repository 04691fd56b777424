/** Where an operand of a tool that works between images and the host lies (cp, mv, put, get, diff, tar). */
import { addressName, namesScriptImage } from './context.ts';
import type { OuterLine } from './command.ts';
import type { Context, Target } from './context.ts';

export type Place =
  /** `-`: standard input or output. */
  | { readonly kind: 'stream'; readonly shown: string }
  | { readonly kind: 'host'; readonly path: string; readonly shown: string }
  | ({ readonly kind: 'image' } & Target);

/**
 * The place an operand names: with an image given (fsu_X, --image) every operand but `-` is a path in it; otherwise outerPlace()
 * decides. In a script, which has one image for all its lines, an address of another image that exists is one.
 */
export function placeOf(ctx: Context, operand: string): Place {
  if (operand === '-' || ctx.settings.image === undefined) return outerPlace(ctx, operand);
  if (ctx.settings.script !== undefined && isInOtherImage(operand, ctx.shell)) return outerPlace(ctx, operand);
  const [target] = ctx.targets([operand]);
  return target === undefined ? outerPlace(ctx, operand) : { kind: 'image', ...target };
}

/** Is it the address of an image that exists? */
function isInOtherImage(operand: string, shell: OuterLine['shell']): boolean {
  if (namesScriptImage(operand)) return false;
  const { image } = addressName(operand, shell);
  return (image.text !== operand || image.selectors.length > 0) && shell.isFile(image.image);
}

/** Command.outer of tools whose operands placeOf() reads. */
export const isOuterPlace = (at: number, { operands, shell }: OuterLine): boolean =>
  isInOtherImage(operands[at] ?? '', shell);

/**
 * The place an operand names that is not in the image given, if one is: what has an address's colon is in another image, all
 * else on the host. UsageError: a selector that makes no sense.
 */
export function outerPlace(ctx: Context, operand: string): Place {
  if (operand === '-') return { kind: 'stream', shown: operand };
  const own = ctx.scriptTarget(operand);
  if (own !== undefined) return { kind: 'image', ...own };
  const { image } = addressName(operand, ctx.shell);
  if (image.text === operand && image.selectors.length === 0) return { kind: 'host', path: operand, shown: operand };
  return { kind: 'image', ...ctx.addressTarget(operand) };
}
