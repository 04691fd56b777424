/** The browser, from a command line that makes sense to an exit status. */
import { RemoteKernel } from 'ukfs/remote';
import type { Channel } from 'ukfs/remote';
import { FsError } from 'ukfs';
import { describeError } from '../errors.ts';
import { readBookmarks, writeBookmarks } from '../host-bookmarks.ts';
import { editCopy } from '../host-editor.ts';
import { writeScript } from '../host-script.ts';
import type { EditorDoor } from './answers/editor.ts';
import { DeskClient } from './desk.ts';
import { kept, restored } from './keptplaces.ts';
import type { ImageNames } from './keptplaces.ts';
import { beginning } from './model/moving.ts';
import { activeTab } from './model/state.ts';
import type { Bookmark, Look } from './model/state.ts';
import { noted, still } from './model/step.ts';
import { newState } from './model/newstate.ts';
import { rescued } from './rescue.ts';
import { Runtime } from './runtime.ts';
import type { Show } from './show.ts';
import type { ScreenDoor } from '../host-screen.ts';

interface BrowserOptions {
  /** The command line, for the other thread. */
  readonly words: readonly string[];
  readonly image: string;
  /** To the other thread, which is starting. */
  readonly kernel: Channel;
  readonly screen: ScreenDoor;
  readonly look: Look;
  /** What draws. */
  readonly show: Show;
}

export async function browseImage({ words, image, kernel, screen, look, show }: BrowserOptions): Promise<number> {
  const remote = new RemoteKernel(kernel);
  const desk = new DeskClient(remote);
  let end: Ending | undefined;
  let wake: () => void = () => undefined;
  const done = new Promise<void>((resolve) => (wake = resolve));
  try {
    const start = await desk.call('start', [words]);
    const names = { text: image, file: start.file };
    const found = bookmarksOf(names);
    const state = newState({ image, look, start, bookmarks: found.bookmarks, ...screen.size() });
    const runtime = new Runtime(state, {
      desk,
      quit(status, message) {
        end ??= { status, message };
        wake();
      },
      suspend: () => screen.suspend(),
      copyText: (text) => screen.copyText(text),
      editor: screenEditor(screen),
      writeScript,
      keepBookmarks: (bookmarks) => writeBookmarks(names.file, kept(bookmarks, names)),
    });
    void tellEnd(desk, runtime);
    runtime.take(beginning(runtime.state));
    // What is no image is told on the terminal as it is.
    await Promise.race([done, recognised(runtime)]);
    if (end !== undefined) return toldEnd(end, screen);
    screen.open(runtime.dispatch, () => rescued(runtime.state, writeScript));
    const hide = show(runtime, screen.frames);
    if (found.trouble !== undefined) tellOnce(runtime, found.trouble);
    try {
      await done;
    } finally {
      hide();
      screen.close();
    }
    return toldEnd(end, screen);
  } finally {
    await remote.close();
  }
}

/** Once it is known what the image is made of. */
const recognised = (runtime: Runtime): Promise<void> =>
  new Promise((resolve) => {
    const unwatch = runtime.watch(() => {
      if (runtime.state.stack.length === 0) return;
      unwatch();
      resolve();
    });
  });

/** What cannot be read is told, and does without. */
function bookmarksOf(names: ImageNames): { readonly bookmarks: readonly Bookmark[]; readonly trouble?: string } {
  try {
    return { bookmarks: restored(readBookmarks(names.file), names) };
  } catch (thrown) {
    if (!(thrown instanceof FsError)) throw thrown;
    return { bookmarks: [], trouble: `no bookmarks: ${describeError(thrown)}` };
  }
}

/** Once the first list is there, which takes the place of what was told before. */
function tellOnce(runtime: Runtime, text: string): void {
  const unwatch = runtime.watch(() => {
    if (!activeTab(runtime.state).isComplete) return;
    unwatch();
    runtime.take(still(noted(runtime.state, text, 'error')));
  });
}

interface Ending {
  readonly status: number;
  readonly message: string | undefined;
}

/** Why it ended is told on the terminal as it was before. */
function toldEnd(end: Ending | undefined, screen: ScreenDoor): number {
  if (end?.message !== undefined) screen.say(`fsu browse: ${end.message}\n`);
  return end?.status ?? 0;
}

async function tellEnd(desk: DeskClient, runtime: Runtime): Promise<void> {
  const why = await desk.kernel.ended;
  // undefined: it was closed by us.
  if (why !== undefined) runtime.dispatch({ kind: 'ended', why: describeError(why) });
}

/** The terminal is the editor's while it runs. */
const screenEditor = (screen: ScreenDoor): EditorDoor => ({
  async edit(name, pieces) {
    screen.release();
    try {
      return await editCopy(name, pieces);
    } finally {
      screen.resume();
    }
  },
});
