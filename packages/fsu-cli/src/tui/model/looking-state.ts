/** What the browser knows of the entry under the cursor. */
import type { Style } from '../render/line.ts';
import type { Encoding } from '../look/text.ts';
import type { UsageRow } from '../kernel/looks.ts';
import type { PlaceId } from './state.ts';

/** Something to see: a title and lines, not yet fit for a terminal. */
export interface Shown {
  readonly title: string;
  readonly lines: readonly string[];
}

export interface Looking {
  /** Of the question for the preview that is shown; 0: none. */
  readonly token: number;
  /** Which entry the preview is of: place, path, and all that would make another of it. */
  readonly key: string;
  /** undefined: not known yet. */
  readonly preview: Shown | undefined;
}

export const nothingSeen: Looking = { token: 0, key: '', preview: undefined };

/** One of many things that were found: Enter goes to it. */
export interface PickRow {
  readonly path: string;
  /** Before the path: a size with its bar, a kind of difference. */
  readonly text: string;
  readonly style: Style;
  readonly isDir?: boolean;
  /** Of a difference: what it is, and whether both sides have a regular file there. */
  readonly change?: Change;
  readonly isFile?: boolean;
}

type Change = 'added' | 'removed' | 'changed';

/** A list of findings: what was searched for, what takes the space, what differs. */
export interface Pick {
  readonly kind: 'found' | 'usage' | 'compare' | 'bookmarks';
  readonly title: string;
  readonly place: PlaceId;
  /** What it is compared with; undefined: with itself, as it was committed. */
  readonly after?: PlaceId | undefined;
  readonly dir: string;
  readonly rows: readonly PickRow[];
  /** Of differences only these are shown. */
  readonly only: Change | undefined;
  /** What rows about space are made of: by the bytes that files have, not by those that they take. */
  readonly usage: readonly UsageRow[];
  readonly isApparent: boolean;
  /** The path that the cursor is to be on once it is there; a key that moves it takes that back. */
  readonly goal: string | undefined;
  readonly isComplete: boolean;
  readonly cursor: number;
  readonly top: number;
  readonly token: number;
}

/** Towards the end of a file, or its beginning. */
export type SearchWay = 'ahead' | 'back';

/** A file that is looked into, a window at a time. */
export interface View {
  readonly place: PlaceId;
  readonly path: string;
  readonly size: number;
  readonly isHex: boolean;
  /** By the beginning of the file; undefined: it is no text, or not known yet. */
  readonly encoding: Encoding | undefined;
  /** The byte with which the screen begins. */
  readonly offset: number;
  /** Where the window begins, and what is in it: more than a screen, before `offset` and after it. */
  readonly start: number;
  readonly bytes: Uint8Array;
  /** Where `offset` is to go when the window is there: to the beginning of its line, or so that the end of the file is seen. */
  readonly settles: 'nowhere' | 'line' | 'end';
  /** What was looked for last, which way, and how the search stands. */
  readonly sought: string;
  readonly way: SearchWay;
  readonly search: 'none' | 'runs' | 'failed';
  readonly token: number;
}
