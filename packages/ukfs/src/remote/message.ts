/**
 * What travels between a kernel and a client elsewhere: another thread, or one day another process (NetBSD's sysproxy, rump_sp(7)).
 * Messages carry request numbers, so that several calls are in flight; both ends begin with a banner. docs/remote.md tells the whole.
 */
import type { ErrnoName, ErrorContext } from '@ukfs/kernel';

/** First word of both ends; another version is refused. */
export const BANNER = 'UKFS-REMOTE-1';

/** A failure, taken apart (failure.ts). */
export interface Failure {
  /** The error's class: "CorruptError". */
  readonly name: string;
  readonly code: ErrnoName;
  readonly message: string;
  readonly context: ErrorContext;
  /** What the class has beyond that. */
  readonly more?: Readonly<Record<string, unknown>>;
  /** What it comes from, where that is known. */
  readonly cause?: Failure | Mishap;
}

/** An error that is none of ours, for whoever looks for a defect. */
export interface Mishap {
  readonly name: string;
  readonly message: string;
  readonly stack: string;
}

/** `handle` 0: a call of the kernel or a service; else one of an open file system. */
export interface Call {
  readonly kind: 'call';
  readonly id: number;
  readonly handle: number;
  readonly name: string;
  readonly args: readonly unknown[];
}

export type Message =
  | { readonly kind: 'banner'; readonly banner: string }
  | Call
  /** The caller does not want the answer any more. It gets one all the same: each call has one result or failure. */
  | { readonly kind: 'cancel'; readonly id: number }
  /** A part of an answer that is not complete. */
  | { readonly kind: 'item'; readonly id: number; readonly value: unknown }
  | { readonly kind: 'result'; readonly id: number; readonly value: unknown }
  | { readonly kind: 'failure'; readonly id: number; readonly failure: Failure };

/** A way for messages, in order and without loss. Each end is closed once, by whoever is done first. */
export interface Channel {
  /** Errors: EINVAL the message has something that cannot travel; EMSGSIZE. It is not sent then. Closed: nothing happens. */
  send(message: Message): void;
  /** Called once: who gets what comes in, and who is told, once, that nothing will come any more. */
  start(receive: (message: unknown) => void, ended: (why: Error | undefined) => void): void;
  /** A message that is here already; undefined: there is none, or the channel cannot know without waiting. */
  poll(): unknown;
  close(): void;
}

/** Is it one, as far as both ends need it to be? What `value`, `args` and `failure` hold, their readers look at. */
export function isMessage(value: unknown): value is Message {
  if (!isRecord(value)) return false;
  if (value['kind'] === 'banner') return typeof value['banner'] === 'string';
  const { id } = value;
  if (typeof id !== 'number' || !Number.isSafeInteger(id) || id < 1) return false;
  switch (value['kind']) {
    case 'call': {
      const { handle, name, args } = value;
      return Number.isSafeInteger(handle) && typeof name === 'string' && Array.isArray(args);
    }
    case 'failure':
      return isRecord(value['failure']) && isRecord(value['failure']['context']);
    case 'cancel':
    case 'item':
    case 'result':
      return true;
    default:
      return false;
  }
}

export const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
