/**
 * An open file system of a kernel elsewhere. Each call is the one of that name in ../handle.ts, where its contract is, as a promise;
 * what differs stands here. There is no together(), whose argument cannot travel, and no session, which stays where the kernel is.
 */
import { FsError } from '@ukfs/kernel';
import type {
  Dirent,
  DirentPlus,
  Flock,
  FsInfo,
  FsTraits,
  PathconfName,
  Rdev,
  Stat,
  Statvfs,
  Timespec,
  UtimeSpec,
} from '@ukfs/kernel';
import type {
  ChangedFile,
  Changes,
  CheckResult,
  CommitResult,
  DeviceInfo,
  FileRun,
  MkdirOptions,
  NofollowOption,
  OpenFlag,
  RmOptions,
  Savepoint,
  WriteFileOptions,
} from '../handle.ts';
import type { Address } from '../address.ts';
import type { OpenedHandle } from './calls.ts';
import type { CallOptions, KernelCallOptions, RemoteKernel } from './client.ts';
import { entriesFrom } from './failure.ts';
import type { SentEntry } from './failure.ts';

/** Bytes of one message: what is longer goes in several, so that others have their turn. */
const PIECE = 4 * 1024 * 1024;

export class RemoteUkfs {
  readonly address: Address;
  readonly device: DeviceInfo;
  readonly type: string;
  readonly traits: FsTraits;
  /** By which services of the server know it. */
  readonly handle: number;
  readonly #kernel: RemoteKernel;
  readonly #opened: OpenedHandle;
  readonly #options: CallOptions;

  constructor(kernel: RemoteKernel, opened: OpenedHandle, options: CallOptions = {}) {
    this.#kernel = kernel;
    this.#opened = opened;
    this.#options = options;
    this.handle = opened.handle;
    this.address = opened.address;
    this.device = opened.device;
    this.type = opened.type;
    this.traits = opened.traits;
  }

  /** The same file system; its calls fail with ECANCELED once the signal is aborted. */
  until(signal: AbortSignal): RemoteUkfs {
    return new RemoteUkfs(this.#kernel, this.#opened, { ...this.#options, signal });
  }

  #call<T>(name: string, args: readonly unknown[], more: Pick<KernelCallOptions, 'item' | 'late'> = {}): Promise<T> {
    return this.#kernel.call(name, args, { ...this.#options, ...more, handle: this.handle });
  }

  /** A call that opens a descriptor: nobody would close that of an answer which comes too late. */
  #opens(name: string, args: readonly unknown[]): Promise<number> {
    const late = (fd: unknown): void => {
      this.#kernel.call('close', [fd], { handle: this.handle }).catch(() => undefined);
    };
    return this.#call(name, args, { late });
  }

  /** Also once the signal is aborted: what is open must be closed. */
  close(fd?: number): Promise<void> {
    return this.#kernel.call('close', fd === undefined ? [] : [fd], { handle: this.handle });
  }
  /** Bytes cross over as a copy, long ones in several calls. */
  async read(
    fd: number,
    buffer: Uint8Array,
    offset = 0,
    length = buffer.length - offset,
    position?: number,
  ): Promise<number> {
    checkPart(buffer, offset, length);
    for (let done = 0; ;) {
      const wanted = Math.min(length - done, PIECE);
      const at = position === undefined ? [] : [position + done];
      const bytes = await this.#call<Uint8Array>('read', [fd, wanted, ...at]);
      buffer.set(bytes, offset + done);
      done += bytes.length;
      if (bytes.length < wanted || done === length) return done;
    }
  }
  /** As read(). */
  async write(
    fd: number,
    buffer: Uint8Array,
    offset = 0,
    length = buffer.length - offset,
    position?: number,
  ): Promise<number> {
    checkPart(buffer, offset, length);
    for (let done = 0; ;) {
      const piece = alone(buffer.subarray(offset + done, offset + Math.min(length, done + PIECE)));
      const at = position === undefined ? [] : [0, piece.length, position + done];
      const written = await this.#call<number>('write', [fd, piece, ...at]);
      done += written;
      if (written < piece.length || done === length) return done;
    }
  }
  readdir(path: string, options?: { readonly withFileTypes?: false; readonly withStats?: false }): Promise<string[]>;
  readdir(path: string, options: { readonly withStats: true; readonly withFileTypes?: boolean }): Promise<DirentPlus[]>;
  readdir(path: string, options: { readonly withFileTypes: true; readonly withStats?: false }): Promise<Dirent[]>;
  async readdir(
    path: string,
    {
      withFileTypes = false,
      withStats = false,
    }: { readonly withFileTypes?: boolean; readonly withStats?: boolean } = {},
  ): Promise<unknown[]> {
    const all: unknown[] = [];
    const item = (some: unknown): void => {
      for (const one of withStats ? entriesFrom(some as SentEntry[]) : (some as unknown[])) all.push(one);
    };
    await this.#call<number>('readdir', [path, withStats ? 'stats' : withFileTypes ? 'types' : 'names'], { item });
    return all;
  }
  readFile(path: string): Promise<Uint8Array>;
  readFile(path: string, encoding: 'utf8'): Promise<string>;
  readFile(path: string, encoding?: 'utf8'): Promise<Uint8Array | string> {
    return this.#call('readFile', [path, encoding]);
  }
  async committed(): Promise<RemoteUkfs | undefined> {
    const made = (opened: OpenedHandle): RemoteUkfs => new RemoteUkfs(this.#kernel, opened);
    const late = (opened: unknown): void => {
      if (opened !== undefined)
        made(opened as OpenedHandle)
          .close()
          .catch(() => undefined);
    };
    const opened = await this.#call<OpenedHandle | undefined>('committed', [], { late });
    return opened === undefined ? undefined : made(opened);
  }
  open(path: string, flags?: number | OpenFlag, mode?: number): Promise<number> {
    return this.#opens('open', [path, flags, mode]);
  }
  lseek(fd: number, offset: number, whence: number): Promise<number> {
    return this.#call('lseek', [fd, offset, whence]);
  }
  dup(fd: number): Promise<number> {
    return this.#opens('dup', [fd]);
  }
  fstat(fd: number): Promise<Stat> {
    return this.#call('fstat', [fd]);
  }
  ftruncate(fd: number, size?: number): Promise<void> {
    return this.#call('ftruncate', [fd, size]);
  }
  fchmod(fd: number, mode: number): Promise<void> {
    return this.#call('fchmod', [fd, mode]);
  }
  fchown(fd: number, uid: number, gid: number): Promise<void> {
    return this.#call('fchown', [fd, uid, gid]);
  }
  futimes(fd: number, atime: UtimeSpec, mtime: UtimeSpec): Promise<void> {
    return this.#call('futimes', [fd, atime, mtime]);
  }
  fchflags(fd: number, flags: number): Promise<void> {
    return this.#call('fchflags', [fd, flags]);
  }
  fsync(fd: number): Promise<void> {
    return this.#call('fsync', [fd]);
  }
  fchdir(fd: number): Promise<void> {
    return this.#call('fchdir', [fd]);
  }
  fstatvfs(fd: number): Promise<Statvfs> {
    return this.#call('fstatvfs', [fd]);
  }
  fpathconf(fd: number, name: PathconfName): Promise<number> {
    return this.#call('fpathconf', [fd, name]);
  }
  setlk(fd: number, lock: Flock): Promise<void> {
    return this.#call('setlk', [fd, lock]);
  }
  getlk(fd: number, lock: Flock): Promise<(Flock & { readonly pid: number }) | undefined> {
    return this.#call('getlk', [fd, lock]);
  }
  fallocate(fd: number, offset: number, length: number): Promise<void> {
    return this.#call('fallocate', [fd, offset, length]);
  }
  punch(fd: number, offset: number, length: number): Promise<void> {
    return this.#call('punch', [fd, offset, length]);
  }
  opendir(path: string): Promise<number> {
    return this.#opens('opendir', [path]);
  }
  getdents(fd: number, max?: number): Promise<Dirent[]> {
    return this.#call('getdents', [fd, max]);
  }
  async getdentsplus(fd: number, max?: number): Promise<DirentPlus[]> {
    return entriesFrom(await this.#call<SentEntry[]>('getdentsplus', [fd, max]));
  }
  stat(path: string): Promise<Stat> {
    return this.#call('stat', [path]);
  }
  lstat(path: string): Promise<Stat> {
    return this.#call('lstat', [path]);
  }
  exists(path: string): Promise<boolean> {
    return this.#call('exists', [path]);
  }
  access(path: string, mode?: number): Promise<void> {
    return this.#call('access', [path, mode]);
  }
  mkdir(path: string, options?: MkdirOptions | number): Promise<void> {
    return this.#call('mkdir', [path, options]);
  }
  rmdir(path: string): Promise<void> {
    return this.#call('rmdir', [path]);
  }
  unlink(path: string): Promise<void> {
    return this.#call('unlink', [path]);
  }
  rm(path: string, options?: RmOptions): Promise<void> {
    return this.#call('rm', [path, options]);
  }
  rename(
    from: string,
    to: string,
    flags?: { readonly noreplace?: boolean; readonly exchange?: boolean },
  ): Promise<void> {
    return this.#call('rename', [from, to, flags]);
  }
  link(existing: string, path: string, options?: { readonly follow?: boolean }): Promise<void> {
    return this.#call('link', [existing, path, options]);
  }
  symlink(target: string, path: string): Promise<void> {
    return this.#call('symlink', [target, path]);
  }
  readlink(path: string): Promise<string> {
    return this.#call('readlink', [path]);
  }
  mknod(path: string, type: 'chr' | 'blk' | 'fifo' | 'sock' | 'reg', mode: number, rdev?: Rdev): Promise<void> {
    return this.#call('mknod', [path, type, mode, rdev]);
  }
  mkfifo(path: string, mode?: number): Promise<void> {
    return this.#call('mkfifo', [path, mode]);
  }
  truncate(path: string, size?: number): Promise<void> {
    return this.#call('truncate', [path, size]);
  }
  chmod(path: string, mode: number): Promise<void> {
    return this.#call('chmod', [path, mode]);
  }
  lchmod(path: string, mode: number): Promise<void> {
    return this.#call('lchmod', [path, mode]);
  }
  chown(path: string, uid: number, gid: number): Promise<void> {
    return this.#call('chown', [path, uid, gid]);
  }
  lchown(path: string, uid: number, gid: number): Promise<void> {
    return this.#call('lchown', [path, uid, gid]);
  }
  utimes(path: string, atime: UtimeSpec, mtime: UtimeSpec): Promise<void> {
    return this.#call('utimes', [path, atime, mtime]);
  }
  lutimes(path: string, atime: UtimeSpec, mtime: UtimeSpec): Promise<void> {
    return this.#call('lutimes', [path, atime, mtime]);
  }
  setbirthtime(path: string, birthtime: Timespec, options?: NofollowOption): Promise<void> {
    return this.#call('setbirthtime', [path, birthtime, options]);
  }
  chflags(path: string, flags: number): Promise<void> {
    return this.#call('chflags', [path, flags]);
  }
  lchflags(path: string, flags: number): Promise<void> {
    return this.#call('lchflags', [path, flags]);
  }
  pathconf(path: string, name: PathconfName): Promise<number> {
    return this.#call('pathconf', [path, name]);
  }
  getxattr(path: string, name: string, options?: NofollowOption): Promise<Uint8Array | undefined> {
    return this.#call('getxattr', [path, name, options]);
  }
  setxattr(path: string, name: string, value: Uint8Array, options?: NofollowOption): Promise<void> {
    return this.#call('setxattr', [path, name, value, options]);
  }
  listxattr(path: string, options?: NofollowOption): Promise<string[]> {
    return this.#call('listxattr', [path, options]);
  }
  removexattr(path: string, name: string, options?: NofollowOption): Promise<void> {
    return this.#call('removexattr', [path, name, options]);
  }
  bmap(path: string): Promise<FileRun[]> {
    return this.#call('bmap', [path]);
  }
  getfh(path: string): Promise<Uint8Array> {
    return this.#call('getfh', [path]);
  }
  fhopen(handle: Uint8Array, flags?: number | OpenFlag): Promise<number> {
    return this.#opens('fhopen', [handle, flags]);
  }
  writeFile(path: string, data: Uint8Array | string, options?: WriteFileOptions): Promise<void> {
    return this.#call('writeFile', [path, typeof data === 'string' ? data : alone(data), options]);
  }
  appendFile(path: string, data: Uint8Array | string, options?: WriteFileOptions): Promise<void> {
    return this.#call('appendFile', [path, typeof data === 'string' ? data : alone(data), options]);
  }
  chdir(path: string): Promise<void> {
    return this.#call('chdir', [path]);
  }
  getcwd(): Promise<string> {
    return this.#call('getcwd', []);
  }
  umask(mask: number): Promise<number> {
    return this.#call('umask', [mask]);
  }
  setcred(cred: { readonly uid: number; readonly gid: number; readonly groups?: readonly number[] }): Promise<void> {
    return this.#call('setcred', [cred]);
  }
  statvfs(path?: string): Promise<Statvfs> {
    return this.#call('statvfs', [path]);
  }
  fsinfo(path?: string): Promise<FsInfo> {
    return this.#call('fsinfo', [path]);
  }
  check(): Promise<CheckResult> {
    return this.#call('check', []);
  }
  verify(): Promise<void> {
    return this.#call('verify', []);
  }
  sync(): Promise<void> {
    return this.#call('sync', []);
  }
  commit(): Promise<CommitResult> {
    return this.#call('commit', []);
  }
  discard(): Promise<void> {
    return this.#call('discard', []);
  }
  savepoint(): Promise<Savepoint> {
    return this.#call('savepoint', []);
  }
  rollback(savepoint: Savepoint): Promise<void> {
    return this.#call('rollback', [savepoint]);
  }
  releaseSavepoint(savepoint: Savepoint): Promise<void> {
    return this.#call('releaseSavepoint', [savepoint]);
  }
  changes(): Promise<Changes> {
    return this.#call('changes', []);
  }
  changedFiles(): Promise<ChangedFile[]> {
    return this.#call('changedFiles', []);
  }
  checkWritable(): Promise<void> {
    return this.#call('checkWritable', []);
  }
  readOnly(): Promise<boolean> {
    return this.#call('readOnly', []);
  }
}

/** Without the rest of the buffer that it lies in, which would travel too. */
const alone = (bytes: Uint8Array): Uint8Array =>
  bytes.length === bytes.buffer.byteLength ? bytes : new Uint8Array(bytes);

/** What is said before anything is sent: as the local handle does. */
function checkPart(buffer: Uint8Array, offset: number, length: number): void {
  if (!(offset >= 0 && length >= 0 && offset + length <= buffer.length))
    throw new FsError('EINVAL', { what: 'outside the buffer' });
}
