/** What the browser knows of edits. */

/** An edit that is staged: a line of a script, which is what commits, undo and the saved session are made of. */
interface StagedEdit {
  /** As a script has it (docs/script.md). */
  readonly line: string;
}

export interface Editing {
  readonly staged: readonly StagedEdit[];
  /** Taken back, the last one last; gone with the next edit. */
  readonly undone: readonly StagedEdit[];
  /** Nothing is changed before a person has said so once. */
  readonly isAllowed: boolean;
}

export const noEdits: Editing = { staged: [], undone: [], isAllowed: false };
