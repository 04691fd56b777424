/** What the keys do, from the table that says so. */
import type { Table } from '../../command.ts';
import { hereIn } from '../keys/index.ts';
import { keyTablesFrom } from '../keys/tables.ts';
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
  lines: (state, { top }, { height }) => linesOf(state).slice(top, top + height),
  actions: {
    showHelp: (state: State): Step => {
      const { screen } = state;
      if (screen.name === 'help') return still({ ...state, screen: screen.over });
      return still({ ...state, screen: { name: 'help', top: 0, filter: '', over: screen } });
    },
    helpFilter: (state: State): Step => lineQuestion(state, 'helpFilter', 'keys with: '),
    ...scrolling('help', (state) => linesOf(state).length),
    closeScreen: (state: State): Step =>
      state.screen.name === 'help'
        ? still({ ...state, screen: state.screen.over })
        : [{ ...state, screen: { name: 'files' } }, reviewDropped(state)],
  },
};

const filteredBy = (state: State, filter: string): Step =>
  still(state.screen.name === 'help' ? { ...state, screen: { ...state.screen, filter, top: 0 } } : state);

export const helpPrompts: PromptHandlers = {
  answered: { helpFilter: still },
  typed: { helpFilter: filteredBy },
  dropped: { helpFilter: (state) => filteredBy(state, '') },
};

/** Those with the text in them, of where one comes from first; of tables without any, nothing. */
function linesOf({ screen, focus }: State): readonly Line[] {
  if (screen.name !== 'help') return [];
  const wanted = screen.filter.toLowerCase();
  return keyTablesFrom(hereIn({ screen: screen.over, focus })).flatMap(({ title, rows }): readonly Line[] => {
    const found = rows.filter(({ term, says }) => `${title} ${term} ${says}`.toLowerCase().includes(wanted));
    return found.length === 0 ? [] : [[span(title, 'heading')], ...found.map(keyLine), []];
  });
}

const keyLine = ({ term, says }: Table['rows'][number]): Line => [span(`  ${term.padEnd(26)}`, 'key'), span(says)];
