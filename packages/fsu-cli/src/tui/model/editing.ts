/** Edits: what is staged, taken back, reviewed and committed. */
import type { PromptHandlers } from './prompt.ts';
import type { AnswerHandlers, Step } from './step.ts';
import type { State } from './state.ts';

export const editingActions: Readonly<Record<string, (state: State) => Step>> = {};

export const editingAnswers: Pick<AnswerHandlers, never> = {};

export const editingPrompts: PromptHandlers = { answered: {} };
