/** Keys of screens that scroll: the same on each. */
import type { KeyBinding } from './binding.ts';

export const scrollKeys = (
  name: Exclude<KeyBinding['in'], 'list' | 'stack' | 'everywhere'>,
  group: string,
): readonly KeyBinding[] => [
  { keys: ['j', 'down'], action: `${name}Down`, help: 'down', group, in: name },
  { keys: ['k', 'up'], action: `${name}Up`, help: 'up', group, in: name },
  { keys: ['space', 'C-f', 'pagedown'], action: `${name}PageDown`, help: 'a page down', group, in: name },
  { keys: ['C-b', 'pageup'], action: `${name}PageUp`, help: 'a page up', group, in: name },
  { keys: ['g g', 'home'], action: `${name}First`, help: 'to the beginning', group, in: name },
  { keys: ['G', 'end'], action: `${name}Last`, help: 'to the end', group, in: name },
  { keys: ['q', 'escape', 'F10'], action: 'closeScreen', help: 'back', group, in: name },
];
