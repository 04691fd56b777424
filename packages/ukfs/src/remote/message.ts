/**
 * What travels between a kernel and a client elsewhere: another thread, or one day another process (NetBSD's sysproxy, rump_sp(7)).
 * Messages carry request numbers, so that several calls are in flight; both ends begin with a banner.
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
}

export type Message =
  | { readonly kind: 'banner'; readonly banner: string }
  /** `handle` 0: a call of the kernel or a service; else one of an open file system. */
  | {
      readonly kind: 'call';
      readonly id: number;
      readonly handle: number;
      readonly name: string;
      readonly args: readonly unknown[];
    }
  /** The caller does not want the answer any more. */
  | { readonly kind: 'cancel'; readonly id: number }
  /** A part of an answer that is not complete. */
  | { readonly kind: 'item'; readonly id: number; readonly value: unknown }
  | { readonly kind: 'result'; readonly id: number; readonly value: unknown }
  | { readonly kind: 'failure'; readonly id: number; readonly failure: Failure };

/** A way for messages, in order and without loss. */
export interface Channel {
  send(message: Message): void;
  /** Called once: who gets what comes in, and who is told that nothing will come any more. */
  start(receive: (message: Message) => void, ended: (why: Error | undefined) => void): void;
  /** A message that is here already; undefined: there is none, or the channel cannot know without waiting. */
  poll(): Message | undefined;
  close(): void;
}
