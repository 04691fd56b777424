/** Images that are files of images, by name: what they lie in, and what lies in one. */
import { diskMeant, formatSelector } from 'ukfs';
import type { Selector } from 'ukfs';
import { withSelector } from './context.ts';
import type { ImageName } from './context.ts';

/** The image that is a file of a file system. */
export const nestedImage = (around: ImageName, path: string): ImageName =>
  withSelector(around, formatSelector({ kind: 'file', path }));

/** Of such an image, or of a part of it: that file, and the image as a whole; `around` undefined: it is a file of the host. */
export function nestOf(name: ImageName): {
  readonly around: { readonly image: ImageName; readonly path: string } | undefined;
  readonly whole: ImageName;
} {
  const { within, parts } = diskMeant(name);
  const whole = without(name, parts);
  if (within === undefined) return { around: undefined, whole };
  const { selectors } = within.outer;
  return { around: { image: without(whole, whole.selectors.slice(selectors.length)), path: within.path }, whole };
}

/** The name without its last selectors, which are these. */
function without(name: ImageName, last: readonly Selector[]): ImageName {
  const text = last.map((one) => `:${formatSelector(one)}`).join('');
  return {
    ...name,
    text: name.text.slice(0, name.text.length - text.length),
    selectors: name.selectors.slice(0, name.selectors.length - last.length),
  };
}
