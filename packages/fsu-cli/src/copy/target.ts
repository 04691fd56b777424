/** Where an operand goes: into a directory, or to a name. One rule for cp, mv, get and put. */
import { baseOf, parentOf, rootIfEmpty } from '../copying.ts';
import type { Kind, Side } from './side.ts';

/** Into the destination if it is a directory; always; or never. */
export type Into = 'directory' | 'always' | 'never';

/** The directory that something is made in, and its name there. */
export interface TargetName {
  readonly parent: string;
  readonly name: string;
}

/** `name`: the source's; `kind`: the destination's, from who has asked already. */
export const targetIn = (
  to: Side,
  dest: string,
  { name, into, kind }: { readonly name: string; readonly into: Into; readonly kind?: Kind },
): TargetName =>
  into !== 'never' && (kind ?? to.kind(dest)) === 'dir'
    ? { parent: dest, name }
    : { parent: rootIfEmpty(parentOf(dest)), name: baseOf(dest) };
