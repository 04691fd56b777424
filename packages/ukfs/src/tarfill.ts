/**
 * Unpacking a tar archive into an image: owners, modes, times, attributes, access control lists, flags, links, devices,
 * holes. Everything small goes into the image in groups of calls.
 *
 * Nothing can leave the image: the calls are those of a handle, for whom the image's root is the root. Where a name may lead
 * inside of it is decided in tarpath.ts. Directories get their attributes at the end, when nothing changes them any more,
 * and flags come last of all: an immutable file takes nothing more.
 */
import { FsError, O } from '@ukfs/kernel';
import { ACL_ACCESS, ACL_DEFAULT, aclFromText, encodeAcl } from './acl.ts';
import type { AclNames } from './acl.ts';
import type { CopyReport } from './copy.ts';
import { fflagsOf } from './fileflags.ts';
import type { Ukfs } from './handle.ts';
import { Losses } from './losses.ts';
import { tarEntries } from './tar.ts';
import type { ByteSource, TarEntry } from './tar.ts';
import { TarPaths } from './tarpath.ts';
import type { Loss } from './tree.ts';
import { isRefusal } from './ukfstree.ts';
import { writeAll } from './writeall.ts';

export interface UntarOptions {
  /** The directory to unpack into, which is there; default the root. */
  readonly into?: string;
  /** Another name for an entry, or for the target of a hard link; undefined leaves the entry out. */
  readonly rename?: (name: string, entry: TarEntry) => string | undefined;
  /**
   * Numbers that names of users and groups mean, as the image knows them at the moment: the archive may bring what tells
   * them. Without it the archive's numbers count.
   */
  readonly names?: () => AclNames;
  /** What is there already: put the new file in its place (default), or leave it. */
  readonly existing?: 'replace' | 'keep';
  /** What to give the files; default everything. */
  readonly keep?: Partial<Record<'owner' | 'times' | 'xattrs' | 'acls', boolean>>;
  /** Follow symbolic links that the archive itself brought, and those that lead out of `into`. */
  readonly followLinks?: boolean;
  /** Told of each entry. */
  readonly done?: (path: string, bytes: number) => void;
}

const PIECE = 128 * 1024;
/** Unpacked as one group: entries, and bytes of their contents, at most. */
const GROUP_ENTRIES = 128;
const GROUP_BYTES = 1024 * 1024;
/** Larger files are not held in memory. */
const SMALL = 64 * 1024;
/** Between two steps of unpackSteps(). */
const STEP_BYTES = 16 * 1024 * 1024;

/**
 * Unpack everything. Errors: EINVAL a damaged archive, or a name that leads where it must not; ENOSPC; EFBIG; those of
 * writing. What was unpacked until then is in the image: the caller discards it.
 */
export function untar(source: ByteSource, fs: Ukfs, options: UntarOptions = {}): CopyReport {
  const steps = untarSteps(source, fs, options);
  for (let step = steps.next(); ; step = steps.next()) if (step.done === true) return step.value;
}

/** untar() in small steps, for who wants to look at something else in between. */
export function untarSteps(
  source: ByteSource,
  fs: Ukfs,
  options: UntarOptions = {},
): Generator<undefined, CopyReport, undefined> {
  return new Unpacker(fs, options).run(source);
}

/** An entry with its contents, if it has any and is small. */
interface Item {
  readonly path: string;
  /** Of a hard link. */
  readonly target: string;
  readonly entry: TarEntry;
  readonly data: Uint8Array | undefined;
}

type Attributes = Pick<TarEntry, 'type' | 'mode' | 'uid' | 'gid' | 'mtime' | 'atime' | 'birthtime' | 'xattrs'>;

class Unpacker {
  readonly #fs: Ukfs;
  readonly #options: UntarOptions;
  readonly #paths: TarPaths;
  readonly #buffer = new Uint8Array(PIECE);
  readonly #directories = new Map<string, Attributes>();
  readonly #flags = new Map<string, number>();
  /** Access control lists that name somebody who is not known yet, by path. */
  readonly #lateAcls = new Map<string, readonly [attribute: string, text: string][]>();
  readonly #names: AclNames | undefined;
  readonly #losses = new Losses();
  readonly #group: Item[] = [];
  #groupBytes = 0;
  /** Refusals end the group that is being unpacked, which is then unpacked entry by entry. */
  #inGroup = false;
  /** Names have been free so far: to find out by making the file is cheaper than to look. */
  #namesAreFree = true;
  #counts = { files: 0, others: 0, bytes: 0, skipped: 0 };

  constructor(fs: Ukfs, options: UntarOptions) {
    this.#fs = fs;
    this.#options = options;
    this.#names = options.names?.();
    const { into = '/', followLinks = false } = options;
    this.#paths = new TarPaths(fs, { into, followLinks });
  }

  *run(source: ByteSource): Generator<undefined, CopyReport, undefined> {
    const mask = this.#fs.umask(0);
    try {
      for (const entry of tarEntries(source)) {
        const item = this.#chosen(entry);
        if (item === undefined) continue;
        if (isSmall(entry)) this.#add({ ...item, data: contentsOf(entry) });
        else {
          this.#flush();
          yield* this.#large(item);
        }
        if (this.#group.length === 0) yield undefined;
      }
      this.#flush();
      yield* this.#finish();
    } finally {
      this.#fs.umask(mask);
    }
    return {
      ...this.#counts,
      directories: this.#directories.size,
      failures: 0,
      losses: this.#losses.report(),
    };
  }

  #chosen(entry: TarEntry): Omit<Item, 'data'> | undefined {
    const { rename = (name: string) => name } = this.#options;
    const name = rename(entry.path, entry);
    if (name === undefined) return undefined;
    const path = this.#paths.pathOf(name);
    if (entry.type !== 'link') return { path, target: entry.target, entry };
    const target = rename(entry.target, entry);
    return target === undefined ? undefined : { path, target: this.#paths.pathOf(target), entry };
  }

  #add(item: Item): void {
    this.#group.push(item);
    this.#groupBytes += item.data?.length ?? 0;
    if (this.#group.length >= GROUP_ENTRIES || this.#groupBytes >= GROUP_BYTES) this.#flush();
  }

  /** Unpack the group as one; if anything is in the way, entry by entry. */
  #flush(): void {
    const items = this.#group.splice(0);
    this.#groupBytes = 0;
    if (items.length === 0) return;
    const counts = { ...this.#counts };
    if (!this.#fs.traits.needsDevice || !this.#asGroup(items)) {
      this.#counts = counts;
      for (const item of items) this.#single(item);
    }
    for (const { path } of items) this.#options.done?.(path, this.#counts.bytes);
  }

  #asGroup(items: readonly Item[]): boolean {
    this.#inGroup = true;
    try {
      this.#fs.together(() => {
        for (const item of items) this.#place(item);
      });
      return true;
    } catch (e) {
      if (!(e instanceof FsError)) throw e;
      if (e.code === 'EEXIST') this.#namesAreFree = false;
      this.#paths.forget();
      return false;
    } finally {
      this.#inGroup = false;
    }
  }

  #single(item: Item): void {
    try {
      this.#place(item);
    } catch (e) {
      if (e instanceof FsError) e.context.path ??= item.path;
      throw e;
    }
  }

  #place(item: Item): void {
    const { path, entry, target } = item;
    if (entry.type === 'dir') {
      this.#directory(path, entry);
      return;
    }
    if (path === '/') throw new FsError('EINVAL', { op: 'tar', what: 'archive: the root is no directory' });
    this.#paths.makeParents(path, entry.path);
    if (!(this.#inGroup && this.#namesAreFree) && !this.#makeRoom(path)) return;
    if (entry.type === 'link') {
      this.#paths.check(target, entry.path);
      this.#fs.link(target, path);
      this.#counts.others++;
    } else if (entry.type === 'reg') this.#file(item);
    else if (this.#make(path, entry)) this.#attributes(path, entry);
    this.#flagged(path, entry);
  }

  #directory(path: string, entry: TarEntry): void {
    const there = path === '/' ? 'dir' : this.#paths.makeParents(`${path}/.`, entry.path);
    // What was there before keeps its attributes with -k.
    if (there === 'dir' && this.#options.existing === 'keep') return;
    const { type, mode, uid, gid, mtime, atime, birthtime } = entry;
    // Its last mention holds, at its first place.
    this.#directories.set(path, {
      type,
      mode,
      ...this.#owner({ ...entry, uid, gid }),
      mtime,
      atime,
      birthtime,
      xattrs: this.#xattrs(path, entry),
    });
    this.#flagged(path, entry);
  }

  /** A later entry of the same name takes the place of the earlier one. False: what is there stays. */
  #makeRoom(path: string): boolean {
    const there = lstatOf(this.#fs, path);
    if (there === undefined) return true;
    if (this.#options.existing === 'keep') {
      this.#counts.skipped++;
      return false;
    }
    if (there.type !== 'dir') this.#fs.unlink(path);
    else {
      try {
        this.#fs.rmdir(path);
      } catch (e) {
        if (e instanceof FsError && e.code === 'ENOTEMPTY') throw new FsError('EISDIR', { op: 'untar', path });
        throw e;
      }
      this.#directories.delete(path);
    }
    this.#flags.delete(path);
    this.#lateAcls.delete(path);
    // A link may have led to what is known to be there.
    if (there.type === 'lnk' || there.type === 'dir') this.#paths.forget();
    return true;
  }

  #make(path: string, entry: TarEntry): boolean {
    const fs = this.#fs;
    try {
      if (entry.type === 'lnk') {
        fs.symlink(entry.target, path);
        this.#paths.brought(path);
      } else if (entry.type === 'fifo') fs.mknod(path, 'fifo', 0o600);
      else if (entry.type === 'chr' || entry.type === 'blk') fs.mknod(path, entry.type, 0o600, entry.rdev);
      this.#counts.others++;
      return true;
    } catch (e) {
      if (this.#inGroup || !isRefusal(e)) throw e;
      this.#losses.add(entry.type === 'lnk' ? 'symbolic link' : entry.type === 'fifo' ? 'fifo' : 'device', path);
      return false;
    }
  }

  /** A small file, contents and all. */
  #file({ path, entry, data }: Item): void {
    const fd = this.#create(path, entry);
    try {
      if (data !== undefined && data.length > 0) this.#write(fd, data, data.length, 0);
      this.#settle(fd, path, entry);
    } finally {
      this.#fs.close(fd);
    }
  }

  *#large({ path, entry }: Omit<Item, 'data'>): Generator<undefined, undefined, undefined> {
    const fs = this.#fs;
    this.#paths.makeParents(path, entry.path);
    if (!this.#makeRoom(path)) return;
    const bytes = entry.runs.reduce((sum, { length }) => sum + length, 0);
    // No need to write for minutes to find that out.
    if (bytes > SMALL && bytes > roomIn(fs)) throw new FsError('ENOSPC', { op: 'write', path });
    const fd = this.#create(path, entry);
    try {
      for (const { offset, length } of entry.runs) {
        for (let at = 0; at < length;) {
          const piece = this.#buffer.subarray(0, Math.min(PIECE, length - at));
          fill(entry, piece);
          this.#write(fd, piece, piece.length, offset + at);
          at += piece.length;
          if (at % STEP_BYTES === 0) yield undefined;
        }
      }
      const last = entry.runs.at(-1);
      if (last === undefined || last.offset + last.length !== entry.size) fs.ftruncate(fd, entry.size);
      this.#settle(fd, path, entry);
    } finally {
      fs.close(fd);
    }
    this.#flagged(path, entry);
    this.#options.done?.(path, this.#counts.bytes);
  }

  #create(path: string, { mode }: TarEntry): number {
    return this.#fs.open(path, O.WRONLY | O.CREAT | O.EXCL | O.NOFOLLOW, mode & 0o777);
  }

  #write(fd: number, bytes: Uint8Array, length: number, position: number): void {
    writeAll(this.#fs, fd, bytes, { length, position });
    this.#counts.bytes += length;
  }

  /** What a file gets once it has its contents. */
  #settle(fd: number, path: string, entry: TarEntry): void {
    const fs = this.#fs;
    const { mode, mtime, atime = mtime } = entry;
    const { uid, gid } = this.#owner(entry);
    const made = fs.fstat(fd);
    // Each call costs as much as looking: what it has already need not be set.
    const isOwned = (uid === -1 || made.uid === uid) && (gid === -1 || made.gid === gid);
    if (!isOwned) this.#attempt('owner', path, () => fs.fchown(fd, uid, gid));
    // After the owner, whose change drops set-id bits.
    if (!isOwned || made.mode !== mode) this.#attempt('mode', path, () => fs.fchmod(fd, mode));
    for (const [name, value] of this.#xattrs(path, entry)) {
      this.#attempt('extended attribute', path, () => fs.setxattr(path, name, value, { nofollow: true }));
    }
    this.#born(path, entry);
    if (this.#options.keep?.times !== false) this.#attempt('times', path, () => fs.futimes(fd, atime, mtime));
    this.#counts.files++;
  }

  #attributes(path: string, entry: Attributes): void {
    const fs = this.#fs;
    const { type, uid, gid, mode, mtime, atime, xattrs } = entry;
    this.#attempt('owner', path, () => fs.lchown(path, uid, gid));
    // After the owner, whose change drops set-id bits.
    if (type !== 'lnk') this.#attempt('mode', path, () => fs.lchmod(path, mode));
    for (const [name, value] of xattrs) {
      this.#attempt('extended attribute', path, () => fs.setxattr(path, name, value, { nofollow: true }));
    }
    this.#born(path, entry);
    if (this.#options.keep?.times !== false)
      this.#attempt('times', path, () => fs.lutimes(path, atime ?? mtime, mtime));
  }

  #born(path: string, { birthtime }: Attributes): void {
    if (birthtime === undefined || this.#options.keep?.times === false) return;
    this.#attempt('birth time', path, () => this.#fs.setbirthtime(path, birthtime, { nofollow: true }));
  }

  #owner({ uid, gid, uname, gname }: TarEntry): { readonly uid: number; readonly gid: number } {
    const { keep } = this.#options;
    const names = this.#names;
    if (keep?.owner === false) return { uid: -1, gid: -1 };
    if (names === undefined) return { uid, gid };
    return {
      uid: (uname === '' ? undefined : names.uid(uname)) ?? uid,
      gid: (gname === '' ? undefined : names.gid(gname)) ?? gid,
    };
  }

  /** Those wanted, access control lists among them. */
  #xattrs(path: string, { xattrs, aclAccess, aclDefault }: TarEntry): ReadonlyMap<string, Uint8Array> {
    const { keep = {} } = this.#options;
    const all = new Map(keep.xattrs === false ? [] : xattrs);
    if (keep.acls === false) {
      for (const attribute of [ACL_ACCESS, ACL_DEFAULT]) all.delete(attribute);
      return all;
    }
    const late: [string, string][] = [];
    for (const [attribute, text] of [
      [ACL_ACCESS, aclAccess],
      [ACL_DEFAULT, aclDefault],
    ] as const) {
      if (text === undefined || all.has(attribute)) continue;
      const value = listOf(attribute, text, this.#names);
      if (value === 'unknown') late.push([attribute, text]);
      else if (value !== 'mode') all.set(attribute, value);
    }
    if (late.length > 0) this.#lateAcls.set(path, late);
    return all;
  }

  #flagged(path: string, { fflags }: TarEntry): void {
    const flags = fflags === undefined ? 0 : fflagsOf(fflags);
    if (flags !== 0) this.#flags.set(path, flags);
    else if (this.#flags.size > 0) this.#flags.delete(path);
  }

  *#finish(): Generator<undefined, undefined, undefined> {
    // The deepest first: setting a directory's times must come after everything in it.
    const directories = [...this.#directories].reverse();
    for (let at = 0; at < directories.length; at += GROUP_ENTRIES) {
      const some = directories.slice(at, at + GROUP_ENTRIES);
      const act = (): void => {
        for (const [path, entry] of some) this.#attributes(path, entry);
      };
      this.#grouped(act);
      yield undefined;
    }
    this.#late();
    for (const [path, flags] of this.#flags) {
      if ((flags & ~this.#fs.traits.flags) !== 0) this.#losses.add('flags', path);
      this.#attempt('flags', path, () => this.#fs.lchflags(path, flags & this.#fs.traits.flags));
    }
  }

  #late(): void {
    const names = this.#options.names?.();
    for (const [path, lists] of this.#lateAcls) {
      for (const [attribute, text] of lists) {
        const value = listOf(attribute, text, names);
        if (value === 'unknown') this.#losses.add('extended attribute', path);
        else if (value !== 'mode')
          this.#attempt('extended attribute', path, () =>
            this.#fs.setxattr(path, attribute, value, { nofollow: true }),
          );
      }
    }
  }

  #grouped(act: () => void): void {
    this.#inGroup = true;
    try {
      if (this.#fs.traits.needsDevice) {
        this.#fs.together(act);
        return;
      }
    } catch (e) {
      if (!(e instanceof FsError)) throw e;
    } finally {
      this.#inGroup = false;
    }
    act();
  }

  #attempt(loss: Loss, path: string, act: () => void): void {
    try {
      act();
    } catch (e) {
      if (this.#inGroup || !isRefusal(e)) throw e;
      this.#losses.add(loss, path);
    }
  }
}

const isSmall = ({ type, size, runs }: TarEntry): boolean =>
  type !== 'reg' || (size <= SMALL && (size === 0 || (runs.length === 1 && runs[0]?.length === size)));

/** undefined: it has none. */
function contentsOf(entry: TarEntry): Uint8Array | undefined {
  if (entry.type !== 'reg' || entry.size === 0) return undefined;
  const data = new Uint8Array(entry.size);
  fill(entry, data);
  return data;
}

function fill(entry: TarEntry, bytes: Uint8Array): void {
  for (let filled = 0; filled < bytes.length;) filled += entry.read(bytes.subarray(filled));
}

/** Bytes that may still be written. */
function roomIn(fs: Ukfs): number {
  const { freeBlocks, fragmentSize } = fs.statvfs();
  return freeBlocks * fragmentSize;
}

function lstatOf(fs: Ukfs, path: string): ReturnType<Ukfs['lstat']> | undefined {
  try {
    return fs.lstat(path);
  } catch (e) {
    if (e instanceof FsError && e.code === 'ENOENT') return undefined;
    throw e;
  }
}

/** The value of a list; `mode`: it says no more than the mode does; `unknown`: it names somebody whom nobody knows. */
function listOf(attribute: string, text: string, names: AclNames | undefined): Uint8Array | 'mode' | 'unknown' {
  try {
    const entries = aclFromText(text, names);
    return entries.length > (attribute === ACL_ACCESS ? 3 : 0) ? encodeAcl(entries) : 'mode';
  } catch (e) {
    if (!isRefusal(e)) throw e;
    return 'unknown';
  }
}
