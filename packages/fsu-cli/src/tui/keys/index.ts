/**
 * Every key, once: what it does where, and the words that the help overlay, the manual page and docs/browse.md have for it. An
 * action's name says which function of the model it is (model/update.ts).
 */
import type { Key } from '../model/event.ts';
import type { State } from '../model/state.ts';
import type { KeyBinding } from './binding.ts';
import { choosingKeys } from './choosing.ts';
import { editingKeys } from './editing.ts';
import { generalKeys } from './general.ts';
import { lookingKeys } from './looking.ts';
import { movingKeys } from './moving.ts';
import { paneKeys } from './panes.ts';

export const keyBindings: readonly KeyBinding[] = [
  ...movingKeys,
  ...lookingKeys,
  ...editingKeys,
  ...choosingKeys,
  ...paneKeys,
  ...generalKeys,
];

type Where = Pick<State, 'screen' | 'focus'>;

/** Which table's keys are pressed, beside those that are the same everywhere. */
export const hereIn = ({ screen, focus }: Where): KeyBinding['in'] => (screen.name === 'files' ? focus : screen.name);

export function bindingsIn(state: Where): readonly KeyBinding[] {
  const here = hereIn(state);
  return keyBindings.filter((binding) => binding.in === here || binding.in === 'everywhere');
}

/** What the keys pressed so far mean here: an action, the beginning of a combination, or nothing. */
export function meaningOf(
  state: Where & Pick<State, 'prefix'>,
  key: Key,
): { readonly action: string } | 'prefix' | undefined {
  const pressed = state.prefix === '' ? key : `${state.prefix} ${key}`;
  const bindings = bindingsIn(state);
  const found = bindings.find(({ keys }) => keys.includes(pressed));
  if (found !== undefined) return { action: found.action };
  return bindings.some(({ keys }) => keys.some((one) => one.startsWith(`${pressed} `))) ? 'prefix' : undefined;
}
