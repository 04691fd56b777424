/** A directory of an image as a TreeDir. */
import { asFsError, FsError, O, SEEK } from '@ukfs/kernel';
import type { Rdev, Stat, UtimeSpec } from '@ukfs/kernel';
import { joinPath } from './path.ts';
import { realPath } from './realpath.ts';
import { isSafeName } from './tree.ts';
import type { Loss, TreeAttr, TreeDir, TreeEntry, TreeFile, TreePlace, TreeRun, TreeStat } from './tree.ts';
import type { Ukfs } from './handle.ts';
import { writeAll } from './writeall.ts';

const BATCH = 256;

/** The directory `path` of an image, links in the path itself followed. Errors: ENOENT, ENOTDIR. */
export function ukfsTree(fs: Ukfs, path: string): TreeDir {
  if (fs.stat(path).type !== 'dir') throw new FsError('ENOTDIR', { op: 'opendir', path });
  return new UkfsDir(fs, path);
}

const statOf = ({
  type,
  mode,
  uid,
  gid,
  size,
  atime,
  mtime,
  birthtime,
  flags,
  rdev,
  nlink,
  bytes,
  dev,
  ino,
}: Stat): TreeStat => ({
  type,
  mode,
  uid,
  gid,
  size,
  atime,
  mtime,
  birthtime,
  flags,
  rdev,
  nlink,
  sparse: bytes < size,
  id: `${dev}:${ino}`,
});

/** A path will do for an open directory: nobody else changes the image, and each component was looked at. */
class UkfsDir implements TreeDir {
  readonly together: TreeDir['together'];
  readonly #fs: Ukfs;
  readonly #path: string;

  constructor(fs: Ukfs, path: string) {
    this.#fs = fs;
    this.#path = path;
    this.together = fs.traits.needsDevice ? (act) => fs.together(act) : undefined;
  }

  *list(): Iterable<TreeEntry | { readonly name: string; readonly error: Error }> {
    const fs = this.#fs;
    const fd = fs.opendir(this.#path);
    try {
      for (let some = fs.getdentsplus(fd, BATCH); some.length > 0; some = fs.getdentsplus(fd, BATCH)) {
        for (const { name, stat, error } of some) {
          if (name === '.' || name === '..') continue;
          if (stat === undefined) yield { name, error: asFsError(error) };
          else yield { name, stat: statOf(stat) };
        }
      }
    } finally {
      fs.close(fd);
    }
  }

  lstat(name: string): TreeStat | undefined {
    try {
      return statOf(this.#fs.lstat(this.#seen(name)));
    } catch (e) {
      if (e instanceof FsError && e.code === 'ENOENT') return undefined;
      throw e;
    }
  }

  opendir(name: string): TreeDir {
    const path = this.#at(name);
    if (this.#fs.lstat(path).type !== 'dir') throw new FsError('ENOTDIR', { op: 'opendir', path });
    return new UkfsDir(this.#fs, path);
  }

  open(name: string): TreeFile {
    const path = this.#at(name);
    return new UkfsFile(this.#fs, this.#fs.open(path, O.RDONLY | O.NOFOLLOW), path);
  }

  readlink(name: string): string {
    return this.#fs.readlink(this.#at(name));
  }

  xattrs(name: string): ReadonlyMap<string, Uint8Array> {
    const found = new Map<string, Uint8Array>();
    if (!this.#fs.traits.xattr) return found;
    const path = this.#seen(name);
    for (const attribute of this.#fs.listxattr(path, { nofollow: true })) {
      const value = this.#fs.getxattr(path, attribute, { nofollow: true });
      if (value !== undefined) found.set(attribute, value);
    }
    return found;
  }

  follow(name: string): TreePlace | undefined {
    const start = this.#at(name);
    if (!this.#fs.exists(start)) return undefined;
    const path = realPath(this.#fs, start);
    const at = path.lastIndexOf('/');
    const last = path.slice(at + 1);
    if (last === '') throw new FsError('EINVAL', { op: 'copy', path: start, what: 'a link to the root directory' });
    return { dir: new UkfsDir(this.#fs, path.slice(0, at) || '/'), name: last };
  }

  overwrite(name: string): TreeFile {
    const path = this.#at(name);
    return new UkfsFile(this.#fs, this.#fs.open(path, O.RDWR | O.TRUNC | O.NOFOLLOW), path);
  }

  create(name: string, mode = 0o600): TreeFile {
    const path = this.#at(name);
    return new UkfsFile(this.#fs, this.#fs.open(path, O.RDWR | O.CREAT | O.EXCL | O.NOFOLLOW, mode), path);
  }

  mkdir(name: string): void {
    this.#fs.mkdir(this.#at(name), 0o700);
  }

  symlink(target: string, name: string): void {
    this.#fs.symlink(target, this.#at(name));
  }

  link(from: TreeDir, existing: string, name: string): void {
    if (!(from instanceof UkfsDir) || from.#fs !== this.#fs) throw new FsError('EXDEV', { op: 'link', path: name });
    this.#fs.link(from.#at(existing), this.#at(name));
  }

  mknod(name: string, type: 'chr' | 'blk' | 'fifo' | 'sock', rdev: Rdev | undefined): void {
    this.#fs.mknod(this.#at(name), type, 0o600, rdev);
  }

  setattr(name: string, attr: TreeAttr): readonly Loss[] {
    const fs = this.#fs;
    const path = this.#at(name);
    return setAttributes(fs, attr, {
      path,
      chown: (uid, gid) => fs.lchown(path, uid, gid),
      chmod: (mode) => fs.lchmod(path, mode),
      utimes: (atime, mtime) => fs.lutimes(path, atime, mtime),
    });
  }

  setxattr(name: string, attribute: string, value: Uint8Array): void {
    this.#fs.setxattr(this.#at(name), attribute, value, { nofollow: true });
  }

  unlink(name: string): void {
    this.#fs.unlink(this.#at(name));
  }

  rmdir(name: string): void {
    this.#fs.rmdir(this.#at(name));
  }

  close(): void {
    // Nothing is held.
  }

  /** An entry, or the directory itself. */
  #seen(name: string): string {
    return name === '.' ? this.#path : this.#at(name);
  }

  #at(name: string): string {
    if (!isSafeName(name)) throw new FsError('EINVAL', { op: 'copy', path: name, what: 'not a file name' });
    return joinPath(this.#path, name);
  }
}

/** How attributes are set: by path, or through a descriptor, which needs no walk. */
interface Setter {
  readonly path: string;
  chown(uid: number, gid: number): void;
  chmod(mode: number): void;
  utimes(atime: UtimeSpec, mtime: UtimeSpec): void;
}

function setAttributes(fs: Ukfs, attr: TreeAttr, to: Setter): readonly Loss[] {
  const losses: Loss[] = [];
  const attempt = (loss: Loss, set: () => void): void => {
    try {
      set();
    } catch (e) {
      if (!isRefusal(e)) throw e;
      losses.push(loss);
    }
  };
  const { uid, gid, mode, atime, mtime, birthtime, flags } = attr;
  if (uid !== undefined || gid !== undefined) {
    if (!fs.traits.owners) losses.push('owner');
    else attempt('owner', () => to.chown(uid ?? -1, gid ?? -1));
  }
  // After the owner, whose change drops set-id bits.
  if (mode !== undefined) attempt('mode', () => to.chmod(mode));
  if (birthtime !== undefined) attempt('birth time', () => fs.setbirthtime(to.path, birthtime, { nofollow: true }));
  if (atime !== undefined || mtime !== undefined) {
    attempt('times', () => to.utimes(atime ?? 'omit', mtime ?? 'omit'));
    const grain = fs.traits.timeGranularityNs;
    if (mtime !== undefined && grain > 1 && (grain >= 1e9 ? mtime.nsec !== 0 : mtime.nsec % grain !== 0))
      losses.push('times');
  }
  // Last: an immutable file takes nothing more.
  if (flags !== undefined && flags !== 0) {
    if ((flags & ~fs.traits.flags) !== 0) losses.push('flags');
    attempt('flags', () => fs.lchflags(to.path, flags & fs.traits.flags));
  }
  return losses.length === 0 ? losses : [...new Set(losses)];
}

/** What a new file has already need not be set: each call costs as much as looking. */
function withoutSame(attr: TreeAttr, now: Stat): TreeAttr {
  const sameOwner = (attr.uid ?? now.uid) === now.uid && (attr.gid ?? now.gid) === now.gid;
  // A change of owner may take set-id bits away: then the mode has to follow it.
  if (!sameOwner) return attr;
  const { atime, mtime, birthtime, flags } = attr;
  const rest: { -readonly [K in keyof TreeAttr]: TreeAttr[K] } = {};
  if (attr.mode !== undefined && attr.mode !== now.mode) rest.mode = attr.mode;
  if (atime !== undefined) rest.atime = atime;
  if (mtime !== undefined) rest.mtime = mtime;
  if (birthtime !== undefined) rest.birthtime = birthtime;
  if (flags !== undefined) rest.flags = flags;
  return rest;
}

/** Errors that mean "this side cannot have that". */
export const isRefusal = (e: unknown): e is FsError =>
  e instanceof FsError && ['EOPNOTSUPP', 'ENOTSUP', 'EPERM', 'EINVAL', 'ENOSYS', 'ERANGE'].includes(e.code);

class UkfsFile implements TreeFile {
  readonly #fs: Ukfs;
  readonly #fd: number;
  readonly #path: string;

  constructor(fs: Ukfs, fd: number, path: string) {
    this.#fs = fs;
    this.#fd = fd;
    this.#path = path;
  }

  read(dst: Uint8Array, offset: number): number {
    return this.#fs.read(this.#fd, dst, 0, dst.length, offset);
  }

  write(src: Uint8Array, offset: number): void {
    writeAll(this.#fs, this.#fd, src, { position: offset });
  }

  truncate(size: number): void {
    this.#fs.ftruncate(this.#fd, size);
  }

  setattr(attr: TreeAttr): readonly Loss[] {
    return setAttributes(this.#fs, withoutSame(attr, this.#fs.fstat(this.#fd)), {
      path: this.#path,
      chown: (uid, gid) => this.#fs.fchown(this.#fd, uid, gid),
      chmod: (mode) => this.#fs.fchmod(this.#fd, mode),
      utimes: (atime, mtime) => this.#fs.futimes(this.#fd, atime, mtime),
    });
  }

  *data(): Iterable<TreeRun> {
    const { size } = this.#fs.fstat(this.#fd);
    for (let at = 0; at < size;) {
      const start = this.#seek(at, SEEK.DATA);
      if (start === undefined) return;
      const end = this.#seek(start, SEEK.HOLE) ?? size;
      if (end <= start) return;
      yield { offset: start, length: end - start };
      at = end;
    }
  }

  /** undefined: there is none up to the end. */
  #seek(offset: number, whence: number): number | undefined {
    try {
      return this.#fs.lseek(this.#fd, offset, whence);
    } catch (e) {
      if (e instanceof FsError && e.code === 'ENXIO') return undefined;
      throw e;
    }
  }

  close(): void {
    this.#fs.close(this.#fd);
  }
}
