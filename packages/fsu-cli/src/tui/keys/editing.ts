/** Keys that change things, or take changes back. */
import type { KeyBinding } from './binding.ts';
import { scrollKeys } from './scroll.ts';

const group = 'Editing';

export const editingKeys: readonly KeyBinding[] = [
  { keys: ['r', 'F2'], action: 'rename', help: 'rename', group, in: 'list' },
  { keys: ['a'], action: 'create', help: 'new file, or directory with a / at its end', group, in: 'list' },
  { keys: ['F7'], action: 'makeDir', help: 'new directory', group, in: 'list' },
  { keys: ['A'], action: 'makeLink', help: 'new symbolic link', group, in: 'list' },
  { keys: ['L'], action: 'makeHardLink', help: 'another name: a hard link', group, in: 'list' },
  { keys: ['d d', 'delete', 'F8'], action: 'remove', help: 'delete', group, in: 'list' },
  { keys: ['y'], action: 'copy', help: 'copy: p pastes', group, in: 'list' },
  { keys: ['x'], action: 'cut', help: 'cut: p pastes', group, in: 'list' },
  { keys: ['p'], action: 'paste', help: 'paste here', group, in: 'list' },
  { keys: ['F5'], action: 'copyAcross', help: 'copy into the other list', group, in: 'list' },
  { keys: ['F6'], action: 'moveAcross', help: 'move into the other list', group, in: 'list' },
  { keys: ['e', 'F4'], action: 'editFile', help: 'edit with $VISUAL or $EDITOR', group, in: 'list' },
  { keys: ['c m'], action: 'changeMode', help: 'change the mode', group, in: 'list' },
  { keys: ['c o'], action: 'changeOwner', help: 'change owner and group', group, in: 'list' },
  { keys: ['c s'], action: 'changeSize', help: 'change the size of files', group, in: 'list' },
  { keys: ['c t'], action: 'changeTime', help: 'change the time of the last change', group, in: 'list' },
  { keys: ['c x'], action: 'changeXattr', help: 'set or remove an extended attribute', group, in: 'list' },
  { keys: ['c a'], action: 'changeAcl', help: 'set entries of the access control list', group, in: 'list' },
  { keys: ['u'], action: 'undo', help: 'undo the last edit', group, in: 'everywhere' },
  { keys: ['U', 'C-r'], action: 'redo', help: 'redo it', group, in: 'everywhere' },
  { keys: ['Z'], action: 'discardAll', help: 'throw away all staged edits', group, in: 'everywhere' },
  { keys: ['w'], action: 'review', help: 'review, and commit', group, in: 'everywhere' },
  { keys: ['c'], action: 'commit', help: 'commit', group: 'Review', in: 'review' },
  ...scrollKeys('review', 'Review'),
  { keys: [':'], action: 'command', help: 'a command, as a script has it', group, in: 'list' },
  ...scrollKeys('output', 'Output'),
  { keys: ['Y'], action: 'shellCommand', help: 'copy the shell command of the last edit', group, in: 'list' },
  { keys: ['S'], action: 'saveScript', help: 'save the edits as a script', group, in: 'everywhere' },
  { keys: ['C-c'], action: 'cancelWork', help: 'cancel what runs', group, in: 'everywhere' },
];
