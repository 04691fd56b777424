/** Keys to walk about. */
import type { KeyBinding } from './binding.ts';

export const movingKeys: readonly KeyBinding[] = [
  { keys: ['j', 'down'], action: 'down', help: 'down', group: 'Moving', in: 'list' },
  { keys: ['k', 'up'], action: 'up', help: 'up', group: 'Moving', in: 'list' },
  {
    keys: ['l', 'right', 'enter'],
    action: 'enter',
    help: 'into a directory, or an image; other files are looked into',
    group: 'Moving',
    in: 'list',
  },
  { keys: ['h', 'left', 'backspace'], action: 'parent', help: 'to the directory above', group: 'Moving', in: 'list' },
  { keys: ['g g', 'home'], action: 'first', help: 'first entry', group: 'Moving', in: 'list' },
  { keys: ['G', 'end'], action: 'last', help: 'last entry', group: 'Moving', in: 'list' },
  { keys: ['C-f', 'pagedown'], action: 'pageDown', help: 'a page down', group: 'Moving', in: 'list' },
  { keys: ['C-b', 'pageup'], action: 'pageUp', help: 'a page up', group: 'Moving', in: 'list' },
  { keys: ['C-d'], action: 'halfDown', help: 'half a page down', group: 'Moving', in: 'list' },
  { keys: ['C-u'], action: 'halfUp', help: 'half a page up', group: 'Moving', in: 'list' },
];
