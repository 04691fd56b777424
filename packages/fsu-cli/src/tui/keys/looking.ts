/** Keys to look into things. */
import type { KeyBinding } from './binding.ts';
import { scrollKeys } from './scroll.ts';

const group = 'Looking';

export const lookingKeys: readonly KeyBinding[] = [
  {
    keys: ['i'],
    action: 'details',
    help: 'all about the entry: owners, times, attributes, extents',
    group,
    in: 'list',
  },
  { keys: ['o', 'F3'], action: 'view', help: 'look into the file', group, in: 'list' },
  { keys: ['I'], action: 'inspect', help: 'the file system: superblock, features, usage', group, in: 'list' },
  { keys: ['D'], action: 'usage', help: 'what takes the space', group, in: 'list' },
  {
    keys: ['C'],
    action: 'compare',
    help: 'compare with the other list, with what is committed, or with another image',
    group,
    in: 'list',
  },
  ...scrollKeys('facts', 'Details'),
  ...scrollKeys('view', 'View'),
  { keys: ['/'], action: 'viewSearch', help: 'search from here', group: 'View', in: 'view' },
  { keys: ['n'], action: 'viewNext', help: 'the next place', group: 'View', in: 'view' },
  { keys: ['N'], action: 'viewBack', help: 'the place before', group: 'View', in: 'view' },
  { keys: ['x'], action: 'viewHex', help: 'as text, as numbers', group: 'View', in: 'view' },
  ...scrollKeys('pick', 'Findings').filter(({ action }) => action !== 'closeScreen'),
  {
    keys: ['enter', 'l', 'right'],
    action: 'pickGo',
    help: 'go there; of a changed file, how its contents differ',
    group: 'Findings',
    in: 'pick',
  },
  { keys: ['h', 'left'], action: 'pickUpDir', help: 'the space of the directory above', group: 'Findings', in: 'pick' },
  { keys: ['d d', 'delete'], action: 'pickDrop', help: 'drop the bookmark', group: 'Findings', in: 'pick' },
  { keys: ['a'], action: 'pickApparent', help: 'space: by size, by bytes on disk', group: 'Findings', in: 'pick' },
  { keys: ['+'], action: 'pickAdded', help: 'differences: only what was added, or all', group: 'Findings', in: 'pick' },
  { keys: ['-'], action: 'pickRemoved', help: 'only what was removed, or all', group: 'Findings', in: 'pick' },
  { keys: ['~'], action: 'pickChanged', help: 'only what has changed, or all', group: 'Findings', in: 'pick' },
  { keys: ['q', 'escape', 'F10'], action: 'pickClose', help: 'back to the lists', group: 'Findings', in: 'pick' },
  ...scrollKeys('contents', 'Contents').filter(({ action }) => action !== 'closeScreen'),
  {
    keys: ['q', 'escape', 'F10'],
    action: 'contentsClose',
    help: 'back to the list',
    group: 'Contents',
    in: 'contents',
  },
];
