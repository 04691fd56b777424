/** Keys of the browser as a whole. */
import type { KeyBinding } from './binding.ts';
import { scrollKeys } from './scroll.ts';

export const generalKeys: readonly KeyBinding[] = [
  { keys: ['?', 'F1'], action: 'showHelp', help: 'what the keys do', group: 'General', in: 'everywhere' },
  { keys: ['q', 'F10'], action: 'quit', help: 'quit', group: 'General', in: 'list' },
  { keys: ['C-z'], action: 'suspend', help: 'back to the shell; `fg` goes on', group: 'General', in: 'everywhere' },
  { keys: ['q', 'F10'], action: 'quit', help: 'quit', group: 'General', in: 'stack' },
  ...scrollKeys('help', 'Help'),
  { keys: ['/', 'f'], action: 'helpFilter', help: 'only keys with a text, as you type', group: 'Help', in: 'help' },
];
