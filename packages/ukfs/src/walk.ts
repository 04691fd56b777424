/**
 * Tree walk for every tool that goes through a tree: find, du, ls -R, cp, rm.
 *
 * Attributes come with the entries, in one pass over each directory. Memory is one batch of entries for each level; with
 * `order` it is one directory for each level. Symbolic links are never followed below the root. A directory that cannot
 * be read is an entry with `error`, and the walk goes on.
 */
import { asFsError } from '@ukfs/kernel';
import type { DirentPlus, FsError, Stat } from '@ukfs/kernel';
import { baseOf, joinPath } from './path.ts';
import type { Ukfs } from './handle.ts';

export type WalkSource = Pick<Ukfs, 'stat' | 'lstat' | 'opendir' | 'getdentsplus' | 'close'>;

export interface WalkEntry {
  /** The root as given, then "/"-joined names. */
  readonly path: string;
  readonly name: string;
  /** 0 for the root. */
  readonly depth: number;
  /** `post` entries come after everything below a directory, if asked for; all others are `pre`. */
  readonly order: 'pre' | 'post';
  /** undefined: the entry names something damaged, or (a root) is not there; `error` says why. */
  readonly stat: Stat | undefined;
  readonly error?: FsError;
}

export interface WalkOptions {
  /** Say each directory again after what is below it. */
  readonly post?: boolean;
  /** Enter other file systems mounted below. Default true. */
  readonly crossMounts?: boolean;
  /** Follow the root when it is a symbolic link. */
  readonly followRoot?: boolean;
  /** Compares entries of one directory, which is then held in memory; default: directory order. */
  readonly order?: (a: DirentPlus, b: DirentPlus) => number;
  /** Levels below the root to enter. */
  readonly maxDepth?: number;
}

interface Level {
  readonly entry: WalkEntry;
  fd: number | undefined;
  batch: readonly DirentPlus[];
  next: number;
}

const BATCH = 256;

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
  #device: number | undefined;
  #started = false;
  /** A directory just told, entered with the next step unless skip() was called. */
  #pending: WalkEntry | undefined;

  constructor(fs: WalkSource, root: string, options: WalkOptions) {
    this.#fs = fs;
    this.#root = root;
    this.#options = options;
    this.#maxDepth = options.maxDepth ?? Infinity;
  }

  [Symbol.iterator](): this {
    return this;
  }

  /** Do not enter the directory just told; with `post` it is not said again. */
  skip(): void {
    this.#pending = undefined;
  }

  next(): IteratorResult<WalkEntry, undefined> {
    if (!this.#started) return { done: false, value: this.#tell(this.#rootEntry()) };
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
    const at = { path: this.#root, name: baseOf(this.#root), depth: 0, order: 'pre' } as const;
    try {
      const stat = this.#options.followRoot === true ? this.#fs.stat(this.#root) : this.#fs.lstat(this.#root);
      this.#device = stat.dev;
      return { ...at, stat };
    } catch (e) {
      return { ...at, stat: undefined, error: asFsError(e) };
    }
  }

  /** Remember a directory that is to be entered. */
  #tell(entry: WalkEntry): WalkEntry {
    const { stat, depth } = entry;
    const isElsewhere = this.#options.crossMounts === false && stat?.dev !== this.#device;
    if (stat?.type === 'dir' && depth < this.#maxDepth && !isElsewhere) this.#pending = entry;
    return entry;
  }

  /** Open a directory; an entry with the error when that fails. */
  #enter(entry: WalkEntry): WalkEntry | undefined {
    try {
      const fd = this.#fs.opendir(entry.path);
      const level: Level = { entry, fd, batch: [], next: 0 };
      this.#levels.push(level);
      const { order } = this.#options;
      if (order !== undefined) this.#readWhole(level, order);
      return undefined;
    } catch (e) {
      return { ...entry, error: asFsError(e) };
    }
  }

  #readWhole(level: Level, order: (a: DirentPlus, b: DirentPlus) => number): void {
    const all: DirentPlus[] = [];
    const { fd } = level;
    try {
      for (let some = this.#more(fd); some.length > 0; some = this.#more(fd)) all.push(...some);
    } finally {
      if (fd !== undefined) this.#fs.close(fd);
      level.fd = undefined;
    }
    level.batch = all.sort(order);
  }

  #more(fd: number | undefined): DirentPlus[] {
    return fd === undefined ? [] : this.#fs.getdentsplus(fd, BATCH);
  }

  /** The next entry of a level; undefined when it took a step without one (levels may have changed). */
  #step(level: Level): WalkEntry | undefined {
    if (level.next < level.batch.length) {
      const dirent = level.batch[level.next++];
      if (dirent === undefined || dirent.name === '.' || dirent.name === '..') return undefined;
      return this.#tell(entryOf(level.entry, dirent));
    }
    try {
      level.batch = this.#more(level.fd);
      level.next = 0;
      if (level.batch.length > 0) return undefined;
    } catch (e) {
      this.#leave(level);
      return { ...level.entry, error: asFsError(e) };
    }
    this.#leave(level);
    return this.#options.post === true ? { ...level.entry, order: 'post' } : undefined;
  }

  #leave({ fd }: Level): void {
    this.#levels.pop();
    if (fd !== undefined) this.#fs.close(fd);
  }
}

function entryOf(parent: WalkEntry, { name, stat, error }: DirentPlus): WalkEntry {
  const entry = { path: joinPath(parent.path, name), name, depth: parent.depth + 1, order: 'pre', stat } as const;
  return error === undefined ? entry : { ...entry, error: asFsError(error) };
}
