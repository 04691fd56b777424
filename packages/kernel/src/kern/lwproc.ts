/**
 * Processes and their lwps: who a system call acts for.
 *
 * A caller with no lwp of its own runs in the implicit context of process 1, as host threads do in a rump kernel.
 * Source: rump_lwproc(3).
 */
import { assert } from './assert.ts';
import { Services } from './component.ts';
import { rootCred, type Cred } from './cred.ts';
import { FsError } from './errno.ts';
import { FdTable } from './filedesc.ts';
import { OPEN_MAX } from './limits.ts';

/** rfork flags: 0 shares the descriptor table. */
export const RF = { FDG: 0x1, CFDG: 0x2 } as const;

export class Proc {
  readonly pid: number;
  cred: Cred;
  umask: number;
  fds: FdTable;
  /** What other factions keep per process (current and root directory). */
  readonly specific = new Services();
  readonly lwps = new Set<Lwp>();

  constructor(pid: number, cred: Cred, umask: number, fds: FdTable) {
    this.pid = pid;
    this.cred = cred;
    this.umask = umask;
    this.fds = fds;
  }
}

export class Lwp {
  readonly proc: Proc;
  readonly lid: number;

  constructor(proc: Proc, lid: number) {
    this.proc = proc;
    this.lid = lid;
    proc.lwps.add(this);
  }
}

/** What a faction does when processes come and go. */
interface ProcHook {
  fork(parent: Proc, child: Proc): void;
  exit(proc: Proc): void;
}

/** umask of the first process; never the host's, so that the same script makes the same image everywhere. */
const DEFAULT_UMASK = 0o022;

export class Lwproc {
  readonly maxFiles = OPEN_MAX;
  readonly #procs = new Map<number, Proc>();
  readonly #hooks: ProcHook[] = [];
  readonly #init: Proc;
  #nextPid = 2;
  #nextLid = 1;
  #current: Lwp | undefined;

  constructor() {
    this.#init = new Proc(1, rootCred, DEFAULT_UMASK, new FdTable());
    this.#procs.set(1, this.#init);
  }

  /** Process 1, parent of all. */
  get initproc(): Proc {
    return this.#init;
  }

  /** undefined in the implicit context. */
  get curlwp(): Lwp | undefined {
    return this.#current;
  }

  /** The process that the next system call acts for. */
  get curproc(): Proc {
    return this.#current === undefined ? this.#init : this.#current.proc;
  }

  addHook(hook: ProcHook): void {
    this.#hooks.push(hook);
  }

  /** New process with one lwp, made current. `flags`: 0 share descriptors, RF.FDG copy, RF.CFDG none. EINVAL for both. */
  rfork(flags: number = RF.CFDG): Lwp {
    if ((flags & ~(RF.FDG | RF.CFDG)) !== 0 || flags === (RF.FDG | RF.CFDG))
      throw new FsError('EINVAL', { op: 'rfork' });
    const parent = this.curproc;
    const fds = flags === RF.CFDG ? new FdTable() : flags === RF.FDG ? parent.fds.copy() : parent.fds;
    if (fds === parent.fds) fds.sharers++;
    const child = new Proc(this.#nextPid++, parent.cred, parent.umask, fds);
    for (const hook of this.#hooks) hook.fork(parent, child);
    this.#procs.set(child.pid, child);
    return (this.#current = new Lwp(child, this.#nextLid++));
  }

  /** Another lwp in a process, made current. ESRCH. */
  newlwp(pid: number): Lwp {
    const proc = this.#procs.get(pid);
    if (proc === undefined) throw new FsError('ESRCH', { op: 'newlwp' });
    return (this.#current = new Lwp(proc, this.#nextLid++));
  }

  /** Make an lwp current; undefined for the implicit context. */
  switch(lwp: Lwp | undefined): void {
    assert(lwp === undefined || lwp.proc.lwps.has(lwp), 'switch to a released lwp');
    this.#current = lwp;
  }

  /** Run `fn` as `lwp`, then go back. */
  as<T>(lwp: Lwp, fn: () => T): T {
    const previous = this.#current;
    this.switch(lwp);
    try {
      return fn();
    } finally {
      this.#current = previous;
    }
  }

  /** End the current lwp; its process goes with its last one. A panic without one, as in NetBSD. */
  releaselwp(): void {
    const lwp = this.#current;
    assert(lwp !== undefined, 'releaselwp without a current lwp');
    this.#current = undefined;
    lwp.proc.lwps.delete(lwp);
    if (lwp.proc.lwps.size === 0 && lwp.proc !== this.#init) this.#exit(lwp.proc);
  }

  find(pid: number): Proc | undefined {
    return this.#procs.get(pid);
  }

  get pids(): number[] {
    return [...this.#procs.keys()];
  }

  /** Every process ends: halt(). */
  exitAll(): void {
    this.#current = undefined;
    for (const proc of [...this.#procs.values()].reverse()) this.#exit(proc);
  }

  #exit(proc: Proc): void {
    this.#procs.delete(proc.pid);
    try {
      if (--proc.fds.sharers === 0) proc.fds.closeAll();
    } finally {
      for (const hook of this.#hooks) hook.exit(proc);
    }
  }
}
