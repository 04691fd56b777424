/**
 * Files and trees of an image into a tar archive: owners, modes, times, extended attributes, access control lists, flags,
 * links of both kinds, devices, holes. In the order of names, so that the same tree always gives the same bytes.
 *
 * A file that cannot be read is told and left out; one whose contents fail half way is filled up with zeros and told.
 */
import { asFsError, FsError, O, SEEK } from '@ukfs/kernel';
import type { Stat, Timespec } from '@ukfs/kernel';
import { ACL_ACCESS, ACL_DEFAULT, aclToText, decodeAcl } from './acl.ts';
import type { CopyReport } from './copy.ts';
import { fflagsText } from './fileflags.ts';
import type { Ukfs } from './handle.ts';
import { Losses } from './losses.ts';
import { compareNames } from './nameorder.ts';
import type { TarRun } from './tar.ts';
import { padding } from './tarformat.ts';
import type { TarHeader, TarWriter } from './tarwrite.ts';
import { walk } from './walk.ts';
import type { WalkEntry } from './walk.ts';

/** A tree to archive. */
export interface TarRoot {
  /** In the image. */
  readonly path: string;
  /** In the archive; '' and '.' are the root of the archive. */
  readonly name: string;
}

export interface TarTreeOptions {
  /** Names of users and groups; without them the archive has numbers only. */
  readonly names?: { user(uid: number): string | undefined; group(gid: number): string | undefined };
  /** In place of what the files have. */
  readonly set?: Partial<Pick<TarHeader, 'uid' | 'gid' | 'uname' | 'gname' | 'mtime'>>;
  /** No file is told to have changed later (SOURCE_DATE_EPOCH). */
  readonly latest?: Timespec;
  /** Default true, both. */
  readonly xattrs?: boolean;
  readonly acls?: boolean;
  /** Times of creation, too, in a record that GNU tar warns about. Default false. */
  readonly birthtimes?: boolean;
  /** What symbolic links lead to in place of them. */
  readonly follow?: boolean;
  /** Directories with what they hold. Default true. */
  readonly recursive?: boolean;
  /** Do not enter other file systems that are mounted below. */
  readonly oneFileSystem?: boolean;
  /** By default the names of a directory are in the order of their bytes. */
  readonly order?: 'name' | 'directory';
  /** False leaves the entry, and what is below, out. Gets its name in the archive. */
  readonly filter?: (name: string, stat: Stat | undefined) => boolean;
  /** Told of each entry that is in the archive. */
  readonly done?: (name: string, stat: Stat) => void;
  /** Told of what could not be read; without it the first failure ends everything. */
  readonly failed?: (path: string, error: FsError) => void;
}

/** Archive the trees, one after the other; the writer stays open. Errors: those of reading, unless `failed` takes them. */
export function tarTree(
  fs: Ukfs,
  roots: Iterable<TarRoot>,
  writer: TarWriter,
  options: TarTreeOptions = {},
): CopyReport {
  const archiver = new Archiver(fs, writer, options);
  for (const root of roots) archiver.tree(root);
  return archiver.report();
}

const idOf = ({ dev, ino }: Stat): string => `${dev}:${ino}`;

class Archiver {
  readonly #fs: Ukfs;
  readonly #writer: TarWriter;
  readonly #options: TarTreeOptions;
  readonly #losses = new Losses();
  /** Files with several names that are in the archive: under which, and how many are still to come. */
  readonly #links = new Map<string, { readonly name: string; left: number }>();
  readonly #counts = { directories: 0, files: 0, others: 0, bytes: 0, failures: 0, skipped: 0 };

  constructor(fs: Ukfs, writer: TarWriter, options: TarTreeOptions) {
    this.#fs = fs;
    this.#writer = writer;
    this.#options = options;
  }

  report(): CopyReport {
    return { ...this.#counts, losses: this.#losses.report() };
  }

  tree(root: TarRoot): void {
    const { follow = false, recursive = true, oneFileSystem = false, order = 'name' } = this.#options;
    const steps = walk(this.#fs, root.path, {
      follow: follow ? 'all' : 'none',
      crossMounts: !oneFileSystem,
      ...(recursive ? {} : { maxDepth: 0 }),
      ...(order === 'name' ? { order: (a, b) => compareNames(a.name, b.name) } : {}),
    });
    const cut = root.path.length + (root.path.endsWith('/') ? 0 : 1);
    for (const entry of steps) {
      const { depth, path, stat } = entry;
      const name = depth === 0 ? root.name : `${root.name === '' ? '.' : root.name}/${path.slice(cut)}`;
      const act = (): void => this.#step(entry, name);
      if (this.#options.filter?.(name, stat) === false || !this.#attempt(path, act)) steps.skip();
    }
  }

  /** False: it failed. */
  #attempt(path: string, act: () => void): boolean {
    try {
      act();
      return true;
    } catch (e) {
      const { failed } = this.#options;
      if (failed === undefined || !(e instanceof FsError) || this.#writer.broken === e) throw e;
      this.#counts.failures++;
      failed(path, e);
      return false;
    }
  }

  #step({ path, stat, error }: WalkEntry, name: string): void {
    if (stat === undefined || error !== undefined) throw asFsError(error);
    this.#entry(path, name, stat);
  }

  #entry(path: string, name: string, stat: Stat): void {
    if (stat.type === 'sock') {
      this.#losses.add('socket', path);
      return;
    }
    if (stat.type !== 'dir' && stat.nlink > 1 && this.#linked(path, name, stat)) return;
    if (stat.type === 'reg') this.#file(path, name, stat);
    else {
      this.#writer.header(this.#header(path, name, stat));
      if (stat.type === 'dir') this.#counts.directories++;
      else this.#counts.others++;
    }
    this.#remember(name, stat);
    this.#options.done?.(name, stat);
  }

  /** Another name of a file that is in the archive. */
  #linked(path: string, name: string, stat: Stat): boolean {
    const known = this.#links.get(idOf(stat));
    if (known === undefined) return false;
    this.#writer.header(this.#header(path, name, stat, { type: 'link', target: known.name }));
    this.#counts.others++;
    if (--known.left === 0) this.#links.delete(idOf(stat));
    this.#options.done?.(name, stat);
    return true;
  }

  #remember(name: string, stat: Stat): void {
    if (stat.type !== 'dir' && stat.nlink > 1) this.#links.set(idOf(stat), { name, left: stat.nlink - 1 });
  }

  /** One object, of one shape for all: made of others it would cost as much as reading the file. */
  #header(path: string, name: string, stat: Stat, of: Partial<Pick<TarHeader, 'type' | 'target'>> = {}): TarHeader {
    const { names, set = {}, latest, birthtimes = false } = this.#options;
    const { type = stat.type } = of;
    if (type === 'sock') throw new FsError('EOPNOTSUPP', { op: 'tar', path });
    const isLink = type === 'link';
    const { uid = stat.uid, gid = stat.gid } = set;
    const attributes = isLink ? undefined : this.#attributes(path);
    return {
      path: name === '' ? '.' : name,
      type,
      mode: stat.mode,
      uid,
      gid,
      uname: set.uname ?? names?.user(uid) ?? '',
      gname: set.gname ?? names?.group(gid) ?? '',
      mtime: set.mtime ?? earlier(stat.mtime, latest),
      atime: set.mtime === undefined ? earlier(stat.atime, latest) : undefined,
      birthtime: birthtimes && !isLink ? birthOf(stat, latest) : undefined,
      size: type === 'reg' ? stat.size : 0,
      target: of.target ?? (type === 'lnk' ? this.#fs.readlink(path) : ''),
      rdev: stat.rdev,
      xattrs: attributes?.xattrs,
      aclAccess: attributes?.aclAccess,
      aclDefault: attributes?.aclDefault,
      fflags: isLink || stat.flags === 0 ? undefined : fflagsText(stat.flags),
      sparse: undefined,
    };
  }

  #attributes(path: string): Pick<TarHeader, 'xattrs' | 'aclAccess' | 'aclDefault'> | undefined {
    const { xattrs = true, acls = true, follow = false } = this.#options;
    if ((!xattrs && !acls) || !this.#fs.traits.xattr) return undefined;
    const how = { nofollow: !follow };
    const all = this.#fs.listxattr(path, how);
    if (all.length === 0) return undefined;
    if (this.#writer.format !== 'pax') {
      this.#losses.add('extended attribute', path);
      return undefined;
    }
    const kept = new Map<string, Uint8Array>();
    const lists: { aclAccess?: string; aclDefault?: string } = {};
    for (const attribute of all.sort(compareNames)) {
      const isAcl = attribute === ACL_ACCESS || attribute === ACL_DEFAULT;
      if (!(isAcl ? acls : xattrs)) continue;
      const value = this.#fs.getxattr(path, attribute, how);
      if (value === undefined) continue;
      if (attribute === ACL_ACCESS) lists.aclAccess = aclToText(decodeAcl(value));
      else if (attribute === ACL_DEFAULT) lists.aclDefault = aclToText(decodeAcl(value));
      else kept.set(attribute, value);
    }
    return { xattrs: kept, ...lists };
  }

  #file(path: string, name: string, stat: Stat): void {
    if (stat.size === 0) {
      this.#writer.header(this.#header(path, name, stat));
      this.#counts.files++;
      return;
    }
    const { follow = false } = this.#options;
    // Before its attributes are looked at: while it is open, its inode is at hand.
    const fd = this.#fs.open(path, O.RDONLY | (follow ? 0 : O.NOFOLLOW));
    try {
      const header = this.#header(path, name, stat);
      const map = stat.bytes < stat.size ? this.#map(fd, stat.size) : undefined;
      if (map === undefined) this.#whole(fd, header);
      else if (this.#writer.format === 'pax') this.#sparse(fd, header, map);
      else {
        this.#losses.add('hole', path);
        this.#whole(fd, header);
      }
      this.#counts.files++;
    } finally {
      this.#fs.close(fd);
    }
  }

  #whole(fd: number, header: TarHeader): void {
    this.#writer.header(header);
    this.#data(fd, [{ offset: 0, length: header.size }], header.size);
  }

  /** How large the map of a file with holes is in the archive; undefined: it has none. */
  #map(fd: number, size: number): SparseMap | undefined {
    let runs = 0;
    let bytes = 0;
    let text = 0;
    let end = 0;
    for (const { offset, length } of this.#runs(fd, size)) {
      runs++;
      bytes += length;
      text += String(offset).length + String(length).length + 2;
      end = offset + length;
    }
    if (bytes === size) return undefined;
    // The end of a file that ends in a hole.
    const hasTail = end < size;
    if (hasTail) {
      runs++;
      text += String(size).length + 3;
    }
    return { runs, bytes, hasTail, mapBytes: text + String(runs).length + 1 };
  }

  #sparse(fd: number, header: TarHeader, { runs, bytes, hasTail, mapBytes }: SparseMap): void {
    const { size } = header;
    const stored = mapBytes + padding(mapBytes) + bytes;
    this.#writer.header({ ...header, sparse: { stored } });
    let text = `${runs}\n`;
    const flush = (): void => {
      this.#writer.bytes(asciiBytes(text));
      text = '';
    };
    for (const { offset, length } of this.#runs(fd, size)) {
      text += `${offset}\n${length}\n`;
      if (text.length > TEXT_PIECE) flush();
    }
    if (hasTail) text += `${size}\n0\n`;
    flush();
    this.#writer.pad();
    this.#data(fd, this.#runs(fd, size), bytes);
  }

  *#runs(fd: number, size: number): Iterable<TarRun> {
    for (let at = 0; at < size;) {
      const start = this.#seek(fd, at, SEEK.DATA);
      if (start === undefined) return;
      const end = Math.min(this.#seek(fd, start, SEEK.HOLE) ?? size, size);
      if (end <= start) return;
      yield { offset: start, length: end - start };
      at = end;
    }
  }

  #seek(fd: number, offset: number, whence: number): number | undefined {
    try {
      return this.#fs.lseek(fd, offset, whence);
    } catch (e) {
      if (e instanceof FsError && e.code === 'ENXIO') return undefined;
      throw e;
    }
  }

  /** What cannot be read any more is zeros in the archive, whose header has promised so many bytes. */
  #data(fd: number, runs: Iterable<TarRun>, total: number): void {
    const writer = this.#writer;
    let left = total;
    try {
      for (const { offset, length } of runs) {
        for (let at = offset; at < offset + length;) {
          const room = writer.space(offset + length - at);
          const n = this.#fs.read(fd, room, 0, room.length, at);
          if (n === 0) throw new FsError('EIO', { op: 'read', what: 'ends before its size' });
          writer.take(n);
          at += n;
          left -= n;
        }
      }
    } finally {
      this.#counts.bytes += total - left;
      if (writer.broken === undefined) {
        writer.zeros(left);
        writer.pad();
      }
    }
  }
}

interface SparseMap {
  readonly runs: number;
  /** Of data. */
  readonly bytes: number;
  readonly hasTail: boolean;
  readonly mapBytes: number;
}

const TEXT_PIECE = 16 * 1024;
const asciiBytes = (text: string): Uint8Array => Uint8Array.from(text, (char) => char.charCodeAt(0));

const earlier = (time: Timespec, latest: Timespec | undefined): Timespec =>
  latest !== undefined && time.sec >= latest.sec ? latest : time;

const birthOf = ({ birthtime }: Stat, latest: Timespec | undefined): Timespec | undefined =>
  birthtime === undefined ? undefined : earlier(birthtime, latest);
