/**
 * The system-call table: name → function, filled by components while the kernel comes up. Typed callers (the library,
 * tests) use the objects that filled it; a remote server dispatches by name through get().
 */
import { FsError } from './errno.ts';

type Syscall = (...args: never[]) => unknown;

export class SyscallTable {
  readonly #calls = new Map<string, Syscall>();

  /** Add every call of an object. EEXIST when a name is taken: calls are not silently replaced. */
  define(calls: object): void {
    for (const [name, call] of Object.entries(calls)) {
      if (this.#calls.has(name))
        throw new FsError('EEXIST', { op: 'syscall', what: `system call ${name} defined twice` });
      if (typeof call === 'function') this.#calls.set(name, call as Syscall);
    }
  }

  /** The call of that name. ENOSYS when no component brought it. */
  get(name: string): Syscall {
    const call = this.#calls.get(name);
    if (call === undefined) throw new FsError('ENOSYS', { op: name });
    return call;
  }

  names(): string[] {
    return [...this.#calls.keys()].sort();
  }
}
