/** Keys of tabs, of the two lists, and of the tree of the image. */
import type { KeyBinding } from './binding.ts';

const [panes, tree] = ['Tabs and panes', 'Tree'];

export const paneKeys: readonly KeyBinding[] = [
  { keys: ['-', 'M-left'], action: 'back', help: 'back to where one was', group: 'Moving', in: 'list' },
  { keys: ['=', 'M-right'], action: 'ahead', help: 'and forward again', group: 'Moving', in: 'list' },
  { keys: ['t'], action: 'newTab', help: 'new tab', group: panes, in: 'list' },
  { keys: ['C-w'], action: 'closeTab', help: 'close the tab', group: panes, in: 'list' },
  { keys: [']'], action: 'nextTab', help: 'next tab', group: panes, in: 'list' },
  { keys: ['['], action: 'previousTab', help: 'the tab before', group: panes, in: 'list' },
  ...Array.from({ length: 9 }, (_, at): KeyBinding => ({
    keys: [String(at + 1)],
    action: `tab${at + 1}`,
    help: 'the tab of that number',
    group: panes,
    in: 'list',
  })),
  { keys: ['P', 'F9'], action: 'twoPanes', help: 'two lists, or one', group: panes, in: 'list' },
  { keys: ['tab'], action: 'otherFocus', help: 'to the tree, or to the other list', group: panes, in: 'list' },
  { keys: ['T'], action: 'focusStack', help: 'to the tree of what the image is made of', group: panes, in: 'list' },
  { keys: ['O'], action: 'openImage', help: 'open another image', group: panes, in: 'list' },
  { keys: ['j', 'down'], action: 'stackDown', help: 'down', group: tree, in: 'stack' },
  { keys: ['k', 'up'], action: 'stackUp', help: 'up', group: tree, in: 'stack' },
  { keys: ['C-f', 'pagedown'], action: 'stackPageDown', help: 'a page down', group: tree, in: 'stack' },
  { keys: ['C-b', 'pageup'], action: 'stackPageUp', help: 'a page up', group: tree, in: 'stack' },
  { keys: ['g g', 'home'], action: 'stackFirst', help: 'to the beginning', group: tree, in: 'stack' },
  { keys: ['G', 'end'], action: 'stackLast', help: 'to the end', group: tree, in: 'stack' },
  { keys: ['l', 'right', 'enter'], action: 'stackEnter', help: 'enter the file system', group: tree, in: 'stack' },
  { keys: ['O'], action: 'openImage', help: 'open another image', group: tree, in: 'stack' },
  {
    keys: ['tab', 'escape', 'T', 'h', 'left'],
    action: 'focusList',
    help: 'back to the list',
    group: tree,
    in: 'stack',
  },
];
