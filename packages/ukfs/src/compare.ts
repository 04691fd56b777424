/** What differs between two states of one tree: directory by directory, in order of names. */
import { FsError } from '@ukfs/kernel';
import type { DirentPlus, Extent, Stat, Timespec } from '@ukfs/kernel';
import { joinPath } from './path.ts';
import type { ChangedFile, FileRun, Ukfs } from './handle.ts';

const PIECE = 256 * 1024;
const timespecsDiffer = (a: Timespec, b: Timespec): boolean => a.sec !== b.sec || a.nsec !== b.nsec;

/** A difference, with what the file was and is; undefined on the side that does not have it. */
export interface TreeChange extends ChangedFile {
  readonly before: Stat | undefined;
  readonly after: Stat | undefined;
}

/** Differences from `before` to `after`, both file systems' own trees. Times of access do not count. */
export const compareTrees = (before: Ukfs, after: Ukfs): ChangedFile[] =>
  [...treeChanges(before, after)]
    .map(({ path, change }) => ({ path, change }))
    .sort((a, b) => (a.path < b.path ? -1 : 1));

/** The same one by one, directory by directory: memory holds the entries of one. */
export function* treeChanges(before: Ukfs, after: Ukfs): Generator<TreeChange> {
  const pending = ['/'];
  const contents = new Contents(before, after);
  const [was, is] = [before.lstat('/'), after.lstat('/')];
  if (metadataDiffers(was, is) || xattrsDiffer(before, after, '/')) {
    yield { path: '/', change: 'metadata', before: was, after: is };
  }
  for (let dir = pending.pop(); dir !== undefined; dir = pending.pop()) {
    const old = byName(before, dir);
    const now = byName(after, dir);
    const below: string[] = [];
    for (const name of [...new Set([...old.keys(), ...now.keys()])].sort()) {
      const path = joinPath(dir, name);
      const sides = [
        { fs: before, entry: old.get(name) },
        { fs: after, entry: now.get(name) },
      ] as const;
      const change = changeOf(...sides, path, contents);
      const [a, b] = [sides[0].entry?.stat, sides[1].entry?.stat];
      if (change !== undefined) yield { path, change, before: a, after: b };
      if (a?.type === 'dir' && b?.type === 'dir') below.push(path);
      else if (a?.type === 'dir') yield* allOf(before, path, 'removed');
      else if (b?.type === 'dir') yield* allOf(after, path, 'added');
    }
    pending.push(...below.reverse());
  }
}

const byName = (fs: Ukfs, dir: string): Map<string, DirentPlus> =>
  new Map(fs.readdir(dir, { withStats: true }).map((entry) => [entry.name, entry]));

function* allOf(fs: Ukfs, root: string, change: 'added' | 'removed'): Generator<TreeChange> {
  const pending = [root];
  for (let dir = pending.pop(); dir !== undefined; dir = pending.pop()) {
    const below: string[] = [];
    for (const { name, stat } of fs.readdir(dir, { withStats: true })) {
      const path = joinPath(dir, name);
      const [before, after] = change === 'added' ? [undefined, stat] : [stat, undefined];
      yield { path, change, before, after };
      if (stat?.type === 'dir') below.push(path);
    }
    pending.push(...below.reverse());
  }
}

interface Side {
  readonly fs: Ukfs;
  readonly entry: DirentPlus | undefined;
}

function changeOf(before: Side, after: Side, path: string, contents: Contents): ChangedFile['change'] | undefined {
  const [was, is] = [before.entry?.stat, after.entry?.stat];
  if (before.entry === undefined) return 'added';
  if (after.entry === undefined) return 'removed';
  if (was === undefined || is === undefined) return was === is ? undefined : 'replaced';
  if (was.type !== is.type) return 'replaced';
  if (was.type === 'reg' && (was.size !== is.size || contents.differ(path, is.size))) return 'content';
  if (was.type === 'lnk' && before.fs.readlink(path) !== after.fs.readlink(path)) return 'content';
  // A directory's own size and times follow its entries, which are told themselves.
  return metadataDiffers(was, is) || xattrsDiffer(before.fs, after.fs, path) ? 'metadata' : undefined;
}

function metadataDiffers(a: Stat, b: Stat): boolean {
  return (
    a.mode !== b.mode ||
    a.uid !== b.uid ||
    a.gid !== b.gid ||
    a.flags !== b.flags ||
    a.rdev?.major !== b.rdev?.major ||
    a.rdev?.minor !== b.rdev?.minor ||
    (a.type !== 'dir' && (timespecsDiffer(a.mtime, b.mtime) || a.nlink !== b.nlink))
  );
}

function xattrsDiffer(a: Ukfs, b: Ukfs, path: string): boolean {
  if (!a.traits.xattr) return false;
  const read = (fs: Ukfs): string =>
    JSON.stringify(
      fs
        .listxattr(path, { nofollow: true })
        .sort()
        .map((name) => [name, [...(fs.getxattr(path, name, { nofollow: true }) ?? [])]]),
    );
  return read(a) !== read(b);
}

/** Compares files of equal size, with one pair of buffers for all of them. */
class Contents {
  readonly #before: Ukfs;
  readonly #after: Ukfs;
  readonly #extents: readonly Extent[];
  readonly #left = new Uint8Array(PIECE);
  readonly #right = new Uint8Array(PIECE);

  constructor(before: Ukfs, after: Ukfs) {
    this.#before = before;
    this.#after = after;
    this.#extents = after.changes().extents;
  }

  differ(path: string, size: number): boolean {
    // Times cannot tell: the clock may stand still. What lies where it lay, with nothing written there, is the same.
    return size > 0 && !this.#isInPlace(path) && this.#bytesDiffer(path);
  }

  #isInPlace(path: string): boolean {
    try {
      const [was, is] = [this.#before.bmap(path), this.#after.bmap(path)];
      return is.length > 0 && is.length === was.length && is.every((run, i) => this.#isSame(run, was[i]));
    } catch (e) {
      // Formats without block maps have to be read.
      if (e instanceof FsError) return false;
      throw e;
    }
  }

  #isSame(is: FileRun, was: FileRun | undefined): boolean {
    const { fileOffset, length, deviceOffset } = is;
    if (was?.fileOffset !== fileOffset || was.length !== length || was.deviceOffset !== deviceOffset) return false;
    return deviceOffset === undefined || !this.#isWritten(this.#after.device.offset + deviceOffset, length);
  }

  /** Was any byte of this part of the image written? The extents are in ascending order and do not touch. */
  #isWritten(offset: number, length: number): boolean {
    let [low, high] = [0, this.#extents.length];
    while (low < high) {
      const middle = Math.floor((low + high) / 2);
      const extent = this.#extents[middle];
      if (extent !== undefined && extent.offset + extent.length <= offset) low = middle + 1;
      else high = middle;
    }
    const next = this.#extents[low];
    return next !== undefined && next.offset < offset + length;
  }

  #bytesDiffer(path: string): boolean {
    const [a, b] = [this.#before, this.#after];
    const fds = [a.open(path), b.open(path)] as const;
    try {
      for (;;) {
        const n = a.read(fds[0], this.#left);
        if (n !== b.read(fds[1], this.#right)) return true;
        if (n === 0) return false;
        for (let i = 0; i < n; i++) if (this.#left[i] !== this.#right[i]) return true;
      }
    } finally {
      a.close(fds[0]);
      b.close(fds[1]);
    }
  }
}
