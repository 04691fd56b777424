/**
 * Questions to the kernel's side. Every one has a name, what is asked, what comes in parts, and the answer; answers/ holds the
 * functions that answer them. An answer comes as an event with the question's token; one that nobody waits for is dropped.
 */
import type { PlaceId, Place, Row, StackNode } from './state.ts';

/** To walk about. */
interface MovingAsks {
  /** What the image is made of. */
  readonly stack: { readonly ask: object; readonly part: never; readonly answer: readonly StackNode[] };
  /** Open a file system to look at. */
  readonly enter: { readonly ask: { readonly place: PlaceId }; readonly part: never; readonly answer: Place };
  readonly list: {
    readonly ask: { readonly place: PlaceId; readonly dir: string };
    readonly part: readonly Row[];
    readonly answer: undefined;
  };
}

/** To look into things. */
interface LookingAsks {}

/** To edit. */
interface EditingAsks {}

export interface Asks extends MovingAsks, LookingAsks, EditingAsks {}

export type AskName = keyof Asks;
export type AskOf<K extends AskName> = { readonly what: K } & Asks[K]['ask'];
export type Ask = { [K in AskName]: AskOf<K> }[AskName];

export interface PartOf<K extends AskName> {
  readonly kind: 'part';
  readonly what: K;
  readonly token: number;
  readonly value: Asks[K]['part'];
}
export interface AnswerOf<K extends AskName> {
  readonly kind: 'answer';
  readonly what: K;
  readonly token: number;
  readonly value: Asks[K]['answer'];
}
export interface FailureOf<K extends AskName> {
  readonly kind: 'failed';
  readonly what: K;
  readonly token: number;
  /** One line, fit for a terminal. */
  readonly message: string;
}
export type AnswerEvent = { [K in AskName]: PartOf<K> | AnswerOf<K> | FailureOf<K> }[AskName];
