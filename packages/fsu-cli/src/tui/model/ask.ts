/**
 * Questions to the kernel's side. Every one has a name, what is asked, what comes in parts, and the answer; answers/ holds the
 * functions that answer them. An answer comes as an event with the question's token; one that nobody waits for is dropped.
 */
import type { Differing, Fact, UsageRow } from '../kernel/looks.ts';
import type { Nested } from '../kernel/desk.ts';
import type { Reviewed } from './editing-state.ts';
import type { SearchWay, Shown } from './looking-state.ts';
import type { Link } from './links.ts';
import type { ByName, Entries } from './order.ts';
import type { Bookmark, PlaceId, Place, Row, StackNode, Standing } from './state.ts';
import type { Named } from './words.ts';

interface Followed {
  readonly place: PlaceId;
  readonly path: string;
  readonly isLink: boolean;
}

/** To walk about. */
interface MovingAsks {
  /** What the image is made of. */
  readonly stack: {
    /** Of another image of the host; undefined: of the one that the browser was started with. */
    readonly ask: { readonly image?: string };
    readonly part: never;
    readonly answer: readonly StackNode[];
  };
  /** Open a file system to look at. */
  readonly enter: { readonly ask: { readonly place: PlaceId }; readonly part: never; readonly answer: Place };
  readonly standing: { readonly ask: { readonly place: PlaceId }; readonly part: never; readonly answer: Standing };
  /** What a link leads to, or what there is at a path that was typed. */
  readonly follow: {
    readonly ask: Followed;
    readonly part: never;
    readonly answer: Followed & { readonly isDir: boolean };
  };
  /** Where links of a directory lead. */
  readonly links: {
    readonly ask: { readonly place: PlaceId; readonly dir: string; readonly names: readonly string[] };
    readonly part: never;
    readonly answer: readonly Link[];
  };
  readonly list: {
    readonly ask: { readonly place: PlaceId; readonly dir: string };
    readonly part: Entries;
    readonly answer: ByName;
  };
}

/** To look into things. */
interface LookingAsks {
  /** What an entry is, in lines of `width` cells. */
  readonly preview: {
    readonly ask: { readonly place: PlaceId; readonly path: string; readonly row: Row; readonly width: number };
    readonly part: never;
    readonly answer: Shown;
  };
  /** What a file is as an image. */
  readonly nest: {
    readonly ask: { readonly place: PlaceId; readonly path: string };
    readonly part: never;
    readonly answer: Nested;
  };
  /** Bytes of a file; fewer at its end. */
  readonly window: {
    readonly ask: { readonly place: PlaceId; readonly path: string; readonly offset: number; readonly length: number };
    readonly part: never;
    readonly answer: Uint8Array;
  };
  /** Where in a file the bytes are, at `from` or later, or last before it; the answer: undefined, nowhere. */
  readonly seek: {
    readonly ask: {
      readonly place: PlaceId;
      readonly path: string;
      readonly wanted: Uint8Array;
      readonly from: number;
      readonly way: SearchWay;
    };
    readonly part: never;
    readonly answer: number | undefined;
  };
  readonly details: {
    readonly ask: { readonly place: PlaceId; readonly path: string };
    readonly part: never;
    readonly answer: readonly Fact[];
  };
  readonly inspect: {
    readonly ask: { readonly place: PlaceId };
    readonly part: never;
    readonly answer: readonly Fact[];
  };
  readonly usage: {
    readonly ask: { readonly place: PlaceId; readonly dir: string };
    readonly part: readonly UsageRow[];
    readonly answer: readonly UsageRow[];
  };
  /** Paths below a directory by name; the answer: how many. */
  readonly find: {
    readonly ask: { readonly place: PlaceId; readonly dir: string; readonly text: string };
    readonly part: readonly string[];
    readonly answer: number;
  };
  /** By what is in the files. */
  readonly grep: Asks['find'];
  /** Two places, or one as it was committed and as it is with what is staged. */
  readonly compare: {
    readonly ask: { readonly before: PlaceId; readonly after: PlaceId | undefined; readonly dir: string };
    readonly part: readonly Differing[];
    readonly answer: number;
  };
  /** How the contents of a file differ, in lines. */
  readonly contents: {
    readonly ask: { readonly before: PlaceId; readonly after: PlaceId | undefined; readonly path: string };
    readonly part: never;
    readonly answer: readonly string[];
  };
}

/** Files on their way somewhere. */
export interface Transfer {
  readonly place: PlaceId;
  readonly paths: readonly string[];
  readonly isCut: boolean;
  readonly to: PlaceId;
  readonly dir: string;
  /** Names that are directories in both places. */
  readonly directories?: readonly string[];
}

/** A name that exists where files are to go. */
export interface Conflict {
  readonly name: string;
  /** Two directories become one; a directory and anything else do neither take each other's place. */
  readonly kind: 'file' | 'directories' | 'unlike';
}

/** Entries below those that were chosen, and bytes of all. */
export interface Below {
  readonly entries: number;
  readonly bytes: number;
  /** There is more than that. */
  readonly isMore: boolean;
}

/** Names that two directories have which are to become one. */
export interface Clashes {
  readonly names: number;
  /** There are more than that. */
  readonly isMore: boolean;
}

/** How far a commit is: bytes that are ready in the log, and then those of them that are in the image. */
export interface CommitAdvance {
  readonly into: 'log' | 'image';
  readonly doneBytes: number;
  readonly totalBytes: number;
}

/** To edit. */
interface EditingAsks {
  /** Run lines of a script as one edit; parts tell how far it is. */
  readonly run: {
    readonly ask: { readonly lines: readonly string[]; readonly mayEdit: boolean };
    readonly part: { readonly files: number; readonly bytes: number };
    readonly answer: {
      readonly lines: readonly string[];
      /** They would edit, and may not: they were not run. */
      readonly needsWord: boolean;
      readonly isStaged: boolean;
      readonly held: readonly Named[];
      readonly status: number;
      readonly messages: readonly string[];
      readonly output: readonly string[];
    };
  };
  /** Give up the line or the commit that runs: its answer tells what came of it. */
  readonly stop: { readonly ask: object; readonly part: never; readonly answer: undefined };
  readonly undo: { readonly ask: object; readonly part: never; readonly answer: undefined };
  readonly discard: { readonly ask: object; readonly part: never; readonly answer: undefined };
  readonly review: { readonly ask: object; readonly part: never; readonly answer: readonly Reviewed[] };
  /** The answer: what else there is to tell. */
  readonly commit: { readonly ask: object; readonly part: CommitAdvance; readonly answer: readonly string[] };
  /** Which names exist where files are to go. */
  readonly conflicts: {
    readonly ask: Transfer;
    readonly part: never;
    readonly answer: { readonly wish: Transfer; readonly conflicts: readonly Conflict[] };
  };
  /** How much is below directories of a place. */
  readonly below: {
    readonly ask: { readonly place: PlaceId; readonly paths: readonly string[] };
    readonly part: never;
    readonly answer: Below;
  };
  /** How much of a directory is in the one that it is to become one with. */
  readonly clashes: {
    readonly ask: {
      readonly place: PlaceId;
      readonly path: string;
      readonly to: PlaceId;
      readonly target: string;
    };
    readonly part: never;
    readonly answer: Clashes;
  };
  /** What the word at the end of a command may become. */
  readonly complete: {
    readonly ask: { readonly place: PlaceId; readonly dir: string; readonly line: string };
    readonly part: never;
    readonly answer: { readonly line: string; readonly words: readonly string[]; readonly instead: string };
  };
  /** Of the screen's side: it is there when the kernel's is gone. `isSaved` false: the file exists, and may not be replaced. */
  readonly saveScript: {
    readonly ask: {
      readonly file: string;
      readonly image: string;
      readonly lines: readonly string[];
      readonly mayReplace: boolean;
    };
    readonly part: never;
    readonly answer: { readonly file: string; readonly isSaved: boolean };
  };
  /** Of the screen's side: for sessions to come. */
  readonly keepBookmarks: {
    readonly ask: { readonly bookmarks: readonly Bookmark[] };
    readonly part: never;
    readonly answer: undefined;
  };
  /** Have a person edit a file; the answer is the line that puts the new contents into it, undefined: they are as they were. */
  readonly editor: {
    /** `options` of the line: which image it is about. */
    readonly ask: { readonly place: PlaceId; readonly path: string; readonly options: readonly string[] };
    readonly part: never;
    readonly answer: string | undefined;
  };
}

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
  /** What a tool that failed with it would exit with (errors.ts). */
  readonly status: number;
}
export type AnswerEvent = { [K in AskName]: PartOf<K> | AnswerOf<K> | FailureOf<K> }[AskName];
