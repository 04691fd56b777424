/** Work in slices: generators take turns, each a slice at a time, and whoever has the stack decides when. */
import { FsError } from '@ukfs/kernel';
import type { Host } from '@ukfs/kernel';

/** Nanoseconds that one piece of work may have before others get a turn. */
export const SLICE = 8_000_000;

interface Slicing {
  /** It changes nothing. */
  readonly reads: boolean;
  isCancelled(): boolean;
  /** What the work yields, but for undefined, which only offers a turn. Errors: what it throws ends the work. */
  tell(value: unknown): void;
  done(value: unknown): void;
  failed(thrown: unknown): void;
}

interface Task {
  readonly work: Generator<unknown, unknown>;
  readonly to: Slicing;
}

export class Slices {
  readonly #host: Pick<Host, 'monotonic'>;
  /** In the order of their turns; the one that is running is not among them. */
  readonly #tasks: Task[] = [];

  constructor(host: Pick<Host, 'monotonic'>) {
    this.#host = host;
  }

  get isIdle(): boolean {
    return this.#tasks.length === 0;
  }

  add(work: Generator<unknown, unknown>, to: Slicing): void {
    this.#tasks.push({ work, to });
  }

  /** A slice for the one that waits longest. */
  runOne(): void {
    this.#runAt(0);
  }

  /** For the one that waits longest of those that change nothing. */
  runReading(): void {
    this.#runAt(this.#tasks.findIndex(({ to }) => to.reads));
  }

  #runAt(at: number): void {
    const [task] = at < 0 ? [] : this.#tasks.splice(at, 1);
    if (task !== undefined) this.#run(task);
  }

  #run(task: Task): void {
    const { work, to } = task;
    const start = this.#host.monotonic();
    try {
      do {
        if (to.isCancelled()) throw new FsError('ECANCELED', { what: 'cancelled' });
        const step = work.next();
        if (step.done === true) return to.done(step.value);
        if (step.value !== undefined) to.tell(step.value);
      } while (this.#host.monotonic() - start < SLICE);
      this.#tasks.push(task);
    } catch (thrown) {
      leave(work);
      to.failed(thrown);
    }
  }

  /** All that waits is left, its `finally` run. */
  end(): void {
    for (const { work } of this.#tasks.splice(0)) leave(work);
  }
}

function leave(work: Generator<unknown, unknown>): void {
  try {
    work.return(undefined);
  } catch (thrown) {
    // It ends for another reason already, which is told.
    if (!(thrown instanceof FsError)) throw thrown;
  }
}

export const isGenerator = (value: unknown): value is Generator<unknown, unknown> =>
  typeof value === 'object' && value !== null && 'next' in value && 'return' in value && Symbol.iterator in value;
