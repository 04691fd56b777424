/**
 * The other end of server.ts: the library's API as promises, for those who must not wait (a screen, a server). docs/ukfs.md tells
 * how the calls of a handle and of a remote one differ.
 */
import { FsError } from '@ukfs/kernel';
import type { AddressLike, CheckImageOptions, CheckReport, ImageReport, OpenOptions } from '../handle.ts';
import type { OpenedHandle } from './calls.ts';
import { errorOf } from './failure.ts';
import { BANNER } from './message.ts';
import type { Channel, Message } from './message.ts';
import { RemoteUkfs } from './handle.ts';

export interface CallOptions {
  /** Aborted: the call fails with ECANCELED, and the server stops working on it as soon as it can. */
  readonly signal?: AbortSignal;
  /** Told of parts of the answer, ahead of the rest. */
  readonly item?: (value: unknown) => void;
}

/** Options that can travel. */
export type RemoteOpenOptions = Omit<OpenOptions, 'host' | 'session' | 'locked'>;

interface Pending {
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: FsError) => void;
  readonly item: ((value: unknown) => void) | undefined;
}

export class RemoteKernel {
  /** Settles when nothing more will come: with what went wrong, or with nothing when close() was called. */
  readonly ended: Promise<FsError | undefined>;
  readonly #channel: Channel;
  readonly #pending = new Map<number, Pending>();
  #lastId = 0;
  #over: FsError | undefined;
  #end: (why: FsError | undefined) => void = () => undefined;

  constructor(channel: Channel) {
    this.#channel = channel;
    this.ended = new Promise((resolve) => (this.#end = resolve));
    channel.start(
      (message) => this.#receive(message),
      (why) =>
        this.#finish(
          new FsError('EIO', { what: `the kernel's thread has ended${why === undefined ? '' : `: ${why.message}`}` }),
        ),
    );
    channel.send({ kind: 'banner', banner: BANNER });
  }

  /** As ukfs' open(). */
  async open(address: AddressLike, options: RemoteOpenOptions = {}): Promise<RemoteUkfs> {
    return this.adopted(await this.call<OpenedHandle>('open', [address, options]));
  }

  inspect(address: AddressLike, options: RemoteOpenOptions = {}): Promise<ImageReport> {
    return this.call('inspect', [address, options]);
  }

  check(
    address: AddressLike,
    options: Omit<CheckImageOptions, 'host' | 'session' | 'locked' | 'report'> = {},
  ): Promise<CheckReport> {
    return this.call('check', [address, options]);
  }

  /** A handle that a service has opened. */
  adopted(opened: OpenedHandle): RemoteUkfs {
    return new RemoteUkfs(this, opened);
  }

  /** Call a service, or a call of a handle. Errors: those of the call; ECANCELED; EIO the server has gone. */
  call<T>(
    name: string,
    args: readonly unknown[] = [],
    { signal, item, handle = 0 }: CallOptions & { readonly handle?: number } = {},
  ): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      if (this.#over !== undefined) return reject(this.#over);
      if (signal?.aborted === true) return reject(new FsError('ECANCELED', { what: 'cancelled' }));
      this.#lastId++;
      const id = this.#lastId;
      const abort = (): void => {
        this.#channel.send({ kind: 'cancel', id });
        // Whoever cancels does not want to wait for what the server is in the midst of.
        this.#settle(id)?.reject(new FsError('ECANCELED', { what: 'cancelled' }));
      };
      signal?.addEventListener('abort', abort, { once: true });
      const settled = (): void => signal?.removeEventListener('abort', abort);
      this.#pending.set(id, {
        resolve: (value) => {
          settled();
          resolve(value as T);
        },
        reject: (error) => {
          settled();
          reject(error);
        },
        item,
      });
      this.#channel.send({ kind: 'call', id, handle, name, args });
    });
  }

  /** What is open on the other side is closed, uncommitted changes are gone. */
  close(): void {
    this.#finish(undefined);
    this.#channel.close();
  }

  #receive(message: Message): void {
    switch (message.kind) {
      case 'banner':
        if (message.banner !== BANNER) {
          this.#finish(new FsError('EPROGMISMATCH', { what: `the other side speaks ${message.banner}` }));
          this.#channel.close();
        }
        return;
      case 'item':
        this.#pending.get(message.id)?.item?.(message.value);
        return;
      case 'result':
        this.#settle(message.id)?.resolve(message.value);
        return;
      case 'failure':
        this.#settle(message.id)?.reject(errorOf(message.failure));
        return;
      default:
        return;
    }
  }

  #settle(id: number): Pending | undefined {
    const pending = this.#pending.get(id);
    this.#pending.delete(id);
    return pending;
  }

  #finish(why: FsError | undefined): void {
    if (this.#over !== undefined) return;
    this.#over = why ?? new FsError('EBADF', { what: 'the connection is closed' });
    for (const { reject } of this.#pending.values()) reject(this.#over);
    this.#pending.clear();
    this.#end(why);
  }
}
