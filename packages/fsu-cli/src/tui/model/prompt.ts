/** A question to the person, over all else: a line to type, or a choice. Who asks says by `purpose` what the answer leads to. */
import type { Ask } from './ask.ts';
import type { Key } from './event.ts';
import { edited, inserted, lineInput } from './lineinput.ts';
import type { LineInput } from './lineinput.ts';
import type { State } from './state.ts';
import { ask, followedBy, still } from './step.ts';
import type { Step } from './step.ts';

interface LinePrompt {
  readonly kind: 'line';
  readonly purpose: string;
  readonly title: string;
  readonly input: LineInput;
  /** What the word that is typed may become. */
  readonly hints?: readonly string[];
  /** What the one who asks has to remember. */
  readonly about: readonly string[];
}

interface ChoicePrompt {
  readonly kind: 'choice';
  readonly purpose: string;
  readonly title: string;
  /** What there is to know, above the choices. */
  readonly text: readonly string[];
  readonly choices: readonly { readonly key: Key; readonly label: string }[];
  /** Of the question for what is still to be known; nobody waits for that once the choice is made. */
  readonly token?: number | undefined;
  readonly about: readonly string[];
}

export type Prompt = LinePrompt | ChoicePrompt;

/** What answers lead to, by purpose. */
export interface PromptHandlers {
  /** The line, once Enter was pressed; or the key of the choice. */
  readonly answered: Readonly<Record<string, (state: State, answer: string, prompt: Prompt) => Step>>;
  /** With each change of a line. */
  readonly typed?: Readonly<Record<string, (state: State, text: string, prompt: LinePrompt) => Step>>;
  /** Tab, in a line. */
  readonly completed?: Readonly<Record<string, (state: State, prompt: LinePrompt) => Step>>;
  /** Escape; without one nothing happens. */
  readonly dropped?: Readonly<Record<string, (state: State, prompt: Prompt) => Step>>;
}

export const asking = (state: State, prompt: Prompt): State => ({ ...state, prompt });

/** There is more to know than the choice says yet: it is asked for, and need not be waited for. */
export const askedAbout = (choice: Step, question: Ask): Step =>
  followedBy(choice, (state) =>
    ask(state, question, (now, token) => (now.prompt?.kind === 'choice' ? asking(now, { ...now.prompt, token }) : now)),
  );

/** The choice, with what is known of it now; it may have been made meanwhile. */
export function toldAbout(state: State, token: number, change: (prompt: ChoicePrompt) => ChoicePrompt): Step {
  const { prompt } = state;
  if (prompt?.kind !== 'choice' || prompt.token !== token) return still(state);
  return still(asking(state, { ...change(prompt), token: undefined }));
}

/** A key, while something is asked. */
export function promptKey(state: State, prompt: Prompt, key: Key, handlers: PromptHandlers): Step {
  const [now, effects] = promptKeyed(state, prompt, key, handlers);
  const isAsked = prompt.kind === 'choice' && prompt.token !== undefined && now.prompt !== prompt;
  return [now, isAsked ? [{ kind: 'cancel', token: prompt.token }, ...effects] : effects];
}

function promptKeyed(state: State, prompt: Prompt, key: Key, handlers: PromptHandlers): Step {
  const without = { ...state, prompt: undefined };
  if (key === 'escape' || key === 'C-c') return handlers.dropped?.[prompt.purpose]?.(without, prompt) ?? still(without);
  const answer = handlers.answered[prompt.purpose];
  if (prompt.kind === 'choice') {
    const isOne = prompt.choices.some((choice) => choice.key === key);
    return isOne && answer !== undefined ? answer(without, key, prompt) : still(state);
  }
  if (key === 'enter') return answer?.(without, prompt.input.text, prompt) ?? still(without);
  if (key === 'tab') return handlers.completed?.[prompt.purpose]?.(state, prompt) ?? still(state);
  const input = edited(prompt.input, key);
  return input === undefined ? still(state) : changed(state, { ...prompt, input, hints: [] }, handlers);
}

/** Text that was pasted: its lines become one. */
export function promptPaste(state: State, prompt: Prompt, text: string, handlers: PromptHandlers): Step {
  if (prompt.kind === 'choice') return still(state);
  const input = inserted(prompt.input, text.replace(/[\r\n]+$/, '').replace(/\p{Cc}+/gu, ' '));
  return changed(state, { ...prompt, input }, handlers);
}

function changed(state: State, prompt: LinePrompt, handlers: PromptHandlers): Step {
  const now = { ...state, prompt };
  return handlers.typed?.[prompt.purpose]?.(now, prompt.input.text, prompt) ?? still(now);
}

/** Have a line typed; `input` is there already. */
export const lineQuestion = (
  state: State,
  purpose: string,
  title: string,
  input = lineInput(),
  about: readonly string[] = [],
): Step => still(asking(state, { kind: 'line', purpose, title, input, about }));

type Choices = ChoicePrompt['choices'];

/** Have something chosen; `about`: what the answer is about. */
export const choiceQuestion = (
  state: State,
  purpose: string,
  title: string,
  choices: Choices,
  about: readonly string[] = [],
  text: readonly string[] = [],
): Step => still(asking(state, { kind: 'choice', purpose, title, text, choices, about }));

export const yesOrNo: Choices = [
  { key: 'y', label: 'yes' },
  { key: 'n', label: 'no' },
];
