/** Advisory byte-range locks per vnode, owned by processes (POSIX fcntl F_SETLK rules: a process never conflicts with itself). */
import { FsError } from '../kern/errno.ts';
import type { Flock } from './sys.ts';
import type { Vnode } from './vnode.ts';

interface Held {
  readonly pid: number;
  readonly type: 'read' | 'write';
  readonly start: number;
  /** Exclusive; Infinity for "to the end however it grows". */
  readonly end: number;
}

const endOf = (lock: Flock): number => (lock.length === 0 ? Infinity : lock.start + lock.length);

export class LockTable {
  readonly #locks = new Map<Vnode, Held[]>();

  /** EAGAIN when another process holds a conflicting lock. */
  set(vp: Vnode, pid: number, lock: Flock): void {
    if (this.find(vp, pid, lock) !== undefined) throw new FsError('EAGAIN');
    const start = lock.start;
    const end = endOf(lock);
    const kept = (this.#locks.get(vp) ?? []).flatMap((held): Held[] => {
      if (held.pid !== pid || held.end <= start || held.start >= end) return [held];
      return [
        ...(held.start < start ? [{ ...held, end: start }] : []),
        ...(held.end > end ? [{ ...held, start: end }] : []),
      ];
    });
    if (lock.type !== 'unlock') kept.push({ pid, type: lock.type, start, end });
    if (kept.length === 0) this.#locks.delete(vp);
    else this.#locks.set(vp, kept);
  }

  /** The first lock of another process that stands in the way. */
  find(vp: Vnode, pid: number, lock: Flock): (Flock & { readonly pid: number }) | undefined {
    if (lock.type === 'unlock') return undefined;
    const end = endOf(lock);
    const held = (this.#locks.get(vp) ?? []).find(
      (h) => h.pid !== pid && h.start < end && h.end > lock.start && (h.type === 'write' || lock.type === 'write'),
    );
    if (held === undefined) return undefined;
    return {
      pid: held.pid,
      type: held.type,
      start: held.start,
      length: held.end === Infinity ? 0 : held.end - held.start,
    };
  }

  /** exit(2): all of the process's locks go, wherever they are. */
  dropProcess(pid: number): void {
    for (const vp of [...this.#locks.keys()]) this.drop(vp, pid);
  }

  /** close(2): all of the process's locks on the file go. */
  drop(vp: Vnode, pid: number): void {
    const kept = (this.#locks.get(vp) ?? []).filter((h) => h.pid !== pid);
    if (kept.length === 0) this.#locks.delete(vp);
    else this.#locks.set(vp, kept);
  }
}
