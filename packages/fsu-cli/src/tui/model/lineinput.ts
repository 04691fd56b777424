/** A line of text that is being typed: Emacs' keys, as shells have them. */
import type { Key } from './event.ts';
import { extensionOf } from './extension.ts';

export interface LineInput {
  readonly text: string;
  /** Index into `text`: where the next character goes. */
  readonly at: number;
  /** All of it is selected: a character takes its place, any other key that edits keeps it. */
  readonly isSelected?: boolean;
}

export const lineInput = (text = ''): LineInput => ({ text, at: text.length });

/** A text to take as it is, to go on with, or to type another in its place. */
export const offered = (text: string): LineInput => ({ ...lineInput(text), isSelected: text !== '' });

/** A name of which another is to be made: most often what changes is what stands before its extension. */
export function nameInput(name: string): LineInput {
  const extension = extensionOf(name);
  return { text: name, at: extension === '' ? name.length : name.length - extension.length - 1 };
}

export function inserted(input: LineInput, more: string): LineInput {
  const { text, at } = input.isSelected === true ? lineInput() : input;
  return { text: text.slice(0, at) + more + text.slice(at), at: at + more.length };
}

const graphemes = new Intl.Segmenter(undefined, { granularity: 'grapheme' });

/** Where what a person takes for one character before `at` begins. */
function before({ text, at }: LineInput): number {
  let start = 0;
  for (const { index } of graphemes.segment(text.slice(0, at))) start = index;
  return start;
}

function after({ text, at }: LineInput): number {
  for (const { segment } of graphemes.segment(text.slice(at))) return at + segment.length;
  return at;
}

const wordBefore = ({ text, at }: LineInput): number => text.slice(0, at).search(/[^\s/]+[\s/]*$/);

const without = ({ text }: LineInput, from: number, to: number): LineInput => ({
  text: text.slice(0, from) + text.slice(to),
  at: from,
});

/** What the key makes of the line; undefined: it is none that edits. */
export function edited(input: LineInput, key: Key): LineInput | undefined {
  const { text, at } = input;
  switch (key) {
    case 'left':
    case 'C-b':
      return { text, at: before(input) };
    case 'right':
    case 'C-f':
      return { text, at: after(input) };
    case 'home':
    case 'C-a':
      return { text, at: 0 };
    case 'end':
    case 'C-e':
      return { text, at: text.length };
    case 'backspace':
    case 'C-h':
      return without(input, before(input), at);
    case 'delete':
    case 'C-d':
      return without(input, at, after(input));
    case 'C-u':
      return without(input, 0, at);
    case 'C-k':
      return without(input, at, text.length);
    case 'C-w':
      return without(input, Math.max(0, wordBefore(input)), at);
    case 'space':
      return inserted(input, ' ');
    default:
      return isCharacter(key) ? inserted(input, key) : undefined;
  }
}

/** Keys with names are longer: `up`, `C-x`. */
const isCharacter = (key: Key): boolean => [...graphemes.segment(key)].length === 1 && !/\p{Cc}/u.test(key);
