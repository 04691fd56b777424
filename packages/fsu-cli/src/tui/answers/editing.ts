/** Edits, on the other side. */
import type { Answerers } from './index.ts';

export const editingAnswerers: Pick<Answerers, never> = {};
