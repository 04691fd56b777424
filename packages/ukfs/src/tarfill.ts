/**
 * Unpacking a tar archive into an image: owners, modes, times, attributes, links, devices, holes.
 *
 * Nothing can leave the image: the calls are those of a handle, for whom the image's root is the root. A name that goes up
 * (`..`) is refused all the same, because it means nothing good; a leading slash means the image's root. Directories get
 * their attributes at the end, when nothing changes them any more.
 */
import { FsError, O } from '@ukfs/kernel';
import { parentOf } from './path.ts';
import { tarEntries } from './tar.ts';
import type { ByteSource, TarEntry } from './tar.ts';
import type { Ukfs } from './handle.ts';
import type { CopyReport, LossReport } from './copy.ts';
import type { Loss } from './tree.ts';
import { isRefusal } from './ukfstree.ts';

export interface UntarOptions {
  /** Told of each entry. */
  readonly done?: (path: string, bytes: number) => void;
}

const PIECE = 128 * 1024;

/** Unpack everything. Errors: EINVAL a damaged archive, or a name that leads out of it; those of writing. */
export function untar(source: ByteSource, fs: Ukfs, options: UntarOptions = {}): CopyReport {
  return new Unpacker(fs, options).run(source);
}

/** Names to walk from the root; EINVAL for one that goes up or is none. */
function pathOf(name: string): string {
  const parts: string[] = [];
  for (const word of name.matchAll(/[^/]+/g)) {
    const [part] = word;
    if (part === '.') continue;
    if (part === '..' || part.includes('\0')) {
      throw new FsError('EINVAL', { op: 'tar', path: name, what: `archive: '${name}' leads out of it` });
    }
    parts.push(part);
  }
  return `/${parts.join('/')}`;
}

class Unpacker {
  readonly #fs: Ukfs;
  readonly #options: UntarOptions;
  readonly #buffer = new Uint8Array(PIECE);
  readonly #directories = new Map<string, TarEntry>();
  /** Directories that are there for sure. */
  readonly #known = new Set<string>();
  readonly #losses = new Map<Loss, { count: number; readonly example: string }>();
  #files = 0;
  #others = 0;
  #bytes = 0;

  constructor(fs: Ukfs, options: UntarOptions) {
    this.#fs = fs;
    this.#options = options;
  }

  run(source: ByteSource): CopyReport {
    for (const entry of tarEntries(source)) {
      const path = pathOf(entry.path);
      try {
        this.#entry(path, entry);
      } catch (e) {
        if (e instanceof FsError) e.context.path ??= path;
        throw e;
      }
      this.#options.done?.(path, this.#bytes);
    }
    // The deepest first: setting a directory's times must come after everything in it.
    for (const [path, entry] of [...this.#directories].reverse()) this.#attributes(path, entry);
    const losses: LossReport[] = [...this.#losses].map(([loss, told]) => ({ loss, ...told }));
    return {
      directories: this.#directories.size,
      files: this.#files,
      others: this.#others,
      bytes: this.#bytes,
      failures: 0,
      skipped: 0,
      losses,
    };
  }

  #entry(path: string, entry: TarEntry): void {
    if (entry.type === 'dir') {
      this.#fs.mkdir(path, { recursive: true, mode: 0o755 });
      // Its last mention holds, at its first place.
      this.#directories.set(path, entry);
      return;
    }
    if (path === '/') throw new FsError('EINVAL', { op: 'tar', what: 'archive: the root is no directory' });
    this.#makeParents(path);
    this.#makeRoom(path);
    if (entry.type === 'link') {
      this.#fs.link(pathOf(entry.target), path);
      this.#others++;
      return;
    }
    if (entry.type === 'reg') this.#file(path, entry);
    else if (this.#make(path, entry)) this.#attributes(path, entry);
  }

  #makeParents(path: string): void {
    const parent = parentOf(path);
    if (parent === undefined || this.#known.has(parent)) return;
    this.#fs.mkdir(parent, { recursive: true, mode: 0o755 });
    this.#known.add(parent);
  }

  /** Calls that none can refuse are one: a file with contents, owner, mode and times. */
  #file(path: string, entry: TarEntry): void {
    const fs = this.#fs;
    const make = (): void => this.#contents(path, entry);
    if (entry.xattrs.size > 0 || entry.size > PIECE || !fs.traits.needsDevice || !fs.traits.owners) make();
    else fs.together(make);
    this.#files++;
    for (const [name, value] of entry.xattrs) {
      this.#attempt('extended attribute', path, () => fs.setxattr(path, name, value, { nofollow: true }));
    }
  }

  /** A later entry of the same name takes the place of the earlier one. */
  #makeRoom(path: string): void {
    let there;
    try {
      there = this.#fs.lstat(path);
    } catch (e) {
      if (e instanceof FsError && e.code === 'ENOENT') return;
      throw e;
    }
    if (there.type === 'dir') throw new FsError('EISDIR', { op: 'tar', path });
    this.#fs.unlink(path);
    // It may have been a link that led to some of them.
    this.#known.clear();
  }

  #make(path: string, entry: TarEntry): boolean {
    const fs = this.#fs;
    try {
      if (entry.type === 'lnk') fs.symlink(entry.target, path);
      else if (entry.type === 'fifo') fs.mknod(path, 'fifo', 0o600);
      else if (entry.type === 'chr' || entry.type === 'blk') fs.mknod(path, entry.type, 0o600, entry.rdev);
      this.#others++;
      return true;
    } catch (e) {
      if (!isRefusal(e)) throw e;
      this.#lose(entry.type === 'lnk' ? 'symbolic link' : entry.type === 'fifo' ? 'fifo' : 'device', path);
      return false;
    }
  }

  #contents(path: string, entry: TarEntry): void {
    const fs = this.#fs;
    const fd = fs.open(path, O.WRONLY | O.CREAT | O.EXCL | O.NOFOLLOW, 0o600);
    try {
      for (const { offset, length } of entry.runs) this.#run(fd, entry, { offset, length });
      if (entry.runs.at(-1)?.length !== entry.size) fs.ftruncate(fd, entry.size);
      const { uid, gid, mode, mtime, atime = mtime } = entry;
      this.#attempt('owner', path, () => fs.fchown(fd, uid, gid));
      // After the owner, whose change drops set-id bits.
      this.#attempt('mode', path, () => fs.fchmod(fd, mode));
      this.#attempt('times', path, () => fs.futimes(fd, atime, mtime));
    } finally {
      fs.close(fd);
    }
  }

  #run(fd: number, entry: TarEntry, { offset, length }: { readonly offset: number; readonly length: number }): void {
    for (let at = 0; at < length;) {
      const piece = this.#buffer.subarray(0, Math.min(PIECE, length - at));
      let filled = 0;
      while (filled < piece.length) filled += entry.read(piece.subarray(filled));
      for (let done = 0; done < filled;) {
        const n = this.#fs.write(fd, piece, done, filled - done, offset + at + done);
        if (n === 0) throw new FsError('ENOSPC', { op: 'write' });
        done += n;
      }
      at += filled;
      this.#bytes += filled;
    }
  }

  #attributes(path: string, { type, uid, gid, mode, mtime, atime, xattrs }: TarEntry): void {
    const fs = this.#fs;
    for (const [name, value] of xattrs) {
      this.#attempt('extended attribute', path, () => fs.setxattr(path, name, value, { nofollow: true }));
    }
    this.#attempt('owner', path, () => fs.lchown(path, uid, gid));
    // After the owner, whose change drops set-id bits.
    if (type !== 'lnk') this.#attempt('mode', path, () => fs.lchmod(path, mode));
    this.#attempt('times', path, () => fs.lutimes(path, atime ?? mtime, mtime));
  }

  #attempt(loss: Loss, path: string, act: () => void): void {
    try {
      act();
    } catch (e) {
      if (!isRefusal(e)) throw e;
      this.#lose(loss, path);
    }
  }

  #lose(loss: Loss, path: string): void {
    const known = this.#losses.get(loss);
    if (known === undefined) this.#losses.set(loss, { count: 1, example: path });
    else known.count++;
  }
}
