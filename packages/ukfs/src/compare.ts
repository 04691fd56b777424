/**
 * What differs between two trees: of images, of the host, or of one image before and after an edit. One walk for
 * changedFiles(), diff, patch bundles and the audit trail.
 *
 * Both sides go together, directory by directory in order of names; memory is one level of names at a time, and a line for
 * each file of several names. Links are not followed. What one side cannot tell is no difference.
 */
import { asFsError, FsError } from '@ukfs/kernel';
import { attributesThatDiffer, usualAspects, xattrsDiffer } from './aspects.ts';
import type { Aspect } from './aspects.ts';
import { Contents, holesDiffer } from './contents.ts';
import type { ReadableFile } from './contents.ts';
import { joinPath } from './path.ts';
import type { TreeDir, TreeFile, TreeStat } from './tree.ts';

/** Of a TreeDir what a comparison needs. */
export interface ComparedDir extends Pick<TreeDir, 'list' | 'lstat' | 'readlink' | 'xattrs' | 'close'> {
  opendir(name: string): ComparedDir;
  open(name: string): ReadableFile & Pick<TreeFile, 'close'>;
}

/** A name in an open directory; "." is the directory. */
interface ComparedPlace {
  readonly dir: ComparedDir;
  readonly name: string;
}

/** One side. */
export interface ComparedTree extends ComparedPlace {
  /** What the side can tell. */
  readonly tells: ReadonlySet<Aspect>;
  readonly grainNs: number;
}

/** An entry of one side; the place is open until the next difference is asked for. */
export interface ComparedEntry extends ComparedPlace {
  readonly stat: TreeStat;
  /** The path, of those compared, that is another name of this file and came before it. */
  readonly linkTo: string | undefined;
}

export interface Difference {
  /** From the roots: "/"-joined names; "" is the roots themselves. */
  readonly path: string;
  /** `same` is told only when asked for. */
  readonly change: 'added' | 'removed' | 'changed' | 'type' | 'same';
  /** What of a changed file is different. */
  readonly what: readonly Aspect[];
  readonly before: ComparedEntry | undefined;
  readonly after: ComparedEntry | undefined;
  /** The directory it is in is on one side only, which has been told. */
  readonly within: boolean;
}

export type CompareSide = 'before' | 'after';

export interface CompareOptions {
  /** Default: usualAspects, where both sides tell them. */
  readonly what?: ReadonlySet<Aspect>;
  /** False leaves an entry, and what is below it, out. */
  readonly filter?: (path: string, name: string) => boolean;
  /** Tell of entries that are the same, too. */
  readonly same?: boolean;
  /** True: the contents of two files of equal size are the same, which need not be read to be known. */
  readonly isSameContent?: (path: string) => boolean;
  /** An entry cannot be compared; without it the walk ends there. */
  readonly failed?: (path: string, error: FsError, side: CompareSide) => void;
}

interface Entry {
  readonly name: string;
  /** Left out in large directories, and looked up again. */
  readonly stat?: TreeStat;
  readonly error?: Error;
}

interface Level {
  readonly path: string;
  readonly dirs: Readonly<Record<CompareSide, ComparedDir | undefined>>;
  readonly entries: Readonly<Record<CompareSide, readonly Entry[]>>;
  /** Which directories they are. */
  readonly ids: Readonly<Record<CompareSide, string | undefined>>;
  /** Opened here, and to be closed. */
  readonly owned: readonly ComparedDir[];
  readonly at: Record<CompareSide, number>;
}

/** Entries of a directory whose attributes are kept; of those beyond, the name. */
const STATS_MAX = 4096;

/** Something of one side failed. */
class SideError extends Error {
  readonly side: CompareSide;
  readonly error: FsError;
  constructor(side: CompareSide, error: FsError) {
    super(error.message, { cause: error });
    this.side = side;
    this.error = error;
  }
}

function on<T>(side: CompareSide, act: () => T): T {
  try {
    return act();
  } catch (e) {
    throw e instanceof FsError ? new SideError(side, e) : e;
  }
}

/** Differences from `before` to `after`, entries of a directory after it, in order of names. Errors: those of either side. */
export function compareTrees(
  before: ComparedTree,
  after: ComparedTree,
  options: CompareOptions = {},
): Generator<Difference> {
  return new Comparison(before, after, options).run();
}

class Comparison {
  readonly #roots: Readonly<Record<CompareSide, ComparedTree>>;
  readonly #options: CompareOptions;
  readonly #what: ReadonlySet<Aspect>;
  readonly #grainNs: number;
  readonly #levels: Level[] = [];
  readonly #contents = new Contents();
  readonly #links = { before: new LinkedFiles(), after: new LinkedFiles() } as const;

  constructor(before: ComparedTree, after: ComparedTree, options: CompareOptions) {
    this.#roots = { before, after };
    this.#options = options;
    const asked = options.what ?? usualAspects;
    this.#what = new Set([...asked].filter((aspect) => before.tells.has(aspect) && after.tells.has(aspect)));
    this.#grainNs = Math.max(before.grainNs, after.grainNs);
  }

  *run(): Generator<Difference> {
    try {
      const { before, after } = this.#roots;
      const root = { before: { name: before.name }, after: { name: after.name } };
      const told = this.#attempt('', () => this.#pair('', { before: before.dir, after: after.dir }, root));
      if (told !== undefined) yield told;
      for (let level = this.#levels.at(-1); level !== undefined; level = this.#levels.at(-1)) {
        const next = this.#step(level);
        if (next !== undefined) yield next;
      }
    } finally {
      for (const level of this.#levels) close(level);
    }
  }

  /** The next name of a level; undefined: it is the same on both sides, or the level has ended. */
  #step(level: Level): Difference | undefined {
    const { entries, at, path } = level;
    const [a, b] = [entries.before[at.before], entries.after[at.after]];
    if (a === undefined && b === undefined) {
      this.#levels.pop();
      close(level);
      return undefined;
    }
    const isBefore = a !== undefined && (b === undefined || a.name <= b.name);
    const isAfter = b !== undefined && (a === undefined || b.name <= a.name);
    if (isBefore) at.before++;
    if (isAfter) at.after++;
    const name = (isBefore ? a : b)?.name ?? '';
    const inside = path === '' ? name : joinPath(path, name);
    if (this.#options.filter?.(inside, name) === false) return undefined;
    const pair = { before: isBefore ? a : undefined, after: isAfter ? b : undefined };
    return this.#attempt(inside, () => this.#pair(inside, level.dirs, pair));
  }

  #attempt<T>(path: string, act: () => T): T | undefined {
    try {
      return act();
    } catch (e) {
      if (!(e instanceof SideError)) throw e;
      const { failed } = this.#options;
      if (failed === undefined) throw e.error;
      failed(path, e.error, e.side);
      return undefined;
    }
  }

  #pair(
    path: string,
    dirs: Level['dirs'],
    pair: Readonly<Record<CompareSide, Entry | undefined>>,
  ): Difference | undefined {
    const before = this.#entry('before', path, dirs.before, pair.before);
    const after = this.#entry('after', path, dirs.after, pair.after);
    const within = dirs.before === undefined || dirs.after === undefined;
    const what = before === undefined || after === undefined ? [] : this.#differing(path, before, after);
    this.#enter(path, before, after);
    if (before === undefined && after === undefined) return undefined;
    if (before === undefined) return { path, change: 'added', what, before, after, within };
    if (after === undefined) return { path, change: 'removed', what, before, after, within };
    if (before.stat.type !== after.stat.type) return { path, change: 'type', what, before, after, within };
    if (what.length > 0) return { path, change: 'changed', what, before, after, within };
    return this.#options.same === true ? { path, change: 'same', what, before, after, within } : undefined;
  }

  #entry(
    side: CompareSide,
    path: string,
    dir: ComparedDir | undefined,
    entry: Entry | undefined,
  ): ComparedEntry | undefined {
    if (dir === undefined || entry === undefined) return undefined;
    const { name, error } = entry;
    const stat = on(side, () => {
      if (error !== undefined) throw asFsError(error);
      return entry.stat ?? dir.lstat(name);
    });
    // The host's files go as they please; a root must be there.
    if (stat === undefined && path !== '') return undefined;
    if (stat === undefined) throw new SideError(side, new FsError('ENOENT', { op: 'lstat' }));
    return { dir, name, stat, linkTo: this.#links[side].nameOf(stat, path) };
  }

  #differing(path: string, before: ComparedEntry, after: ComparedEntry): Aspect[] {
    const [a, b] = [before.stat, after.stat];
    if (a.type !== b.type) return [];
    const has = (aspect: Aspect): boolean => this.#what.has(aspect);
    const found: Aspect[] = [];
    if (a.type === 'reg' && (has('content') || has('holes'))) found.push(...this.#filesDiffer(path, before, after));
    if (a.type === 'lnk' && has('target') && linkOf('before', before) !== linkOf('after', after)) found.push('target');
    for (const aspect of attributesThatDiffer(a, b, this.#grainNs)) if (has(aspect)) found.push(aspect);
    if (has('xattrs') && xattrsDiffer(xattrsOf('before', before), xattrsOf('after', after))) found.push('xattrs');
    if (has('links') && before.linkTo !== after.linkTo) found.push('links');
    return found;
  }

  #filesDiffer(path: string, before: ComparedEntry, after: ComparedEntry): Aspect[] {
    const found: Aspect[] = [];
    const { size } = before.stat;
    const isLonger = this.#what.has('content') && size !== after.stat.size;
    if (isLonger) found.push('content');
    const isRead = this.#what.has('content') && !isLonger && size > 0;
    const mustRead = isRead && this.#options.isSameContent?.(path) !== true;
    if (!mustRead && !this.#what.has('holes')) return found;
    withFile('before', before, (a) =>
      withFile('after', after, (b) => {
        if (mustRead && this.#contents.differ(a, b, size)) found.push('content');
        if (this.#what.has('holes') && holesDiffer(a, b) === true) found.push('holes');
      }),
    );
    return found;
  }

  /** Go on below what is a directory on one side or both. */
  #enter(path: string, before: ComparedEntry | undefined, after: ComparedEntry | undefined): void {
    const sides = { before, after };
    const owned: ComparedDir[] = [];
    const dirs: Record<CompareSide, ComparedDir | undefined> = { before: undefined, after: undefined };
    const entries: Record<CompareSide, readonly Entry[]> = { before: [], after: [] };
    const ids: Record<CompareSide, string | undefined> = { before: undefined, after: undefined };
    try {
      for (const side of ['before', 'after'] as const) {
        const entry = sides[side];
        if (entry?.stat.type !== 'dir') continue;
        const { id } = entry.stat;
        if (this.#levels.some((level) => level.ids[side] === id))
          throw new SideError(side, new FsError('ELOOP', { what: 'directory causes a cycle' }));
        ids[side] = id;
        const dir = entry.name === '.' ? entry.dir : on(side, () => entry.dir.opendir(entry.name));
        if (dir !== entry.dir) owned.push(dir);
        dirs[side] = dir;
        entries[side] = on(side, () => sortedEntries(dir));
      }
    } catch (e) {
      for (const dir of owned) dir.close();
      throw e;
    }
    if (dirs.before === undefined && dirs.after === undefined) return;
    this.#levels.push({ path, dirs, entries, ids, owned, at: { before: 0, after: 0 } });
  }
}

function close({ owned }: Level): void {
  for (const dir of owned) dir.close();
}

function sortedEntries(dir: ComparedDir): readonly Entry[] {
  const all: Entry[] = [];
  for (const entry of dir.list()) all.push(all.length < STATS_MAX || 'error' in entry ? entry : { name: entry.name });
  return all.sort((a, b) => (a.name < b.name ? -1 : 1));
}

const linkOf = (side: CompareSide, { dir, name }: ComparedPlace): string => on(side, () => dir.readlink(name));
const xattrsOf = (side: CompareSide, { dir, name }: ComparedPlace): ReadonlyMap<string, Uint8Array> =>
  on(side, () => dir.xattrs(name));

function withFile(side: CompareSide, { dir, name }: ComparedPlace, use: (file: ReadableFile) => void): void {
  const file = on(side, () => dir.open(name));
  try {
    use({ read: (dst, at) => on(side, () => file.read(dst, at)), data: () => on(side, () => file.data()) });
  } finally {
    file.close();
  }
}

/** Files of several names: the name that came first, until as many have come as there are. */
class LinkedFiles {
  readonly #files = new Map<string, { readonly path: string; left: number }>();

  nameOf({ id, nlink, type }: TreeStat, path: string): string | undefined {
    if (type === 'dir' || nlink < 2) return undefined;
    const known = this.#files.get(id);
    if (known === undefined) {
      this.#files.set(id, { path, left: nlink - 1 });
      return undefined;
    }
    if (--known.left === 0) this.#files.delete(id);
    return known.path;
  }
}
