/**
 * The end where the kernel is. What a client can call is the library's own table of calls, and services that whoever starts the
 * server adds: work that is long, made of many calls, or in need of what only this side has. Nothing is implemented twice.
 *
 * The kernel is synchronous, so one call runs at a time, in the order in which they came. Long ones give others a turn in three
 * ways: a service that is a generator runs in slices, slices.ts; one that cannot stop in the middle has points of preemption
 * between system calls (preempt(9) of NetBSD does as much for a thread in the kernel); and an operation that must see nothing
 * change, a check, pauses for what changes nothing. At each such point calls go first, and then one piece of work in slices.
 */
import { FsError } from '@ukfs/kernel';
import type { Host } from '@ukfs/kernel';
import type { Ukfs } from '../handle.ts';
import { failureOf } from './failure.ts';
import { handleCalls, kernelCalls } from './calls.ts';
import { BANNER, isMessage } from './message.ts';
import type { Call, Channel, Message } from './message.ts';
import { isGenerator, SLICE, Slices } from './slices.ts';

/** One call that is being answered. */
export interface Job {
  /** The client does not want it any more. */
  isCancelled(): boolean;
  /** A part of the answer, ahead of the rest. */
  tell(item: unknown): void;
  /**
   * Between two system calls of long synchronous work: answers what has come meanwhile, if it is time to. What was true before
   * need not be true after. Errors: ECANCELED the client does not want it any more.
   */
  preempt(): void;
  /**
   * In the midst of an operation that must see nothing change: as preempt(), but only what changes nothing has a turn, and the rest
   * waits. Errors: ECANCELED.
   */
  pause(): void;
  /** As pause(), for what must not end where it is. */
  share(): void;
}

/** What a client may call besides: the answer, a promise of it, or a generator, which runs in slices and tells what it yields. */
export type Service = (job: Job, ...args: readonly unknown[]) => unknown;
export type Services = Readonly<Record<string, Service>>;

export interface ServeOptions {
  readonly host: Host;
  readonly services?: Services;
  /** Names of services that change nothing: pauses answer them. */
  readonly reading?: readonly string[];
  /** Runs `act` when what has come meanwhile was received. */
  readonly turn: (act: () => void) => void;
}

interface Running {
  readonly id: number;
  readonly name: string;
  readonly reads: boolean;
  isCancelled: boolean;
}

/** Who has a turn now, in the midst of another call: each may give one to those that come after it, which ends the nesting. */
const Turn = { none: 0, all: 1, reading: 2 } as const;
type Turn = (typeof Turn)[keyof typeof Turn];

/** Names of calls in messages: they are the client's. */
const NAME_SHOWN = 40;

export class Server {
  readonly host: Host;
  readonly #channel: Channel;
  readonly #services: Services;
  readonly #reading: ReadonlySet<string>;
  readonly #turn: ServeOptions['turn'];
  /** Or why there is none any more. */
  readonly #handles = new Map<number, Ukfs | FsError>();
  /** Calls that came and have not begun, in order. */
  #queue: Call[] = [];
  readonly #running = new Map<number, Running>();
  readonly #slices: Slices;
  #lastHandle = 0;
  #isGreeted = false;
  #isOver = false;
  #lastTurn: number;
  /** Calls on the stack. */
  #depth = 0;
  #given: Turn = Turn.none;
  #isTurnAsked = false;

  constructor(channel: Channel, { host, services = {}, reading = [], turn }: ServeOptions) {
    this.host = host;
    this.#channel = channel;
    this.#services = services;
    this.#reading = new Set(reading);
    this.#turn = turn;
    this.#slices = new Slices(host);
    this.#lastTurn = host.monotonic();
    channel.start(
      (message) => {
        this.#take(message);
        this.#work();
      },
      () => this.close(),
    );
    this.#send({ kind: 'banner', banner: BANNER });
  }

  /** A number for an open file system, by which clients call it. The client gone: it is closed. Errors: ECANCELED. */
  adopt(fs: Ukfs): number {
    if (this.#isOver) {
      fs.close();
      throw cancelled();
    }
    this.#lastHandle++;
    this.#handles.set(this.#lastHandle, fs);
    return this.#lastHandle;
  }

  /** The number means nothing any more. */
  forget(handle: number): void {
    this.#handles.delete(handle);
  }

  /** The same number from now on means another handle (one that may write), or none: calls fail with what is given instead. */
  replace(handle: number, fs: Ukfs | FsError): void {
    this.#handles.set(handle, fs);
  }

  /** Errors: EBADF; what stands in its place. */
  handle(number: number): Ukfs {
    const fs = this.#handles.get(number);
    if (fs === undefined) throw new FsError('EBADF', { what: 'no file system is open under this number' });
    if (fs instanceof FsError) throw fs;
    return fs;
  }

  /** The client's process ends: what it has open is closed, and what it did not commit is gone. */
  close(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#queue = [];
    for (const job of this.#running.values()) job.isCancelled = true;
    this.#channel.close();
    if (this.#depth === 0) this.#release();
  }

  /** Not below the feet of a call that is running: once that is done. */
  #release(): void {
    this.#slices.end();
    const bugs: unknown[] = [];
    for (const fs of this.#handles.values()) {
      if (fs instanceof FsError) continue;
      try {
        fs.close();
      } catch (thrown) {
        // Nobody is there to be told; the handle is closed all the same.
        if (!(thrown instanceof FsError)) bugs.push(thrown);
      }
    }
    this.#handles.clear();
    if (bugs.length > 0) throw bugs[0];
  }

  /** What came, to its place. Whoever does not keep to the protocol is not talked to any longer. */
  #take(message: unknown): void {
    if (this.#isOver) return;
    if (!isMessage(message)) return this.close();
    switch (message.kind) {
      case 'banner':
        if (this.#isGreeted || message.banner !== BANNER) this.close();
        this.#isGreeted = true;
        return;
      case 'call':
        if (!this.#isGreeted || this.#isKnown(message.id)) this.close();
        else this.#queue.push(message);
        return;
      case 'cancel':
        this.#cancel(message.id);
        return;
      default:
        this.close();
    }
  }

  #isKnown(id: number): boolean {
    return this.#running.has(id) || this.#queue.some((call) => call.id === id);
  }

  #cancel(id: number): void {
    const job = this.#running.get(id);
    if (job !== undefined) job.isCancelled = true;
    const at = this.#queue.findIndex((call) => call.id === id);
    if (at < 0) return;
    this.#queue.splice(at, 1);
    this.#send({ kind: 'failure', id, failure: failureOf(cancelled()) });
  }

  #drain(): void {
    for (let message = this.#channel.poll(); message !== undefined && !this.#isOver; message = this.#channel.poll())
      this.#take(message);
  }

  #work(): void {
    this.#beginSome();
    this.#askTurn();
  }

  /** Begin what waits; after a while what runs in slices has its turn. */
  #beginSome(): void {
    const start = this.host.monotonic();
    do {
      // What is cancelled before it begins need not begin.
      this.#drain();
      const call = this.#queue.shift();
      if (call === undefined) break;
      this.#begin(call);
    } while (this.host.monotonic() - start < SLICE);
  }

  #askTurn(): void {
    if (this.#isTurnAsked || this.#isOver || (this.#queue.length === 0 && this.#slices.isIdle)) return;
    this.#isTurnAsked = true;
    this.#turn(() => {
      this.#isTurnAsked = false;
      if (this.#isOver) return;
      this.#lastTurn = this.host.monotonic();
      this.#stacked(() => this.#slices.runOne());
      this.#work();
    });
  }

  /** Run; when the client has gone meanwhile, let go of what it had. */
  #stacked(act: () => void): void {
    this.#depth++;
    try {
      act();
    } finally {
      this.#depth--;
      if (this.#isOver && this.#depth === 0) this.#release();
    }
  }

  #begin(call: Call): void {
    const running: Running = { id: call.id, name: call.name, reads: this.#isReading(call), isCancelled: false };
    this.#running.set(call.id, running);
    this.#stacked(() => {
      try {
        const begun = this.#called(call, running);
        if (isGenerator(begun)) this.#inSlices(begun, running);
        else if (begun instanceof Promise) void this.#later(begun, running);
        else this.#answer(running, begun);
      } catch (thrown) {
        this.#fail(running, thrown);
      }
    });
  }

  #called({ handle, name, args }: Call, running: Running): unknown {
    const job = this.#job(running);
    if (handle !== 0) {
      const call = Object.hasOwn(handleCalls, name) ? handleCalls[name] : undefined;
      if (call === undefined) throw noCall(name);
      return call.run({ server: this, number: handle, job }, this.handle(handle), args);
    }
    const service = Object.hasOwn(this.#services, name) ? this.#services[name] : undefined;
    if (service !== undefined) return service(job, ...args);
    const call = Object.hasOwn(kernelCalls, name) ? kernelCalls[name] : undefined;
    if (call === undefined) throw noCall(name);
    return call(this, job, args);
  }

  async #later(begun: Promise<unknown>, running: Running): Promise<void> {
    try {
      this.#answer(running, await begun);
    } catch (thrown) {
      this.#fail(running, thrown);
    }
  }

  #inSlices(work: Generator<unknown, unknown>, running: Running): void {
    this.#slices.add(work, {
      reads: running.reads,
      isCancelled: () => running.isCancelled,
      tell: (value) => this.#tell(running, value),
      done: (value) => this.#answer(running, value),
      failed: (thrown) => this.#fail(running, thrown),
    });
  }

  #answer(running: Running, value: unknown): void {
    try {
      this.#send({ kind: 'result', id: running.id, value });
      this.#running.delete(running.id);
    } catch (thrown) {
      this.#fail(running, thrown);
    }
  }

  #fail({ id }: Running, thrown: unknown): void {
    this.#running.delete(id);
    this.#send({ kind: 'failure', id, failure: failureOf(thrown) });
  }

  #tell({ id }: Running, value: unknown): void {
    this.#send({ kind: 'item', id, value });
  }

  #send(message: Message): void {
    if (!this.#isOver) this.#channel.send(message);
  }

  #job(running: Running): Job {
    const give = (to: Turn, turn: () => void): void => {
      // Not within itself: a call that is answered here and has points of its own would answer others for ever.
      const outer = this.#given;
      if (outer < to && this.host.monotonic() - this.#lastTurn >= SLICE) {
        this.#given = to;
        try {
          this.#drain();
          turn();
        } finally {
          this.#given = outer;
          this.#lastTurn = this.host.monotonic();
          // What was not answered has been received all the same: no event of the channel will tell of it again.
          this.#askTurn();
        }
      }
    };
    const share = (): void => give(Turn.reading, () => this.#answerReading());
    const stopIfCancelled = (): void => {
      if (running.isCancelled) throw cancelled();
    };
    return {
      isCancelled: () => running.isCancelled,
      tell: (value) => this.#tell(running, value),
      preempt: () => {
        give(Turn.all, () => this.#answerSome());
        stopIfCancelled();
      },
      pause: () => {
        share();
        stopIfCancelled();
      },
      share,
    };
  }

  /** One slice's worth of calls, and one slice of what runs in slices. */
  #answerSome(): void {
    const start = this.host.monotonic();
    while (this.host.monotonic() - start < SLICE) {
      const call = this.#queue.shift();
      if (call === undefined) break;
      this.#begin(call);
    }
    this.#slices.runOne();
  }

  /** The same of what changes nothing. Calls of one handle keep their order: behind one that waits all wait. */
  #answerReading(): void {
    const start = this.host.monotonic();
    const waiting = new Set<number>();
    for (const call of [...this.#queue]) {
      if (this.host.monotonic() - start >= SLICE) break;
      if (waiting.has(call.handle) || !this.#isReading(call)) {
        waiting.add(call.handle);
        continue;
      }
      this.#queue = this.#queue.filter((one) => one !== call);
      this.#begin(call);
    }
    this.#slices.runReading();
  }

  #isReading({ handle, name }: Call): boolean {
    if (handle === 0) return this.#reading.has(name);
    return Object.hasOwn(handleCalls, name) && handleCalls[name]?.reads === true;
  }
}

const cancelled = (): FsError => new FsError('ECANCELED', { what: 'cancelled' });

const noCall = (name: string): FsError =>
  new FsError('ENOSYS', { what: `no call is named ${name.slice(0, NAME_SHOWN)}` });
