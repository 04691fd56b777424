/**
 * The handle's calls: each becomes the handle's process, makes the system call, and goes back.
 *
 * The process is made once, with no descriptors and the mount as its root, and kept (NetBSD's ukfs forks one per call).
 * Contracts are in handle.ts and, for the system calls, in the kernel's vfs/sys.ts.
 */
import { ACCESS, CorruptError, FsError, O, readOnlyError, RF, UnsupportedError } from '@ukfs/kernel';
import type {
  CommitHow,
  Dirent,
  DirentPlus,
  FileSystemType,
  Finding,
  Flock,
  FsInfo,
  FsTraits,
  Lwp,
  PathconfName,
  Rdev,
  Rump,
  Stage,
  Stat,
  Statvfs,
  Timespec,
  UtimeSpec,
  VfsSyscalls,
} from '@ukfs/kernel';
import type { Address } from './address.ts';
import { changedFiles } from './changed.ts';
import { ImageChangedError } from './errors.ts';
import type {
  ChangedFile,
  Changes,
  CheckHow,
  CheckResult,
  CommitResult,
  DeviceInfo,
  FileRun,
  MkdirOptions,
  NofollowOption,
  OpenFlag,
  OpenOptions,
  RmOptions,
  Savepoint,
  Session,
  Ukfs,
  WriteFileOptions,
} from './handle.ts';
import { nestedReadOnly } from './nestedhost.ts';
import { parentOf } from './path.ts';
import { removeTree } from './remove.ts';
import { KernelSession } from './session.ts';
import type { Mounted } from './session.ts';

export interface HandleInit {
  readonly address: Address;
  readonly device: DeviceInfo;
  readonly mounted: Mounted;
  readonly options: OpenOptions;
  /** The file system that the image lies in: it goes with this handle. */
  readonly within?: FsHandle | undefined;
}

const letters: Readonly<Record<OpenFlag, number>> = {
  r: O.RDONLY,
  'r+': O.RDWR,
  w: O.WRONLY | O.CREAT | O.TRUNC,
  wx: O.WRONLY | O.CREAT | O.TRUNC | O.EXCL,
  'w+': O.RDWR | O.CREAT | O.TRUNC,
  'wx+': O.RDWR | O.CREAT | O.TRUNC | O.EXCL,
  a: O.WRONLY | O.CREAT | O.APPEND,
  ax: O.WRONLY | O.CREAT | O.APPEND | O.EXCL,
  'a+': O.RDWR | O.CREAT | O.APPEND,
  'ax+': O.RDWR | O.CREAT | O.APPEND | O.EXCL,
};
const flagBits = (flags: number | OpenFlag): number => (typeof flags === 'number' ? flags : letters[flags]);

/** Findings that check() returns. */
const FINDINGS_MAX = 1000;
/** Entries per getdents call of our own loops. */
const BATCH = 512;
/** Bytes per read of readFile where the size is not known (device nodes tell 0). */
const PIECE = 64 * 1024;

export class FsHandle implements Ukfs {
  readonly address: Address;
  readonly device: DeviceInfo;
  readonly type: string;
  readonly traits: FsTraits;
  readonly #session: KernelSession;
  readonly #rump: Rump;
  readonly #sys: VfsSyscalls;
  readonly #mounted: Mounted;
  readonly #verifies: boolean;
  readonly #within: FsHandle | undefined;
  #lwp: Lwp | undefined;
  /** Called as the kernel itself; the session has counted the handle, the mount and its disk already. */
  constructor(session: KernelSession, { address, device, mounted, options, within }: HandleInit) {
    this.#session = session;
    this.#rump = session.rump;
    this.#sys = session.rump.sys;
    this.#mounted = mounted;
    this.#verifies = options.verify === true;
    this.#within = within;
    this.address = address;
    this.device = device;
    this.type = mounted.type.name;
    this.traits = mounted.type.traits;
    this.#lwp = this.#rump.lwproc.rfork(RF.CFDG);
    try {
      const { uid = 0, gid = 0, groups = [gid], umask = 0o022 } = options;
      this.#sys.chroot(mounted.on);
      this.#sys.umask(umask);
      if (uid !== 0 || gid !== 0 || options.groups !== undefined) this.#sys.setcred({ uid, gid, groups });
    } catch (e) {
      this.#rump.lwproc.releaselwp();
      throw e;
    }
  }

  /**
   * End one that lay around an image and was opened for that alone. Whoever else has its disk open learns from a handle of their own that
   * somebody wrote to it meanwhile.
   */
  static closeAround(fs: FsHandle): void {
    const isShared = (fs.#mounted.disk?.users ?? 0) > 1;
    fs.#end({ tells: isShared ? 'failures' : 'all' });
  }

  get session(): Session {
    // What lies in an image has a kernel of its own; what is shared with others is that of the image.
    return this.#within?.session ?? this.#session;
  }

  get readOnly(): boolean {
    if (this.#mounted.readOnly) return true;
    try {
      // statvfs() would count what is free, which takes its time on a large file system.
      this.access('/', ACCESS.WRITE);
    } catch (e) {
      if (!(e instanceof FsError)) throw e;
      return e.code === 'EROFS';
    }
    return false;
  }

  checkWritable(): void {
    if (!this.readOnly) return;
    if (this.#within !== undefined) throw this.#explained(nestedReadOnly('open', this.address.image));
    const reasons = this.#mounted.readOnly ? [] : this.fsinfo().readOnlyReasons;
    throw this.#explained(readOnlyError(reasons));
  }

  /** Run a system call as the handle's process. Errors leave with the image's name. */
  #as<T>(call: (sys: VfsSyscalls) => T): T {
    const { lwproc } = this.#rump;
    const before = lwproc.curlwp;
    if (this.#lwp === undefined) throw this.#closed();
    lwproc.switch(this.#lwp);
    try {
      return call(this.#sys);
    } catch (e) {
      throw this.#explained(e);
    } finally {
      lwproc.switch(before);
    }
  }

  /** The error with the image's name. */
  #explained(e: unknown): unknown {
    if (e instanceof FsError) e.context.image ??= this.address.image;
    return e;
  }

  #closed(): FsError {
    return new FsError('EBADF', { image: this.address.image, what: 'handle is closed' });
  }

  // descriptors

  open(path: string, flags: number | OpenFlag = 'r', mode = 0o666): number {
    return this.#as((sys) => sys.open(path, flagBits(flags), mode));
  }

  close(...fds: readonly number[]): void {
    const [fd] = fds;
    if (fds.length === 0) this.#end({ tells: 'all' });
    else this.#as((sys) => sys.close(fd ?? -1));
  }

  read(fd: number, buffer: Uint8Array, offset = 0, length = buffer.length - offset, position?: number): number {
    const dst = part(buffer, offset, length);
    return this.#as((sys) => (position === undefined ? sys.read(fd, dst) : sys.pread(fd, dst, position)));
  }

  write(fd: number, buffer: Uint8Array, offset = 0, length = buffer.length - offset, position?: number): number {
    const src = part(buffer, offset, length);
    return this.#as((sys) => (position === undefined ? sys.write(fd, src) : sys.pwrite(fd, src, position)));
  }

  lseek(fd: number, offset: number, whence: number): number {
    return this.#as((sys) => sys.lseek(fd, offset, whence));
  }

  dup(fd: number): number {
    return this.#as((sys) => sys.dup(fd));
  }

  fstat(fd: number): Stat {
    return this.#as((sys) => sys.fstat(fd));
  }

  ftruncate(fd: number, size = 0): void {
    this.#as((sys) => sys.ftruncate(fd, size));
  }

  fchmod(fd: number, mode: number): void {
    this.#as((sys) => sys.fchmod(fd, mode));
  }

  fchown(fd: number, uid: number, gid: number): void {
    this.#as((sys) => sys.fchown(fd, uid, gid));
  }

  futimes(fd: number, atime: UtimeSpec, mtime: UtimeSpec): void {
    this.#as((sys) => sys.futimens(fd, atime, mtime));
  }

  fchflags(fd: number, flags: number): void {
    this.#as((sys) => sys.fchflags(fd, flags));
  }

  fsync(fd: number): void {
    this.#as((sys) => sys.fsync(fd));
  }

  fchdir(fd: number): void {
    this.#as((sys) => sys.fchdir(fd));
  }

  fstatvfs(fd: number): Statvfs {
    return this.#seen(this.#as((sys) => sys.fstatvfs(fd)));
  }

  fpathconf(fd: number, name: PathconfName): number {
    return this.#as((sys) => sys.fpathconf(fd, name));
  }

  setlk(fd: number, lock: Flock): void {
    this.#as((sys) => sys.setlk(fd, lock));
  }

  getlk(fd: number, lock: Flock): (Flock & { readonly pid: number }) | undefined {
    return this.#as((sys) => sys.getlk(fd, lock));
  }

  fallocate(fd: number, offset: number, length: number): void {
    this.#as((sys) => sys.posix_fallocate(fd, offset, length));
  }

  punch(fd: number, offset: number, length: number): void {
    this.#as((sys) => sys.fdiscard(fd, offset, length));
  }

  // directories

  readdir(path: string, options?: { readonly withFileTypes?: false; readonly withStats?: false }): string[];
  readdir(path: string, options: { readonly withStats: true; readonly withFileTypes?: boolean }): DirentPlus[];
  readdir(path: string, options: { readonly withFileTypes: true; readonly withStats?: false }): Dirent[];
  readdir(
    path: string,
    options: { readonly withFileTypes?: boolean; readonly withStats?: boolean } = {},
  ): string[] | Dirent[] {
    const fd = this.opendir(path);
    try {
      const all: Dirent[] = [];
      for (;;) {
        const some = options.withStats === true ? this.getdentsplus(fd, BATCH) : this.getdents(fd, BATCH);
        if (some.length === 0) break;
        for (const entry of some) if (entry.name !== '.' && entry.name !== '..') all.push(entry);
      }
      return options.withStats === true || options.withFileTypes === true ? all : all.map(({ name }) => name);
    } finally {
      this.close(fd);
    }
  }

  opendir(path: string): number {
    return this.#as((sys) => sys.open(path, O.RDONLY | O.DIRECTORY));
  }

  getdents(fd: number, max = BATCH): Dirent[] {
    return this.#as((sys) => sys.getdents(fd, max));
  }

  getdentsplus(fd: number, max = BATCH): DirentPlus[] {
    return this.#as((sys) => sys.getdentsplus(fd, max));
  }

  // names

  stat(path: string): Stat {
    return this.#as((sys) => sys.stat(path));
  }

  lstat(path: string): Stat {
    return this.#as((sys) => sys.lstat(path));
  }

  exists(path: string): boolean {
    // An answer, and no failure that somebody will trace: V8 takes longer to note the stack than we take to look.
    const { stackTraceLimit } = Error;
    Error.stackTraceLimit = 0;
    try {
      this.access(path);
      return true;
    } catch (e) {
      if (e instanceof FsError && (e.code === 'ENOENT' || e.code === 'ENOTDIR')) return false;
      throw e;
    } finally {
      Error.stackTraceLimit = stackTraceLimit;
    }
  }

  access(path: string, mode = 0): void {
    this.#as((sys) => sys.access(path, mode));
  }

  mkdir(path: string, options: MkdirOptions | number = {}): void {
    const { recursive = false, mode = 0o777 } = typeof options === 'number' ? { mode: options } : options;
    if (recursive) this.#mkdirs(path, mode);
    else this.#as((sys) => sys.mkdir(path, mode));
  }

  /** mkdir -p: try the path, go up while parents are missing, then down again. */
  #mkdirs(path: string, mode: number): void {
    // A modifying call that fails costs much, and most often there is nothing to do.
    if (this.exists(path) && this.stat(path).type === 'dir') return;
    const missing = [path.replace(/(?<=.)\/+$/, '')];
    while (missing.length > 0) {
      const at = missing[missing.length - 1] ?? '';
      const parent = parentOf(at);
      try {
        // mkdir -p(1): those in between stay open to their owner, whatever the umask says.
        this.#as((sys) => sys.mkdir(at, missing.length === 1 ? mode : 0o777));
        missing.pop();
      } catch (e) {
        if (!(e instanceof FsError)) throw e;
        if (e.code === 'ENOENT' && parent !== undefined) missing.push(parent);
        else if (e.code === 'EEXIST' && this.stat(at).type === 'dir') missing.pop();
        else throw e;
      }
    }
  }

  rmdir(path: string): void {
    this.#as((sys) => sys.rmdir(path));
  }

  unlink(path: string): void {
    this.#as((sys) => sys.unlink(path));
  }

  rm(path: string, { recursive = false, force = false }: RmOptions = {}): void {
    try {
      const { type, dev } = this.lstat(path);
      if (type !== 'dir') this.unlink(path);
      else if (recursive) removeTree(this, path, { dev });
      else throw new FsError('EISDIR', { op: 'rm', path });
    } catch (e) {
      if (!(force && e instanceof FsError && e.code === 'ENOENT')) throw e;
    }
  }

  rename(from: string, to: string, flags: { readonly noreplace?: boolean; readonly exchange?: boolean } = {}): void {
    this.#as((sys) => sys.rename(from, to, flags));
  }

  link(existing: string, path: string, options: { readonly follow?: boolean } = {}): void {
    this.#as((sys) => sys.link(existing, path, options));
  }

  symlink(target: string, path: string): void {
    this.#as((sys) => sys.symlink(target, path));
  }

  readlink(path: string): string {
    return this.#as((sys) => sys.readlink(path));
  }

  mknod(path: string, type: 'chr' | 'blk' | 'fifo' | 'sock' | 'reg', mode: number, rdev?: Rdev): void {
    this.#as((sys) => sys.mknod(path, type, mode, rdev));
  }

  mkfifo(path: string, mode = 0o666): void {
    this.#as((sys) => sys.mkfifo(path, mode));
  }

  truncate(path: string, size = 0): void {
    this.#as((sys) => sys.truncate(path, size));
  }

  chmod(path: string, mode: number): void {
    this.#as((sys) => sys.chmod(path, mode));
  }

  lchmod(path: string, mode: number): void {
    this.#as((sys) => sys.chmod(path, mode, { nofollow: true }));
  }

  chown(path: string, uid: number, gid: number): void {
    this.#as((sys) => sys.chown(path, uid, gid));
  }

  lchown(path: string, uid: number, gid: number): void {
    this.#as((sys) => sys.chown(path, uid, gid, { nofollow: true }));
  }

  utimes(path: string, atime: UtimeSpec, mtime: UtimeSpec): void {
    this.#as((sys) => sys.utimens(path, atime, mtime));
  }

  lutimes(path: string, atime: UtimeSpec, mtime: UtimeSpec): void {
    this.#as((sys) => sys.utimens(path, atime, mtime, { nofollow: true }));
  }

  setbirthtime(path: string, birthtime: Timespec, options: NofollowOption = {}): void {
    this.#as((sys) => sys.setbirthtime(path, birthtime, options));
  }

  chflags(path: string, flags: number): void {
    this.#as((sys) => sys.chflags(path, flags));
  }

  lchflags(path: string, flags: number): void {
    this.#as((sys) => sys.chflags(path, flags, { nofollow: true }));
  }

  pathconf(path: string, name: PathconfName): number {
    return this.#as((sys) => sys.pathconf(path, name));
  }

  getxattr(path: string, name: string, options: NofollowOption = {}): Uint8Array | undefined {
    return this.#as((sys) => sys.getxattr(path, name, options));
  }

  setxattr(path: string, name: string, value: Uint8Array, options: NofollowOption = {}): void {
    this.#as((sys) => sys.setxattr(path, name, value, options));
  }

  listxattr(path: string, options: NofollowOption = {}): string[] {
    return this.#as((sys) => sys.listxattr(path, options));
  }

  removexattr(path: string, name: string, options: NofollowOption = {}): void {
    this.#as((sys) => sys.removexattr(path, name, options));
  }

  bmap(path: string): FileRun[] {
    return this.#as((sys) => sys.bmap(path));
  }

  getfh(path: string): Uint8Array {
    return this.#as((sys) => sys.getfh(path));
  }

  fhopen(handle: Uint8Array, flags: number | OpenFlag = 'r'): number {
    return this.#as((sys) => sys.fhopen(handle, flagBits(flags)));
  }

  // whole files

  readFile(path: string): Uint8Array;
  readFile(path: string, encoding: 'utf8'): string;
  readFile(path: string, encoding?: 'utf8'): Uint8Array | string {
    const fd = this.open(path);
    try {
      const bytes = this.#readAll(fd, path);
      return encoding === undefined ? bytes : new TextDecoder().decode(bytes);
    } finally {
      this.close(fd);
    }
  }

  #readAll(fd: number, path: string): Uint8Array {
    const { size } = this.fstat(fd);
    if (size > MAX_WHOLE) throw new FsError('EFBIG', { op: 'read', path, image: this.address.image });
    // One byte more than told: a short read says that the file ends there.
    let bytes = new Uint8Array(size + 1);
    for (let end = 0; ;) {
      const wanted = bytes.length - end;
      const n = this.read(fd, bytes, end, wanted);
      end += n;
      if (n === 0 || (n < wanted && end >= size)) return bytes.subarray(0, end);
      if (end < bytes.length) continue;
      const grown = new Uint8Array(Math.max(PIECE, bytes.length * 2));
      grown.set(bytes);
      bytes = grown;
    }
  }

  writeFile(path: string, data: Uint8Array | string, { mode = 0o666, flag = 'w' }: WriteFileOptions = {}): void {
    const bytes = typeof data === 'string' ? new TextEncoder().encode(data) : data;
    const fd = this.open(path, flag, mode);
    try {
      for (let done = 0; done < bytes.length;) {
        const n = this.write(fd, bytes, done);
        if (n === 0) throw new FsError('ENOSPC', { op: 'write', path, image: this.address.image });
        done += n;
      }
    } finally {
      this.close(fd);
    }
  }

  appendFile(path: string, data: Uint8Array | string, options: WriteFileOptions = {}): void {
    this.writeFile(path, data, { flag: 'a', ...options });
  }

  // the process

  chdir(path: string): void {
    this.#as((sys) => sys.chdir(path));
  }

  getcwd(): string {
    return this.#as((sys) => sys.getcwd());
  }

  umask(mask: number): number {
    return this.#as((sys) => sys.umask(mask));
  }

  setcred({ uid, gid, groups = [gid] }: { uid: number; gid: number; groups?: readonly number[] }): void {
    const lwp = this.#lwp;
    if (lwp === undefined) throw this.#closed();
    // The library's user decides who it acts for; the process's own rights do not matter.
    lwp.proc.cred = { uid, gid, groups: [...groups] };
  }

  // the file system

  statvfs(path = '/'): Statvfs {
    return this.#seen(this.#as((sys) => sys.statvfs(path)));
  }

  fsinfo(path = '/'): FsInfo {
    return this.#as((sys) => sys.fsinfo(path));
  }

  sync(): void {
    this.#as((sys) => sys.sync());
  }

  /** As people know it: the image, mounted on the root. */
  #seen(statvfs: Statvfs): Statvfs {
    const { on } = this.#mounted;
    if (statvfs.mountedOn !== on) return statvfs;
    return { ...statvfs, mountedOn: '/', mountedFrom: this.address.image };
  }

  // the transaction

  check({ pause }: CheckHow = {}): CheckResult {
    const { key, type } = this.#mounted;
    if (this.#lwp === undefined) throw this.#closed();
    if (key === undefined) throw new UnsupportedError(`checking ${type.name}`);
    const findings: Finding[] = [];
    const report = (finding: Finding): void => {
      if (findings.length < FINDINGS_MAX) findings.push(finding);
    };
    const wishes = { repair: 'none', report, ...(pause === undefined ? {} : { pause }) } as const;
    return this.#named(() => ({ ...this.#rump.check(key, type, wishes), findings }));
  }

  verify(how: CheckHow = {}): void {
    if (this.#lwp === undefined) throw this.#closed();
    this.sync();
    if (this.#mounted.disk?.stage.isDirty() !== true) return;
    const [first, ...more] = this.#named(() => this.#session.introduced(this.#mounted, { ...this.device, ...how }));
    if (first === undefined) return;
    const { ino, block } = first.where;
    const others = more.length === 0 ? '' : `, and ${more.length} more`;
    const what = `the edit would leave an error: ${first.message} [${first.code}]${others}; nothing was changed`;
    throw this.#explained(
      new CorruptError(what, {
        op: 'commit',
        ...(ino === undefined ? {} : { ino }),
        ...(block === undefined ? {} : { block }),
      }),
    );
  }

  commit(how: CommitHow = {}): CommitResult {
    const nothing = { changed: false, bytesLogged: 0, bytesInPlace: 0 };
    const { disk } = this.#mounted;
    if (this.#lwp === undefined) throw this.#closed();
    if (disk === undefined) return nothing;
    if (!disk.writable) throw new FsError('EROFS', { op: 'commit', image: this.address.image });
    return this.#named(() => {
      if (this.#verifies) this.verify();
      try {
        return this.#rump.commit(disk.stage, how);
      } catch (e) {
        // "Committed, not yet applied" and "outcome unknown" end the stage, and with it the handle.
        if (e instanceof FsError && 'outcome' in e && e.outcome !== 'discarded') this.#end({ tells: 'mistakes' });
        throw e;
      }
    });
  }

  discard(): void {
    this.#withStage((stage) => this.#rump.discard(stage));
  }

  savepoint(): Savepoint {
    return this.#withStage((stage) => this.#rump.savepoint(stage)) ?? 0;
  }

  rollback(savepoint: Savepoint): void {
    this.#withStage((stage) => this.#rump.rollback(stage, savepoint));
  }

  releaseSavepoint(savepoint: Savepoint): void {
    this.#withStage((stage) => stage.release(savepoint));
  }

  together<T>(act: () => T): T {
    const { disk } = this.#mounted;
    if (this.#lwp === undefined) throw this.#closed();
    return disk === undefined ? act() : this.#named(() => this.#rump.together(disk.stage, act));
  }

  changes(): Changes {
    this.sync();
    const extents = this.#withStage((stage) => stage.changes()) ?? [];
    return { bytes: extents.reduce((sum, { length }) => sum + length, 0), extents };
  }

  changedFiles(): ChangedFile[] {
    this.sync();
    if (this.#mounted.disk?.stage.isDirty() !== true) return [];
    const before = this.committed();
    try {
      return before === undefined ? [] : changedFiles(before, this);
    } finally {
      before?.close();
    }
  }

  committed(): Ukfs | undefined {
    const { disk, type } = this.#mounted;
    if (this.#lwp === undefined) throw this.#closed();
    if (disk === undefined) return undefined;
    const { address, device } = this;
    // A writer has applied a log that it found; to a dry run it is still part of what was committed.
    return asCommitted(this.#session, { disk: disk.path, type, address, device, ignoreLog: !disk.stage.dryRun });
  }

  #withStage<T>(use: (stage: Stage) => T): T | undefined {
    const { disk } = this.#mounted;
    if (this.#lwp === undefined) throw this.#closed();
    return disk === undefined ? undefined : this.#named(() => use(disk.stage));
  }

  #named<T>(act: () => T): T {
    try {
      return act();
    } catch (e) {
      throw this.#explained(e);
    }
  }

  /** Everything is let go, whatever fails on the way; the first failure is told. */
  #end({ tells }: { readonly tells: 'all' | 'failures' | 'mistakes' }): void {
    const lwp = this.#lwp;
    if (lwp === undefined) return;
    this.#lwp = undefined;
    const session = this.#session;
    const { disk } = this.#mounted;
    const steps = [
      (): void => (tells === 'all' ? this.#checkUnchanged() : undefined),
      (): void => {
        this.#rump.lwproc.switch(lwp);
        this.#rump.lwproc.releaselwp();
      },
      (): void => session.asKernel(() => session.unmount(this.#mounted)),
      (): void => (disk === undefined ? undefined : session.closeDisk(disk)),
      (): void => session.release(),
      (): void => (this.#within === undefined ? undefined : FsHandle.closeAround(this.#within)),
    ];
    const failures: unknown[] = [];
    for (const step of steps) {
      try {
        step();
      } catch (e) {
        failures.push(e);
      }
    }
    // After a commit that ended the stage nothing below works, and its failure is told already.
    const [failure] = tells === 'mistakes' ? failures.filter((e) => !(e instanceof FsError)) : failures;
    if (failure !== undefined) throw failure;
  }

  #checkUnchanged(): void {
    // A file of an image was looked at with each read of it; the image itself is looked at when its own handle ends.
    if (this.#within !== undefined) return;
    try {
      this.#mounted.disk?.stage.checkUnchanged();
    } catch (e) {
      if (!(e instanceof FsError && e.code === 'EAGAIN')) throw e;
      throw new ImageChangedError({ op: 'close', path: this.address.image, image: this.address.image });
    }
  }
}

/** The image as it was committed last, beside the handle that changes it: a kernel of its own that reads the file alone. */
function asCommitted(
  session: KernelSession,
  was: {
    readonly disk: string;
    readonly type: FileSystemType;
    readonly address: Address;
    readonly device: DeviceInfo;
    readonly ignoreLog: boolean;
  },
): Ukfs {
  const other = new KernelSession(session.host);
  other.handles++;
  other.rump.attach(was.type);
  const disk = other.openDisk(was.disk, { write: false, ignoreLog: was.ignoreLog });
  const { offset, sizeBytes } = was.device;
  const mounted = other.mount(disk, was.type, { offset, sizeBytes, readOnly: true, options: {} });
  return new FsHandle(other, { address: was.address, device: was.device, mounted, options: {} });
}

/** Files up to here can be read whole: Uint8Array's limit on the Node versions we support is above it. */
const MAX_WHOLE = 4 * 1024 * 1024 * 1024 - 1;

function part(buffer: Uint8Array, offset: number, length: number): Uint8Array {
  if (offset === 0 && length === buffer.length) return buffer;
  if (!(offset >= 0 && length >= 0 && offset + length <= buffer.length))
    throw new FsError('EINVAL', { what: 'outside the buffer' });
  return buffer.subarray(offset, offset + length);
}
