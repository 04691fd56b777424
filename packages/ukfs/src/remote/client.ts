/**
 * The other end of server.ts: the library's API as promises, for those who must not wait (a screen, a server). docs/ukfs.md tells
 * how the calls of a handle and of a remote one differ.
 */
import { asFsError, FsError } from '@ukfs/kernel';
import type { Finding } from '@ukfs/kernel';
import type { AddressLike, CheckImageOptions, CheckReport, ImageReport, OpenOptions } from '../handle.ts';
import type { MakeFsReport } from '../makefs.ts';
import type { OpenedHandle, RemoteMakeFsOptions, SentCheckOptions } from './calls.ts';
import { errorOf } from './failure.ts';
import { BANNER, isMessage } from './message.ts';
import type { Channel } from './message.ts';
import { RemoteUkfs } from './handle.ts';

export interface CallOptions {
  /** Aborted: the call fails with ECANCELED, and the server stops working on it as soon as it can. */
  readonly signal?: AbortSignal;
  /** Told of parts of the answer, ahead of the rest. */
  readonly item?: (value: unknown) => void;
}

/** Options that can travel. */
export type RemoteOpenOptions = Omit<OpenOptions, 'host' | 'session' | 'locked'>;

interface Waiting {
  resolve(value: unknown): void;
  reject(error: FsError): void;
  item(value: unknown): void;
}

export interface KernelCallOptions extends CallOptions {
  /** 0, the default: a call of the kernel, or a service. */
  readonly handle?: number;
  /** Told of an answer that came although the call was cancelled: what it opened is to be closed. */
  readonly late?: (value: unknown) => void;
}

export class RemoteKernel {
  /** Settles when nothing more will come: with what went wrong, or with nothing when close() was called. */
  readonly ended: Promise<FsError | undefined>;
  readonly #channel: Channel;
  readonly #waiting = new Map<number, Waiting>();
  readonly #gone: Promise<void>;
  #lastId = 0;
  #isGreeted = false;
  #over: FsError | undefined;
  #end: (why: FsError | undefined) => void = () => undefined;

  constructor(channel: Channel) {
    this.#channel = channel;
    this.ended = new Promise((resolve) => (this.#end = resolve));
    this.#gone = new Promise((resolve) => {
      channel.start(
        (message) => this.#receive(message),
        (why) => {
          this.#finish(new FsError('EIO', { what: goneText(why) }, { cause: why }));
          resolve();
        },
      );
    });
    channel.send({ kind: 'banner', banner: BANNER });
  }

  /** As ukfs' open(). */
  async open(address: AddressLike, options: RemoteOpenOptions = {}, { signal }: CallOptions = {}): Promise<RemoteUkfs> {
    const late = (value: unknown): void => {
      this.adopted(value as OpenedHandle)
        .close()
        .catch(() => undefined);
    };
    const how = signal === undefined ? { late } : { late, signal };
    return this.adopted(await this.call<OpenedHandle>('open', [address, options], how));
  }

  inspect(address: AddressLike, options: RemoteOpenOptions = {}, how: CallOptions = {}): Promise<ImageReport> {
    return this.call('inspect', [address, options], how);
  }

  /** As ukfs' check(), and `signal` ends it: nothing of the image has changed then. */
  check(
    address: AddressLike,
    { report, ...options }: Omit<CheckImageOptions, 'host' | 'session' | 'locked' | 'pause'> = {},
    { signal }: CallOptions = {},
  ): Promise<CheckReport> {
    const sent: SentCheckOptions = report === undefined ? options : { ...options, report: true };
    return this.call('check', [address, sent], {
      ...(signal === undefined ? {} : { signal }),
      ...(report === undefined ? {} : { item: (finding) => report(finding as Finding) }),
    });
  }

  /** As ukfs' makeFs(); what is to be in it is written afterwards, by a handle. */
  makeFs(address: AddressLike, options: RemoteMakeFsOptions): Promise<MakeFsReport> {
    return this.call('makeFs', [address, options]);
  }

  /** A handle that a service has opened. */
  adopted(opened: OpenedHandle): RemoteUkfs {
    return new RemoteUkfs(this, opened);
  }

  /** Call a service, or a call of a handle. Errors: those of the call; ECANCELED; EIO the server has gone; EINVAL. */
  call<T>(
    name: string,
    args: readonly unknown[] = [],
    { signal, item = () => undefined, late = () => undefined, handle = 0 }: KernelCallOptions = {},
  ): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      if (this.#over !== undefined) return reject(this.#over);
      if (signal?.aborted === true) return reject(cancelled());
      this.#lastId++;
      const id = this.#lastId;
      const abort = (): void => {
        // Whoever cancels does not want to wait for what the server is in the midst of. Its answer comes all the same.
        this.#waiting.set(id, { resolve: late, reject: () => undefined, item: () => undefined });
        reject(cancelled());
        this.#channel.send({ kind: 'cancel', id });
      };
      signal?.addEventListener('abort', abort, { once: true });
      const settled = (): void => signal?.removeEventListener('abort', abort);
      this.#waiting.set(id, {
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
      try {
        this.#channel.send({ kind: 'call', id, handle, name, args });
      } catch (thrown) {
        this.#settle(id)?.reject(asFsError(thrown));
      }
    });
  }

  /**
   * What is open on the other side is closed, uncommitted changes are gone, calls that wait fail with EBADF. Settles when the other
   * side is done.
   */
  close(): Promise<void> {
    if (this.#over === undefined) {
      // Long work asks whether it is cancelled; it would not see that the connection ends.
      for (const id of this.#waiting.keys()) this.#channel.send({ kind: 'cancel', id });
      this.#finish(undefined);
      this.#channel.close();
    }
    return this.#gone;
  }

  #receive(message: unknown): void {
    if (this.#over !== undefined) return;
    if (!isMessage(message))
      return this.#refuse(new FsError('EPROTO', { what: 'the other side sends what is no message' }));
    if (message.kind === 'banner') {
      const { banner } = message;
      if (banner !== BANNER) this.#refuse(new FsError('EPROGMISMATCH', { what: `the other side speaks ${banner}` }));
      this.#isGreeted = true;
      return;
    }
    if (!this.#isGreeted) return this.#refuse(new FsError('EPROGMISMATCH', { what: 'the other side says no version' }));
    switch (message.kind) {
      case 'item':
        this.#waiting.get(message.id)?.item(message.value);
        return;
      case 'result':
        this.#settle(message.id)?.resolve(message.value);
        return;
      case 'failure':
        this.#settle(message.id)?.reject(errorOf(message.failure));
        return;
    }
  }

  #refuse(why: FsError): void {
    this.#finish(why);
    this.#channel.close();
  }

  #settle(id: number): Waiting | undefined {
    const waiting = this.#waiting.get(id);
    this.#waiting.delete(id);
    return waiting;
  }

  #finish(why: FsError | undefined): void {
    if (this.#over !== undefined) return;
    this.#over = why ?? new FsError('EBADF', { what: 'the connection is closed' });
    const waiting = [...this.#waiting.values()];
    this.#waiting.clear();
    for (const { reject } of waiting) reject(this.#over);
    this.#end(why);
  }
}

const cancelled = (): FsError => new FsError('ECANCELED', { what: 'cancelled' });

const goneText = (why: Error | undefined): string =>
  `the kernel's side has ended${why === undefined ? '' : `: ${why.message}`}`;
