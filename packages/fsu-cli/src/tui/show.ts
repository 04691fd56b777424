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

/**
 * Draw at once, and let ink draw from the first list on. Loading ink takes as long as all else until then, and stops whatever
 * else this thread has to do.
 */
export const showSoon =
  (load: () => Promise<Show>): Show =>
  (store, stdout) => {
    let isOver = false;
    let hide = showFrames(store, stdout);
    const handOver = async (): Promise<void> => {
      const show = await load();
      if (isOver) return;
      hide();
      hide = show(store, stdout);
    };
    const unwatch = store.watch(() => {
      if (!activeTab(store.state).isComplete) return;
      unwatch();
      // The list is to be seen first.
      setImmediate(() => void handOver());
    });
    return () => {
      isOver = true;
      unwatch();
      hide();
    };
  };
