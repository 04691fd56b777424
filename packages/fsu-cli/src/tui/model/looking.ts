/** Looking into things: what the entry under the cursor is, and what the file system is made of. */
import type { PromptHandlers } from './prompt.ts';
import type { AnswerHandlers, Step } from './step.ts';
import type { State } from './state.ts';

export const lookingActions: Readonly<Record<string, (state: State) => Step>> = {};

export const lookingAnswers: Pick<AnswerHandlers, never> = {};

export const lookingPrompts: PromptHandlers = { answered: {} };
