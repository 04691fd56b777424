/** Contents, attributes, structures. */
import type { Answerers } from './index.ts';

export const lookingAnswerers: Pick<Answerers, never> = {};
