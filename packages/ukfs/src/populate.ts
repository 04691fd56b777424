/**
 * Filling a new file system from a tree: the same tree gives the same image, whoever reads it when.
 *
 * So entries come in the order of their names' bytes, access times are those of the last change, birth times are left to
 * the maker's clock, and no time is later than `latest` (SOURCE_DATE_EPOCH).
 */
import type { Timespec } from '@ukfs/kernel';
import { copyContents } from './copy.ts';
import type { CopyReport } from './copy.ts';
import type { Ukfs } from './handle.ts';
import { compareNames } from './nameorder.ts';
import type { Loss, TreeAttr, TreeDir, TreeEntry, TreeFile, TreeStat } from './tree.ts';
import { ukfsTree } from './ukfstree.ts';

export interface PopulateOptions {
  /** No file is told to have changed later. */
  readonly latest?: Timespec;
  /** Attributes of the tree's own directory, for the root. */
  readonly root?: TreeStat;
  /** Told of each entry. */
  readonly done?: (path: string, stat: TreeStat, bytes: number) => void;
}

/** Copy what `from` holds into the root of `fs`. Errors: those of either side. */
export function populate(fs: Ukfs, from: TreeDir, options: PopulateOptions = {}): CopyReport {
  const { latest, root, done } = options;
  const report = copyContents(new StableDir(from, latest), ukfsTree(fs, '/'), done === undefined ? {} : { done });
  if (root !== undefined) {
    const { uid, gid, mode, mtime } = settled(root, latest);
    if (fs.traits.owners) fs.chown('/', uid, gid);
    fs.chmod('/', mode);
    fs.utimes('/', mtime, mtime);
  }
  return report;
}

function settled(stat: TreeStat, latest: Timespec | undefined): TreeStat {
  const isLate = latest !== undefined && stat.mtime.sec >= latest.sec;
  const mtime = isLate ? latest : stat.mtime;
  return { ...stat, mtime, atime: mtime, birthtime: undefined };
}

const isEntry = (e: TreeEntry | { readonly name: string; readonly error: Error }): e is TreeEntry => 'stat' in e;

/** A directory to be read. */
class StableDir implements TreeDir {
  readonly #dir: TreeDir;
  readonly #latest: Timespec | undefined;

  constructor(dir: TreeDir, latest: Timespec | undefined) {
    this.#dir = dir;
    this.#latest = latest;
  }

  *list(): Iterable<TreeEntry | { readonly name: string; readonly error: Error }> {
    const all = [...this.#dir.list()].sort((a, b) => compareNames(a.name, b.name));
    for (const entry of all) yield isEntry(entry) ? { ...entry, stat: settled(entry.stat, this.#latest) } : entry;
  }
  lstat(name: string): TreeStat | undefined {
    const stat = this.#dir.lstat(name);
    return stat === undefined ? undefined : settled(stat, this.#latest);
  }
  opendir(name: string): TreeDir {
    return new StableDir(this.#dir.opendir(name), this.#latest);
  }
  open(name: string): TreeFile {
    return this.#dir.open(name);
  }
  readlink(name: string): string {
    return this.#dir.readlink(name);
  }
  xattrs(name: string): ReadonlyMap<string, Uint8Array> {
    return this.#dir.xattrs(name);
  }
  close(): void {
    this.#dir.close();
  }

  // It is only read, but it is a directory all the same.
  create(name: string): TreeFile {
    return this.#dir.create(name);
  }
  mkdir(name: string): void {
    this.#dir.mkdir(name);
  }
  symlink(target: string, name: string): void {
    this.#dir.symlink(target, name);
  }
  link(from: TreeDir, existing: string, name: string): void {
    this.#dir.link(from, existing, name);
  }
  mknod(...args: Parameters<TreeDir['mknod']>): void {
    this.#dir.mknod(...args);
  }
  setattr(name: string, attr: TreeAttr): readonly Loss[] {
    return this.#dir.setattr(name, attr);
  }
  setxattr(name: string, attribute: string, value: Uint8Array): void {
    this.#dir.setxattr(name, attribute, value);
  }
  unlink(name: string): void {
    this.#dir.unlink(name);
  }
  rmdir(name: string): void {
    this.#dir.rmdir(name);
  }
}
