/** What the keys do, from the table that says so. */
import type { KeyBinding } from '../keys/binding.ts';
import { keyBindings } from '../keys/index.ts';
import type { State } from '../model/state.ts';
import { still } from '../model/step.ts';
import type { Step } from '../model/step.ts';
import { span } from '../render/line.ts';
import type { Line } from '../render/line.ts';
import type { ScreenModule } from './index.ts';

export const help: ScreenModule<'help'> = {
  lines: (_, { top }) => allLines().slice(top),
  actions: {
    showHelp: (state: State): Step => still({ ...state, screen: { name: 'help', top: 0 } }),
    helpDown: (state: State): Step => still(scrolled(state, 1)),
    helpUp: (state: State): Step => still(scrolled(state, -1)),
    closeScreen: (state: State): Step => still({ ...state, screen: { name: 'files' } }),
  },
};

function scrolled(state: State, lines: number): State {
  if (state.screen.name !== 'help') return state;
  const top = Math.max(0, Math.min(state.screen.top + lines, allLines().length - 1));
  return { ...state, screen: { ...state.screen, top } };
}

function allLines(): readonly Line[] {
  const groups = [...new Set(keyBindings.map(({ group }) => group))];
  return groups.flatMap((group) => [
    [span(group, 'heading')],
    ...keyBindings.filter((binding) => binding.group === group).map(keyLine),
    [],
  ]);
}

const keyLine = ({ keys, help: does }: KeyBinding): Line => [
  span(`  ${keys.join('  ').padEnd(24)}`, 'key'),
  span(does),
];
