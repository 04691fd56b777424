/** What the browser knows of edits. */
import type { PlaceId } from './state.ts';
import type { Named } from './words.ts';

/** An edit that is staged: lines of a script, mostly one, which is what undo, review and the saved session are made of. */
interface StagedEdit {
  /** As a script has them (docs/script.md); they were run, and are taken back, together. */
  readonly lines: readonly string[];
}

/** Files that were copied or cut, until they are pasted. */
interface Clipboard {
  readonly place: PlaceId;
  readonly paths: readonly string[];
  readonly isCut: boolean;
}

/** What a commit would do to one image, as the review shows it. */
export interface Reviewed {
  readonly image: string;
  readonly files: readonly { readonly path: string; readonly change: string }[];
  readonly filesOmitted: number;
  readonly extents: readonly { readonly offset: number; readonly length: number }[];
  readonly extentsOmitted: number;
  readonly bytes: number;
  /** What the checker says. */
  readonly verdict: string;
  readonly isSound: boolean;
}

export interface Editing {
  readonly staged: readonly StagedEdit[];
  /** Taken back, the last one last; gone with the next edit. */
  readonly undone: readonly StagedEdit[];
  /** Nothing is changed before a person has said so once. */
  readonly isAllowed: boolean;
  /** File systems that are open to be changed. */
  readonly held: readonly Named[];
  readonly clipboard: Clipboard | undefined;
  /** The question of the edit that runs; 0: none does. */
  readonly token: number;
  /** What runs is an edit taken back that is done again. */
  readonly isRedo: boolean;
  /** The last command that could be typed at a shell in the place of what was done here. */
  readonly command: string | undefined;
}

export const noEdits: Editing = {
  staged: [],
  undone: [],
  isAllowed: false,
  held: [],
  clipboard: undefined,
  token: 0,
  isRedo: false,
  command: undefined,
};
