/** Keys that change things, or take changes back. */
import type { KeyBinding } from './binding.ts';

export const editingKeys: readonly KeyBinding[] = [];
