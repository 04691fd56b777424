/** What the keys do, from the table that says so. */
import type { Table } from '../../command.ts';
import { keyTables } from '../keys/tables.ts';
import { lineQuestion } from '../model/prompt.ts';
import type { PromptHandlers } from '../model/prompt.ts';
import { reviewDropped } from '../model/reviewing.ts';
import type { State } from '../model/state.ts';
import { still } from '../model/step.ts';
import type { Step } from '../model/step.ts';
import { span } from '../render/line.ts';
import type { Line } from '../render/line.ts';
import type { ScreenModule } from './index.ts';
import { scrolling } from './scroll.ts';

export const help: ScreenModule<'help'> = {
  lines: (_, { top, filter }, { height }) => linesWith(filter).slice(top, top + height),
  actions: {
    showHelp: (state: State): Step => still({ ...state, screen: { name: 'help', top: 0, filter: '' } }),
    helpFilter: (state: State): Step => lineQuestion(state, 'helpFilter', 'keys with: '),
    ...scrolling('help', ({ screen }) => (screen.name === 'help' ? linesWith(screen.filter).length : 0)),
    closeScreen: (state: State): Step => [{ ...state, screen: { name: 'files' } }, reviewDropped(state)],
  },
};

const filteredBy = (state: State, filter: string): Step =>
  still(state.screen.name === 'help' ? { ...state, screen: { ...state.screen, filter, top: 0 } } : state);

export const helpPrompts: PromptHandlers = {
  answered: { helpFilter: still },
  typed: { helpFilter: filteredBy },
  dropped: { helpFilter: (state) => filteredBy(state, '') },
};

/** Those with the text in them; of tables without any, nothing. */
function linesWith(text: string): readonly Line[] {
  const wanted = text.toLowerCase();
  return keyTables.flatMap(({ title, rows }): readonly Line[] => {
    const found = rows.filter(({ term, says }) => `${title} ${term} ${says}`.toLowerCase().includes(wanted));
    return found.length === 0 ? [] : [[span(title, 'heading')], ...found.map(keyLine), []];
  });
}

const keyLine = ({ term, says }: Table['rows'][number]): Line => [span(`  ${term.padEnd(24)}`, 'key'), span(says)];
