/** Keys of the browser as a whole. */
import type { KeyBinding } from './binding.ts';

export const generalKeys: readonly KeyBinding[] = [
  { keys: ['?', 'F1'], action: 'showHelp', help: 'what the keys do', group: 'General', in: 'list' },
  { keys: ['q', 'F10'], action: 'quit', help: 'quit', group: 'General', in: 'list' },
  { keys: ['q', 'escape', 'F10'], action: 'closeScreen', help: 'back to the lists', group: 'Help', in: 'help' },
  { keys: ['j', 'down'], action: 'helpDown', help: 'down', group: 'Help', in: 'help' },
  { keys: ['k', 'up'], action: 'helpUp', help: 'up', group: 'Help', in: 'help' },
];
