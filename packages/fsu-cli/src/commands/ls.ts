/** ls: list directories of an image, with NetBSD ls's rules (and its output) and GNU's long options. */
import { FsError } from 'ukfs';
import type { DirentPlus, Stat, VType } from '@ukfs/kernel';
import type { Ukfs } from 'ukfs';
import type { Command, Invocation } from '../command.ts';

import type { Context, ImageName, Target } from '../context.ts';
import { JsonListing } from '../ls/json.ts';
import { Colors, isColored } from '../ls/color.ts';
import { Entries } from '../ls/entries.ts';
import type { Detail } from '../ls/entries.ts';
import { lsOptions, readLsOptions } from '../ls/options.ts';
import type { LsOptions } from '../ls/options.ts';
import { OwnerNames, Printer, shownName, Widths } from '../ls/print.ts';
import { Owners } from '../owners.ts';

export const ls: Command = {
  name: 'ls',
  summary: 'List directories in an image.',
  synopsis: { addresses: 'ADDRESS...', paths: '[PATH...]' },
  options: lsOptions,
  examples: [
    { command: 'fsu ls disk.img:/etc', does: 'names in /etc' },
    { command: 'fsu ls -l disk.img:2/home', does: 'partition 2, long format' },
    { command: 'fsu_ls disk.img -lR /etc', does: 'the way of fs-utils' },
    { command: 'fsu ls --json disk.img:/ ', does: 'for programs' },
  ],
  image: 'read',
  run,
};

/** Entries asked of the kernel at a time. */
const BATCH = 512;
/** An unsorted listing of more entries is not kept: it is read twice, once for the widths of its columns. */
const KEEP_MAX = 65536;

async function run(ctx: Context, args: Invocation): Promise<number> {
  const options = readLsOptions(args.options, {
    isTTY: ctx.out.isTTY,
    env: (name) => ctx.shell.env(name),
  });
  const targets = ctx.targets(args.operands);
  const lister = new Lister(ctx, options, targets.length);
  const files: Operand[] = [];
  const dirs: Operand[] = [];
  lister.begin(targets[0]?.image);
  for (const target of targets) {
    const fs = await ctx.tryOpen(target.image);
    const stat = fs === undefined ? undefined : lister.operandStat(fs, target);
    if (fs === undefined || stat === undefined) continue;
    (stat.type === 'dir' && !options.plainDirs ? dirs : files).push({ fs, target, stat });
  }
  lister.files(files);
  for (const dir of sortOperands(dirs, options)) lister.tree(dir);
  return ctx.status;
}

interface Operand {
  readonly fs: Ukfs;
  readonly target: Target;
  readonly stat: Stat;
}

/** A directory on its way to be listed. */
interface Place {
  readonly fs: Ukfs;
  readonly image: ImageName;
  readonly path: string;
  /** As headers show it. */
  readonly shown: string;
  readonly key: string;
}

const join = (dir: string, name: string): string => (dir.endsWith('/') ? dir + name : `${dir}/${name}`);

function sortOperands(operands: readonly Operand[], options: LsOptions): readonly Operand[] {
  const entries = new Entries('stats');
  operands.forEach(({ target, stat }) =>
    entries.add(target.shown, { type: stat.type, ino: stat.ino, stat }, options.time),
  );
  entries.sort({ ...options, dirsFirst: false });
  const byName = new Map<string, Operand[]>();
  for (const operand of operands)
    byName.set(operand.target.shown, [...(byName.get(operand.target.shown) ?? []), operand]);
  const sorted: Operand[] = [];
  for (let i = 0; i < entries.count; i++) {
    const operand = byName.get(entries.name(i))?.shift();
    if (operand !== undefined) sorted.push(operand);
  }
  return sorted;
}

class Lister {
  readonly #ctx: Context;
  readonly #options: LsOptions;
  readonly #operands: number;
  readonly #printer: Printer;
  readonly #json: JsonListing | undefined;
  readonly #detail: Detail;
  /** -F, -p or colours want to know the type, if the directory does not tell. */
  readonly #needTypes: boolean;
  readonly #owners = new Map<Ukfs, OwnerNames>();
  readonly #entries: Entries;
  #output = false;

  constructor(ctx: Context, options: LsOptions, operands: number) {
    const color = isColored(options.color, { env: (name) => ctx.shell.env(name), isTTY: ctx.out.isTTY });
    this.#ctx = ctx;
    this.#options = options;
    this.#operands = operands;
    this.#json = JsonListing.of(ctx);
    const statless = options.format !== 'long' && !options.blocks && options.mark !== 'classify' && !color;
    const namesOnly = statless && options.sort !== 'size' && options.sort !== 'time' && !options.follow;
    this.#detail = this.#json !== undefined ? 'full' : namesOnly ? 'names' : 'stats';
    this.#entries = new Entries(this.#detail);
    this.#needTypes = options.mark !== 'none' || options.recursive || options.dirsFirst;
    this.#printer = new Printer({
      out: ctx.out,
      options,
      clock: ctx.clock,
      colors: color ? new Colors(ctx.shell.env('LS_COLORS')) : undefined,
      width: options.width ?? widthOf(ctx),
    });
  }

  begin(image: ImageName | undefined): void {
    this.#json?.begin(image);
  }

  /** Attributes of an operand: of what a link points to unless a long or marked listing wants the link (NetBSD's rule). */
  operandStat(fs: Ukfs, target: Target): Stat | undefined {
    const { format, plainDirs, mark, follow } = this.#options;
    const itself = (format === 'long' || plainDirs || mark === 'classify' || this.#json !== undefined) && !follow;
    try {
      return itself ? fs.lstat(target.path) : statOrLink(fs, target.path);
    } catch (thrown) {
      this.#ctx.fail(thrown, target);
      return undefined;
    }
  }

  #ownersOf(fs: Ukfs): OwnerNames {
    let names = this.#owners.get(fs);
    if (names === undefined) {
      const wanted = this.#json !== undefined || (this.#options.format === 'long' && !this.#options.numeric);
      names = new OwnerNames(wanted ? new Owners(fs) : undefined);
      this.#owners.set(fs, names);
    }
    return names;
  }

  /** Operands that are no directories, as one list. */
  files(operands: readonly Operand[]): void {
    const [first] = operands;
    if (first === undefined) return;
    // One list has one image's owners; operands of several images are several lists.
    for (const fs of new Set(operands.map((operand) => operand.fs))) {
      const group = sortOperands(
        operands.filter((operand) => operand.fs === fs),
        this.#options,
      );
      const entries = new Entries(this.#detail);
      for (const { target, stat } of group) {
        entries.add(target.shown, { type: stat.type, ino: stat.ino, stat }, this.#options.time);
      }
      const targetOf = (i: number): Target | undefined => group[i]?.target;
      this.#show(
        entries,
        fs,
        (i) => this.#readlink(fs, targetOf(i)),
        (i) => targetOf(i)?.path ?? '',
      );
    }
    this.#output = true;
  }

  #show(entries: Entries, fs: Ukfs, readlink: (i: number) => string | undefined, pathOf: (i: number) => string): void {
    const owners = this.#ownersOf(fs);
    if (this.#json !== undefined) return this.#json.list({ entries, owners, readlink, pathOf });
    const widths = new Widths();
    widths.add(entries, owners, this.#options);
    this.#printer.list({ entries, widths, owners, readlink });
  }

  #readlink(fs: Ukfs, target: Target | undefined): string | undefined {
    if (target === undefined) return undefined;
    try {
      return fs.readlink(target.path);
    } catch (thrown) {
      this.#ctx.fail(thrown, target);
      return undefined;
    }
  }

  /** A directory, and with -R all below it, depth first. Memory holds the names of directories yet to come. */
  tree({ fs, target, stat }: Operand): void {
    const root: Place = {
      fs,
      image: target.image,
      path: target.path,
      shown: target.shown,
      key: `${stat.dev}:${stat.ino}`,
    };
    /** Directories above the current one, to meet cycles in damaged images. */
    const above: string[] = [];
    const stack: { place: Place; depth: number }[] = [{ place: root, depth: 0 }];
    for (let next = stack.pop(); next !== undefined; next = stack.pop()) {
      above.length = next.depth;
      if (above.includes(next.place.key)) {
        this.#ctx.fail(new FsError('ELOOP', { what: 'directory causes a cycle' }), this.#target(next.place));
        continue;
      }
      const below = this.#directory(next.place);
      above.push(next.place.key);
      const depth = next.depth + 1;
      for (const place of below.reverse()) stack.push({ place, depth });
    }
  }

  #target({ image, path, shown }: Place): Target {
    return { image, path, shown };
  }

  #header(place: Place): void {
    if (this.#json !== undefined || this.#options.zero) return;
    const shown = shownName(place.shown, this.#options);
    if (this.#output) this.#ctx.out.text(`\n${shown}:\n`);
    else if (this.#operands > 1) {
      this.#ctx.out.text(`${shown}:\n`);
      this.#output = true;
    }
  }

  /** List one directory; returns the directories in it when they are to be listed, too. */
  #directory(place: Place): Place[] {
    // One listing is over before the next begins: they share the memory.
    const entries = this.#entries;
    entries.clear();
    const below: Place[] = [];
    this.#header(place);
    try {
      const complete = this.#read(place, entries, below);
      if (complete) this.#showDirectory(place, entries);
      else this.#stream(place, entries);
    } catch (thrown) {
      if (!(thrown instanceof FsError)) throw thrown;
      this.#ctx.fail(thrown, this.#target(place));
    }
    return this.#sortBelow(below);
  }

  #showDirectory(place: Place, entries: Entries): void {
    if (entries.count === 0) return;
    entries.sort(this.#options);
    const pathOf = (i: number): string => join(place.path, entries.name(i));
    const readlink = (i: number): string | undefined =>
      this.#readlink(place.fs, { image: place.image, path: pathOf(i), shown: pathOf(i) });
    const owners = this.#ownersOf(place.fs);
    if (this.#json !== undefined) this.#json.list({ entries, owners, readlink, pathOf });
    else {
      const widths = new Widths();
      widths.add(entries, owners, this.#options);
      this.#printer.total(widths);
      this.#printer.list({ entries, widths, owners, readlink });
    }
    this.#output = true;
  }

  /**
   * Fill `entries` from the directory. False when it is larger than an unsorted listing needs to keep: then `entries`
   * holds its beginning only.
   */
  #read(place: Place, entries: Entries, below: Place[]): boolean {
    const unsorted = this.#options.sort === 'none' && !this.#options.reverse && !this.#options.dirsFirst;
    const format = this.#options.format;
    const mayStream = unsorted && (format === 'long' || format === 'single' || this.#json !== undefined);
    const fd = place.fs.opendir(place.path);
    try {
      for (;;) {
        if (mayStream && entries.count > KEEP_MAX) return false;
        if (!this.#batch(place, fd, entries, below)) return true;
      }
    } finally {
      place.fs.close(fd);
    }
  }

  /** A directory too large to keep: once through for the widths, once more for the lines. */
  #stream(place: Place, entries: Entries): void {
    const owners = this.#ownersOf(place.fs);
    const widths = new Widths();
    const pathOf = (i: number): string => join(place.path, entries.name(i));
    const readlink = (i: number): string | undefined =>
      this.#readlink(place.fs, { image: place.image, path: pathOf(i), shown: pathOf(i) });
    const columns = this.#detail !== 'names' || this.#options.inode;
    if (columns && this.#json === undefined) {
      this.#pass(place, entries, () => widths.add(entries, owners, this.#options));
      this.#printer.total(widths);
    }
    this.#pass(place, entries, () => {
      if (this.#json !== undefined) this.#json.list({ entries, owners, readlink, pathOf });
      else this.#printer.list({ entries, widths, owners, readlink });
    });
    this.#output = true;
  }

  #pass(place: Place, entries: Entries, visit: () => void): void {
    const fd = place.fs.opendir(place.path);
    try {
      let more = true;
      while (more) {
        entries.clear();
        // What was wrong with an entry was said when the directory was read first.
        more = this.#batch(place, fd, entries, undefined);
        visit();
      }
    } finally {
      place.fs.close(fd);
    }
  }

  /** The next entries of a directory; false at its end. */
  #batch(place: Place, fd: number, entries: Entries, below: Place[] | undefined): boolean {
    const { fs } = place;
    if (this.#detail === 'names') {
      const batch = fs.getdents(fd, BATCH);
      for (const { name, ino, type } of batch) {
        if (!this.#isListed(name)) continue;
        const known = type ?? (this.#needTypes ? this.#typeOf(place, name) : 'reg');
        if (known === undefined) continue;
        entries.add(
          name,
          { type: known, ino, stat: undefined, toDir: this.#toDir(place, name, known) },
          this.#options.time,
        );
        if (known === 'dir') this.#remember(place, name, ino, below);
      }
      return batch.length > 0;
    }
    const batch = fs.getdentsplus(fd, BATCH);
    for (const entry of batch) {
      if (!this.#isListed(entry.name)) continue;
      const stat = this.#statOf(place, entry, below !== undefined);
      if (stat === undefined) continue;
      const toDir = this.#toDir(place, entry.name, stat.type);
      entries.add(entry.name, { type: stat.type, ino: stat.ino, stat, toDir }, this.#options.time);
      if (stat.type === 'dir') this.#remember(place, entry.name, stat.ino, below, stat.dev);
    }
    return batch.length > 0;
  }

  /** GNU's --group-directories-first counts links to directories among them. */
  #toDir(place: Place, name: string, type: VType): boolean {
    if (!this.#options.dirsFirst || type !== 'lnk') return false;
    try {
      return place.fs.stat(join(place.path, name)).type === 'dir';
    } catch (thrown) {
      if (thrown instanceof FsError) return false;
      throw thrown;
    }
  }

  #remember(place: Place, name: string, ino: number, below: Place[] | undefined, dev?: number): void {
    if (below === undefined || !this.#options.recursive || name === '.' || name === '..') return;
    const mount = dev ?? place.key.slice(0, place.key.indexOf(':'));
    below.push({
      fs: place.fs,
      image: place.image,
      path: join(place.path, name),
      shown: join(place.shown, name),
      key: `${mount}:${ino}`,
    });
  }

  /** NetBSD lists what is below in the order of the listing. */
  #sortBelow(below: Place[]): Place[] {
    if (below.length < 2) return below;
    const options = this.#options;
    if (options.sort === 'none' && !options.reverse) return below;
    const entries = new Entries('stats');
    const byName = new Map(below.map((place) => [place.path.slice(place.path.lastIndexOf('/') + 1), place]));
    for (const [name, place] of byName) {
      const needStat = options.sort === 'size' || options.sort === 'time';
      const stat = needStat ? this.#quietStat(place) : undefined;
      entries.add(name, { type: 'dir', ino: 0, stat }, options.time);
    }
    entries.sort(options);
    const sorted: Place[] = [];
    for (let i = 0; i < entries.count; i++) {
      const place = byName.get(entries.name(i));
      if (place !== undefined) sorted.push(place);
    }
    return sorted;
  }

  #quietStat(place: Place): Stat | undefined {
    try {
      return place.fs.lstat(place.path);
    } catch (thrown) {
      // It was listed a moment ago; listing it will say what is wrong.
      if (thrown instanceof FsError) return undefined;
      throw thrown;
    }
  }

  #isListed(name: string): boolean {
    const { hidden, hide, ignore } = this.#options;
    if (name.charCodeAt(0) === DOT) {
      if (hidden === 'none') return false;
      if (hidden === 'almost' && (name === '.' || name === '..')) return false;
    }
    if (hidden === 'none' && hide.some((matches) => matches(name))) return false;
    return !ignore.some((matches) => matches(name));
  }

  #typeOf(place: Place, name: string): VType | undefined {
    const path = join(place.path, name);
    try {
      return place.fs.lstat(path).type;
    } catch (thrown) {
      this.#ctx.fail(thrown, { image: place.image, path, shown: path });
      return undefined;
    }
  }

  #statOf(place: Place, entry: DirentPlus, tell: boolean): Stat | undefined {
    const { stat } = entry;
    // Nearly always; nothing is made for it.
    if (stat !== undefined && (!this.#options.follow || stat.type !== 'lnk')) return stat;
    const path = join(place.path, entry.name);
    const target = { image: place.image, path, shown: path };
    if (stat === undefined) {
      if (tell) this.#ctx.fail(entry.error ?? new FsError('EIO'), target);
      return undefined;
    }
    try {
      return statOrLink(place.fs, path);
    } catch (thrown) {
      if (tell) this.#ctx.fail(thrown, target);
      return undefined;
    }
  }
}

const DOT = 0x2e;

/** stat(2); of a link that leads nowhere, itself. */
function statOrLink(fs: Ukfs, path: string): Stat {
  try {
    return fs.stat(path);
  } catch (thrown) {
    if (!(thrown instanceof FsError) || (thrown.code !== 'ENOENT' && thrown.code !== 'ELOOP')) throw thrown;
    return fs.lstat(path);
  }
}

/** COLUMNS, the terminal's width, or 80. */
function widthOf(ctx: Context): number {
  const columns = Number(ctx.shell.env('COLUMNS') ?? '');
  if (Number.isInteger(columns) && columns > 0) return columns;
  return ctx.shell.columns() ?? 80;
}
