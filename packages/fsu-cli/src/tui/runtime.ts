/** Carries out what the model wants: asks questions, and makes events of what comes back. */
import { describeError, exitStatusOf } from '../errors.ts';
import { answerers } from './answers/index.ts';
import type { Answerers, Asking } from './answers/index.ts';
import type { AnswerEvent, AskName, AskOf } from './model/ask.ts';
import type { Effect, Event } from './model/event.ts';
import type { State } from './model/state.ts';
import type { Step } from './model/step.ts';
import { update } from './model/update.ts';

interface World extends Pick<Asking<AskName>, 'desk' | 'editor' | 'writeScript' | 'keepBookmarks'> {
  /** `message`: why, for standard error. */
  quit(status: number, message: string | undefined): void;
  suspend(): void;
  copyText(text: string): void;
}

export class Runtime {
  readonly #world: World;
  readonly #waiting = new Map<number, AbortController>();
  readonly #watchers = new Set<() => void>();
  #state: State;

  constructor(state: State, world: World) {
    this.#state = state;
    this.#world = world;
  }

  get state(): State {
    return this.#state;
  }

  /** Told of every change, for React's useSyncExternalStore. */
  readonly watch = (watcher: () => void): (() => void) => {
    this.#watchers.add(watcher);
    return () => this.#watchers.delete(watcher);
  };

  readonly dispatch = (event: Event): void => this.take(update(this.#state, event));

  take([state, effects]: Step): void {
    const isChanged = state !== this.#state;
    this.#state = state;
    for (const effect of effects) this.#carryOut(effect);
    if (isChanged) for (const watcher of this.#watchers) watcher();
  }

  #carryOut(effect: Effect): void {
    switch (effect.kind) {
      case 'ask':
        void this.#ask(effect.ask.what, effect.ask, effect.token);
        return;
      case 'cancel':
        this.#waiting.get(effect.token)?.abort();
        return;
      case 'quit':
        this.#world.quit(effect.status, effect.message);
        return;
      case 'suspend':
        this.#world.suspend();
        return;
      case 'copyText':
        this.#world.copyText(effect.text);
        return;
    }
  }

  async #ask<K extends AskName>(what: K, ask: AskOf<K>, token: number): Promise<void> {
    const waiting = new AbortController();
    this.#waiting.set(token, waiting);
    const tell = (event: object): void => {
      // What is not wanted any more is not told.
      if (!waiting.signal.aborted) this.dispatch({ ...event, what, token } as AnswerEvent);
    };
    const answerer: Answerers[K] = answerers[what];
    const asking: Asking<K> = {
      desk: this.#world.desk,
      editor: this.#world.editor,
      writeScript: this.#world.writeScript,
      keepBookmarks: this.#world.keepBookmarks,
      signal: waiting.signal,
      part: (value) => tell({ kind: 'part', value }),
    };
    try {
      tell({ kind: 'answer', value: await answerer(ask, asking) });
    } catch (thrown) {
      tell({ kind: 'failed', message: describeError(thrown), status: exitStatusOf(thrown, true) });
    } finally {
      this.#waiting.delete(token);
    }
  }
}
