/** What differs between two states of one tree: directory by directory, in order of names. */
import { FsError } from '@ukfs/kernel';
import type { DirentPlus, Extent, Stat, Timespec } from '@ukfs/kernel';
import { joinPath } from './path.ts';
import type { ChangedFile, FileRun, Ukfs } from './handle.ts';

const PIECE = 256 * 1024;
const timespecsDiffer = (a: Timespec, b: Timespec): boolean => a.sec !== b.sec || a.nsec !== b.nsec;

/** Differences from `before` to `after`, both file systems' own trees. Times of access do not count. */
export function compareTrees(before: Ukfs, after: Ukfs): ChangedFile[] {
  const changed: ChangedFile[] = [];
  const pending = ['/'];
  const contents = new Contents(before, after);
  if (metadataDiffers(before.lstat('/'), after.lstat('/'))) changed.push({ path: '/', change: 'metadata' });
  for (let dir = pending.pop(); dir !== undefined; dir = pending.pop()) {
    const was = byName(before, dir);
    const is = byName(after, dir);
    const names = [...new Set([...was.keys(), ...is.keys()])].sort();
    for (const name of names) {
      const path = joinPath(dir, name);
      const change = changeOf({ fs: before, entry: was.get(name) }, { fs: after, entry: is.get(name) }, path, contents);
      if (change !== undefined) changed.push({ path, change });
      const [a, b] = [was.get(name)?.stat?.type, is.get(name)?.stat?.type];
      if (a === 'dir' && b === 'dir') pending.push(path);
      else if (a === 'dir') addAll(before, path, 'removed', changed);
      else if (b === 'dir') addAll(after, path, 'added', changed);
    }
  }
  return changed.sort((a, b) => (a.path < b.path ? -1 : 1));
}

const byName = (fs: Ukfs, dir: string): Map<string, DirentPlus> =>
  new Map(fs.readdir(dir, { withStats: true }).map((entry) => [entry.name, entry]));

function addAll(fs: Ukfs, root: string, change: 'added' | 'removed', changed: ChangedFile[]): void {
  const pending = [root];
  for (let dir = pending.pop(); dir !== undefined; dir = pending.pop()) {
    for (const { name, stat } of fs.readdir(dir, { withStats: true })) {
      const path = joinPath(dir, name);
      changed.push({ path, change });
      if (stat?.type === 'dir') pending.push(path);
    }
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
