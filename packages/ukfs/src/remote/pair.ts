/** Two ends of a channel in one thread, with clones as between threads: for tests, and for who wants the promises without a thread. */
import { FsError } from '@ukfs/kernel';
import type { Channel } from './message.ts';

interface End {
  readonly arrived: unknown[];
  receive: ((message: unknown) => void) | undefined;
  ended: ((why: Error | undefined) => void) | undefined;
}

export function channelPair(): readonly [Channel, Channel] {
  const a: End = { arrived: [], receive: undefined, ended: undefined };
  const b: End = { arrived: [], receive: undefined, ended: undefined };
  const line = { isOpen: true };
  return [channel(line, a, b), channel(line, b, a)];
}

function channel(line: { isOpen: boolean }, own: End, other: End): Channel {
  return {
    send(message) {
      if (!line.isOpen) return;
      other.arrived.push(cloned(message));
      if (other.receive !== undefined) queueMicrotask(() => deliver(other));
    },
    start(receive, ended) {
      Object.assign(own, { receive, ended });
      for (const _ of own.arrived) queueMicrotask(() => deliver(own));
      if (!line.isOpen) queueMicrotask(() => finish(own));
    },
    poll: () => own.arrived.shift(),
    close() {
      if (!line.isOpen) return;
      line.isOpen = false;
      // What was sent before is delivered first.
      for (const end of [own, other]) queueMicrotask(() => finish(end));
    },
  };
}

/** The next message, if nobody polled it. */
function deliver(end: End): void {
  const message = end.arrived.shift();
  if (message !== undefined) end.receive?.(message);
}

function finish(end: End): void {
  const { ended } = end;
  end.ended = undefined;
  ended?.(undefined);
}

function cloned(message: unknown): unknown {
  try {
    return structuredClone(message);
  } catch (thrown) {
    throw new FsError('EINVAL', { what: `cannot travel: ${String(thrown)}` }, { cause: thrown });
  }
}
