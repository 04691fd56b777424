/**
 * A deterministic host in memory: for tests, and for kernels that have no operating system below them.
 *
 * Same options, same calls, same results. Directories exist by themselves; symbolic links work as last component only.
 * Hooks: `fault` runs before each operation and may throw in its place; `observe` is told of each change that took
 * effect, which is what the crash simulator records.
 */
import { FsError } from '../kern/errno.ts';
import type { Timespec } from '../kern/time.ts';
import { HYPERCALL_VERSION } from './hypercall.ts';
import type { Holder, Host, HostFile, HostFileType, HostStat, OpenMode } from './hypercall.ts';

export type HostOp =
  | 'open'
  | 'create'
  | 'stat'
  | 'fstat'
  | 'realpath'
  | 'readdir'
  | 'rename'
  | 'unlink'
  | 'fsyncDir'
  | 'freeBytes'
  | 'writableDir'
  | 'lock'
  | 'holder'
  | 'read'
  | 'write'
  | 'truncate'
  | 'fsync';

/** Operations that change something a crash could keep. */
const CHANGING: ReadonlySet<HostOp> = new Set<HostOp>(['create', 'write', 'truncate', 'rename', 'unlink']);

export type HostEvent =
  | { readonly op: 'create'; readonly path: string; readonly ino: number }
  | { readonly op: 'write'; readonly ino: number; readonly offset: number; readonly data: Uint8Array }
  | { readonly op: 'truncate'; readonly ino: number; readonly size: number }
  | { readonly op: 'rename'; readonly from: string; readonly to: string; readonly ino: number }
  | { readonly op: 'unlink'; readonly path: string; readonly ino: number }
  | { readonly op: 'fsync'; readonly ino: number }
  /** The fault hook made it fail: what it was to write may or may not reach the disk, and no later fsync will tell. */
  | { readonly op: 'fsyncFailed'; readonly ino: number }
  | { readonly op: 'fsyncDir'; readonly path: string }
  | { readonly op: 'fsyncDirFailed'; readonly path: string };

export interface MemoryHostOptions {
  /** Seeds random(). */
  readonly seed?: number;
  /** What now() says until `time` is set. */
  readonly time?: Timespec;
  readonly params?: Readonly<Record<string, string>>;
  readonly uid?: number;
  /** Bytes that new allocations may take before ENOSPC. */
  readonly freeBytes?: number;
  /** False: lock() answers 'unsupported'. */
  readonly locks?: boolean;
  /** Called before operation number `n` (from 1); what it throws is what the operation throws. */
  readonly fault?: (op: HostOp, path: string, n: number) => void;
  readonly observe?: (event: HostEvent) => void;
  /** Shared by hosts that stand for one world, so that salts do not repeat between them. */
  readonly salts?: { next: number };
}

export interface PutOptions {
  readonly type?: HostFileType;
  readonly mode?: number;
  readonly uid?: number;
  readonly ino?: number;
  readonly birthtime?: Timespec;
  /** Nobody will change the bytes: they need not be copied. */
  readonly lent?: boolean;
}

const PAGE = 4096;

class Inode {
  readonly pages = new Map<number, Uint8Array>();
  /** Pages that are parts of somebody else's array. */
  readonly #lent = new Set<number>();
  size = 0;
  nlink = 1;
  mtime: Timespec;
  lockedBy: object | undefined;
  readonly ino: number;
  readonly type: HostFileType;
  readonly mode: number;
  readonly uid: number;
  readonly birthtime: Timespec;

  constructor(ino: number, birthtime: Timespec, options: PutOptions) {
    this.ino = ino;
    this.type = options.type ?? 'reg';
    this.mode = options.mode ?? 0o644;
    this.uid = options.uid ?? 0;
    this.birthtime = this.mtime = birthtime;
  }

  read(dst: Uint8Array, offset: number): number {
    const length = Math.max(0, Math.min(dst.length, this.size - offset));
    for (let done = 0; done < length;) {
      const at = offset + done;
      const inPage = at % PAGE;
      const n = Math.min(PAGE - inPage, length - done);
      const page = this.pages.get(Math.floor(at / PAGE));
      if (page === undefined) dst.fill(0, done, done + n);
      else dst.set(page.subarray(inPage, inPage + n), done);
      done += n;
    }
    return length;
  }

  /** Contents of a new file, without a copy: a page is copied before it changes. */
  lend(bytes: Uint8Array): void {
    const whole = Math.floor(bytes.length / PAGE);
    for (let no = 0; no < whole; no++) {
      this.pages.set(no, bytes.subarray(no * PAGE, (no + 1) * PAGE));
      this.#lent.add(no);
    }
    this.size = whole * PAGE;
    this.write(bytes.subarray(this.size), this.size, () => undefined);
  }

  /** A page to change. */
  #own(no: number): Uint8Array | undefined {
    const page = this.pages.get(no);
    if (page === undefined || !this.#lent.delete(no)) return page;
    const copy = page.slice();
    this.pages.set(no, copy);
    return copy;
  }

  /** `room` is asked before a page is allocated and throws ENOSPC. */
  write(src: Uint8Array, offset: number, room: () => void): void {
    for (let done = 0; done < src.length;) {
      const at = offset + done;
      const inPage = at % PAGE;
      const n = Math.min(PAGE - inPage, src.length - done);
      const no = Math.floor(at / PAGE);
      let page = this.#own(no);
      if (page === undefined) {
        room();
        this.pages.set(no, (page = new Uint8Array(PAGE)));
      }
      page.set(src.subarray(done, done + n), inPage);
      done += n;
      this.size = Math.max(this.size, at + n);
    }
  }

  truncate(size: number): void {
    if (size < this.size) {
      for (const no of [...this.pages.keys()]) if (no * PAGE >= size) this.pages.delete(no);
      this.#own(Math.floor(size / PAGE))?.fill(0, size % PAGE);
    }
    this.size = size;
  }
}

const dirname = (path: string): string => path.slice(0, Math.max(1, path.lastIndexOf('/')));
const byteLength = (name: string): number => new TextEncoder().encode(name).length;

export class MemoryHost implements Host {
  readonly version: number = HYPERCALL_VERSION;
  readonly name = 'memory';
  time: Timespec;
  /** Every operation so far, and those of them that change something. */
  operations = 0;
  changes = 0;
  /** What console() was given. */
  readonly messages: string[] = [];
  readonly holders = new Map<string, Holder>();
  readonly readOnlyDirs = new Set<string>();
  signalsHeld = false;
  freeSpace: number;
  fault: ((op: HostOp, path: string, n: number) => void) | undefined;
  observe: ((event: HostEvent) => void) | undefined;

  readonly #options: MemoryHostOptions;
  readonly #names = new Map<string, Inode>();
  readonly #links = new Map<string, string>();
  readonly #salts: { next: number };
  #open = new Set<MemoryFile>();
  #nextIno = 1000;
  #ticks = 0;
  #random: number;
  #clock = 0;

  constructor(options: MemoryHostOptions = {}) {
    this.#options = options;
    this.time = options.time ?? { sec: 1_000_000_000, nsec: 0 };
    this.freeSpace = options.freeBytes ?? Number.MAX_SAFE_INTEGER;
    this.fault = options.fault;
    this.observe = options.observe;
    this.#salts = options.salts ?? { next: 1 };
    this.#random = (options.seed ?? 1) >>> 0;
  }

  // ---- for tests ----

  /** Create or replace a file without counting, faults or events. */
  put(path: string, bytes: Uint8Array, options: PutOptions = {}): void {
    const inode = new Inode(options.ino ?? this.#nextIno++, options.birthtime ?? this.#tick(), options);
    this.#nextIno = Math.max(this.#nextIno, inode.ino + 1);
    if (options.lent === true) inode.lend(bytes);
    else inode.write(bytes, 0, () => undefined);
    this.#names.set(path, inode);
  }

  /** A file of `size` bytes without data. */
  putSparse(path: string, size: number): void {
    this.put(path, new Uint8Array(0));
    this.#inode(path).truncate(size);
  }

  /** The whole contents, in `into` when it is large enough; ENOENT as usual. */
  get(path: string, into?: Uint8Array): Uint8Array {
    const inode = this.#inode(path);
    const fits = into !== undefined && into.length >= inode.size;
    const bytes = fits ? into.subarray(0, inode.size) : new Uint8Array(inode.size);
    inode.read(bytes, 0);
    return bytes;
  }

  has(path: string): boolean {
    return this.#names.has(path) || this.#links.has(path);
  }

  /** All names, sorted. */
  list(): string[] {
    return [...this.#names.keys(), ...this.#links.keys()].sort();
  }

  /** A second name for a file. */
  link(path: string, other: string): void {
    const inode = this.#inode(path);
    inode.nlink++;
    this.#names.set(other, inode);
  }

  symlink(target: string, path: string): void {
    this.#links.set(path, target);
  }

  /** What the death of the process does: descriptors and their locks go, nothing else happens. */
  kill(): void {
    for (const file of this.#open) file.close();
  }

  openFiles(): number {
    return this.#open.size;
  }

  inoOf(path: string): number {
    return this.#inode(path).ino;
  }

  birthOf(path: string): Timespec {
    return this.#inode(path).birthtime;
  }

  // ---- Host ----

  open(path: string, mode: OpenMode): HostFile {
    this.step(mode.create === undefined ? 'open' : 'create', path);
    if (mode.create !== undefined) {
      if (this.has(path)) throw new FsError('EEXIST', { op: 'open', path });
      this.#checkDir(path);
      if (byteLength(path.slice(path.lastIndexOf('/') + 1)) > 255)
        throw new FsError('ENAMETOOLONG', { op: 'open', path });
      const inode = new Inode(this.#nextIno++, this.#tick(), { mode: mode.create, uid: this.#options.uid ?? 0 });
      this.#names.set(path, inode);
      this.observe?.({ op: 'create', path, ino: inode.ino });
      return this.#opened(new MemoryFile(this, inode, path, true));
    }
    if (mode.nofollow === true && this.#links.has(path)) throw new FsError('ELOOP', { op: 'open', path });
    return this.#opened(new MemoryFile(this, this.#inode(path), path, mode.write));
  }

  stat(path: string, options?: { readonly nofollow?: boolean }): HostStat | undefined {
    this.step('stat', path);
    if (options?.nofollow === true && this.#links.has(path)) {
      return statOf(new Inode(0, this.time, { type: 'other', mode: 0o777 }));
    }
    const inode = this.#names.get(this.#follow(path));
    return inode === undefined ? undefined : statOf(inode);
  }

  realpath(path: string): string {
    this.step('realpath', path);
    const real = this.#follow(path);
    if (!this.#names.has(real)) throw new FsError('ENOENT', { op: 'realpath', path });
    return real;
  }

  readdir(path: string): string[] {
    this.step('readdir', path);
    const prefix = path.endsWith('/') ? path : `${path}/`;
    const names = this.list().filter((p) => p.startsWith(prefix));
    return [...new Set(names.map((p) => p.slice(prefix.length).replace(/\/.*/, '')))];
  }

  rename(from: string, to: string): void {
    this.step('rename', from);
    this.#checkDir(from);
    this.#checkDir(to);
    const inode = this.#names.get(from);
    if (inode === undefined) throw new FsError('ENOENT', { op: 'rename', path: from });
    const replaced = this.#names.get(to);
    if (replaced !== undefined) replaced.nlink--;
    this.#links.delete(to);
    this.#names.delete(from);
    this.#names.set(to, inode);
    this.observe?.({ op: 'rename', from, to, ino: inode.ino });
  }

  unlink(path: string): void {
    this.step('unlink', path);
    this.#checkDir(path);
    if (this.#links.delete(path)) return;
    const inode = this.#names.get(path);
    if (inode === undefined) throw new FsError('ENOENT', { op: 'unlink', path });
    inode.nlink--;
    this.#names.delete(path);
    this.observe?.({ op: 'unlink', path, ino: inode.ino });
  }

  fsyncDir(path: string): void {
    try {
      this.step('fsyncDir', path);
    } catch (thrown) {
      this.observe?.({ op: 'fsyncDirFailed', path });
      throw thrown;
    }
    this.observe?.({ op: 'fsyncDir', path });
  }

  freeBytes(path: string): number {
    this.step('freeBytes', path);
    return this.freeSpace;
  }

  writableDir(path: string): boolean {
    this.step('writableDir', path);
    return !this.readOnlyDirs.has(path);
  }

  lock(file: HostFile): 'locked' | 'busy' | 'unsupported' {
    this.step('lock', '');
    if (this.#options.locks === false || !(file instanceof MemoryFile)) return 'unsupported';
    const { inode } = file;
    if (inode.lockedBy !== undefined && inode.lockedBy !== file) return 'busy';
    inode.lockedBy = file;
    return 'locked';
  }

  holder(path: string): Holder | undefined {
    this.step('holder', path);
    return this.holders.get(path);
  }

  whoami(): { uid: number; gid: number } {
    return { uid: this.#options.uid ?? 0, gid: 0 };
  }

  getparam(name: string): string | undefined {
    return this.#options.params?.[name];
  }

  now(): Timespec {
    return this.time;
  }

  monotonic(): number {
    return ++this.#clock * 1000;
  }

  /** mulberry32: the same bytes for the same seed. */
  random(dst: Uint8Array): void {
    for (let i = 0; i < dst.length; i++) {
      this.#random = (this.#random + 0x6d2b79f5) >>> 0;
      let t = this.#random;
      t = Math.imul(t ^ (t >>> 15), t | 1);
      t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
      dst[i] = t ^ (t >>> 14);
    }
  }

  /** A counter, most significant byte last. */
  salt(dst: Uint8Array): void {
    let n = this.#salts.next++;
    for (let i = 0; i < dst.length; i++) {
      dst[i] = n % 256;
      n = Math.floor(n / 256);
    }
  }

  console(text: string): void {
    this.messages.push(text);
  }

  signalled(): boolean {
    return false;
  }

  holdSignals(held: boolean): void {
    this.signalsHeld = held;
  }

  // ---- for MemoryFile ----

  step(op: HostOp, path: string): void {
    this.operations++;
    if (CHANGING.has(op)) this.changes++;
    this.fault?.(op, path, this.operations);
  }

  /** ENOSPC when no page is left, else takes one. */
  takePage(): void {
    if (this.freeSpace < PAGE) throw new FsError('ENOSPC', { op: 'write' });
    this.freeSpace -= PAGE;
  }

  touched(inode: Inode): void {
    inode.mtime = this.#tick();
  }

  closed(file: MemoryFile): void {
    this.#open.delete(file);
  }

  #opened(file: MemoryFile): MemoryFile {
    this.#open.add(file);
    return file;
  }

  /** Every change gets a time of its own, so that comparing times detects all of them. */
  #tick(): Timespec {
    return { sec: this.time.sec, nsec: ++this.#ticks };
  }

  #checkDir(path: string): void {
    if (this.readOnlyDirs.has(dirname(path))) throw new FsError('EACCES', { path });
  }

  #follow(path: string): string {
    let at = path;
    for (let n = 0; n < 32; n++) {
      const target = this.#links.get(at);
      if (target === undefined) return at;
      at = target.startsWith('/') ? target : `${dirname(at)}/${target}`;
    }
    throw new FsError('ELOOP', { path });
  }

  #inode(path: string): Inode {
    const inode = this.#names.get(this.#follow(path));
    if (inode === undefined) throw new FsError('ENOENT', { op: 'open', path });
    return inode;
  }
}

class MemoryFile implements HostFile {
  readonly inode: Inode;
  readonly #host: MemoryHost;
  readonly #path: string;
  readonly #write: boolean;
  #closed = false;

  constructor(host: MemoryHost, inode: Inode, path: string, write: boolean) {
    this.#host = host;
    this.inode = inode;
    this.#path = path;
    this.#write = write;
  }

  stat(): HostStat {
    this.#check('fstat');
    return statOf(this.inode);
  }

  read(dst: Uint8Array, offset: number): number {
    this.#check('read');
    return this.inode.read(dst, offset);
  }

  write(src: Uint8Array, offset: number): void {
    this.#check('write');
    const before = this.inode.size;
    try {
      this.inode.write(src, offset, () => this.#host.takePage());
    } finally {
      this.#host.touched(this.inode);
      // A write that ran out of space has still changed what it reached; the tail of `src` may then be recorded too
      // many by less than a page, which a crash simulator may treat as written.
      if (this.inode.size !== before || src.length > 0) {
        this.#host.observe?.({ op: 'write', ino: this.inode.ino, offset, data: src.slice() });
      }
    }
  }

  truncate(size: number): void {
    this.#check('truncate');
    this.inode.truncate(size);
    this.#host.touched(this.inode);
    this.#host.observe?.({ op: 'truncate', ino: this.inode.ino, size });
  }

  fsync(): void {
    try {
      this.#check('fsync');
    } catch (thrown) {
      this.#host.observe?.({ op: 'fsyncFailed', ino: this.inode.ino });
      throw thrown;
    }
    this.#host.observe?.({ op: 'fsync', ino: this.inode.ino });
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    if (this.inode.lockedBy === this) this.inode.lockedBy = undefined;
    this.#host.closed(this);
  }

  #check(op: HostOp): void {
    if (this.#closed) throw new FsError('EBADF', { op, path: this.#path });
    this.#host.step(op, this.#path);
    if ((op === 'write' || op === 'truncate') && !this.#write) throw new FsError('EBADF', { op, path: this.#path });
  }
}

function statOf(inode: Inode): HostStat {
  return {
    type: inode.type,
    size: inode.size,
    allocated: inode.pages.size * PAGE,
    dev: '1',
    ino: String(inode.ino),
    nlink: inode.nlink,
    mode: inode.mode,
    uid: inode.uid,
    gid: 0,
    mtime: inode.mtime,
    birthtime: inode.birthtime,
  };
}

export const memoryHost = (options?: MemoryHostOptions): MemoryHost => new MemoryHost(options);
