/**
 * From entries to lines, by NetBSD's print.c: the widths of all columns first, then line by line, by concatenation.
 */
import type { VType } from '@ukfs/kernel';
import { flagsText } from '../format/flags.ts';
import { markOf, modeText } from '../format/mode.ts';
import { displayWidth, safeText, styleName } from '../format/name.ts';
import { humanBsd } from '../format/size.ts';
import { columnsAcross, columnsDown, commaStream } from '../format/table.ts';
import type { Cell } from '../format/table.ts';
import type { Clock } from '../format/time.ts';
import type { Owners } from '../owners.ts';
import type { TextOut } from '../out.ts';
import type { Colors } from './color.ts';
import { Big, permOf, Small, typeOf } from './entries.ts';
import type { Entries } from './entries.ts';
import type { LsOptions } from './options.ts';

const digits = (n: number): number => String(n).length;
const sectors = (bytes: number): number => Math.ceil(bytes / 512);

/** Largest of everything a listing shows, and its sum; entries are added before any line is made. */
export class Widths {
  entries = 0;
  maxInode = 0;
  maxNlink = 0;
  maxSize = 0;
  maxBytes = 0;
  maxMajor = 0;
  maxMinor = 0;
  user = 0;
  group = 0;
  flags = 0;
  hasDevices = false;
  /** In units of 512 bytes, as st_blocks. */
  blocks = 0;

  add(entries: Entries, owners: OwnerNames, options: LsOptions): void {
    const needStats = entries.detail !== 'names';
    for (let i = 0; i < entries.count; i++) {
      this.entries += 1;
      this.maxInode = Math.max(this.maxInode, entries.big(i, Big.INO));
      if (!needStats) continue;
      this.maxNlink = Math.max(this.maxNlink, entries.small(i, Small.NLINK));
      this.maxSize = Math.max(this.maxSize, entries.big(i, Big.SIZE));
      const bytes = entries.big(i, Big.BYTES);
      this.maxBytes = Math.max(this.maxBytes, bytes);
      this.blocks += sectors(bytes);
      const rdev = entries.rdev(i);
      if (rdev !== undefined) {
        this.hasDevices = true;
        this.maxMajor = Math.max(this.maxMajor, rdev.major);
        this.maxMinor = Math.max(this.maxMinor, rdev.minor);
      }
      if (options.format !== 'long') continue;
      this.user = Math.max(this.user, owners.user(entries.small(i, Small.UID)).length);
      this.group = Math.max(this.group, owners.group(entries.small(i, Small.GID)).length);
      if (options.flags) this.flags = Math.max(this.flags, flagsText(entries.small(i, Small.FLAGS)).length);
    }
  }
}

/** Owners as text, resolved once each. */
export class OwnerNames {
  readonly #owners: Owners | undefined;
  readonly #users = new Map<number, string>();
  readonly #groups = new Map<number, string>();

  /** undefined: numbers. */
  constructor(owners: Owners | undefined) {
    this.#owners = owners;
  }

  user(uid: number): string {
    let name = this.#users.get(uid);
    if (name === undefined) {
      name = this.#owners?.user(uid) ?? String(uid);
      this.#users.set(uid, name);
    }
    return name;
  }

  group(gid: number): string {
    let name = this.#groups.get(gid);
    if (name === undefined) {
      name = this.#owners?.group(gid) ?? String(gid);
      this.#groups.set(gid, name);
    }
    return name;
  }
}

interface PrintContext {
  readonly out: TextOut;
  readonly options: LsOptions;
  readonly clock: Clock;
  readonly colors: Colors | undefined;
  readonly width: number;
}

export interface Listing {
  readonly entries: Entries;
  readonly widths: Widths;
  readonly owners: OwnerNames;
  /** Target of the i-th entry, a symbolic link; undefined when it cannot be read. */
  readlink(i: number): string | undefined;
}

/** Names as the listing shows them. */
export function shownName(name: string, options: LsOptions): string {
  return options.style === 'safe' ? safeText(name) : styleName(name, options.style);
}

export class Printer {
  readonly #p: PrintContext;
  readonly #end: string;
  readonly #modes = new Map<number, string>();

  constructor(context: PrintContext) {
    this.#p = context;
    this.#end = context.options.zero ? '\0' : '\n';
  }

  /** `total 12`, for a directory in the long format or with -s in columns. */
  total(widths: Widths): void {
    const { options, out } = this.#p;
    if (options.zero || (options.format !== 'long' && !(options.blocks && options.format !== 'single'))) return;
    if (options.format === 'comma') return;
    const bytes = widths.blocks * 512;
    const text = options.human === 'no' ? String(Math.ceil(bytes / options.blockSize)) : this.#human(bytes);
    out.text(`total ${text}\n`);
  }

  list(listing: Listing): void {
    const { options, out, width } = this.#p;
    if (options.format === 'long') return this.#long(listing);
    if (options.format === 'single') return this.#single(listing);
    const cells: Cell[] = [];
    for (let i = 0; i < listing.entries.count; i++) cells.push(this.#cell(listing, i));
    const line = (text: string): void => out.text(`${text}\n`);
    if (options.format === 'comma') commaStream(cells, width, line);
    else if (options.format === 'across') columnsAcross(cells, width, line);
    else columnsDown(cells, width, line);
  }

  #single(listing: Listing): void {
    const { out } = this.#p;
    const { entries } = listing;
    for (let i = 0; i < entries.count; i++) out.text(this.#before(listing, i) + this.#name(entries, i) + this.#end);
  }

  /** [inode] [blocks] */
  #before({ entries, widths }: Pick<Listing, 'entries' | 'widths'>, i: number): string {
    const { options } = this.#p;
    if (!options.inode && !options.blocks) return '';
    let text = '';
    if (options.inode) text += `${String(entries.big(i, Big.INO)).padStart(digits(widths.maxInode))} `;
    if (options.blocks) text += `${this.#blocks(entries.big(i, Big.BYTES)).padStart(this.#blocksWidth(widths))} `;
    return text;
  }

  #blocksWidth(widths: Widths): number {
    const { options } = this.#p;
    return options.human === 'no' ? digits(Math.ceil((sectors(widths.maxBytes) * 512) / options.blockSize)) : 4;
  }

  #blocks(bytes: number): string {
    const { options } = this.#p;
    return options.human === 'no' ? String(Math.ceil((sectors(bytes) * 512) / options.blockSize)) : this.#human(bytes);
  }

  #human(bytes: number): string {
    return humanBsd(bytes, this.#p.options.human === 'si');
  }

  #name(entries: Entries, i: number): string {
    const { options, colors } = this.#p;
    const name = entries.name(i);
    const shown = shownName(name, options);
    if (colors === undefined && options.mark === 'none') return shown;
    const typeMode = entries.small(i, Small.TYPE_MODE);
    const type = typeOf(typeMode);
    const mode = permOf(typeMode);
    const painted = colors === undefined ? shown : colors.paint(shown, { type, mode, name });
    return painted + this.#mark(type, mode);
  }

  #mark(type: VType, mode: number): string {
    const { mark } = this.#p.options;
    if (mark === 'none') return '';
    if (mark === 'slash') return type === 'dir' ? '/' : '';
    return mark === 'file-type' ? markOf(type, 0) : markOf(type, mode);
  }

  #cell(listing: Listing, i: number): Cell {
    const { entries } = listing;
    const before = this.#before(listing, i);
    const typeMode = entries.small(i, Small.TYPE_MODE);
    const marked = this.#mark(typeOf(typeMode), permOf(typeMode)).length;
    const width = before.length + displayWidth(shownName(entries.name(i), this.#p.options)) + marked;
    return { text: before + this.#name(entries, i), width };
  }

  #long(listing: Listing): void {
    const { options, out } = this.#p;
    const { entries, widths, owners } = listing;
    const nlinkWidth = digits(widths.maxNlink);
    const sizes = this.#sizeWidths(widths);
    // Padded owners and modes repeat from line to line: they are made once for each listing.
    const users = new Map<number, string>();
    const groups = new Map<number, string>();
    for (let i = 0; i < entries.count; i++) {
      const typeMode = entries.small(i, Small.TYPE_MODE);
      let line = this.#before(listing, i) + this.#mode(typeMode);
      line += `${String(entries.small(i, Small.NLINK)).padStart(nlinkWidth)} `;
      if (options.owner)
        line += padded(users, entries.small(i, Small.UID), (uid) => owners.user(uid).padEnd(widths.user));
      if (options.group)
        line += padded(groups, entries.small(i, Small.GID), (gid) => owners.group(gid).padEnd(widths.group));
      if (options.flags) line += `${flagsText(entries.small(i, Small.FLAGS)).padEnd(widths.flags)} `;
      line += this.#size(entries, i, sizes);
      line += this.#time(entries.big(i, Big.SEC), entries.small(i, Small.NSEC));
      line += this.#name(entries, i);
      if (typeOf(typeMode) === 'lnk') {
        const target = listing.readlink(i);
        if (target !== undefined) line += ` -> ${shownName(target, options)}`;
      }
      out.text(line + this.#end);
    }
  }

  #mode(typeMode: number): string {
    let text = this.#modes.get(typeMode);
    if (text === undefined) {
      // strmode(3) ends in a blank, where a + would stand for an ACL; then the separator.
      text = `${modeText(typeOf(typeMode), permOf(typeMode))}  `;
      this.#modes.set(typeMode, text);
    }
    return text;
  }

  #sizeWidths(widths: Widths): { size: number; major: number; minor: number } {
    const { options } = this.#p;
    let size = options.human === 'no' ? digits(this.#scaled(widths.maxSize)) : 4;
    if (!widths.hasDevices) return { size, major: 0, minor: 0 };
    let major = digits(widths.maxMajor);
    const minor = digits(widths.maxMinor);
    if (major + minor + 2 > size) size = major + minor + 2;
    else if (size - minor - 2 > major) major = size - minor - 2;
    return { size, major, minor };
  }

  #scaled(bytes: number): number {
    const { options } = this.#p;
    return options.scaleSizes ? Math.ceil(bytes / options.blockSize) : bytes;
  }

  #size(entries: Entries, i: number, width: { size: number; major: number; minor: number }): string {
    const rdev = entries.rdev(i);
    if (rdev !== undefined) {
      return `${String(rdev.major).padStart(width.major)}, ${String(rdev.minor).padStart(width.minor)} `;
    }
    const bytes = entries.big(i, Big.SIZE);
    const text = this.#p.options.human === 'no' ? String(this.#scaled(bytes)) : this.#human(bytes);
    return `${text.padStart(width.size)} `;
  }

  #time(sec: number, nsec: number): string {
    const { options, clock } = this.#p;
    const style = options.timeStyle;
    if (options.fullTime) return `${clock.lsFull(sec)} `;
    if (style === undefined) return `${clock.ls(sec)} `;
    if (style === 'full-iso') return `${clock.fullIso(sec, nsec)} `;
    if (style === 'long-iso') return `${clock.longIso(sec)} `;
    if (style === 'iso') return `${clock.iso(sec)} `;
    if (style === 'locale')
      return `${clock.strftime(clock.isRecent(sec) ? '%b %e %H:%M' : '%b %e  %Y', { sec, nsec })} `;
    const [old = '', recent = old] = style.slice(1).split('\n');
    return `${clock.strftime(clock.isRecent(sec) ? recent : old, { sec, nsec })} `;
  }
}

function padded(cache: Map<number, string>, id: number, make: (id: number) => string): string {
  let text = cache.get(id);
  if (text === undefined) {
    text = `${make(id)}  `;
    cache.set(id, text);
  }
  return text;
}
