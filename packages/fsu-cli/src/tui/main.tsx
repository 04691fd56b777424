/** The browser, from a command line that makes sense to an exit status. Bundled by itself: it alone needs ink. */
import { render } from 'ink';
import { RemoteKernel } from 'ukfs/remote';
import type { Channel } from 'ukfs/remote';
import { describeError } from '../errors.ts';
import { editCopy } from '../host-editor.ts';
import type { EditorDoor } from './answers/editor.ts';
import { App } from './components/app.tsx';
import { DeskClient } from './desk.ts';
import { beginning } from './model/moving.ts';
import type { Look, State } from './model/state.ts';
import { newState } from './model/newstate.ts';
import { Runtime } from './runtime.ts';
import type { ScreenDoor } from '../host-screen.ts';

interface BrowserOptions {
  /** The command line, for the other thread. */
  readonly words: readonly string[];
  readonly image: string;
  /** To the other thread, which is starting. */
  readonly kernel: Channel;
  readonly screen: ScreenDoor;
  readonly look: Look;
}

export async function browseImage({ words, image, kernel, screen, look }: BrowserOptions): Promise<number> {
  const remote = new RemoteKernel(kernel);
  const desk = new DeskClient(remote);
  try {
    await desk.call('start', [words]);
    return await runOn(screen, { desk, state: newState({ image, look, ...screen.size() }) });
  } finally {
    remote.close();
  }
}

async function runOn(
  screen: ScreenDoor,
  { desk, state }: { readonly desk: DeskClient; readonly state: State },
): Promise<number> {
  let quit: (status: number) => void = () => undefined;
  const done = new Promise<number>((resolve) => (quit = resolve));
  const runtime = new Runtime(state, {
    desk,
    quit,
    suspend: () => screen.suspend(),
    copyText: (text) => screen.copyText(text),
    editor: screenEditor(screen),
  });
  void tellEnd(desk, runtime);
  screen.open(runtime.dispatch);
  const app = render(<App store={runtime} />, {
    stdout: screen.frames,
    exitOnCtrlC: false,
    patchConsole: false,
    // Each frame whole and at once: what of it goes to the terminal, and how, the screen decides.
    debug: true,
  });
  try {
    runtime.take(beginning(runtime.state));
    return await done;
  } finally {
    app.unmount();
    screen.close();
  }
}

async function tellEnd(desk: DeskClient, runtime: Runtime): Promise<void> {
  const why = await desk.kernel.ended;
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
