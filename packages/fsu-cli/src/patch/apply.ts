/**
 * Applying a bundle: everything that it expects is looked at first; then what goes is taken away from the leaves up, what comes is
 * made from the root down, contents are filled in, and attributes come last, directories after what is in them.
 */
import { FsError, O, writeAll } from 'ukfs';
import type { Ukfs } from 'ukfs';
import type { Stat, Timespec } from '@ukfs/kernel';
import { parentOf, rootIfEmpty } from '../copying.ts';
import type { HostSide } from '../host.ts';
import type { Patch, PatchedFile } from './manifest.ts';

const PIECE = 128 * 1024;

export function lstatIf(fs: Ukfs, path: string): Stat | undefined {
  try {
    return fs.lstat(path);
  } catch (thrown) {
    if (thrown instanceof FsError && (thrown.code === 'ENOENT' || thrown.code === 'ENOTDIR')) return undefined;
    throw thrown;
  }
}

/** What of a file is not as the bundle expects it; undefined: nothing. `sha256`: of a file of the image. */
export function mismatch(
  fs: Ukfs,
  { path, change, what, before }: Patch,
  sha256: (path: string) => string,
): string | undefined {
  const now = lstatIf(fs, path);
  if (before === undefined) return now === undefined ? undefined : 'it is there already';
  if (now === undefined) return 'it is not there';
  if (now.type !== before.type) return 'it is of another type';
  const has = (aspect: string): boolean => change !== 'changed' || what.has(aspect);
  if (has('content') && before.sha256 !== undefined && sha256(path) !== before.sha256) return 'content';
  if (has('target') && before.target !== undefined && fs.readlink(path) !== before.target) return 'target';
  if (has('mode') && now.type !== 'lnk' && now.mode !== before.mode) return 'mode';
  if (has('owner') && (now.uid !== before.uid || now.gid !== before.gid)) return 'owner';
  if (has('flags') && now.flags !== before.flags) return 'flags';
  if (has('rdev') && (now.rdev?.major !== before.rdev?.major || now.rdev?.minor !== before.rdev?.minor)) return 'rdev';
  if (has('mtime') && change === 'changed' && !isSameTime(now.mtime, before.mtime)) return 'mtime';
  if (has('xattrs') && before.xattrs !== undefined && !hasXattrs(fs, path, before.xattrs)) return 'xattrs';
  return undefined;
}

const isSameTime = (a: Timespec, b: Timespec): boolean => a.sec === b.sec && a.nsec === b.nsec;

function hasXattrs(fs: Ukfs, path: string, wanted: ReadonlyMap<string, Uint8Array>): boolean {
  const names = fs.listxattr(path, { nofollow: true });
  if (names.length !== wanted.size) return false;
  return names.every((name) => {
    const [now, value] = [fs.getxattr(path, name, { nofollow: true }), wanted.get(name)];
    return now?.length === value?.length && now?.every((byte, i) => byte === value?.[i]) === true;
  });
}

export interface Content {
  readonly sha256: string;
  read(dst: Uint8Array): number;
}

/** Errors: FsError; EINVAL a content that is missing, or not what it is called. */
export function applyPatches(
  fs: Ukfs,
  patches: readonly Patch[],
  { contents, host, force }: { contents: Iterable<Content>; host: HostSide; force: boolean },
): void {
  const touched = touchedDirectories(fs, patches);
  for (const patch of patches.toReversed())
    if (patch.change === 'removed' || patch.change === 'type') remove(fs, patch.path, force);
  const wanted = new Map<string, string[]>();
  for (const patch of patches) {
    if (patch.after === undefined) continue;
    const isFilled = make(fs, patch, patch.after, force);
    if (!isFilled || patch.after.sha256 === undefined) continue;
    const paths = wanted.get(patch.after.sha256) ?? [];
    paths.push(patch.path);
    wanted.set(patch.after.sha256, paths);
  }
  for (const content of contents) {
    const [first, ...others] = wanted.get(content.sha256) ?? [];
    if (first === undefined) continue;
    fill(fs, first, content, host);
    for (const other of others) copyWithin(fs, first, other);
    wanted.delete(content.sha256);
  }
  const [missing] = wanted.keys();
  if (missing !== undefined)
    throw new FsError('EINVAL', { op: 'patch', what: `bundle: content/${missing} is missing` });
  for (const patch of patches.toReversed()) if (patch.after !== undefined) setAttributes(fs, patch, patch.after);
  for (const [path, mtime] of touched) if (lstatIf(fs, path)?.type === 'dir') fs.lutimes(path, 'omit', mtime);
}

/** Directories in which names come and go, and which the bundle leaves as they are: their times go back to what they were. */
function touchedDirectories(fs: Ukfs, patches: readonly Patch[]): ReadonlyMap<string, Timespec> {
  const told = new Set(patches.map(({ path }) => path));
  const touched = new Map<string, Timespec>();
  for (const { path, change, what } of patches) {
    const parent = rootIfEmpty(parentOf(path));
    if ((change === 'changed' && !what.has('links')) || path === '/' || touched.has(parent)) continue;
    const stat = lstatIf(fs, parent);
    if (stat !== undefined && !told.has(parent)) touched.set(parent, stat.mtime);
  }
  return new Map([...touched, ...kept(fs, patches)]);
}

/** A directory whose time is not among what changed keeps it, whatever else of it does. */
function* kept(fs: Ukfs, patches: readonly Patch[]): Generator<readonly [string, Timespec]> {
  for (const { path, change, what, before, after } of patches) {
    if (change !== 'changed' || after?.type !== 'dir' || what.has('mtime') || before === undefined) continue;
    const stat = lstatIf(fs, path);
    if (stat !== undefined) yield [path, stat.mtime];
  }
}

function remove(fs: Ukfs, path: string, force: boolean): void {
  const now = lstatIf(fs, path);
  if (now === undefined && force) return;
  if (now !== undefined && now.flags !== 0) fs.lchflags(path, 0);
  if (now?.type === 'dir') fs.rmdir(path);
  else fs.unlink(path);
}

/** Is its content to be filled in? */
function make(fs: Ukfs, { path, change, what }: Patch, file: PatchedFile, force: boolean): boolean {
  const now = lstatIf(fs, path);
  const isReplaced = change === 'changed' && (what.has('links') || what.has('target') || what.has('rdev'));
  if (change === 'changed' && now !== undefined && now.flags !== 0 && what.size > 0) fs.lchflags(path, 0);
  if (change === 'changed' && !isReplaced) {
    if (!what.has('content')) return false;
    if (file.linkTo !== undefined && isSameFile(fs, path, file.linkTo)) return false;
    fs.truncate(path, 0);
    return true;
  }
  if (now !== undefined && (isReplaced || force) && !(now.type === 'dir' && file.type === 'dir'))
    remove(fs, path, force);
  if (file.linkTo !== undefined) {
    fs.link(file.linkTo, path);
    return false;
  }
  if (file.type === 'reg') fs.close(fs.open(path, O.WRONLY | O.CREAT | O.EXCL | O.NOFOLLOW, 0o600));
  else if (file.type === 'dir') {
    if (lstatIf(fs, path) === undefined) fs.mkdir(path, 0o700);
  } else if (file.type === 'lnk') fs.symlink(file.target ?? '', path);
  else fs.mknod(path, file.type, 0o600, file.rdev);
  return file.type === 'reg';
}

function isSameFile(fs: Ukfs, a: string, b: string): boolean {
  const [x, y] = [lstatIf(fs, a), lstatIf(fs, b)];
  return x !== undefined && x.ino === y?.ino && x.dev === y.dev;
}

function fill(fs: Ukfs, path: string, content: Content, host: HostSide): void {
  const hash = host.sha256();
  const fd = fs.open(path, O.WRONLY | O.NOFOLLOW);
  try {
    const buffer = new Uint8Array(PIECE);
    for (let n = content.read(buffer); n > 0; n = content.read(buffer)) {
      hash.update(buffer.subarray(0, n));
      writeAll(fs, fd, buffer, { length: n });
    }
  } finally {
    fs.close(fd);
  }
  if (hash.digest() !== content.sha256)
    throw new FsError('EINVAL', { op: 'patch', what: `bundle: content/${content.sha256} is something else` });
}

function copyWithin(fs: Ukfs, from: string, to: string): void {
  const [source, target] = [fs.open(from, O.RDONLY | O.NOFOLLOW), fs.open(to, O.WRONLY | O.NOFOLLOW)];
  try {
    const buffer = new Uint8Array(PIECE);
    for (let n = fs.read(source, buffer); n > 0; n = fs.read(source, buffer))
      writeAll(fs, target, buffer, { length: n });
  } finally {
    fs.close(source);
    fs.close(target);
  }
}

function setAttributes(fs: Ukfs, { path, change, what }: Patch, file: PatchedFile): void {
  const isNew = change !== 'changed' || what.has('links') || what.has('target') || what.has('rdev');
  const has = (aspect: string): boolean => isNew || what.has(aspect);
  if (has('owner')) fs.lchown(path, file.uid, file.gid);
  if ((has('mode') || has('owner')) && file.type !== 'lnk') fs.lchmod(path, file.mode);
  if (has('xattrs') && file.xattrs !== undefined) {
    for (const name of fs.listxattr(path, { nofollow: true }))
      if (!file.xattrs.has(name)) fs.removexattr(path, name, { nofollow: true });
    for (const [name, value] of file.xattrs) fs.setxattr(path, name, value, { nofollow: true });
  }
  if (has('mtime') || has('content')) fs.lutimes(path, 'omit', file.mtime);
  if (fs.lstat(path).flags !== file.flags) fs.lchflags(path, file.flags);
}
