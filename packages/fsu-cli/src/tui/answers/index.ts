/** Who answers which question: functions of the client's thread that wait for the kernel's. */
import type { DeskClient } from '../desk.ts';
import type { AskName, AskOf, Asks } from '../model/ask.ts';
import type { writeScript } from '../../host-script.ts';
import type { Bookmark } from '../model/state.ts';
import { editingAnswerers } from './editing.ts';
import type { EditorDoor } from './editor.ts';
import { lookingAnswerers } from './looking.ts';
import { movingAnswerers } from './moving.ts';

export interface Asking<K extends AskName> {
  readonly desk: DeskClient;
  /** A part of the answer. */
  readonly part: (value: Asks[K]['part']) => void;
  readonly signal: AbortSignal;
  readonly editor: EditorDoor;
  readonly writeScript: typeof writeScript;
  /** Errors: those of writing a file. */
  readonly keepBookmarks: (bookmarks: readonly Bookmark[]) => void;
}

export type Answerers = {
  readonly [K in AskName]: (ask: AskOf<K>, asking: Asking<K>) => Promise<Asks[K]['answer']>;
};

export const answerers: Answerers = { ...movingAnswerers, ...lookingAnswerers, ...editingAnswerers };
