/** How a session ends: with nothing staged, saved as a script, or because the kernel's thread has ended. */
import { editingActions } from './editing.ts';
import { offered } from './lineinput.ts';
import { asking, choiceQuestion, lineQuestion } from './prompt.ts';
import type { PromptHandlers } from './prompt.ts';
import type { State } from './state.ts';
import { ask, noted, still } from './step.ts';
import type { Action, AnswerHandlers, Step } from './step.ts';

export const leavingActions = {
  saveScript: (state: State): Step =>
    state.editing.staged.length === 0
      ? still(noted(state, 'nothing is staged'))
      : lineQuestion(state, 'saveScript', 'save the edits as a script: ', offered('edits.fsu')),
  quit(state: State): Step {
    const { staged } = state.editing;
    if (state.over !== undefined)
      return staged.length === 0 ? [state, [{ kind: 'quit', status: 1 }]] : still(askOver(state, state.over));
    if (staged.length === 0) return [state, [{ kind: 'quit', status: 0 }]];
    return choiceQuestion(
      state,
      'quit',
      `${staged.length} staged ${staged.length === 1 ? 'edit is' : 'edits are'} not committed:`,
      [
        { key: 'w', label: 'review' },
        { key: 's', label: 'save as a script' },
        { key: 'd', label: 'discard and quit' },
        { key: 'escape', label: 'stay' },
      ],
    );
  },
} as const satisfies Readonly<Record<string, Action>>;

export const leavingPrompts: PromptHandlers = {
  answered: {
    saveScript: (state, file) => (file === '' ? still(state) : saved(state, file, false)),
    replaceScript: (state, key, { about: [file = ''] }) => (key === 'y' ? saved(state, file, true) : still(state)),
    over: (state, key) => (key === 's' ? leavingActions.saveScript(state) : [state, [{ kind: 'quit', status: 1 }]]),
    quit(state, key) {
      if (key === 'd') return [state, [{ kind: 'quit', status: 0 }]];
      if (key === 's') return leavingActions.saveScript(state);
      return key === 'w' ? editingActions.review(state) : still(state);
    },
  },
};

export const leavingAnswers: Pick<AnswerHandlers, 'saveScript'> = {
  saveScript: {
    answer: (state, { value: { file, isSaved } }) =>
      isSaved
        ? still(noted(state, `saved: ${file}`))
        : choiceQuestion(
            state,
            'replaceScript',
            `${file} exists:`,
            [
              { key: 'y', label: 'replace it' },
              { key: 'escape', label: 'nothing' },
            ],
            [file],
          ),
  },
};

const saved = (state: State, file: string, mayReplace: boolean): Step =>
  ask(state, {
    what: 'saveScript',
    file,
    image: state.image,
    lines: state.editing.staged.flatMap(({ lines }) => lines),
    mayReplace,
  });

const askOver = (state: State, why: string): State =>
  asking(state, {
    kind: 'choice',
    purpose: 'over',
    title: `${state.editing.staged.length} staged, not committed; the kernel has ended:`,
    text: [why],
    choices: [
      { key: 's', label: 'save as a script' },
      { key: 'q', label: 'quit' },
    ],
    about: [],
  });

/** The kernel's thread is gone: nothing runs any more, what is staged can still be saved. */
export function ended(state: State, why: string): State {
  const editing = { ...state.editing, token: 0 };
  const over = noted({ ...state, over: why, tasks: [], prompt: undefined, editing }, why, 'error');
  return editing.staged.length === 0 ? over : askOver(over, why);
}
