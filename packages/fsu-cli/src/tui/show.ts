/** Drawing: from a store's states to frames for the terminal. */
import { activeTab } from './model/state.ts';
import type { State } from './model/state.ts';
import { paintFrame } from './paint.ts';
import { frameOf } from './render/frame.ts';

export interface Store {
  readonly state: State;
  readonly watch: (watcher: () => void) => () => void;
}

/** Draw the store's state, now and whenever it changes, until the function that is returned is called. */
export type Show = (store: Store, stdout: NodeJS.WriteStream) => () => void;

/** Frames as they are: what is drawn until ink can. */
const showFrames: Show = (store, stdout) => {
  const draw = (): void => void stdout.write(paintFrame(frameOf(store.state), store.state.look));
  draw();
  return store.watch(draw);
};

/** Milliseconds in which nothing changes: whoever types pauses. */
export const PAUSE = 100;

const paused = (store: Store): Promise<void> =>
  new Promise((resolve) => {
    const timer = setTimeout(() => {
      unwatch();
      resolve();
    }, PAUSE).unref();
    const unwatch = store.watch(() => void timer.refresh());
  });

/**
 * Draw at once, and let ink draw from the first list on. Loading ink takes as long as all else until then, its first frame half as
 * long, and they stop whatever else this thread has to do: each waits for a pause of its own.
 */
export const showSoon =
  (load: () => Promise<Show>): Show =>
  (store, stdout) => {
    let isOver = false;
    let hide = showFrames(store, stdout);
    const handOver = async (): Promise<void> => {
      await paused(store);
      if (isOver) return;
      const show = await load();
      await paused(store);
      if (isOver) return;
      hide();
      hide = show(store, stdout);
    };
    const unwatch = store.watch(() => {
      if (!activeTab(store.state).isComplete) return;
      unwatch();
      void handOver();
    });
    return () => {
      isOver = true;
      unwatch();
      hide();
    };
  };
