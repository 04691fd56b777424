/**
 * The host that is Node: the only file of the kernel that imports node:*.
 *
 * Reading an image needs node:fs alone; child processes (the lock) and crypto (salts) are loaded when first used, because
 * start-up is what a one-shot tool spends most of its time on. One NodeHost per thread; signals can be held back on the
 * main thread only.
 */
import * as fs from 'node:fs';
import { Errno, FsError } from '../kern/errno.ts';
import type { ErrnoName, ErrorContext } from '../kern/errno.ts';
import { isWellFormedName, nameFromBytes, nameToBytes } from '../kern/name.ts';
import type { Timespec } from '../kern/time.ts';
import { HYPERCALL_VERSION } from './hypercall.ts';
import type { Holder, Host, HostFile, HostFileType, HostStat, OpenMode } from './hypercall.ts';

const { O_RDONLY, O_RDWR, O_CREAT, O_EXCL } = fs.constants;
/** Absent on Windows, where it then does nothing. */
const O_NOFOLLOW = fs.constants.O_NOFOLLOW ?? 0;

/** Node's names for what NetBSD calls otherwise. */
const renamed: Readonly<Record<string, ErrnoName>> = {
  ENODATA: 'ENOATTR',
  EWOULDBLOCK: 'EAGAIN',
  EOPNOTSUPP: 'ENOTSUP',
  ECANCELLED: 'ECANCELED',
  EUNATCH: 'EIO',
};

/** A path for node:fs: bytes where it is a name string that stands for such as are no UTF-8. */
const native = (path: string): string | Buffer => (isWellFormedName(path) ? path : Buffer.from(nameToBytes(path)));

const isErrno = (code: string): code is ErrnoName => code in Errno;

/** A thrown value of node:fs as FsError; an unknown code is EIO with its cause kept. */
function hostError(thrown: unknown, context: ErrorContext): FsError {
  if (thrown instanceof FsError) return thrown;
  const code = codeOf(thrown);
  const name = code === undefined ? 'EIO' : (renamed[code] ?? (isErrno(code) ? code : 'EIO'));
  const unknown = name === 'EIO' && code !== 'EIO' && thrown instanceof Error;
  return new FsError(name, unknown ? { ...context, what: thrown.message } : context, { cause: thrown });
}

/** The same for work on a file that is open or beside the image: the message names it, since the caller speaks of another. */
function fileError(thrown: unknown, context: ErrorContext & { readonly path: string }): FsError {
  const error = hostError(thrown, context);
  return new FsError(error.code, { ...context, what: `${context.path}: ${error.message}` }, { cause: thrown });
}

function codeOf(thrown: unknown): string | undefined {
  if (thrown instanceof Error && 'code' in thrown && typeof thrown.code === 'string') return thrown.code;
  return undefined;
}

function attempt<T>(context: ErrorContext, act: () => T): T {
  try {
    return act();
  } catch (thrown) {
    throw hostError(thrown, context);
  }
}

function onFile<T>(context: ErrorContext & { readonly path: string }, act: () => T): T {
  try {
    return act();
  } catch (thrown) {
    throw fileError(thrown, context);
  }
}

/** Read a small kernel file such as those in /proc; undefined when it is not there. */
function readText(path: string): string | undefined {
  try {
    return fs.readFileSync(path, 'utf8');
  } catch (thrown) {
    const code = codeOf(thrown);
    if (code === undefined) throw thrown;
    return undefined;
  }
}

const timespec = (ns: bigint): Timespec => {
  const sec = ns >= 0n ? ns / 1_000_000_000n : -((-ns + 999_999_999n) / 1_000_000_000n);
  return { sec: Number(sec), nsec: Number(ns - sec * 1_000_000_000n) };
};

function fileType(s: fs.BigIntStats): HostFileType {
  if (s.isFile()) return 'reg';
  if (s.isDirectory()) return 'dir';
  if (s.isBlockDevice()) return 'blk';
  return s.isCharacterDevice() ? 'chr' : 'other';
}

/** Linux's dev_t encoding (glibc gnu_dev_major/minor). */
function majorMinor(dev: bigint): { readonly major: bigint; readonly minor: bigint } {
  return {
    major: ((dev >> 8n) & 0xfffn) | ((dev >> 32n) & ~0xfffn),
    minor: (dev & 0xffn) | ((dev >> 12n) & ~0xffn),
  };
}

/** st_size of a block device is 0; sysfs knows it in units of 512. */
function blockDeviceSize(rdev: bigint): number {
  const { major, minor } = majorMinor(rdev);
  const sectors = readText(`/sys/dev/block/${major}:${minor}/size`);
  return sectors === undefined ? 0 : Number(sectors) * 512;
}

function hostStat(s: fs.BigIntStats): HostStat {
  const type = fileType(s);
  const size = type === 'blk' ? blockDeviceSize(s.rdev) : Number(s.size);
  return {
    type,
    size,
    allocated: type === 'blk' ? size : Number(s.blocks ?? 0n) * 512,
    dev: String(s.dev),
    ino: String(s.ino),
    nlink: Number(s.nlink),
    mode: Number(s.mode & 0o7777n),
    uid: Number(s.uid),
    gid: Number(s.gid),
    mtime: timespec(s.mtimeNs),
    birthtime: timespec(s.birthtimeNs),
  };
}

class NodeFile implements HostFile {
  readonly fd: number;
  readonly path: string;
  /** Where a lock needs a descriptor of its own. */
  lockFd: number | undefined;
  #closed = false;

  constructor(fd: number, path: string) {
    this.fd = fd;
    this.path = path;
  }

  stat(): HostStat {
    return onFile({ op: 'stat', path: this.path }, () => hostStat(fs.fstatSync(this.fd, { bigint: true })));
  }

  read(dst: Uint8Array, offset: number): number {
    let done = 0;
    while (done < dst.length) {
      try {
        const n = fs.readSync(this.fd, dst, done, dst.length - done, offset + done);
        if (n === 0) break;
        done += n;
      } catch (thrown) {
        if (codeOf(thrown) !== 'EINTR') throw fileError(thrown, { op: 'read', path: this.path, offset: offset + done });
      }
    }
    return done;
  }

  write(src: Uint8Array, offset: number): void {
    let done = 0;
    while (done < src.length) {
      try {
        done += fs.writeSync(this.fd, src, done, src.length - done, offset + done);
      } catch (thrown) {
        if (codeOf(thrown) !== 'EINTR')
          throw fileError(thrown, { op: 'write', path: this.path, offset: offset + done });
      }
    }
  }

  truncate(size: number): void {
    onFile({ op: 'truncate', path: this.path }, () => fs.ftruncateSync(this.fd, size));
  }

  fsync(): void {
    onFile({ op: 'fsync', path: this.path }, () => fs.fsyncSync(this.fd));
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    onFile({ op: 'close', path: this.path }, () => {
      fs.closeSync(this.fd);
      if (this.lockFd !== undefined) fs.closeSync(this.lockFd);
    });
  }
}

/** O_EXLOCK | O_NONBLOCK of macOS and the BSDs, whose open(2) can take flock's lock; Node has no name for it. */
const O_EXLOCK_NONBLOCK = 0x24;

function lockByOpening(file: NodeFile): 'locked' | 'busy' {
  if (file.lockFd !== undefined) return 'locked';
  try {
    file.lockFd = fs.openSync(native(file.path), O_RDWR | O_EXLOCK_NONBLOCK);
    return 'locked';
  } catch (thrown) {
    const error = hostError(thrown, { op: 'lock', path: file.path });
    if (error.code === 'EAGAIN') return 'busy';
    throw error;
  }
}

const HELD = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

class NodeHost implements Host {
  readonly version: number = HYPERCALL_VERSION;
  readonly name = 'node';
  #held = false;
  #pending: (typeof HELD)[number] | undefined;
  readonly #onSignal = (signal: NodeJS.Signals): void => {
    this.#pending = HELD.find((name) => name === signal);
  };

  open(path: string, mode: OpenMode): HostFile {
    const context = { op: 'open', path };
    const access = mode.write ? O_RDWR : O_RDONLY;
    const follow = mode.nofollow === true ? O_NOFOLLOW : 0;
    return attempt(context, () => {
      if (mode.create !== undefined) {
        return new NodeFile(fs.openSync(native(path), access | follow | O_CREAT | O_EXCL, mode.create), path);
      }
      // O_EXCL without O_CREAT is a claim on a block device (EBUSY while it is mounted) and undefined for files.
      const exclusive = mode.write && fs.statSync(native(path)).isBlockDevice() ? O_EXCL : 0;
      return new NodeFile(fs.openSync(native(path), access | follow | exclusive), path);
    });
  }

  stat(path: string, options?: { readonly nofollow?: boolean }): HostStat | undefined {
    return attempt({ op: 'stat', path }, () => {
      const how = { bigint: true, throwIfNoEntry: false } as const;
      const s = options?.nofollow === true ? fs.lstatSync(native(path), how) : fs.statSync(native(path), how);
      return s === undefined ? undefined : hostStat(s);
    });
  }

  realpath(path: string): string {
    return attempt({ op: 'realpath', path }, () => {
      try {
        const real = fs.realpathSync.native(native(path));
        // Bytes that are no UTF-8 have been lost: ask for them.
        if (!real.includes('\ufffd')) return real;
        return nameFromBytes(fs.realpathSync.native(native(path), { encoding: 'buffer' }));
      } catch (thrown) {
        // A pipe has no other name than that of its descriptor, such as /dev/stdin.
        if (!fs.existsSync(native(path))) throw thrown;
        return path;
      }
    });
  }

  readdir(path: string): string[] {
    return attempt({ op: 'readdir', path }, () => {
      const names = fs.readdirSync(native(path));
      if (!names.some((name) => name.includes('\ufffd'))) return names;
      return fs.readdirSync(native(path), { encoding: 'buffer' }).map((name) => nameFromBytes(name));
    });
  }

  rename(from: string, to: string): void {
    onFile({ op: 'rename', path: from }, () => fs.renameSync(native(from), native(to)));
  }

  unlink(path: string): void {
    onFile({ op: 'unlink', path }, () => fs.unlinkSync(native(path)));
  }

  fsyncDir(path: string): void {
    // Windows cannot open directories; its file systems journal names by themselves.
    if (process.platform === 'win32') return;
    onFile({ op: 'fsync', path }, () => {
      const fd = fs.openSync(native(path), O_RDONLY);
      try {
        fs.fsyncSync(fd);
      } finally {
        fs.closeSync(fd);
      }
    });
  }

  freeBytes(path: string): number {
    return onFile({ op: 'statfs', path }, () => {
      const s = fs.statfsSync(native(path));
      return s.bavail * s.bsize;
    });
  }

  writableDir(path: string): boolean {
    try {
      fs.accessSync(native(path), fs.constants.W_OK | fs.constants.X_OK);
      return true;
    } catch (thrown) {
      const code = codeOf(thrown);
      if (code === 'EACCES' || code === 'EPERM' || code === 'EROFS') return false;
      throw hostError(thrown, { op: 'access', path });
    }
  }

  /** flock(1) locks the open file description we hand it, which is ours: the lock stays when flock exits. */
  lock(file: HostFile): 'locked' | 'busy' | 'unsupported' {
    if (!(file instanceof NodeFile) || process.platform === 'win32') return 'unsupported';
    if (process.platform !== 'linux') return lockByOpening(file);
    const { spawnSync } = process.getBuiltinModule('node:child_process');
    const done = spawnSync('flock', ['-n', '-x', '3'], { stdio: ['ignore', 'ignore', 'ignore', file.fd] });
    if (done.status === 0) return 'locked';
    return done.status === 1 && done.error === undefined ? 'busy' : 'unsupported';
  }

  /** Linux only; other systems see nobody. */
  holder(path: string): Holder | undefined {
    return mountOn(path) ?? loopOver(path) ?? lockOn(path);
  }

  whoami(): { uid: number; gid: number } | undefined {
    const uid = process.geteuid?.();
    const gid = process.getegid?.();
    return uid === undefined || gid === undefined ? undefined : { uid, gid };
  }

  getparam(name: string): string | undefined {
    return process.env[name];
  }

  now(): Timespec {
    const ms = Date.now();
    return { sec: Math.floor(ms / 1000), nsec: (ms % 1000) * 1_000_000 };
  }

  monotonic(): number {
    return Math.round(performance.now() * 1_000_000);
  }

  random(dst: Uint8Array): void {
    process.getBuiltinModule('node:crypto').randomFillSync(dst);
  }

  salt(dst: Uint8Array): void {
    this.random(dst);
  }

  console(text: string): void {
    const line = new TextEncoder().encode(text.endsWith('\n') ? text : `${text}\n`);
    try {
      for (let done = 0; done < line.length;) done += fs.writeSync(2, line, done);
    } catch (thrown) {
      // Nobody reads stderr any more: a message is not worth failing an edit for.
      if (codeOf(thrown) === undefined) throw thrown;
    }
  }

  signalled(): boolean {
    return this.#pending !== undefined;
  }

  holdSignals(held: boolean): void {
    if (held) {
      if (this.#held) return;
      this.#held = true;
      for (const name of HELD) process.on(name, this.#onSignal);
      return;
    }
    this.#held = false;
    // A signal that came during the stretch waits in the event loop: meet it before the default action returns.
    setImmediate(() => {
      if (this.#held) return;
      for (const name of HELD) process.removeListener(name, this.#onSignal);
      const pending = this.#pending;
      this.#pending = undefined;
      if (pending !== undefined) process.kill(process.pid, pending);
    });
  }
}

/** `\040` and friends in /proc files. */
const unescape = (text: string): string =>
  text.replace(/\\([0-7]{3})/g, (_, octal: string) => String.fromCharCode(parseInt(octal, 8)));

interface Mount {
  readonly mountPoint: string;
  readonly source: string;
}

function mounts(): Mount[] {
  const lines = (readText('/proc/self/mountinfo') ?? '').split('\n').filter((line) => line !== '');
  return lines.map((line) => {
    const words = line.split(' ');
    const dash = words.indexOf('-');
    return { mountPoint: unescape(words[4] ?? ''), source: unescape(words[dash + 2] ?? '') };
  });
}

function mountOn(path: string): Holder | undefined {
  for (const { mountPoint, source } of mounts()) {
    if (mountPoint === path) return { kind: 'mounted', detail: 'is itself a mount point' };
    if (source === path) return { kind: 'mounted', detail: `mounted on ${mountPoint}` };
  }
  return undefined;
}

function loopOver(path: string): Holder | undefined {
  let devices: string[];
  try {
    devices = fs.readdirSync('/sys/block').filter((name) => name.startsWith('loop'));
  } catch (thrown) {
    if (codeOf(thrown) === undefined) throw thrown;
    return undefined;
  }
  for (const name of devices) {
    if (readText(`/sys/block/${name}/loop/backing_file`)?.trimEnd() !== path) continue;
    const mount = mounts().find(({ source }) => source === `/dev/${name}` || source.startsWith(`/dev/${name}p`));
    const where = mount === undefined ? '' : `, mounted on ${mount.mountPoint}`;
    return { kind: 'loop', detail: `attached to /dev/${name}${where}` };
  }
  return undefined;
}

/** Byte-range locks as virtual machines take them; flock locks are for lock() to meet. */
function lockOn(path: string): Holder | undefined {
  const s = fs.statSync(native(path), { bigint: true, throwIfNoEntry: false });
  const locks = readText('/proc/locks');
  if (s === undefined || locks === undefined) return undefined;
  const { major, minor } = majorMinor(s.dev);
  const hex = (n: bigint): string => n.toString(16).padStart(2, '0');
  const key = `${hex(major)}:${hex(minor)}:${s.ino}`;
  for (const line of locks.split('\n')) {
    const words = line.split(/\s+/);
    const kind = words[1];
    if (!words.includes(key) || (kind !== 'POSIX' && kind !== 'OFDLCK')) continue;
    const pid = words[4] ?? '-1';
    if (pid === String(process.pid)) continue;
    return { kind: 'locked', detail: pid === '-1' ? 'locked by another program' : `locked by process ${pid}` };
  }
  return undefined;
}

export const nodeHost = (): Host => new NodeHost();
