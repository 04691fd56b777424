/** Keys to find and to select entries, and to say how lists show them. */
import type { KeyBinding } from './binding.ts';

const [find, select, show] = ['Finding', 'Selecting', 'Lists'];

export const choosingKeys: readonly KeyBinding[] = [
  { keys: ['f'], action: 'filter', help: 'filter the list as you type', group: find, in: 'list' },
  { keys: ['/'], action: 'search', help: 'to the next name that has the text in it', group: find, in: 'list' },
  { keys: ['n'], action: 'searchNext', help: 'the next one', group: find, in: 'list' },
  { keys: ['N'], action: 'searchBack', help: 'the one before', group: find, in: 'list' },
  { keys: ['g f'], action: 'find', help: 'find names below here', group: find, in: 'list' },
  { keys: ['g c'], action: 'grep', help: 'find contents below here', group: find, in: 'list' },
  { keys: ['g p'], action: 'jump', help: 'go to a path', group: find, in: 'list' },
  { keys: ['g /'], action: 'goRoot', help: 'go to /', group: find, in: 'list' },
  { keys: ['g e'], action: 'goEtc', help: 'go to /etc', group: find, in: 'list' },
  { keys: ['g h'], action: 'goHome', help: 'go to /home', group: find, in: 'list' },
  { keys: ['g b'], action: 'goBoot', help: 'go to /boot', group: find, in: 'list' },
  { keys: ['m'], action: 'bookmark', help: 'bookmark the directory', group: find, in: 'list' },
  { keys: ["'"], action: 'bookmarks', help: 'the bookmarks', group: find, in: 'list' },
  { keys: ['space', 'insert'], action: 'select', help: 'select, or no longer', group: select, in: 'list' },
  { keys: ['v'], action: 'selectInverse', help: 'select the others instead', group: select, in: 'list' },
  {
    keys: ['V'],
    action: 'selectRange',
    help: 'select from here to where V is pressed again',
    group: select,
    in: 'list',
  },
  { keys: ['S-down'], action: 'selectDown', help: 'select, and go down', group: select, in: 'list' },
  { keys: ['S-up'], action: 'selectUp', help: 'select, and go up', group: select, in: 'list' },
  { keys: ['C-a'], action: 'selectAll', help: 'select all', group: select, in: 'list' },
  { keys: ['escape'], action: 'clear', help: 'drop the selection and the filter', group: select, in: 'list' },
  { keys: ['.'], action: 'hidden', help: 'show names that begin with a dot, or do not', group: show, in: 'list' },
  { keys: [', n'], action: 'sortName', help: 'by name', group: show, in: 'list' },
  { keys: [', s'], action: 'sortSize', help: 'by size', group: show, in: 'list' },
  { keys: [', m'], action: 'sortTime', help: 'by time of the last change', group: show, in: 'list' },
  { keys: [', e'], action: 'sortExt', help: 'by what stands behind the last dot', group: show, in: 'list' },
  { keys: [', d'], action: 'sortNone', help: 'as the directory has them', group: show, in: 'list' },
  { keys: [', r'], action: 'sortReverse', help: 'the other way round', group: show, in: 'list' },
];
