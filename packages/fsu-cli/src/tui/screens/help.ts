/** What the keys do, from the table that says so. */
import type { KeyBinding } from '../keys/binding.ts';
import { keyBindings } from '../keys/index.ts';
import type { State } from '../model/state.ts';
import { still } from '../model/step.ts';
import type { Step } from '../model/step.ts';
import { span } from '../render/line.ts';
import type { Line } from '../render/line.ts';
import type { ScreenModule } from './index.ts';
import { scrolling } from './scroll.ts';

export const help: ScreenModule<'help'> = {
  lines: (_, { top }, { height }) => allLines().slice(top, top + height),
  actions: {
    showHelp: (state: State): Step => still({ ...state, screen: { name: 'help', top: 0 } }),
    ...scrolling('help', () => allLines().length),
    closeScreen: (state: State): Step => still({ ...state, screen: { name: 'files' } }),
  },
};

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
