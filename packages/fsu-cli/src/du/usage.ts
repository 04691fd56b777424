/** What a file or a tree takes, added up; and which files have been counted already. */
import type { Stat, Timespec, Ukfs } from 'ukfs';

export interface Usage {
  /** Bytes on the disk. */
  allocated: number;
  /** Bytes that can be read. */
  apparent: number;
  inodes: number;
  /** The newest of each. */
  mtime: Timespec | undefined;
  atime: Timespec | undefined;
  ctime: Timespec | undefined;
}

/** Of a file by itself; of nothing. */
export function usageOf(stat: Stat | undefined): Usage {
  if (stat === undefined)
    return { allocated: 0, apparent: 0, inodes: 0, mtime: undefined, atime: undefined, ctime: undefined };
  const { bytes, size, mtime, atime, ctime } = stat;
  return { allocated: bytes, apparent: size, inodes: 1, mtime, atime, ctime };
}

export function addUsage(sum: Usage, more: Usage): void {
  sum.allocated += more.allocated;
  sum.apparent += more.apparent;
  sum.inodes += more.inodes;
  sum.mtime = newer(sum.mtime, more.mtime);
  sum.atime = newer(sum.atime, more.atime);
  sum.ctime = newer(sum.ctime, more.ctime);
}

function newer(a: Timespec | undefined, b: Timespec | undefined): Timespec | undefined {
  if (a === undefined || b === undefined) return a ?? b;
  return a.sec > b.sec || (a.sec === b.sec && a.nsec >= b.nsec) ? a : b;
}

/**
 * Files that must not be counted twice: those with several links, until all are met; directories when trees may overlap; and all
 * files where symbolic links are followed.
 */
export class Seen {
  readonly #what: 'nothing' | 'links' | 'directories' | 'all';
  /** Links yet to come, of each file met. */
  readonly #left = new Map<Ukfs, Map<string | number, number>>();

  constructor(what: 'nothing' | 'links' | 'directories', follow: 'none' | 'root' | 'all') {
    this.#what = follow === 'all' && what !== 'nothing' ? 'all' : what;
  }

  /** Has the file been met before? */
  again(fs: Ukfs, { ino, dev, nlink, type }: Stat): boolean {
    const isLink = type !== 'dir' && nlink > 1;
    if (this.#what === 'nothing') return false;
    if (this.#what === 'links' && !isLink) return false;
    if (this.#what === 'directories' && !isLink && type !== 'dir') return false;
    let left = this.#left.get(fs);
    if (left === undefined) this.#left.set(fs, (left = new Map()));
    const key = dev === 0 ? ino : `${dev}:${ino}`;
    const links = left.get(key);
    if (links === undefined) {
      left.set(key, nlink - 1);
      return false;
    }
    // When no other tree can bring it up again, a file whose links have all been met need not be kept.
    if (this.#what === 'links' && links <= 1) left.delete(key);
    else left.set(key, links - 1);
    return true;
  }
}
