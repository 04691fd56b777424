/**
 * A directory of the host as a TreeDir: the host's side of every copy. Loaded only by commands that copy.
 *
 * An image is hostile: no name in it and no link it brought may lead a copy out of its target. An operation names an
 * entry of a directory held open; on Linux through /proc/self/fd, which is openat(2) in all but name, elsewhere through
 * the directory's path after making sure that it still is that directory. The last component is never followed.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import fse from 'fs-extra';
import { FsError, isWellFormedName, nameFromBytes } from 'ukfs';
import type { Rdev, Timespec, VType } from '@ukfs/kernel';
import { isSafeName } from 'ukfs';
import type { Loss, TreeAttr, TreeDir, TreeEntry, TreeFile, TreePlace, TreeStat } from 'ukfs';
import { hostError } from './host-files.ts';
import { hostPath } from './host-path.ts';
import type { HostPath } from './host-path.ts';
import type { HostXattrs } from './host-xattrs.ts';

export { readHostXattrs } from './host-xattrs.ts';

export interface HostTreeOptions {
  /** Give files their owners; refused by the host unless root. */
  readonly owners: boolean;
  /** Set-user-id, set-group-id and sticky bits, too. */
  readonly specialModes: boolean;
  /** Make devices, sockets aside; only root may. */
  readonly devices: boolean;
  readonly xattrs: boolean;
  /** Of the trees that are read: what getfattr(1) told. */
  readonly told?: HostXattrs | undefined;
  /** What is written is on the disk before it is closed: for a move, whose source then goes. */
  readonly durable?: boolean;
  /** Files, by id, that nothing may replace: images that are being read. */
  readonly guarded?: ReadonlySet<string>;
}

const { O_CREAT, O_EXCL, O_RDONLY, O_RDWR, O_NONBLOCK } = fse.constants;
/** Absent on Windows, where they then do nothing. */
const O_NOFOLLOW = fse.constants.O_NOFOLLOW ?? 0;
const O_DIRECTORY = fse.constants.O_DIRECTORY ?? 0;

function attempt<T>(path: string, act: () => T): T {
  try {
    return act();
  } catch (thrown) {
    throw hostError(thrown, path);
  }
}

/** A directory the user named: links in that path are the user's own and are followed. Errors: ENOENT, ENOTDIR. */
export function hostTree(path: string, options: HostTreeOptions): TreeDir {
  const real = attempt(path, () => fse.realpathSync.native(hostPath(path)));
  const fd = attempt(path, () => fse.openSync(real, O_RDONLY | O_DIRECTORY));
  return new HostDir(fd, real, options);
}

type HostKind = 'dir' | 'other' | 'none';

/** What a path of the host names, links followed. */
export function hostKind(path: string): HostKind {
  const stat = attempt(path, () => fse.statSync(hostPath(path), { throwIfNoEntry: false }));
  return stat === undefined ? 'none' : stat.isDirectory() ? 'dir' : 'other';
}

/** Is the file itself, links not followed, a link? Errors: ENOENT. */
export const isHostLink = (path: string): boolean =>
  attempt(path, () => fse.lstatSync(hostPath(path.replace(/(?<=[^/])\/+$/, '')))).isSymbolicLink();

/** A file's id, links followed; undefined: there is none. */
export function hostId(path: string): string | undefined {
  const stat = attempt(path, () => fse.statSync(hostPath(path), { bigint: true, throwIfNoEntry: false }));
  return stat === undefined ? undefined : treeStat(stat).id;
}

/** Permissions that the user's new files do not get. */
export const hostUmask = (): number => process.umask();

/** Remove what the path names, and if that is a directory all that it holds; no link is followed. Errors: those of rm(1). */
export function removeHostTree(path: string): void {
  const parent = hostTree((/^(.*)\/[^/]+\/*$/s.exec(path)?.[1] ?? '.') || '/', READ_ONLY);
  try {
    removeEntry(parent, /([^/]+)\/*$/.exec(path)?.[1] ?? '');
  } finally {
    parent.close();
  }
}

/** Nothing is made. */
export const READ_ONLY: HostTreeOptions = { owners: false, specialModes: false, devices: false, xattrs: false };

function removeEntry(dir: TreeDir, name: string): void {
  if (dir.lstat(name)?.type !== 'dir') {
    dir.unlink(name);
    return;
  }
  const below = dir.opendir(name);
  try {
    for (const entry of below.list()) removeEntry(below, entry.name);
  } finally {
    below.close();
  }
  dir.rmdir(name);
}

/** Where the path leads, every link followed. */
export const hostRealPath = (path: string): string =>
  nameFromBytes(attempt(path, () => fse.realpathSync.native(hostPath(path), { encoding: 'buffer' })));

/** A regular file the user named, not through a link at its end; to append to, it is made. Errors: ENOENT, ELOOP, EFTYPE. */
export function openHostFile(path: string, how: 'read' | 'append'): { readonly file: TreeFile; readonly size: number } {
  const flags = how === 'read' ? O_RDONLY | O_NONBLOCK : O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK;
  const fd = attempt(path, () => fse.openSync(hostPath(path), flags, 0o600));
  const stat = fse.fstatSync(fd);
  if (!stat.isFile()) {
    fse.closeSync(fd);
    throw new FsError('EFTYPE', { path });
  }
  return { file: new HostFile(fd, path, READ_ONLY), size: stat.size };
}

/** Which names the host cannot hold. */
export const hostNameRule = (): 'posix' | 'windows' | 'mac' =>
  process.platform === 'win32' ? 'windows' : process.platform === 'darwin' ? 'mac' : 'posix';

/** Make a directory the user named, with its parents. */
export const makeHostDir = (path: string): void => attempt(path, () => fse.ensureDirSync(String(hostPath(path))));

const hasProc = process.platform === 'linux' && fse.existsSync('/proc/self/fd');

const SECOND = 1_000_000_000n;
const timespec = (ns: bigint): Timespec => {
  const sec = (ns - (((ns % SECOND) + SECOND) % SECOND)) / SECOND;
  return { sec: Number(sec), nsec: Number(ns - sec * SECOND) };
};

/** As text: node reads a negative number as the present. Microseconds are what it keeps. */
const timeText = ({ sec, nsec }: Timespec): string => {
  const micro = Math.round(nsec / 1000) / 1_000_000;
  return String(sec + micro);
};

function typeOf(stat: fse.BigIntStats): VType {
  if (stat.isDirectory()) return 'dir';
  if (stat.isSymbolicLink()) return 'lnk';
  if (stat.isFIFO()) return 'fifo';
  if (stat.isSocket()) return 'sock';
  if (stat.isBlockDevice()) return 'blk';
  return stat.isCharacterDevice() ? 'chr' : 'reg';
}

/** Linux's dev_t (glibc gnu_dev_major and minor). */
const rdevOf = (dev: bigint): Rdev => ({
  major: Number(((dev >> 8n) & 0xfffn) | ((dev >> 32n) & ~0xfffn)),
  minor: Number((dev & 0xffn) | ((dev >> 12n) & ~0xffn)),
});

function treeStat(stat: fse.BigIntStats): TreeStat {
  const type = typeOf(stat);
  return {
    type,
    mode: Number(stat.mode & 0o7777n),
    uid: Number(stat.uid),
    gid: Number(stat.gid),
    size: Number(stat.size),
    atime: timespec(stat.atimeNs),
    mtime: timespec(stat.mtimeNs),
    birthtime: undefined,
    flags: 0,
    rdev: type === 'chr' || type === 'blk' ? rdevOf(stat.rdev) : undefined,
    nlink: Number(stat.nlink),
    sparse: stat.blocks * 512n < stat.size,
    id: `${stat.dev}:${stat.ino}`,
  };
}

/** Attributes of a directory the user named, links followed. */
export const hostDirStat = (path: string): TreeStat =>
  treeStat(attempt(path, () => fse.statSync(hostPath(path), { bigint: true })));

class HostDir implements TreeDir {
  readonly #fd: number;
  /** Real path; what messages and hosts without /proc use. */
  readonly #path: string;
  readonly #options: HostTreeOptions;

  constructor(fd: number, path: string, options: HostTreeOptions) {
    this.#fd = fd;
    this.#path = path;
    this.#options = options;
  }

  #at(name: string): HostPath {
    if (!isSafeName(name) || (process.platform === 'win32' && /[\\:]/.test(name))) {
      throw new FsError('EINVAL', { op: 'copy', path: name, what: 'not a file name' });
    }
    if (hasProc) return hostPath(`/proc/self/fd/${this.#fd}/${name}`);
    this.#mustBeUnmoved();
    return hostPath(`${this.#path}/${name}`);
  }

  /** Where no /proc helps: the path must still lead to the directory that was opened. */
  #mustBeUnmoved(): void {
    const held = fse.fstatSync(this.#fd, { bigint: true });
    const named = fse.lstatSync(this.#path, { bigint: true, throwIfNoEntry: false });
    if (named === undefined || named.dev !== held.dev || named.ino !== held.ino) {
      throw new FsError('ENOTDIR', { path: this.#path, what: 'directory was replaced while copying' });
    }
  }

  #try<T>(name: string, act: (path: HostPath) => T): T {
    const path = this.#at(name);
    return attempt(`${this.#path}/${name}`, () => act(path));
  }

  *list(): Iterable<TreeEntry | { readonly name: string; readonly error: Error }> {
    const where = hasProc ? `/proc/self/fd/${this.#fd}` : this.#path;
    // Some at a time: a directory may hold millions. As Latin-1 every byte of a name is one character.
    const options = { encoding: 'latin1', bufferSize: 256 } as const;
    const dir = attempt(this.#path, () => fse.opendirSync(where, options));
    const next = (): fse.Dirent | null => attempt(this.#path, () => dir.readSync());
    try {
      for (let entry = next(); entry !== null; entry = next()) {
        const name = nameFromBytes(Buffer.from(entry.name, 'latin1'));
        const stat = this.lstat(name);
        if (stat !== undefined) yield { name, stat };
      }
    } finally {
      dir.closeSync();
    }
  }

  lstat(name: string): TreeStat | undefined {
    if (name === '.') return treeStat(attempt(this.#path, () => fse.fstatSync(this.#fd, { bigint: true })));
    const stat = this.#try(name, (path) => fse.lstatSync(path, { bigint: true, throwIfNoEntry: false }));
    return stat === undefined ? undefined : treeStat(stat);
  }

  opendir(name: string): TreeDir {
    const fd = this.#try(name, (path) => fse.openSync(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW));
    return new HostDir(fd, `${this.#path}/${name}`, this.#options);
  }

  open(name: string): TreeFile {
    const fd = this.#try(name, (path) => fse.openSync(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK));
    return new HostFile(fd, `${this.#path}/${name}`, this.#options);
  }

  follow(name: string): TreePlace | undefined {
    const real = this.#try(name, (path) => {
      if (fse.statSync(path, { throwIfNoEntry: false }) === undefined) return undefined;
      return nameFromBytes(fse.realpathSync.native(path, { encoding: 'buffer' }));
    });
    if (real === undefined) return undefined;
    const at = real.lastIndexOf('/');
    return { dir: hostTree(real.slice(0, at) || '/', this.#options), name: real.slice(at + 1) };
  }

  readlink(name: string): string {
    return this.#try(name, (path) => nameFromBytes(fse.readlinkSync(path, { encoding: 'buffer' })));
  }

  /** Node has no calls for them, and asking a program for each file would cost more than the copy. */
  xattrs(name: string): ReadonlyMap<string, Uint8Array> {
    return this.#options.told?.get(`${this.#path === '/' ? '' : this.#path}/${name}`) ?? new Map<string, Uint8Array>();
  }

  create(name: string): TreeFile {
    const fd = this.#try(name, (path) => fse.openSync(path, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW, 0o600));
    return new HostFile(fd, `${this.#path}/${name}`, this.#options);
  }

  mkdir(name: string): void {
    this.#try(name, (path) => fse.mkdirSync(path, 0o700));
  }

  symlink(target: string, name: string): void {
    this.#try(name, (path) => fse.symlinkSync(hostPath(target), path));
  }

  link(from: TreeDir, existing: string, name: string): void {
    if (!(from instanceof HostDir)) throw new FsError('EXDEV', { op: 'link', path: name });
    const source = from.#at(existing);
    this.#try(name, (path) => fse.linkSync(source, path));
  }

  mknod(name: string, type: 'chr' | 'blk' | 'fifo' | 'sock', rdev: Rdev | undefined): void {
    if (type === 'sock' || (type !== 'fifo' && !this.#options.devices)) throw new FsError('EOPNOTSUPP', { path: name });
    const numbers = rdev === undefined ? [] : [String(rdev.major), String(rdev.minor)];
    const words = type === 'fifo' ? ['p'] : [type === 'chr' ? 'c' : 'b', ...numbers];
    this.#run('mknod', ['-m', '600', '--', this.#outside(name), ...words], name);
  }

  /** The entry's path as another process of ours can use it. */
  #outside(name: string): string {
    if (!isWellFormedName(name)) throw new FsError('EOPNOTSUPP', { path: name });
    this.#at(name);
    return hasProc ? `/proc/${process.pid}/fd/${this.#fd}/${name}` : `${this.#path}/${name}`;
  }

  #run(program: string, args: readonly string[], name: string): void {
    const { status, error } = spawnSync(program, args, { stdio: 'ignore' });
    if (error !== undefined || status !== 0) throw new FsError('EOPNOTSUPP', { path: name });
  }

  setattr(name: string, attr: TreeAttr): readonly Loss[] {
    const stat = this.lstat(name);
    if (stat === undefined) throw new FsError('ENOENT', { path: `${this.#path}/${name}` });
    const path = this.#at(name);
    return setAttributes(attr, this.#options, {
      name,
      chown: (uid, gid) => fse.lchownSync(path, uid, gid),
      chmod: stat.type === 'lnk' ? undefined : (mode) => this.#chmod(name, stat.type, mode),
      utimes: (atime, mtime) => fse.lutimesSync(path, atime, mtime),
    });
  }

  /** chmod(2) follows links, fchmod(2) cannot; a device is not opened just for that. */
  #chmod(name: string, type: VType, mode: number): void {
    const path = this.#at(name);
    if (type !== 'reg' && type !== 'dir') {
      fse.chmodSync(path, mode);
      return;
    }
    const fd = fse.openSync(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
    try {
      fse.fchmodSync(fd, mode);
    } finally {
      fse.closeSync(fd);
    }
  }

  setxattr(name: string, attribute: string, value: Uint8Array): void {
    if (!this.#options.xattrs || !isWellFormedName(attribute) || attribute.includes('\0')) {
      throw new FsError('EOPNOTSUPP', { path: name });
    }
    const hex = `0x${Buffer.from(value).toString('hex')}`;
    try {
      execFileSync('setfattr', ['-h', '-n', attribute, '-v', hex, '--', this.#outside(name)], { stdio: 'ignore' });
    } catch (thrown) {
      throw new FsError('EOPNOTSUPP', { path: name }, { cause: thrown });
    }
  }

  #mayGo(name: string): void {
    const { guarded } = this.#options;
    if (guarded === undefined || guarded.size === 0) return;
    if (guarded.has(this.lstat(name)?.id ?? ''))
      throw new FsError('EEXIST', { op: 'copy', path: name, what: 'is the image itself' });
  }

  unlink(name: string): void {
    this.#mayGo(name);
    this.#try(name, (path) => fse.unlinkSync(path));
  }

  rename(name: string, target: string): void {
    const to = this.#at(target);
    this.#mayGo(target);
    this.#try(name, (path) => fse.renameSync(path, to));
  }

  rmdir(name: string): void {
    this.#try(name, (path) => fse.rmdirSync(path));
  }

  close(): void {
    closeWritten(this.#fd, this.#path, this.#options);
  }
}

function closeWritten(fd: number, path: string, { durable = false }: HostTreeOptions): void {
  try {
    if (durable) attempt(path, () => fse.fsyncSync(fd));
  } finally {
    fse.closeSync(fd);
  }
}

/** How attributes are set: by path, or through a descriptor. */
interface Setter {
  readonly name: string;
  chown(uid: number, gid: number): void;
  /** Absent: a link has no mode of its own. */
  readonly chmod: ((mode: number) => void) | undefined;
  utimes(atime: string, mtime: string): void;
}

const REFUSALS: ReadonlySet<string> = new Set(['EPERM', 'EACCES', 'ENOSYS', 'EINVAL', 'ENOTSUP', 'EOPNOTSUPP']);

function setAttributes(attr: TreeAttr, options: HostTreeOptions, to: Setter): readonly Loss[] {
  const losses = new Set<Loss>();
  const keep = (loss: Loss, set: () => void): void => {
    try {
      set();
    } catch (thrown) {
      const error = hostError(thrown, to.name);
      if (!REFUSALS.has(error.code)) throw error;
      losses.add(loss);
    }
  };
  const { uid, gid, mode, atime, mtime } = attr;
  const { chmod } = to;
  if (options.owners && uid !== undefined && gid !== undefined) keep('owner', () => to.chown(uid, gid));
  if (mode !== undefined && chmod !== undefined) {
    keep('mode', () => chmod(options.specialModes ? mode : mode & 0o777));
  }
  if (atime !== undefined && mtime !== undefined) keep('times', () => to.utimes(timeText(atime), timeText(mtime)));
  if (attr.birthtime !== undefined) losses.add('birth time');
  if (attr.flags !== undefined && attr.flags !== 0) losses.add('flags');
  return [...losses];
}

class HostFile implements TreeFile {
  readonly #fd: number;
  readonly #path: string;
  readonly #options: HostTreeOptions;

  constructor(fd: number, path: string, options: HostTreeOptions) {
    this.#fd = fd;
    this.#path = path;
    this.#options = options;
  }

  read(dst: Uint8Array, offset: number): number {
    return attempt(this.#path, () => fse.readSync(this.#fd, dst, 0, dst.length, offset));
  }

  write(src: Uint8Array, offset: number): void {
    for (let done = 0; done < src.length;) {
      done += attempt(this.#path, () => fse.writeSync(this.#fd, src, done, src.length - done, offset + done));
    }
  }

  truncate(size: number): void {
    attempt(this.#path, () => fse.ftruncateSync(this.#fd, size));
  }

  setattr(attr: TreeAttr): readonly Loss[] {
    return setAttributes(attr, this.#options, {
      name: this.#path,
      chown: (uid, gid) => fse.fchownSync(this.#fd, uid, gid),
      chmod: (mode) => fse.fchmodSync(this.#fd, mode),
      utimes: (atime, mtime) => fse.futimesSync(this.#fd, atime, mtime),
    });
  }

  /** Node cannot ask for holes. */
  data(): undefined {
    return undefined;
  }

  close(): void {
    closeWritten(this.#fd, this.#path, this.#options);
  }
}
