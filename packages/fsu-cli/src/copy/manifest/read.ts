/** Copying in with a manifest: the host's tree as the image had it. */
import { FsError, isSafeName, nameFromBytes } from 'ukfs';
import type { TreeDir, TreeEntry, TreeFile, TreeStat } from 'ukfs';
import { baseOf, parentOf } from '../../copying.ts';
import { checkHeader, parseRecord } from './record.ts';
import type { ManifestRecord } from './record.ts';

const PIECE = 256 * 1024;
/** The largest record: a name, a target, and the attributes that a file can have. */
const LINE_MAX = 64 * 1024 * 1024;
const LINE_USUAL = 4096;
const NEWLINE = 10;

/** Records by path. In memory is where they are, not what they say. */
export class Manifest {
  readonly #file: TreeFile;
  readonly #at = new Map<string, number>();
  readonly #absent = new Map<string, Set<string>>();
  /** Paths that others are links to. */
  readonly #linked = new Set<string>();

  /** Errors: EFTYPE. */
  constructor(file: TreeFile) {
    this.#file = file;
    let isHeader = true;
    for (const { line, offset } of this.#lines(0)) {
      if (isHeader) checkHeader(line);
      else this.#index(parseRecord(line), offset);
      isHeader = false;
    }
    if (isHeader) throw new FsError('EFTYPE', { op: 'manifest', what: 'not a manifest of fsu' });
  }

  close(): void {
    this.#file.close();
  }

  *#lines(start: number): Generator<{ readonly line: string; readonly offset: number }> {
    let rest = new Uint8Array();
    let offset = start;
    const piece = new Uint8Array(PIECE);
    for (let at = start; ;) {
      const n = this.#file.read(piece, at);
      at += n;
      const bytes = new Uint8Array(rest.length + n);
      bytes.set(rest);
      bytes.set(piece.subarray(0, n), rest.length);
      let begin = 0;
      for (let end = bytes.indexOf(NEWLINE); end >= 0; end = bytes.indexOf(NEWLINE, begin)) {
        yield { line: nameFromBytes(bytes, begin, end), offset: offset + begin };
        begin = end + 1;
      }
      rest = bytes.slice(begin);
      offset += begin;
      if (n === 0) return;
      if (rest.length > LINE_MAX) throw new FsError('EFTYPE', { op: 'manifest', what: 'a line without end' });
    }
  }

  #index({ path, absent, link }: ManifestRecord, offset: number): void {
    this.#at.set(path, offset);
    if (link !== undefined) this.#linked.add(link);
    const parent = path.includes('/') ? parentOf(path) : '';
    const known = this.#absent.get(parent);
    if (!absent) known?.delete(path);
    else if (known === undefined) this.#absent.set(parent, new Set([path]));
    else known.add(path);
  }

  find(path: string): ManifestRecord | undefined {
    const offset = this.#at.get(path);
    return offset === undefined ? undefined : parseRecord(this.#lineAt(offset));
  }

  #lineAt(offset: number): string {
    for (let size = LINE_USUAL; ; size *= 8) {
      const bytes = new Uint8Array(size);
      const n = this.#file.read(bytes, offset);
      const end = bytes.subarray(0, n).indexOf(NEWLINE);
      if (end >= 0) return nameFromBytes(bytes, 0, end);
      if (n < size) throw new FsError('EFTYPE', { op: 'manifest', what: 'it changed meanwhile' });
    }
  }

  *absentIn(dir: string): Generator<ManifestRecord> {
    for (const path of this.#absent.get(dir) ?? []) {
      const record = this.find(path);
      if (record !== undefined) yield record;
    }
  }

  /** The record that says all about a file which has several names; and the id by which they are one. */
  resolve(record: ManifestRecord): { readonly record: ManifestRecord; readonly id: string | undefined } {
    const { link, path } = record;
    if (link === undefined) return { record, id: this.#linked.has(path) ? path : undefined };
    const first = this.find(link);
    // A mere name says nothing else.
    const isName = record.absent || record.mtime === undefined;
    return { record: isName && first !== undefined ? first : record, id: link };
  }
}

/** `path`: as for recordingTree(). `own`: the manifest's name in its directory, which is not copied. */
export function recordedTree(
  dir: TreeDir,
  path: string | undefined,
  from: { readonly manifest: Manifest; readonly own: string },
): TreeDir {
  return new RecordedDir(dir, path, from);
}

/** More names than any file has: how many a manifest knows is known at its end. */
const MANY = 65_000;
/** Times of the host are kept with microseconds. */
const TIME_GRAIN_NS = 1_000_000;

const isEntry = (e: TreeEntry | { readonly name: string; readonly error: Error }): e is TreeEntry => 'stat' in e;

class RecordedDir implements TreeDir {
  readonly #dir: TreeDir;
  readonly #path: string | undefined;
  readonly #from: { readonly manifest: Manifest; readonly own: string };
  /** Names of the host for those that it could not hold. */
  readonly #hosts = new Map<string, string>();
  readonly #absent = new Map<string, ManifestRecord>();

  constructor(dir: TreeDir, path: string | undefined, from: { readonly manifest: Manifest; readonly own: string }) {
    this.#dir = dir;
    this.#path = path;
    this.#from = from;
  }

  #find(host: string): ManifestRecord | undefined {
    return this.#from.manifest.find(
      this.#path === undefined ? '.' : this.#path === '' ? host : `${this.#path}/${host}`,
    );
  }

  #host(name: string): string {
    return this.#hosts.get(name) ?? name;
  }

  *list(): Iterable<TreeEntry | { readonly name: string; readonly error: Error }> {
    for (const entry of this.#dir.list()) {
      if (this.#path === '' && entry.name === this.#from.own) continue;
      if (!isEntry(entry)) yield entry;
      else {
        const record = this.#find(entry.name);
        const name = record?.name ?? entry.name;
        if (name !== entry.name && isSafeName(name)) this.#hosts.set(name, entry.name);
        yield { name, stat: this.#overlay(entry.stat, record) };
      }
    }
    for (const record of this.#from.manifest.absentIn(this.#path ?? '')) {
      const host = baseOf(record.path);
      const name = record.name ?? host;
      // Whoever put one there since means that one.
      if (this.#dir.lstat(host) !== undefined) continue;
      this.#absent.set(name, record);
      yield { name, stat: this.#statOf(record) };
    }
  }

  #overlay(stat: TreeStat, own: ManifestRecord | undefined): TreeStat {
    if (own === undefined || own.type !== stat.type || own.absent) return stat;
    const { record, id } = this.#from.manifest.resolve(own);
    const { mode, uid, gid, atime, mtime, birthtime, flags } = record;
    const isEdited = stat.type === 'reg' && !record.untimed && mtime !== undefined && differs(stat.mtime, mtime);
    return {
      ...stat,
      mode: mode ?? stat.mode,
      uid: uid ?? stat.uid,
      gid: gid ?? stat.gid,
      atime: atime ?? stat.atime,
      mtime: isEdited ? stat.mtime : (mtime ?? stat.mtime),
      birthtime: birthtime ?? stat.birthtime,
      flags: flags ?? stat.flags,
      ...(id === undefined ? {} : { id: `manifest:${id}`, nlink: MANY }),
    };
  }

  #statOf(own: ManifestRecord): TreeStat {
    const { record, id } = this.#from.manifest.resolve(own);
    const epoch = { sec: 0, nsec: 0 };
    const { type, mode = 0o600, uid = 0, gid = 0, atime = epoch, mtime = epoch, birthtime, flags = 0, rdev } = record;
    const links = { nlink: id === undefined ? 1 : MANY, id: `manifest:${id ?? own.path}` };
    return { type, mode, uid, gid, atime, mtime, birthtime, flags, rdev, size: 0, sparse: false, ...links };
  }

  lstat(name: string): TreeStat | undefined {
    const host = this.#host(name);
    const stat = this.#dir.lstat(host);
    if (stat !== undefined) return this.#overlay(stat, this.#find(host));
    const record = this.#absent.get(name) ?? this.#find(host);
    return record?.absent === true ? this.#statOf(record) : undefined;
  }
  opendir(name: string): TreeDir {
    const host = this.#host(name);
    const path = this.#path === undefined ? '' : this.#path === '' ? host : `${this.#path}/${host}`;
    return new RecordedDir(this.#dir.opendir(host), path, this.#from);
  }
  open(name: string): TreeFile {
    return this.#dir.open(this.#host(name));
  }
  readlink(name: string): string {
    const record = this.#absent.get(name);
    return record === undefined
      ? this.#dir.readlink(this.#host(name))
      : (this.#from.manifest.resolve(record).record.target ?? '');
  }
  xattrs(name: string): ReadonlyMap<string, Uint8Array> {
    const record = this.#absent.get(name) ?? this.#find(this.#host(name));
    return record === undefined
      ? this.#dir.xattrs(this.#host(name))
      : this.#from.manifest.resolve(record).record.xattrs;
  }
  follow(name: string): ReturnType<NonNullable<TreeDir['follow']>> {
    return this.#dir.follow?.(this.#host(name));
  }
  close(): void {
    this.#dir.close();
  }

  // It is only read.
  create = readOnly;
  mkdir = readOnly;
  symlink = readOnly;
  link = readOnly;
  mknod = readOnly;
  setattr = readOnly;
  setxattr = readOnly;
  unlink = readOnly;
  rmdir = readOnly;
}

function readOnly(): never {
  throw new FsError('EROFS', { op: 'copy' });
}

function differs(a: TreeStat['mtime'], b: TreeStat['mtime']): boolean {
  return a.sec !== b.sec || Math.abs(a.nsec - b.nsec) > TIME_GRAIN_NS;
}
