/**
 * Standard output: text gathered into large pieces, and bytes. Nothing here knows a file descriptor: a Sink does.
 *
 * Text is name strings (kernel name.ts): an escaped byte goes out as that byte, so a pipe gets names exactly.
 */
import { FsError, nameToBytes } from 'ukfs';

declare global {
  interface String {
    /** ES2024, in Node since 20: no lone surrogates. As a regular expression it took half the time of a listing's output. */
    isWellFormed(): boolean;
  }
}

/** Where bytes go. All of them, or it throws; ClosedPipeError when nobody reads any more. */
export interface Sink {
  readonly isTTY: boolean;
  write(bytes: Uint8Array, length: number): void;
}

/** The reader of our output has gone: the tool ends quietly. */
export class ClosedPipeError extends Error {
  override readonly name = 'ClosedPipeError';
}

/** As messages name them. */
export const STDIN = 'standard input';
export const STDOUT = 'standard output';

/** Standard input, standard output or a host file that is read failed: not the image's fault. */
export class StreamError extends Error {
  override readonly name = 'StreamError';
  /** What people call it. */
  readonly stream: string;
  readonly code: string;
  /** In place of what the code says. */
  readonly what: string | undefined;
  constructor(stream: string, code: string, cause: unknown, what?: string) {
    super(cause instanceof Error ? cause.message : code, { cause });
    this.stream = stream;
    this.code = code;
    this.what = what;
  }
}

/** Characters gathered before they are encoded: large enough for few writes, small enough for the caches. */
const CHUNK = 32 * 1024;

export class TextOut {
  readonly #sink: Sink;
  readonly #encoder = new TextEncoder();
  #encoded: Uint8Array | undefined;
  #pending = '';
  #wrote = false;
  /** Called before anything leaves us: a line of progress on the same terminal goes first. */
  beforeWrite: (() => void) | undefined;

  constructor(sink: Sink) {
    this.#sink = sink;
  }

  get isTTY(): boolean {
    return this.#sink.isTTY;
  }

  /** Has anything left us for good? */
  get wrote(): boolean {
    return this.#wrote;
  }

  /** Has it been given anything, whether that has left us or not? */
  get used(): boolean {
    return this.#wrote || this.#pending !== '';
  }

  text(text: string): void {
    this.#pending += text;
    if (this.#pending.length >= CHUNK) this.flush();
  }

  /** `bytes[0, length)`, after the text before it. */
  bytes(bytes: Uint8Array, length = bytes.length): void {
    this.flush();
    if (length === 0) return;
    this.beforeWrite?.();
    this.#wrote = true;
    this.#sink.write(bytes, length);
  }

  flush(): void {
    const text = this.#pending;
    if (text === '') return;
    this.#pending = '';
    this.beforeWrite?.();
    this.#wrote = true;
    if (!text.isWellFormed()) {
      const bytes = nameToBytes(text);
      this.#sink.write(bytes, bytes.length);
      return;
    }
    // UTF-8 takes at most three bytes a UTF-16 unit; a single long line can exceed the chunk.
    if (this.#encoded === undefined || this.#encoded.length < text.length * 3) {
      this.#encoded = new Uint8Array(Math.max(text.length, CHUNK) * 3);
    }
    const { written } = this.#encoder.encodeInto(text, this.#encoded);
    this.#sink.write(this.#encoded, written);
  }

  /** Forget what has not gone out yet. */
  drop(): void {
    this.#pending = '';
  }
}

/** Do something with a host file; that it cannot be done is told of that file, not of an image. */
export function withHostFile<T>(file: string, act: () => T): T {
  try {
    return act();
  } catch (thrown) {
    throw thrown instanceof FsError ? new StreamError(file, thrown.code, thrown) : thrown;
  }
}
