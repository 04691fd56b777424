/** What differs between two states of one tree: directory by directory, in order of names. */
import { FsError } from '@ukfs/kernel';
import type { DirentPlus, Stat, Timespec } from '@ukfs/kernel';

import { joinPath } from './path.ts';
import type { ChangedFile, Ukfs } from './handle.ts';

const PIECE = 256 * 1024;
const timespecsDiffer = (a: Timespec, b: Timespec): boolean => a.sec !== b.sec || a.nsec !== b.nsec;

/** Differences from `before` to `after`, both file systems' own trees. Times of access do not count. */
export function compareTrees(before: Ukfs, after: Ukfs): ChangedFile[] {
  const changed: ChangedFile[] = [];
  const pending = ['/'];
  if (metadataDiffers(before.lstat('/'), after.lstat('/'))) changed.push({ path: '/', change: 'metadata' });
  for (let dir = pending.pop(); dir !== undefined; dir = pending.pop()) {
    const was = byName(before, dir);
    const is = byName(after, dir);
    const names = [...new Set([...was.keys(), ...is.keys()])].sort();
    for (const name of names) {
      const path = joinPath(dir, name);
      const change = changeOf({ fs: before, entry: was.get(name) }, { fs: after, entry: is.get(name) }, path);
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

function changeOf(before: Side, after: Side, path: string): ChangedFile['change'] | undefined {
  const [was, is] = [before.entry?.stat, after.entry?.stat];
  if (before.entry === undefined) return 'added';
  if (after.entry === undefined) return 'removed';
  if (was === undefined || is === undefined) return was === is ? undefined : 'replaced';
  if (was.type !== is.type) return 'replaced';
  if (was.type === 'reg' && (was.size !== is.size || contentDiffers(before.fs, after.fs, path, is.size)))
    return 'content';
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

/** Files up to here are read; larger ones are judged by where they lie. */
const SMALL = 64 * 1024;

function contentDiffers(a: Ukfs, b: Ukfs, path: string, size: number): boolean {
  // Times cannot tell: the clock may stand still. Whoever lies where it lay, with nothing written there, is the same.
  if (size > SMALL && isInPlace(a, b, path)) return false;
  return bytesDiffer(a, b, path);
}

function isInPlace(a: Ukfs, b: Ukfs, path: string): boolean {
  try {
    const runs = b.bmap(path);
    const { extents } = b.changes();
    const touches = (start: number, end: number): boolean =>
      extents.some(({ offset, length }) => offset < end && offset + length > start);
    const isHere = (at: number | undefined, length: number): boolean =>
      at !== undefined && touches(b.device.offset + at, b.device.offset + at + length);
    return JSON.stringify(a.bmap(path)) === JSON.stringify(runs) && !runs.some((r) => isHere(r.deviceOffset, r.length));
  } catch (e) {
    // Formats without block maps have to be read.
    if (e instanceof FsError) return false;
    throw e;
  }
}

function bytesDiffer(a: Ukfs, b: Ukfs, path: string): boolean {
  const fds = [a.open(path), b.open(path)] as const;
  try {
    const [left, right] = [new Uint8Array(PIECE), new Uint8Array(PIECE)];
    for (;;) {
      const n = a.read(fds[0], left);
      if (n !== b.read(fds[1], right)) return true;
      if (n === 0) return false;
      for (let i = 0; i < n; i++) if (left[i] !== right[i]) return true;
    }
  } finally {
    a.close(fds[0]);
    b.close(fds[1]);
  }
}
