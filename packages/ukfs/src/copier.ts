/** The copy itself: one entry after the other, small files in groups. What it keeps and how it is safe: copy.ts. */
import { asFsError, FsError } from '@ukfs/kernel';
import type { CopiedLinks, CopyOptions, CopyReport } from './copy.ts';
import { DataCopy } from './copydata.ts';
import { isSafeName } from './tree.ts';
import type { Loss, TreeAttr, TreeDir, TreeFile, TreePlace, TreeStat } from './tree.ts';
import { isRefusal } from './ukfstree.ts';

/** Files copied as one group, at most, and their size each: what goes wrong in a group is done again one by one. */
const GROUP_FILES = 128;
const GROUP_FILE_BYTES = 64 * 1024;
const UMASK = 0o022;

interface Entry {
  readonly name: string;
  readonly stat?: TreeStat;
  readonly error?: Error;
}

interface Level {
  readonly path: string;
  readonly from: TreeDir;
  readonly to: TreeDir;
  readonly entries: Iterator<Entry>;
  /** Was read, and is not of the group before it. */
  held: IteratorResult<Entry> | undefined;
  /** Where the directory itself is, for its attributes at the end; undefined: it is the caller's. */
  readonly self: Self | undefined;
  /** Opened because a link led there; closed with the level. */
  around?: TreeDir;
}

interface Self {
  readonly from: TreePlace;
  readonly to: TreePlace;
  readonly stat: TreeStat;
  /** It was there before: merely more is put into it. */
  readonly isOld: boolean;
}

/** What is no directory, on its way. */
interface Leaf {
  readonly from: TreePlace;
  readonly to: TreePlace;
  readonly stat: TreeStat;
  readonly path: string;
  /** Where it is made: `to`, or a name beside it. */
  readonly made: TreePlace;
}

export class Copier {
  readonly #options: CopyOptions;
  readonly #from: TreePlace | undefined;
  readonly #to: TreePlace;
  readonly #levels: Level[] = [];
  readonly #links: CopiedLinks;
  readonly #losses = new Map<Loss, { count: number; readonly example: string }>();
  readonly #data: DataCopy;
  #counts = { directories: 0, files: 0, others: 0, bytes: 0, failures: 0, skipped: 0 };
  /** What `done` is to be told when the group that is being copied is there as a whole. */
  #group: { readonly path: string; readonly stat: TreeStat; readonly bytes: number }[] | undefined;
  #stopped = false;

  constructor(from: TreePlace | undefined, to: TreePlace, options: CopyOptions, contentsOf: TreeDir | undefined) {
    this.#from = from;
    this.#to = to;
    this.#options = options;
    this.#links = options.links ?? new Map();
    this.#data = new DataCopy(options.holes ?? 'keep', options.wrote);
    if (contentsOf === undefined) return;
    this.#levels.push({
      path: '',
      from: contentsOf,
      to: to.dir,
      entries: contentsOf.list()[Symbol.iterator](),
      held: undefined,
      self: undefined,
    });
  }

  run(): CopyReport {
    try {
      const from = this.#from;
      if (from !== undefined) this.#attempt(this.#to.name, () => this.#start(from));
      for (let level = this.#levels.at(-1); level !== undefined && !this.#stopped; level = this.#levels.at(-1))
        this.#step(level);
    } finally {
      for (const level of this.#levels) {
        this.#close(level);
        level.around?.close();
      }
    }
    const losses = [...this.#losses].map(([loss, { count, example }]) => ({ loss, count, example }));
    return { ...this.#counts, losses };
  }

  #start(from: TreePlace): void {
    const stat = from.dir.lstat(from.name);
    if (stat === undefined) throw new FsError('ENOENT', { op: 'copy', path: from.name });
    const { follow = 'never' } = this.#options;
    if (stat.type === 'lnk' && follow === 'named') this.#followed(from, this.#to);
    else this.#entry(from, this.#to, stat);
  }

  #close({ from, to, entries, self }: Level): void {
    entries.return?.();
    if (self === undefined) return;
    from.close();
    to.close();
  }

  /** A link, as what it leads to. */
  #followed(from: TreePlace, to: TreePlace): void {
    const path = this.#pathOf(to.name);
    const real = from.dir.follow?.(from.name);
    if (real === undefined) throw new FsError('ENOENT', { op: 'copy', path });
    // What is in it is met later, and its attributes at the end.
    const level = this.#levels.length;
    try {
      const stat = real.dir.lstat(real.name);
      if (stat === undefined) throw new FsError('ENOENT', { op: 'copy', path });
      this.#entry(real, to, stat);
    } finally {
      const entered = this.#levels[level];
      if (entered === undefined) real.dir.close();
      else entered.around = real.dir;
    }
  }

  #attempt(path: string, act: () => void): void {
    try {
      act();
    } catch (e) {
      const { failed } = this.#options;
      if (failed === undefined || !(e instanceof FsError)) throw e;
      this.#counts.failures++;
      if (failed(path, e) === 'stop') this.#stopped = true;
    }
  }

  #step(level: Level): void {
    const group = this.#gather(level);
    if (group.length > 1) this.#together(level, group);
    else if (group[0] !== undefined) this.#one(level, group[0]);
    else this.#leave(level);
  }

  /** The next entry, and those after it that can be copied as one group; none at the end. */
  #gather(level: Level): Entry[] {
    const group: Entry[] = [];
    const canGroup = level.to.together !== undefined && this.#options.filter === undefined;
    while (group.length < GROUP_FILES) {
      const next = level.held ?? level.entries.next();
      level.held = undefined;
      const small = next.done !== true && canGroup && isSmall(next.value.stat);
      if (small || (next.done !== true && group.length === 0)) group.push(next.value);
      else level.held = next;
      if (!small) break;
    }
    return group;
  }

  #one(level: Level, { name, stat, error }: Entry): void {
    this.#attempt(this.#pathOf(name), () => {
      if (stat === undefined) throw asFsError(error);
      this.#entry({ dir: level.from, name }, { dir: level.to, name }, stat);
    });
  }

  #together(level: Level, group: readonly Entry[]): void {
    const counts = { ...this.#counts };
    const losses = [...this.#losses].map(([loss, count]) => [loss, { ...count }] as const);
    const told = (this.#group = []);
    try {
      level.to.together?.(() => {
        for (const { name, stat } of group) {
          if (stat !== undefined) this.#entry({ dir: level.from, name }, { dir: level.to, name }, stat);
        }
      });
    } catch (e) {
      if (!(e instanceof FsError)) throw e;
      this.#group = undefined;
      this.#counts = counts;
      this.#losses.clear();
      for (const [loss, count] of losses) this.#losses.set(loss, count);
      for (const entry of group) if (!this.#stopped) this.#one(level, entry);
      return;
    }
    this.#group = undefined;
    for (const { path, stat, bytes } of told) this.#options.done?.(path, stat, bytes);
  }

  #tell(path: string, stat: TreeStat): void {
    const { bytes } = this.#counts;
    if (this.#group === undefined) this.#options.done?.(path, stat, bytes);
    else if (this.#options.done !== undefined) this.#group.push({ path, stat, bytes });
  }

  #leave(level: Level): void {
    const { path, self } = level;
    this.#levels.pop();
    this.#close(level);
    if (self === undefined) return;
    this.#attempt(path, () => {
      this.#attributes(self.from, self.to, { stat: self.stat, path, isOld: self.isOld });
      this.#tell(path, self.stat);
    });
    level.around?.close();
  }

  /** Path of an entry of the directory that is being filled, as messages show it. */
  #pathOf(name: string): string {
    const level = this.#levels.at(-1);
    return level === undefined || level.path === '' ? name : `${level.path}/${name}`;
  }

  #entry(from: TreePlace, to: TreePlace, stat: TreeStat): void {
    const path = this.#pathOf(to.name);
    if (!isSafeName(to.name)) throw new FsError('EINVAL', { op: 'copy', path, what: 'not a file name' });
    if (this.#options.filter?.(path, stat) === false) return;
    if (stat.type === 'lnk' && this.#options.follow === 'always') {
      this.#followed(from, to);
      return;
    }
    if (stat.type === 'dir') {
      this.#directory(from, to, stat);
      return;
    }
    if (stat.type === 'reg' && stat.nlink === 1 && this.#makeFree({ from, to, stat, path, made: to })) return;
    const room = this.#roomFor(to, stat, path);
    if (room === 'taken') return;
    if (room === 'overwrite') {
      this.#overwrite(from, to, stat, path);
      return;
    }
    if (room === 'free' || to.dir.rename === undefined) {
      if (room === 'replace') to.dir.unlink(to.name);
      this.#leaf({ from, to, stat, path, made: to });
    } else this.#replace(from, to, stat, path);
  }

  #directory(from: TreePlace, to: TreePlace, stat: TreeStat): void {
    const path = this.#pathOf(to.name);
    if (this.#options.recursive === false) throw new FsError('EISDIR', { op: 'copy', path });
    // A hostile image, or links that are followed, may have it inside itself.
    if (this.#levels.some(({ self }) => self?.stat.id === stat.id))
      throw new FsError('ELOOP', { op: 'copy', path, what: 'the directory is inside itself' });
    const there = to.dir.lstat(to.name);
    if (there === undefined) to.dir.mkdir(to.name);
    else if (there.type !== 'dir') throw new FsError('ENOTDIR', { op: 'copy', path });
    else if (this.#options.sameSide === true && there.id === stat.id) throw sameFile(path);
    this.#counts.directories++;
    const source = from.dir.opendir(from.name);
    const target = to.dir.opendir(to.name);
    const entries = source.list()[Symbol.iterator]();
    this.#levels.push({
      path,
      from: source,
      to: target,
      entries,
      held: undefined,
      self: { from, to, stat, isOld: there !== undefined },
    });
  }

  /** Mostly the name of a file is free, and making it is how to find out. False: it is not. */
  #makeFree(leaf: Leaf): boolean {
    try {
      this.#leaf(leaf);
      return true;
    } catch (e) {
      if (e instanceof FsError && e.code === 'EEXIST') return false;
      throw e;
    }
  }

  /** May the name be made, and does something have to go for it? */
  #roomFor(to: TreePlace, stat: TreeStat, path: string): 'free' | 'taken' | 'replace' | 'overwrite' {
    const there = to.dir.lstat(to.name);
    if (there === undefined) return 'free';
    const { existing = 'replace', mayReplace, sameSide = false, keep = {} } = this.#options;
    if (existing === 'skip' || mayReplace?.(path, there, stat) === false) {
      this.#counts.skipped++;
      return 'taken';
    }
    if (sameSide && there.id === stat.id) throw sameFile(path);
    if (existing === 'fail') throw new FsError('EEXIST', { op: 'copy', path });
    if (there.type === 'dir') throw new FsError('EISDIR', { op: 'copy', path });
    if (isSpecial(there)) {
      // What is in the way may be the target system's own /dev/null: left alone, also by its like.
      if (sameSpecial(there, stat)) return 'taken';
      throw new FsError('EEXIST', { op: 'copy', path, what: 'a device, FIFO or socket is not replaced' });
    }
    // Whether the target takes one is known only afterwards, and then the file would be lost.
    if (isSpecial(stat))
      throw new FsError('EEXIST', { op: 'copy', path, what: 'a file is not replaced by a device, FIFO or socket' });
    const isPlain = stat.type === 'reg' && there.type === 'reg' && (stat.nlink === 1 || keep.links === false);
    if (existing === 'overwrite' && isPlain && to.dir.overwrite !== undefined && this.#options.instead === undefined)
      return 'overwrite';
    // A new file takes the place of the old: writing into the old one would go through links of either kind.
    return 'replace';
  }

  #overwrite(from: TreePlace, to: TreePlace, stat: TreeStat, path: string): void {
    const source = from.dir.open(from.name);
    try {
      const target = to.dir.overwrite?.(to.name);
      if (target === undefined) throw new FsError('EOPNOTSUPP', { op: 'copy', path });
      try {
        this.#counts.bytes += this.#data.copy(source, target, stat);
        this.#attributes(from, to, { stat, path, file: target, isOld: true });
      } finally {
        target.close();
      }
    } finally {
      source.close();
    }
    this.#counts.files++;
    this.#tell(path, stat);
  }

  /** The new file is made beside the old one, which goes when the new one is whole. */
  #replace(from: TreePlace, to: TreePlace, stat: TreeStat, path: string): void {
    const made = { dir: to.dir, name: freeName(to.dir) };
    try {
      this.#leaf({ from, to, stat, path, made });
    } finally {
      // Failed, or another name for the very file that it was to replace: rename(2) does nothing then.
      if (to.dir.lstat(made.name) !== undefined) to.dir.unlink(made.name);
    }
  }

  /** Make a file under the name `made`, with all it has, then put it where it belongs. */
  #leaf({ from, to, stat, path, made }: Leaf): void {
    const isLink = this.#instead(from, made, path) || this.#linked(made, stat, path);
    if (!isLink && !this.#make(from, made, stat, path)) return;
    if (!isLink && stat.type !== 'reg') this.#attributes(from, made, { stat, path });
    if (made !== to) to.dir.rename?.(made.name, to.name);
    if (stat.type === 'reg' && !isLink) this.#counts.files++;
    else this.#counts.others++;
    if (stat.nlink > 1 && !isLink) {
      const dirs = this.#levels.flatMap(({ self }) => (self === undefined ? [] : [self.to.name]));
      this.#links.set(stat.id, { base: this.#to.dir, path: [...dirs, to.name], left: stat.nlink - 1 });
    }
    this.#tell(path, stat);
  }

  /** A link was wanted, and made, in place of the file? */
  #instead(from: TreePlace, to: TreePlace, path: string): boolean {
    const { instead } = this.#options;
    if (instead === undefined) return false;
    if (instead === 'hard link') to.dir.link(from.dir, from.name, to.name);
    else to.dir.symlink(instead(path), to.name);
    return true;
  }

  /** Another name for a file that was made already? */
  #linked(to: TreePlace, stat: TreeStat, path: string): boolean {
    const made = this.#options.keep?.links === false ? undefined : this.#links.get(stat.id);
    if (made === undefined) return false;
    if (--made.left === 0) this.#links.delete(stat.id);
    try {
      inTarget(made, (dir, name) => to.dir.link(dir, name, to.name));
    } catch (e) {
      if (!(isRefusal(e) || (e instanceof FsError && (e.code === 'EMLINK' || e.code === 'EXDEV')))) throw e;
      this.#lose('hard link', path);
      return false;
    }
    return true;
  }

  /** False: the target cannot have such a thing. */
  #make(from: TreePlace, to: TreePlace, stat: TreeStat, path: string): boolean {
    const { type } = stat;
    if (type === 'reg') {
      this.#contents(from, to, stat, path);
      return true;
    }
    try {
      if (type === 'lnk') to.dir.symlink(from.dir.readlink(from.name), to.name);
      else if (type !== 'dir') to.dir.mknod(to.name, type, stat.rdev);
      return true;
    } catch (e) {
      if (!isRefusal(e)) throw e;
      this.#lose(lossOf[type] ?? 'device', path);
      return false;
    }
  }

  /** A regular file with its attributes. */
  #contents(from: TreePlace, to: TreePlace, stat: TreeStat, path: string): void {
    const source = from.dir.open(from.name);
    try {
      const target = to.dir.create(to.name, this.#modeOf(stat));
      let whole = false;
      try {
        this.#counts.bytes += this.#data.copy(source, target, stat);
        this.#attributes(from, to, { stat, path, file: target });
        whole = true;
      } finally {
        target.close();
        // Half a file must not pass for one. (A group takes it back itself.)
        if (!whole && this.#group === undefined) this.#attempt(path, () => to.dir.unlink(to.name));
      }
    } finally {
      source.close();
    }
  }

  /** The mode of a new file. */
  #modeOf({ mode }: TreeStat): number {
    const { keep, umask = UMASK } = this.#options;
    return keep?.mode === false ? mode & 0o777 & ~umask : mode;
  }

  /** Of an entry, or of `file`, which is that entry, open. */
  #attributes(
    from: TreePlace,
    to: TreePlace,
    {
      stat,
      path,
      file,
      isOld = false,
    }: Pick<Leaf, 'stat' | 'path'> & { readonly file?: TreeFile; readonly isOld?: boolean },
  ): void {
    const { keep = {} } = this.#options;
    if (keep.xattrs !== false) this.#xattrs(from, to, path, keep.xattrs);
    const { uid, gid, atime, mtime, birthtime, flags, type } = stat;
    const attr: { -readonly [K in keyof TreeAttr]: TreeAttr[K] } = {};
    if (keep.owner !== false) {
      attr.uid = uid;
      attr.gid = gid;
    }
    if (type !== 'lnk') {
      if (keep.mode !== false || !isOld) attr.mode = this.#modeOf(stat);
    }
    if (keep.times !== false) {
      attr.atime = atime;
      attr.mtime = mtime;
      if (birthtime !== undefined) attr.birthtime = birthtime;
    }
    if (keep.flags !== false && flags !== 0) attr.flags = flags;
    const losses = file === undefined ? to.dir.setattr(to.name, attr) : file.setattr(attr);
    for (const loss of losses) this.#lose(loss, path);
  }

  #xattrs(from: TreePlace, to: TreePlace, path: string, wanted: true | ((name: string) => boolean) = true): void {
    for (const [attribute, value] of from.dir.xattrs(from.name)) {
      if (wanted !== true && !wanted(attribute)) continue;
      try {
        to.dir.setxattr(to.name, attribute, value);
      } catch (e) {
        if (!isRefusal(e)) throw e;
        this.#lose('extended attribute', path);
      }
    }
  }

  #lose(loss: Loss, path: string): void {
    const known = this.#losses.get(loss);
    if (known === undefined) this.#losses.set(loss, { count: 1, example: path });
    else known.count++;
  }
}

/** Open the directories down to a file that was made; each step refuses links, as ever. */
function inTarget(
  { base, path }: { readonly base: TreeDir; readonly path: readonly string[] },
  use: (dir: TreeDir, name: string) => void,
): void {
  const dirs: TreeDir[] = [];
  try {
    let dir = base;
    for (const name of path.slice(0, -1)) dirs.push((dir = dir.opendir(name)));
    use(dir, path.at(-1) ?? '');
  } finally {
    for (const dir of dirs) dir.close();
  }
}

const sameFile = (path: string): FsError =>
  new FsError('EINVAL', { op: 'copy', path, what: 'source and target are the same file' });

/** A name that nobody has, for a file that is not whole yet. */
function freeName(dir: TreeDir): string {
  for (let n = 0; ; n++) {
    const name = `.fsu-new-${n}`;
    if (dir.lstat(name) === undefined) return name;
  }
}

/** Worth a group: neither links to keep nor much to do again. */
const isSmall = (stat: TreeStat | undefined): boolean =>
  stat !== undefined &&
  ((stat.type === 'reg' && stat.size <= GROUP_FILE_BYTES) || stat.type === 'lnk') &&
  stat.nlink === 1;

const isSpecial = ({ type }: TreeStat): boolean => type !== 'reg' && type !== 'lnk' && type !== 'dir';

const sameSpecial = (a: TreeStat, b: TreeStat): boolean =>
  a.type === b.type && a.rdev?.major === b.rdev?.major && a.rdev?.minor === b.rdev?.minor;

const lossOf: Readonly<Record<string, Loss>> = {
  lnk: 'symbolic link',
  fifo: 'fifo',
  sock: 'socket',
  chr: 'device',
  blk: 'device',
};
