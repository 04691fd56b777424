/**
 * All that the browser knows, as one value that never changes in place: (state, event) → (state, effects). Nothing here knows a
 * terminal, a kernel or the clock; update.ts says what events do, render/ what is seen, runtime.ts carries out effects.
 */
import type { Editing, Reviewed } from './editing-state.ts';
import type { Links } from './links.ts';
import type { Looking, Pick, View } from './looking-state.ts';
import type { Fact } from '../kernel/looks.ts';
import type { Prompt } from './prompt.ts';
import type { ByName } from './order.ts';
import type { Named } from './words.ts';
import type { Rdev, Timespec, VType } from '@ukfs/kernel';

/** What the terminal can show. */
export interface Look {
  readonly colors: 0 | 16 | 256;
  readonly unicode: boolean;
  /** Lines that tell what changes instead of a screen. */
  readonly isPlain?: boolean;
}

/** Names a file system that is shown: 'host', or the address of one in an image (`disk.img:2`). */
export type PlaceId = string;
export const HOST: PlaceId = 'host';

export interface Place {
  readonly id: PlaceId;
  /** As the title shows it. */
  readonly label: string;
  /** "ext4"; '' for the host. */
  readonly type: string;
  /** Why it can only be read, when it can be read alone. */
  readonly readOnly: string | undefined;
  /** Where the image lies that it is in, when that is a file of another place. */
  readonly within?: { readonly place: PlaceId; readonly path: string };
  /** As commands name it; without it by its id. */
  readonly named?: Named;
  /** Of an image's, once it has been asked. */
  readonly standing?: Standing;
  /** Of the question for it. */
  readonly standingToken?: number | undefined;
  /** The directory that one enters; '/' where it is not told. */
  readonly home?: string;
}

/** In what state a file system was found. */
export interface Standing {
  /** "ext4", where the type alone says less. */
  readonly variant: string;
  /** "clean", "needs recovery; replayed in memory"; undefined: it keeps none. */
  readonly journal: string | undefined;
  /** Why it can only be read. */
  readonly readOnly: readonly string[];
}

/** An entry of a directory, as lists show it. */
export interface Row {
  /** A name string (kernel name.ts). */
  readonly name: string;
  /** undefined: the entry names a damaged inode, `damage` says how. */
  readonly type: VType | undefined;
  readonly size: number;
  /** Bytes of disk that it takes. */
  readonly bytes: number;
  readonly mtime: Timespec;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly nlink: number;
  readonly ino: number;
  readonly rdev?: Rdev | undefined;
  readonly damage?: string;
}

type SortKey = 'name' | 'size' | 'mtime' | 'ext' | 'none';

/** Where a tab was, or will be again. */
export interface Spot {
  readonly place: PlaceId;
  readonly dir: string;
}

/** A spot that one wants to come back to. */
export interface Bookmark extends Spot {
  readonly name: string;
}

/** A directory that is open. */
export interface Tab {
  readonly place: PlaceId;
  readonly dir: string;
  /** As the directory has them; grows while it is read. */
  readonly rows: readonly Row[];
  /** Of the first of them: half or more, and all when it is complete. */
  readonly byName: ByName;
  /** Indexes into `rows` in the order that is wished for: of those that `byName` has. */
  readonly ordered: Uint32Array;
  readonly isComplete: boolean;
  /** `rows` are those of before: the next that come replace them. */
  readonly isStale: boolean;
  readonly failure: string | undefined;
  /** Of the question whose answer this is. */
  readonly token: number;
  /** Of these, what is shown. */
  readonly shown: Uint32Array;
  /** Index into `shown`. */
  readonly cursor: number;
  /** First line that is on the screen. */
  readonly top: number;
  readonly selected: ReadonlySet<string>;
  /** Where a range begins that is being selected. */
  readonly anchor: string | undefined;
  readonly filter: string;
  readonly sort: { readonly by: SortKey; readonly isReversed: boolean };
  readonly showsHidden: boolean;
  /** Where the cursor was in directories that were left: path → name. */
  readonly memory: ReadonlyMap<string, string>;
  /** Where the cursor is to be once the list is there; a key that moves it takes that back. */
  readonly goal: string | undefined;
  readonly links: Links;
  /** Where it was before, the last one last; and, after going back, after that. */
  readonly back: readonly Spot[];
  readonly ahead: readonly Spot[];
}

export interface Pane {
  readonly tabs: readonly Tab[];
  readonly tab: number;
}

/** A line of the tree of what an image is made of. */
export interface StackNode {
  readonly id: PlaceId;
  readonly depth: number;
  /** Of it only 'fs' can be entered. */
  readonly kind: 'image' | 'fs' | 'other';
  readonly label: string;
  /** "ext4 1.0G", "GPT 32M". */
  readonly detail: string;
  /** Why it cannot be entered; empty when it can. */
  readonly advice: string;
}

export interface Note {
  readonly text: string;
  readonly kind: 'info' | 'error';
}

/** Work in the background that takes a while. */
interface Task {
  /** Of the question that it answers. */
  readonly token: number;
  readonly title: string;
  /** How far it is: "1,204 files, 3.1 GiB". */
  readonly progress: string;
}

/** What fills the middle of the screen in the place of the lists. Each has a module in ../screens/. */
interface Screens {
  readonly files: object;
  /** `filter`: of the keys, those with this in them; `over`: what is seen again afterwards, and goes on below. */
  readonly help: { readonly top: number; readonly filter: string; readonly over: Exclude<Screen, { name: 'help' }> };
  /** `images` undefined: not known yet. */
  readonly review: { readonly top: number; readonly images: readonly Reviewed[] | undefined; readonly token: number };
  readonly facts: { readonly facts: readonly Fact[]; readonly top: number };
  readonly pick: Pick;
  readonly view: View;
  /** How a file differs; the list of differences comes back after it. */
  readonly contents: { readonly top: number; readonly lines: readonly string[]; readonly pick: Pick };
  readonly output: { readonly top: number; readonly lines: readonly string[] };
}
export type ScreenName = keyof Screens;
export type Screen = { [K in ScreenName]: { readonly name: K } & Screens[K] }[ScreenName];

export interface State {
  readonly look: Look;
  readonly columns: number;
  readonly lines: number;
  /** As named on the command line. */
  readonly image: string;
  readonly places: ReadonlyMap<PlaceId, Place>;
  readonly stack: readonly StackNode[];
  readonly stackCursor: number;
  readonly panes: readonly [Pane] | readonly [Pane, Pane];
  readonly active: 0 | 1;
  readonly focus: 'list' | 'stack';
  readonly screen: Screen;
  readonly note: Note | undefined;
  readonly prompt: Prompt | undefined;
  /** Why the kernel's thread has ended; undefined: it lives. */
  readonly over: string | undefined;
  readonly tasks: readonly Task[];
  readonly looking: Looking;
  readonly editing: Editing;
  readonly bookmarks: readonly Bookmark[];
  /** What `/` has looked for last. */
  readonly sought: string;
  /** Keys pressed of a combination of several (`g g`); '' when none are. */
  readonly prefix: string;
  /** The last number given to a question. */
  readonly token: number;
}

export const activePane = (state: State): Pane => state.panes[state.active] ?? state.panes[0];

export function activeTab(state: State): Tab {
  const pane = activePane(state);
  const tab = pane.tabs[pane.tab];
  if (tab === undefined) throw new Error('a pane without tabs');
  return tab;
}

/** The entry under the cursor; undefined in an empty list. */
export function currentRow(tab: Tab): Row | undefined {
  const at = tab.shown[tab.cursor];
  return at === undefined ? undefined : tab.rows[at];
}

/** The names that an action is about: the selected ones, or the one under the cursor. */
export function chosenNames(tab: Tab): readonly string[] {
  if (tab.selected.size > 0) return [...tab.selected];
  const row = currentRow(tab);
  return row === undefined ? [] : [row.name];
}

export const pathIn = (dir: string, name: string): string => (dir === '/' ? `/${name}` : `${dir}/${name}`);
