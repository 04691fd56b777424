/** One file as an expression sees it: what the walk told, and attributes when something asks for them. */
import { FsError } from 'ukfs';
import type { Stat, VType, WalkEntry } from 'ukfs';
import type { Owners } from '../owners.ts';
import { shownBelow } from '../starts.ts';
import type { TreeStart } from '../starts.ts';

/** A starting point. */
export interface Start extends TreeStart {
  readonly owners: Owners;
  /** Names that -fstype knows its file system by. */
  readonly fstypes: readonly string[];
  readonly follow: 'none' | 'root' | 'all';
}

export class Visit {
  readonly start: Start;
  readonly entry: WalkEntry;
  /** Set by -prune. */
  pruned = false;
  #stat: Stat | undefined;
  #shown: string | undefined;

  constructor(start: Start, entry: WalkEntry) {
    this.start = start;
    this.entry = entry;
    this.#stat = entry.stat;
  }

  get path(): string {
    return this.entry.path;
  }

  /** As it is printed: the starting point as it was given, then names. */
  get shown(): string {
    return (this.#shown ??= shownBelow(this.start, this.entry.path));
  }

  get type(): VType {
    return this.entry.type ?? this.stat.type;
  }

  /** Of the entry; of what a link leads to where links are followed. Errors: of lstat. */
  get stat(): Stat {
    return (this.#stat ??= this.start.fs.lstat(this.path));
  }

  /** undefined: it is no symbolic link, or was followed. */
  get target(): string | undefined {
    return this.type === 'lnk' ? this.start.fs.readlink(this.path) : undefined;
  }

  /** Type of what a link leads to; of the link itself, where links are followed. 'none', 'loop': it leads nowhere. */
  get otherType(): VType | 'none' | 'loop' {
    const { fs, follow } = this.start;
    if (follow === 'all') return fs.lstat(this.path).type;
    if (this.type !== 'lnk') return this.type;
    try {
      return fs.stat(this.path).type;
    } catch (thrown) {
      if (thrown instanceof FsError && thrown.code === 'ELOOP') return 'loop';
      if (thrown instanceof FsError && (thrown.code === 'ENOENT' || thrown.code === 'ENOTDIR')) return 'none';
      throw thrown;
    }
  }

  /** A file without contents or a directory without names. */
  get isEmpty(): boolean {
    if (this.type === 'reg') return this.stat.size === 0;
    if (this.type !== 'dir') return false;
    const { fs } = this.start;
    const fd = fs.opendir(this.path);
    try {
      for (let batch = fs.getdents(fd, 8); batch.length > 0; batch = fs.getdents(fd, 8))
        if (batch.some(({ name }) => name !== '.' && name !== '..')) return false;
      return true;
    } finally {
      fs.close(fd);
    }
  }
}
