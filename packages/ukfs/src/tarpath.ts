/**
 * Where a name in an archive may lead when it is unpacked: below one directory of the image, and nowhere else.
 *
 * A name that goes up (`..`) is refused, because it means nothing good; a leading slash means the directory itself. On the
 * way to a file, symbolic links are followed that were in the image before and stay inside of the directory; one that the
 * archive brought is not: `x -> /etc`, then `x/passwd`.
 */
import { FsError } from '@ukfs/kernel';
import type { Stat } from '@ukfs/kernel';
import type { Ukfs } from './handle.ts';
import { joinPath, parentOf } from './path.ts';
import { realDir } from './realpath.ts';

const refused = (name: string, what: string): FsError =>
  new FsError('EINVAL', { op: 'tar', path: name, what: `archive: '${name}' ${what}` });

export class TarPaths {
  readonly #fs: Ukfs;
  readonly #into: string;
  /** The same without links in it. */
  readonly #real: string;
  readonly #followLinks: boolean;
  /** Directories that are there for sure, links that may be followed among them. */
  readonly #known = new Set<string>();
  /** Symbolic links that the archive brought. */
  readonly #links = new Set<string>();

  constructor(fs: Ukfs, { into, followLinks }: { readonly into: string; readonly followLinks: boolean }) {
    this.#fs = fs;
    this.#into = into.replace(/\/+$/, '');
    this.#real = this.#into === '' ? '/' : realDir(fs, into);
    this.#followLinks = followLinks;
  }

  /** Path in the image of a name in the archive. Errors: EINVAL it goes up, or is no name. */
  pathOf(name: string): string {
    let path = this.#into;
    for (const [part] of name.matchAll(/[^/]+/g)) {
      if (part === '.') continue;
      if (part === '..' || part.includes('\0')) throw refused(name, 'leads out of it');
      path += `/${part}`;
    }
    return path === '' ? '/' : path;
  }

  /** The archive brought a symbolic link. */
  brought(path: string): void {
    this.#links.add(path);
  }

  /** Something was taken away: what was known need not hold any more. */
  forget(): void {
    this.#known.clear();
  }

  /**
   * The directory that `path` is in, made if it is not there. What it was before: 'dir', or not there. A file in its place
   * makes room. Errors: EINVAL it is reached through a link that is not to be followed; ENOTDIR.
   */
  makeParents(path: string, name: string): 'dir' | 'missing' {
    const parent = parentOf(path);
    if (parent === undefined || parent === this.#into || this.#known.has(parent)) return 'dir';
    this.makeParents(parent, name);
    const stat = this.#lstat(parent);
    if (stat?.type === 'lnk') this.#follow(parent, name);
    else if (stat !== undefined && stat.type !== 'dir') {
      // Only its own entry may make a directory of it.
      if (!path.endsWith('/.')) throw new FsError('ENOTDIR', { op: 'untar', path: parent });
      this.#fs.unlink(parent);
      this.#fs.mkdir(parent, 0o755);
    } else if (stat === undefined) this.#fs.mkdir(parent, 0o755);
    this.#known.add(parent);
    return stat === undefined ? 'missing' : 'dir';
  }

  /** May what is at the path be reached? Errors: as makeParents. */
  check(path: string, name: string): void {
    const parent = parentOf(path);
    if (parent === undefined || parent === this.#into || this.#known.has(parent)) return;
    this.check(parent, name);
    if (this.#lstat(parent)?.type === 'lnk') this.#follow(parent, name);
  }

  #follow(path: string, name: string): void {
    if (this.#fs.stat(path).type !== 'dir') throw new FsError('ENOTDIR', { op: 'untar', path });
    if (this.#followLinks) return;
    if (this.#links.has(path)) throw refused(name, 'leads through a symbolic link that it brought (-P follows them)');
    const real = realDir(this.#fs, path);
    const below = joinPath(this.#real, '');
    if (real !== this.#real && !real.startsWith(below))
      throw refused(name, 'leads out of the directory, through a symbolic link of the image (-P follows them)');
  }

  #lstat(path: string): Stat | undefined {
    try {
      return this.#fs.lstat(path);
    } catch (e) {
      if (e instanceof FsError && e.code === 'ENOENT') return undefined;
      throw e;
    }
  }
}
