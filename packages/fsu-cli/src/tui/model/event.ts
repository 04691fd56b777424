/** What happens to the browser, and what it wants done. */
import type { AnswerEvent, Ask } from './ask.ts';

/** A key by name: 'j', 'G', 'C-d', 'M-x', 'up', 'F5', 'enter', 'space', 'tab', 'S-tab', 'escape', 'backspace', 'delete'. */
export type Key = string;

export type Event =
  | { readonly kind: 'key'; readonly key: Key }
  | { readonly kind: 'paste'; readonly text: string }
  /** `column` and `line` count from 0; 'wheel' has `lines`, down is positive. */
  | {
      readonly kind: 'mouse';
      readonly what: 'press' | 'double' | 'wheel';
      readonly column: number;
      readonly line: number;
      readonly lines: number;
    }
  | { readonly kind: 'resize'; readonly columns: number; readonly lines: number }
  | AnswerEvent
  /** The kernel's thread has ended. */
  | { readonly kind: 'ended'; readonly why: string };

export type Effect =
  | { readonly kind: 'ask'; readonly ask: Ask; readonly token: number }
  /** Nobody waits for the answer any more. */
  | { readonly kind: 'cancel'; readonly token: number }
  /** `message`: why, on standard error, once the terminal is as it was. */
  | { readonly kind: 'quit'; readonly status: number; readonly message?: string }
  | { readonly kind: 'suspend' }
  /** Into the clipboard of the person's terminal. */
  | { readonly kind: 'copyText'; readonly text: string };
