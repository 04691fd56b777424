/** A real file system as the other side of the model: the same steps, by system calls on a mount of a kernel of ours. */
import { FsError, O, type Dirent, type Stage, type Stat, type VfsSyscalls } from '@ukfs/kernel';
import type { Mount } from '../../packages/kernel/src/vfs/mount.ts';
import { VFS } from '../../packages/kernel/src/vfs/vfs.ts';
import type { Instance } from '../support/adapters.ts';
import { bytesAnswer, namesAnswer, patternBytes, type Outcome, type Step } from './steps.ts';

/** What a step can say besides an errno. */
type Answer = string | number | undefined;

export class Subject {
  readonly instance: Instance;
  readonly sys: VfsSyscalls;
  readonly #mnt: string;
  readonly #persistent: boolean;
  readonly #slots = new Map<number, number>();
  #savepoints: number[] = [];
  /** What a judge said of the image; it ends the run. */
  complaint: string | undefined;

  /** `persistent`: what is on it survives unmounting. */
  constructor(
    instance: Instance,
    { sys = instance.k.sys, persistent }: { readonly sys?: VfsSyscalls; readonly persistent: boolean },
  ) {
    this.instance = instance;
    this.sys = sys;
    this.#persistent = persistent;
    this.#mnt = instance.mnt;
  }

  get #stage(): Stage | undefined {
    return this.instance.disk?.stage();
  }

  get mount(): Mount | undefined {
    return this.instance.k.service(VFS).mounts.find(({ on }) => on === this.#mnt);
  }

  path(path: string): string {
    return path === '/' ? this.#mnt : this.#mnt + path;
  }

  /** Errors that are not an FsError are nobody's outcome: they fail the run. */
  run(step: Step): Outcome {
    const phase: { at?: string } = {};
    try {
      const answer = this.#do(step, phase);
      return answer === undefined ? { code: 'ok' } : { code: 'ok', answer };
    } catch (e) {
      if (!(e instanceof FsError)) throw e;
      return { code: e.code, ...(phase.at === undefined || e.code !== 'ENOSPC' ? {} : { answer: phase.at }) };
    }
  }

  #do(step: Step, phase: { at?: string }): Answer {
    const { sys } = this;
    switch (step.op) {
      case 'create':
        return this.#with(step.path, O.WRONLY | O.CREAT | (step.exclusive ? O.EXCL : 0), () => undefined, step.mode);
      case 'write':
        return this.#with(step.path, O.WRONLY, (fd) =>
          sys.pwrite(fd, patternBytes(step.seed, step.length), step.offset),
        );
      case 'append':
        return this.#with(step.path, O.WRONLY | O.APPEND, (fd) => sys.write(fd, patternBytes(step.seed, step.length)));
      case 'replace':
        phase.at = 'open';
        return this.#with(
          step.path,
          O.WRONLY | O.CREAT | O.TRUNC,
          (fd) => {
            phase.at = 'write';
            return sys.write(fd, patternBytes(step.seed, step.length));
          },
          0o644,
        );
      case 'truncate':
        return nothing(sys.truncate(this.path(step.path), step.size));
      case 'punch':
        return this.#with(step.path, O.WRONLY, (fd) => nothing(sys.fdiscard(fd, step.offset, step.length)));
      case 'allocate':
        return this.#with(step.path, O.WRONLY, (fd) => nothing(sys.posix_fallocate(fd, step.offset, step.length)));
      case 'mkdir':
        return nothing(sys.mkdir(this.path(step.path), step.mode));
      case 'rmdir':
        return nothing(sys.rmdir(this.path(step.path)));
      case 'unlink':
        return nothing(sys.unlink(this.path(step.path)));
      case 'link':
        return nothing(sys.link(this.path(step.from), this.path(step.path)));
      case 'symlink':
        return nothing(sys.symlink(step.target, this.path(step.path)));
      case 'rename':
        return nothing(
          sys.rename(this.path(step.from), this.path(step.path), {
            noreplace: step.how === 'noreplace',
            exchange: step.how === 'exchange',
          }),
        );
      case 'mknod': {
        const { path, type, mode, major, minor } = step;
        return nothing(
          type === 'chr' || type === 'blk'
            ? sys.mknod(this.path(path), type, mode, { major, minor })
            : sys.mknod(this.path(path), type, mode),
        );
      }
      case 'chmod':
        return nothing(sys.chmod(this.path(step.path), step.mode));
      case 'chown':
        return nothing(sys.chown(this.path(step.path), step.uid, step.gid));
      case 'utimens': {
        const { atime, mtime, nsec } = step;
        return nothing(sys.utimens(this.path(step.path), { sec: atime, nsec }, { sec: mtime, nsec }));
      }
      case 'setxattr':
        return nothing(sys.setxattr(this.path(step.path), step.name, patternBytes(step.seed, step.length)));
      case 'removexattr':
        return nothing(sys.removexattr(this.path(step.path), step.name));
      case 'readdir':
        return this.#with(step.path, O.RDONLY | O.DIRECTORY, (fd) =>
          namesAnswer(this.#entries(fd, step.piece).map(({ name }) => name)),
        );
      case 'readlink':
        return sys.readlink(this.path(step.path));
      case 'read':
        // Opening a directory to read is fine; reading it is not.
        return this.#with(step.path, O.RDONLY, (fd) => this.#read(fd, step));
      case 'many':
        return this.#many(step);
      case 'fewer':
        return this.#fewer(step);
      case 'open':
        if (this.#slots.has(step.slot)) throw new FsError('EBUSY');
        this.#slots.set(step.slot, sys.open(this.path(step.path), O.RDWR));
        return undefined;
      case 'close': {
        const fd = this.#fd(step.slot);
        this.#slots.delete(step.slot);
        return nothing(sys.close(fd));
      }
      case 'pwrite':
        return sys.pwrite(this.#fd(step.slot), patternBytes(step.seed, step.length), step.offset);
      case 'pread':
        return this.#read(this.#fd(step.slot), step);
      case 'ftruncate':
        return nothing(sys.ftruncate(this.#fd(step.slot), step.size));
      case 'commit':
        return nothing(this.#commit());
      case 'discard': {
        const stage = this.#stage;
        if (stage !== undefined) this.instance.k.discard(stage);
        this.#savepoints = [];
        return undefined;
      }
      case 'savepoint': {
        const stage = this.#stage;
        if (stage !== undefined) this.#savepoints.push(this.instance.k.savepoint(stage));
        return undefined;
      }
      case 'rollback': {
        const [stage, to] = [this.#stage, this.#savepoints.pop()];
        if (stage === undefined || to === undefined) throw new FsError('EINVAL');
        this.instance.k.rollback(stage, to);
        return undefined;
      }
      case 'remount':
        return nothing(this.#remount());
      case 'compare':
        if (step.judge) this.#judge();
        return undefined;
    }
  }

  #with<T>(path: string, flags: number, use: (fd: number) => T, mode?: number): T {
    const fd = this.sys.open(this.path(path), flags, mode);
    try {
      return use(fd);
    } finally {
      this.sys.close(fd);
    }
  }

  #fd(slot: number): number {
    const fd = this.#slots.get(slot);
    if (fd === undefined) throw new FsError('EBADF');
    return fd;
  }

  #read(fd: number, { offset, length }: { readonly offset: number; readonly length: number }): string {
    // Garbage first: what read(2) does not write must not count.
    const bytes = new Uint8Array(length).fill(0xee);
    let done = 0;
    for (let n = 1; n > 0 && done < length; done += n) n = this.sys.pread(fd, bytes.subarray(done), offset + done);
    return bytesAnswer(bytes.subarray(0, done));
  }

  #entries(fd: number, piece: number): Dirent[] {
    const all: Dirent[] = [];
    for (;;) {
      const entries = this.sys.getdents(fd, piece);
      if (entries.length === 0) return all;
      all.push(...entries);
    }
  }

  /** How many were made; the first that cannot be ends it, and is the outcome when it is the very first. */
  #many({ path, prefix, first, count }: Extract<Step, { op: 'many' }>): number {
    for (let made = 0; made < count; made++) {
      try {
        this.#with(`${path}/${prefix}${first + made}`, O.WRONLY | O.CREAT | O.EXCL, () => {}, 0o600);
      } catch (e) {
        if (made === 0 || !(e instanceof FsError)) throw e;
        return made;
      }
    }
    return count;
  }

  #fewer({ path, prefix, first, count }: Extract<Step, { op: 'fewer' }>): number {
    let gone = 0;
    for (let i = first; i < first + count; i++) {
      try {
        this.sys.unlink(this.path(`${path}/${prefix}${i}`));
        gone++;
      } catch (e) {
        const isSaid = e instanceof FsError && (e.code === 'EPERM' || (e.code === 'ENOENT' && this.#exists(path)));
        if (!isSaid) throw e;
      }
    }
    return gone;
  }

  #exists(path: string): boolean {
    try {
      return this.sys.stat(this.path(path)).type === 'dir';
    } catch (e) {
      if (e instanceof FsError) return false;
      throw e;
    }
  }

  #commit(): void {
    const stage = this.#stage;
    if (stage !== undefined) this.instance.k.commit(stage);
    this.#savepoints = [];
  }

  closeAll(): void {
    for (const fd of this.#slots.values()) this.sys.close(fd);
    this.#slots.clear();
  }

  #remount(): void {
    this.closeAll();
    if (!this.#persistent) return;
    this.instance.unmount();
    this.instance.mount();
  }

  /** What is in the stage becomes the image; unmounted, it is judged; mounted again. */
  #judge(): void {
    this.closeAll();
    this.#commit();
    if (!this.#persistent) return;
    this.instance.unmount();
    try {
      this.instance.check();
    } catch (e) {
      this.complaint = e instanceof Error ? e.message : String(e);
    }
    this.instance.mount();
  }

  // looking

  stat(path: string): Stat {
    return this.sys.lstat(this.path(path));
  }

  entries(path: string): Dirent[] {
    return this.#with(path, O.RDONLY, (fd) => this.#entries(fd, 500));
  }

  /** Free bytes and inodes, for judging whether it may be full. */
  space(): { readonly freeBytes: number; readonly freeFiles: number } {
    const { freeBlocks, fragmentSize, freeFiles } = this.sys.statvfs(this.#mnt);
    return { freeBytes: freeBlocks * fragmentSize, freeFiles };
  }

  /** Buffers and vnodes that somebody still holds, though no step is running. */
  held(): string[] {
    const mp = this.mount;
    if (mp === undefined) return [];
    const pinned = mp.hasBufs && mp.bufs.pinned > 0 ? [`${mp.bufs.pinned} pinned buffers`] : [];
    if (this.#slots.size > 0) return pinned;
    const busy = [...mp.vnodes.values()].filter(({ usecount }) => usecount > 0);
    return [...pinned, ...busy.map(({ ino, usecount }) => `inode ${ino}: ${usecount} references`)];
  }
}

/** A call that answers nothing. */
const nothing = (..._done: void[]): undefined => undefined;
