/** Enter on a file: an image is opened where it lies, anything else is looked into. */
import { activeTab, currentRow, HOST, pathIn } from './state.ts';
import type { State } from './state.ts';
import { ask, noted, still, withTab } from './step.ts';
import type { AnswerHandlers, Step } from './step.ts';
import { viewingActions } from './viewing.ts';

/** Of a place in an image; the host's files are copied, not opened. */
export function enterFile(state: State): Step {
  const tab = activeTab(state);
  const row = currentRow(tab);
  if (row?.type !== 'reg' || tab.place === HOST || tab.place === '') return still(state);
  return ask(state, { what: 'nest', place: tab.place, path: pathIn(tab.dir, row.name) });
}

export const nestingAnswers: Pick<AnswerHandlers, 'nest'> = {
  nest: {
    answer(state, { value: { outer, path, nodes } }) {
      const tab = activeTab(state);
      const row = currentRow(tab);
      const isHere = row !== undefined && tab.place === outer && pathIn(tab.dir, row.name) === path;
      // The person has gone on meanwhile.
      if (!isHere || state.screen.name !== 'files') return still(state);
      const [root] = nodes;
      if (root === undefined) return viewingActions['view']?.(state) ?? still(state);
      const at = state.stack.findIndex(({ id }) => id === outer);
      const depth = (state.stack[at]?.depth ?? 0) + 1;
      const known = state.stack.some(({ id }) => id === root.id);
      const below = nodes.map((node) => ({ ...node, depth: node.depth + depth }));
      const stack = known ? state.stack : [...state.stack.slice(0, at + 1), ...below, ...state.stack.slice(at + 1)];
      const first = nodes.find((node) => node.kind === 'fs' && node.advice === '');
      if (first === undefined)
        return still(noted({ ...state, stack }, 'an image without a file system that can be opened', 'error'));
      return ask({ ...state, stack }, { what: 'enter', place: first.id }, (now, token) =>
        withTab(now, (one) => ({ ...one, token })),
      );
    },
  },
};
