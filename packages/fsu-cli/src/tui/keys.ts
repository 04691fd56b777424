/**
 * Every key, once: what it does where, and the words that the help overlay, the manual page and docs/browse.md have for it. An
 * action's name says which function of the model it is (model/update.ts).
 */
import type { Key } from './model/event.ts';
import type { ScreenName, State } from './model/state.ts';

export interface KeyBinding {
  /** Any of these does it; several keys one after the other are separated by a blank. */
  readonly keys: readonly string[];
  readonly action: string;
  readonly help: string;
  readonly group: string;
  /** Where: in the lists, in the stack, on another screen, or everywhere. */
  readonly in: 'list' | 'stack' | 'everywhere' | Exclude<ScreenName, 'files'>;
}

export const keyBindings: readonly KeyBinding[] = [
  { keys: ['j', 'down'], action: 'down', help: 'down', group: 'Moving', in: 'list' },
  { keys: ['k', 'up'], action: 'up', help: 'up', group: 'Moving', in: 'list' },
  { keys: ['l', 'right', 'enter'], action: 'enter', help: 'into a directory', group: 'Moving', in: 'list' },
  { keys: ['h', 'left', 'backspace'], action: 'parent', help: 'to the directory above', group: 'Moving', in: 'list' },
  { keys: ['g g', 'home'], action: 'first', help: 'first entry', group: 'Moving', in: 'list' },
  { keys: ['G', 'end'], action: 'last', help: 'last entry', group: 'Moving', in: 'list' },
  { keys: ['C-f', 'pagedown'], action: 'pageDown', help: 'a page down', group: 'Moving', in: 'list' },
  { keys: ['C-b', 'pageup'], action: 'pageUp', help: 'a page up', group: 'Moving', in: 'list' },
  { keys: ['C-d'], action: 'halfDown', help: 'half a page down', group: 'Moving', in: 'list' },
  { keys: ['C-u'], action: 'halfUp', help: 'half a page up', group: 'Moving', in: 'list' },
  { keys: ['?', 'F1'], action: 'showHelp', help: 'what the keys do', group: 'General', in: 'list' },
  { keys: ['q', 'F10'], action: 'quit', help: 'quit', group: 'General', in: 'list' },
  { keys: ['q', 'escape', 'F10'], action: 'closeScreen', help: 'back to the lists', group: 'Help', in: 'help' },
  { keys: ['j', 'down'], action: 'helpDown', help: 'down', group: 'Help', in: 'help' },
  { keys: ['k', 'up'], action: 'helpUp', help: 'up', group: 'Help', in: 'help' },
];

/** What the keys pressed so far mean here: an action, the beginning of a combination, or nothing. */
export function meaningOf(
  state: Pick<State, 'screen' | 'focus' | 'prefix'>,
  key: Key,
): { readonly action: string } | 'prefix' | undefined {
  const pressed = state.prefix === '' ? key : `${state.prefix} ${key}`;
  const here = state.screen.name === 'files' ? state.focus : state.screen.name;
  const bindings = keyBindings.filter((binding) => binding.in === here || binding.in === 'everywhere');
  const found = bindings.find(({ keys }) => keys.includes(pressed));
  if (found !== undefined) return { action: found.action };
  return bindings.some(({ keys }) => keys.some((one) => one.startsWith(`${pressed} `))) ? 'prefix' : undefined;
}
