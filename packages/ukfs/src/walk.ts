/**
 * Tree walk for every tool that goes through a tree: find, du, tree, grep, hash.
 *
 * Attributes come with the entries, in one pass over each directory, or on request not at all. Memory is one batch of entries
 * for each level; with `order` it is one directory for each level. What cannot be read is an entry with `error`, and the walk
 * goes on. A directory that lies above itself, through a link or in a damaged image, is such an entry, too (ELOOP).
 */
import { asFsError, FsError } from '@ukfs/kernel';
import type { Dirent, DirentPlus, Stat, VType } from '@ukfs/kernel';
import { baseOf, joinPath } from './path.ts';
import type { Ukfs } from './handle.ts';

export type WalkSource = Pick<Ukfs, 'stat' | 'lstat' | 'opendir' | 'getdents' | 'getdentsplus' | 'close'>;

export interface WalkEntry {
  /** The root as given, then "/"-joined names. */
  readonly path: string;
  readonly name: string;
  /** 0 for the root. */
  readonly depth: number;
  /** `post` entries come after everything below a directory, if asked for; all others are `pre`. */
  readonly order: 'pre' | 'post';
  /** undefined: the entry names something damaged, or (a root) is not there; `error` says why. */
  readonly type: VType | undefined;
  /** undefined where `type` is, and in a walk without attributes (the root has them always). */
  readonly stat: Stat | undefined;
  /** A directory that is entered next, unless skip() is called; with `post` it is told again then. */
  readonly enters: boolean;
  /** No other entry of its directory comes after it; known only with `order`. */
  readonly isLast?: boolean;
  readonly error?: FsError;
}

/** An entry before anything else is known of it. */
export interface WalkName {
  readonly name: string;
  /** undefined when the format does not record types in directories. */
  readonly type: VType | undefined;
}

/** What entries of a directory are ordered by. */
export type WalkOrder = (a: WalkName, b: WalkName) => number;

export interface WalkOptions {
  /** Say each directory again after what is below it. */
  readonly post?: boolean;
  /** Enter other file systems mounted below. Default true; false needs attributes. */
  readonly crossMounts?: boolean;
  /** Symbolic links to follow; one that leads nowhere is itself. Default 'none'; 'all' needs attributes. */
  readonly follow?: 'none' | 'root' | 'all';
  /** false: types of the entries only, without a look at each inode. Default true. */
  readonly attributes?: boolean;
  /** Compares entries of one directory, which is then held in memory; default: directory order. */
  readonly order?: WalkOrder;
  /** Entries that it is false of are not there. */
  readonly select?: (entry: WalkName) => boolean;
  /** Levels below the root to enter. */
  readonly maxDepth?: number;
}

interface Level {
  readonly entry: WalkEntry;
  readonly ino: number;
  readonly dev: number;
  fd: number | undefined;
  batch: readonly (Dirent | DirentPlus)[];
  next: number;
}

const BATCH = 256;
const isChild = ({ name }: WalkName): boolean => name !== '.' && name !== '..';

/** Walk below `root`. Close an unfinished walk with return() (for…of does), or it keeps descriptors open. */
export function walk(fs: WalkSource, root: string, options: WalkOptions = {}): Walk {
  return new Walk(fs, root, options);
}

export class Walk implements IterableIterator<WalkEntry> {
  readonly #fs: WalkSource;
  readonly #options: WalkOptions;
  readonly #levels: Level[] = [];
  readonly #root: string;
  readonly #maxDepth: number;
  readonly #attributes: boolean;
  #device = 0;
  #started = false;
  /** A directory just told, entered with the next step unless skip() was called. */
  #pending: Level | undefined;

  constructor(fs: WalkSource, root: string, options: WalkOptions) {
    this.#fs = fs;
    this.#root = root;
    this.#options = options;
    this.#maxDepth = options.maxDepth ?? Infinity;
    this.#attributes = options.attributes !== false || options.follow === 'all' || options.crossMounts === false;
  }

  [Symbol.iterator](): this {
    return this;
  }

  /** Do not enter the directory just told; with `post` it is not said again. */
  skip(): void {
    this.#pending = undefined;
  }

  next(): IteratorResult<WalkEntry, undefined> {
    if (!this.#started) return { done: false, value: this.#rootEntry() };
    const pending = this.#pending;
    if (pending !== undefined) {
      this.#pending = undefined;
      const failure = this.#enter(pending);
      if (failure !== undefined) return { done: false, value: failure };
    }
    for (let level = this.#levels.at(-1); level !== undefined; level = this.#levels.at(-1)) {
      const told = this.#step(level);
      if (told !== undefined) return { done: false, value: told };
    }
    return { done: true, value: undefined };
  }

  return(): IteratorResult<WalkEntry, undefined> {
    for (const { fd } of this.#levels) if (fd !== undefined) this.#fs.close(fd);
    this.#levels.length = 0;
    this.#pending = undefined;
    return { done: true, value: undefined };
  }

  #rootEntry(): WalkEntry {
    this.#started = true;
    const at = { path: this.#root, name: baseOf(this.#root), depth: 0 };
    try {
      const followed = (this.#options.follow ?? 'none') !== 'none';
      const stat = followed ? this.#followed(this.#root) : this.#fs.lstat(this.#root);
      this.#device = stat.dev;
      return this.#tell(at, stat, { type: stat.type, ino: stat.ino });
    } catch (e) {
      return { ...at, order: 'pre', type: undefined, stat: undefined, enters: false, error: asFsError(e) };
    }
  }

  /** What a link leads to; itself, when that is nothing. */
  #followed(path: string): Stat {
    try {
      return this.#fs.stat(path);
    } catch (e) {
      if (!(e instanceof FsError) || e.code !== 'ENOENT') throw e;
      return this.#fs.lstat(path);
    }
  }

  /** The entry; a directory that is to be entered is remembered. */
  #tell(
    at: { readonly path: string; readonly name: string; readonly depth: number },
    stat: Stat | undefined,
    { type, ino }: { readonly type: VType; readonly ino: number },
  ): WalkEntry {
    const { path, name, depth } = at;
    const dev = stat?.dev ?? this.#device;
    const isElsewhere = dev !== this.#device && this.#options.crossMounts === false;
    if (type !== 'dir' || depth >= this.#maxDepth || isElsewhere)
      return { path, name, depth, order: 'pre', type, stat, enters: false };
    if (this.#levels.some((level) => level.ino === ino && level.dev === dev)) {
      const error = new FsError('ELOOP', { what: 'directory causes a cycle', ino });
      return { path, name, depth, order: 'pre', type, stat, enters: false, error };
    }
    const entry: WalkEntry = { path, name, depth, order: 'pre', type, stat, enters: true };
    this.#pending = { entry, ino, dev, fd: undefined, batch: [], next: 0 };
    return entry;
  }

  /** Open a directory; an entry with the error when that fails. */
  #enter(level: Level): WalkEntry | undefined {
    this.#levels.push(level);
    try {
      level.fd = this.#fs.opendir(level.entry.path);
      if (this.#options.order !== undefined) this.#readWhole(level, this.#options.order);
      return undefined;
    } catch (e) {
      return { ...level.entry, enters: false, error: asFsError(e) };
    }
  }

  #readWhole(level: Level, order: WalkOrder): void {
    const all: (Dirent | DirentPlus)[] = [];
    try {
      for (let some = this.#more(level.fd); some.length > 0; some = this.#more(level.fd)) all.push(...some);
    } finally {
      this.#endReading(level);
    }
    const { select } = this.#options;
    level.batch = all.filter((entry) => isChild(entry) && (select === undefined || select(entry))).sort(order);
  }

  #more(fd: number | undefined): readonly (Dirent | DirentPlus)[] {
    if (fd === undefined) return [];
    return this.#attributes ? this.#fs.getdentsplus(fd, BATCH) : this.#fs.getdents(fd, BATCH);
  }

  #endReading(level: Level): void {
    const { fd } = level;
    level.fd = undefined;
    if (fd !== undefined) this.#fs.close(fd);
  }

  /** The next entry of a level; undefined when it took a step without one (levels may have changed). */
  #step(level: Level): WalkEntry | undefined {
    if (level.next < level.batch.length) {
      const dirent = level.batch[level.next++];
      if (dirent === undefined || !isChild(dirent)) return undefined;
      if (this.#options.order !== undefined)
        return { ...this.#child(level.entry, dirent), isLast: level.next === level.batch.length };
      return this.#options.select?.(dirent) === false ? undefined : this.#child(level.entry, dirent);
    }
    try {
      level.batch = this.#more(level.fd);
      level.next = 0;
      if (level.batch.length > 0) return undefined;
    } catch (e) {
      level.batch = [];
      this.#endReading(level);
      return { ...level.entry, enters: false, error: asFsError(e) };
    }
    this.#levels.pop();
    this.#endReading(level);
    return this.#options.post === true ? { ...level.entry, order: 'post', enters: false } : undefined;
  }

  #child(parent: WalkEntry, dirent: Dirent | DirentPlus): WalkEntry {
    const at = { path: joinPath(parent.path, dirent.name), name: dirent.name, depth: parent.depth + 1 };
    try {
      const stat = this.#statOf(at.path, dirent);
      const type = stat?.type ?? dirent.type ?? this.#fs.lstat(at.path).type;
      return this.#tell(at, stat, { type, ino: stat?.ino ?? dirent.ino });
    } catch (e) {
      return { ...at, order: 'pre', type: undefined, stat: undefined, enters: false, error: asFsError(e) };
    }
  }

  #statOf(path: string, dirent: Dirent | DirentPlus): Stat | undefined {
    if (!('stat' in dirent)) return undefined;
    if (dirent.error !== undefined) throw dirent.error;
    return this.#options.follow === 'all' && dirent.stat?.type === 'lnk' ? this.#followed(path) : dirent.stat;
  }
}
