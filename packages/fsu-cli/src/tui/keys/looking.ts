/** Keys to look into things. */
import type { KeyBinding } from './binding.ts';

export const lookingKeys: readonly KeyBinding[] = [];
