/**
 * The end where the kernel is. What a client can call is the library's own table of calls, and services that whoever starts the
 * server adds: work that is long, made of many calls, or in need of what only this side has. Nothing is implemented twice.
 *
 * The kernel is synchronous, so one call runs at a time. Long ones give others a turn in two ways: a service that is a generator
 * runs in slices, and one that cannot stop in the middle has points of preemption (Job.preempt), at which the short calls that
 * have come are answered (preempt(9) of NetBSD does as much for a thread in the kernel).
 */
import { FsError } from '@ukfs/kernel';
import type { Host } from '@ukfs/kernel';
import type { Ukfs } from '../handle.ts';
import { failureOf } from './failure.ts';
import { handleCalls, kernelCalls } from './calls.ts';
import { BANNER } from './message.ts';
import type { Channel, Message } from './message.ts';

/** One call that is being answered. */
export interface Job {
  /** The client does not want it any more. */
  isCancelled(): boolean;
  /** A part of the answer, ahead of the rest. */
  tell(item: unknown): void;
  /**
   * Between two system calls of long synchronous work: answers what has come meanwhile, if it is time to. Errors: ECANCELED the
   * client does not want it any more.
   */
  preempt(): void;
}

/** What a client may call besides: the answer, a promise of it, or a generator, which runs in slices and tells what it yields. */
export type Service = (job: Job, ...args: readonly unknown[]) => unknown;
export type Services = Readonly<Record<string, Service>>;

export interface ServeOptions {
  readonly host: Host;
  readonly services?: Services;
  /** Runs `act` when what has come meanwhile was received. */
  readonly turn: (act: () => void) => void;
}

/** Nanoseconds that one call may have before others get a turn. */
const SLICE = 8_000_000;

type Running = { readonly id: number; isCancelled: boolean };

export class Server {
  readonly host: Host;
  readonly #channel: Channel;
  readonly #services: Services;
  readonly #turn: ServeOptions['turn'];
  readonly #handles = new Map<number, Ukfs>();
  readonly #running = new Map<number, Running>();
  #lastHandle = 0;
  #isOver = false;
  #lastTurn: number;
  #isPreempting = false;

  constructor(channel: Channel, { host, services = {}, turn }: ServeOptions) {
    this.host = host;
    this.#channel = channel;
    this.#services = services;
    this.#turn = turn;
    this.#lastTurn = host.monotonic();
    channel.start(
      (message) => this.#receive(message),
      () => this.close(),
    );
    channel.send({ kind: 'banner', banner: BANNER });
  }

  /** A number for an open file system, by which clients call it. */
  adopt(fs: Ukfs): number {
    this.#lastHandle++;
    this.#handles.set(this.#lastHandle, fs);
    return this.#lastHandle;
  }

  /** The same number from now on means another handle (one that may write); undefined: none. */
  replace(handle: number, fs: Ukfs | undefined): void {
    if (fs === undefined) this.#handles.delete(handle);
    else this.#handles.set(handle, fs);
  }

  /** Errors: EBADF. */
  handle(number: number): Ukfs {
    const fs = this.#handles.get(number);
    if (fs === undefined) throw new FsError('EBADF', { what: 'no file system is open under this number' });
    return fs;
  }

  /** The client's process ends: what it has open is closed, and what it did not commit is gone. */
  close(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    for (const job of this.#running.values()) job.isCancelled = true;
    for (const fs of this.#handles.values()) {
      try {
        fs.close();
      } catch (thrown) {
        // Nobody is there to be told; the handle is closed all the same.
        if (!(thrown instanceof FsError)) throw thrown;
      }
    }
    this.#handles.clear();
    this.#channel.close();
  }

  #receive(message: Message): void {
    if (message.kind === 'banner') {
      if (message.banner !== BANNER) this.close();
    } else if (message.kind === 'cancel') this.#cancel(message.id);
    else if (message.kind === 'call') this.#answer(message);
  }

  #cancel(id: number): void {
    const job = this.#running.get(id);
    if (job !== undefined) job.isCancelled = true;
  }

  /**
   * What is known at once is sent at once: within a point of preemption nothing that waits would come to its end. Work that has been
   * begun holds its place in #running until it is answered.
   */
  #answer(call: Extract<Message, { kind: 'call' }>): void {
    const { id } = call;
    const running: Running = { id, isCancelled: false };
    try {
      this.#running.set(id, running);
      const begun = this.#begin(call, running);
      if (isGenerator(begun)) void this.#finish(id, this.#slices(begun, running));
      else if (begun instanceof Promise) void this.#finish(id, begun);
      else this.#reply({ kind: 'result', id, value: begun });
    } catch (thrown) {
      this.#reply({ kind: 'failure', id, failure: failureOf(thrown) });
    }
  }

  async #finish(id: number, work: Promise<unknown>): Promise<void> {
    let value: unknown;
    try {
      value = await work;
      this.#reply({ kind: 'result', id, value });
    } catch (thrown) {
      this.#reply({ kind: 'failure', id, failure: failureOf(thrown) });
    }
  }

  #reply(message: Extract<Message, { kind: 'result' | 'failure' }>): void {
    this.#running.delete(message.id);
    if (!this.#isOver) this.#channel.send(message);
  }

  #begin({ handle, name, args }: Extract<Message, { kind: 'call' }>, running: Running): unknown {
    if (handle !== 0) {
      const call = Object.hasOwn(handleCalls, name) ? handleCalls[name] : undefined;
      if (call === undefined) throw new FsError('ENOSYS', { what: `no call is named ${name}` });
      return call({ server: this, number: handle }, this.handle(handle), args);
    }
    const service = Object.hasOwn(this.#services, name) ? this.#services[name] : undefined;
    if (service !== undefined) return service(this.#job(running), ...args);
    const call = Object.hasOwn(kernelCalls, name) ? kernelCalls[name] : undefined;
    if (call === undefined) throw new FsError('ENOSYS', { what: `no call is named ${name}` });
    return call(this, args);
  }

  #job(running: Running): Job {
    return {
      isCancelled: () => running.isCancelled,
      tell: (value) => this.#tell(running.id, value),
      preempt: () => {
        this.#preempt();
        if (running.isCancelled) throw cancelled();
      },
    };
  }

  #tell(id: number, value: unknown): void {
    if (!this.#isOver) this.#channel.send({ kind: 'item', id, value });
  }

  /** Not within itself: a call that is answered here and has points of its own would answer others for ever. */
  #preempt(): void {
    if (this.#isPreempting || this.host.monotonic() - this.#lastTurn < SLICE) return;
    this.#isPreempting = true;
    try {
      for (let message = this.#channel.poll(); message !== undefined; message = this.#channel.poll())
        this.#receive(message);
    } finally {
      this.#isPreempting = false;
      this.#lastTurn = this.host.monotonic();
    }
  }

  async #slices(work: Generator<unknown, unknown>, running: Running): Promise<unknown> {
    for (;;) {
      const start = this.host.monotonic();
      do {
        if (running.isCancelled) {
          work.return(undefined);
          throw cancelled();
        }
        const step = work.next();
        if (step.done === true) return step.value;
        if (step.value !== undefined) this.#tell(running.id, step.value);
      } while (this.host.monotonic() - start < SLICE);
      await new Promise<void>((resolve) => this.#turn(resolve));
      this.#lastTurn = this.host.monotonic();
    }
  }
}

const cancelled = (): FsError => new FsError('ECANCELED', { what: 'cancelled' });

const isGenerator = (value: unknown): value is Generator<unknown, unknown> =>
  typeof value === 'object' && value !== null && 'next' in value && Symbol.iterator in value;
