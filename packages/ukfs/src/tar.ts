/**
 * Reading tar archives: ustar, PAX (POSIX.1-2001), GNU's long names, base-256 numbers and all four of its sparse formats,
 * and the PAX keywords that star and libarchive use for extended attributes. Synchronous, one pass, memory bounded.
 *
 * What is in an archive is hostile: every size is bounded, names are handed out as the archive has them, and who unpacks
 * decides where they may lead (tarfill.ts). Sources: POSIX pax(1), "ustar" and "pax Interchange Format"; GNU tar manual,
 * "Tar Internals", "Storing Sparse Files"; star(1) and libarchive-formats(5) for SCHILY.xattr and LIBARCHIVE.xattr.
 */
import { FsError, nameFromBytes } from '@ukfs/kernel';
import type { Rdev, Timespec } from '@ukfs/kernel';
import { BLOCK, FIELD, padding, TYPE_AT } from './tarformat.ts';
import type { Field, TarType } from './tarformat.ts';

/** Where the bytes come from: up to dst.length of the next ones; 0 at the end. */
export interface ByteSource {
  read(dst: Uint8Array): number;
}

export interface TarRun {
  readonly offset: number;
  readonly length: number;
}

export interface TarEntry {
  /** As the archive has it. */
  readonly path: string;
  readonly type: TarType;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  /** Names of the two; '' where the archive has none. */
  readonly uname: string;
  readonly gname: string;
  readonly mtime: Timespec;
  readonly atime: Timespec | undefined;
  readonly birthtime: Timespec | undefined;
  /** Of the file, holes included. */
  readonly size: number;
  /** Target of a symbolic link, or path of the entry that a hard link is another name of. */
  readonly target: string;
  readonly rdev: Rdev | undefined;
  readonly xattrs: ReadonlyMap<string, Uint8Array>;
  /** Access control lists as text: who reads it knows what names of users mean. */
  readonly aclAccess: string | undefined;
  readonly aclDefault: string | undefined;
  /** chflags(1) words. */
  readonly fflags: string | undefined;
  /** What holds data, ascending; the rest are holes. */
  readonly runs: readonly TarRun[];
  /** The next bytes of the runs, one after the other; 0 at their end. To be read before the next entry is asked for. */
  read(dst: Uint8Array): number;
}

/** Extended headers and long names; longer ones are nothing that a file has. */
const MAX_EXTENDED = 1024 * 1024;
const MAX_RUNS = 1_000_000;

const damaged = (what: string): FsError => new FsError('EINVAL', { op: 'tar', what: `archive: ${what}` });

const part = (block: Uint8Array, [at, length]: Field): Uint8Array => block.subarray(at, at + length);

function text(bytes: Uint8Array): string {
  const end = bytes.indexOf(0);
  return nameFromBytes(bytes, 0, end < 0 ? bytes.length : end);
}

/** Octal digits, or GNU's base 256 with the first bit set. */
function number(bytes: Uint8Array, what: string): number {
  const [first = 0] = bytes;
  if ((first & 0x80) !== 0) {
    const isNegative = (first & 0x40) !== 0;
    let value = isNegative ? (first & 0x7f) - 0x80 : first & 0x3f;
    for (const byte of bytes.subarray(1)) value = value * 256 + byte;
    if (!Number.isSafeInteger(value)) throw damaged(`${what} out of range`);
    return value;
  }
  const digits = text(bytes).trim();
  if (digits === '') return 0;
  if (!/^[0-7]+$/.test(digits)) throw damaged(`${what} is no number`);
  const value = parseInt(digits, 8);
  if (!Number.isSafeInteger(value)) throw damaged(`${what} out of range`);
  return value;
}

function natural(bytes: Uint8Array, what: string): number {
  const value = number(bytes, what);
  if (value < 0) throw damaged(`${what} is negative`);
  return value;
}

function checksumIsRight(block: Uint8Array): boolean {
  let sum = 0;
  let signed = 0;
  for (let i = 0; i < BLOCK; i++) {
    const byte = i >= 148 && i < 156 ? 0x20 : (block[i] ?? 0);
    sum += byte;
    signed += byte < 128 ? byte : byte - 256;
  }
  const digits = text(part(block, FIELD.checksum)).trim();
  const stored = /^[0-7]+$/.test(digits) ? parseInt(digits, 8) : -1;
  return stored >= 0 && (stored === sum || stored === signed);
}

/** The source in blocks: exact reads, and skipping. */
class Blocks {
  readonly #source: ByteSource;
  readonly #scratch = new Uint8Array(64 * 1024);
  constructor(source: ByteSource) {
    this.#source = source;
  }

  /** Bytes got: less than asked for only at the end. */
  fill(dst: Uint8Array): number {
    let done = 0;
    while (done < dst.length) {
      const n = this.#source.read(dst.subarray(done));
      if (n === 0) break;
      done += n;
    }
    return done;
  }

  exactly(length: number): Uint8Array {
    const bytes = new Uint8Array(length);
    if (this.fill(bytes) < length) throw damaged('ends too early');
    return bytes;
  }

  skip(length: number): void {
    for (let left = length; left > 0;) {
      const n = this.fill(this.#scratch.subarray(0, Math.min(left, this.#scratch.length)));
      if (n === 0) throw damaged('ends too early');
      left -= n;
    }
  }

  /** The contents of an extended header, with its padding read. */
  extended(size: number): Uint8Array {
    if (size > MAX_EXTENDED) throw damaged(`extended header of ${size} bytes`);
    const bytes = this.exactly(size);
    this.skip(padding(size));
    return bytes;
  }
}

type Records = ReadonlyMap<string, Uint8Array>;

/** "LENGTH KEY=VALUE\n" …; keywords that may come several times (sparse 0.0) get a number behind them. */
function paxRecords(bytes: Uint8Array): Map<string, Uint8Array> {
  const records = new Map<string, Uint8Array>();
  let pieces = 0;
  for (let at = 0; at < bytes.length && bytes[at] !== 0;) {
    const space = bytes.indexOf(0x20, at);
    const digits = space < 0 || space - at > 10 ? '' : text(bytes.subarray(at, space));
    const length = /^[0-9]+$/.test(digits) ? Number(digits) : 0;
    const equals = bytes.indexOf(0x3d, space);
    if (length === 0 || at + length > bytes.length || equals < 0 || equals >= at + length) {
      throw damaged('extended header');
    }
    const key = text(bytes.subarray(space + 1, equals));
    const value = bytes.subarray(equals + 1, at + length - 1);
    if (key === 'GNU.sparse.offset' || key === 'GNU.sparse.numbytes') records.set(`${key}.${pieces++ >> 1}`, value);
    else records.set(key, value);
    at += length;
  }
  return records;
}

/** What holds for the next entry, or (global) for all to come. */
interface Pending {
  readonly global: Records;
  readonly local: Records;
  readonly longName: string | undefined;
  readonly longLink: string | undefined;
}

/** Errors: EINVAL: it is no tar archive, or a damaged one; those of the source. */
export function* tarEntries(source: ByteSource): Iterable<TarEntry> {
  const blocks = new Blocks(source);
  let pending: Pending = { global: new Map(), local: new Map(), longName: undefined, longLink: undefined };
  let isFirst = true;
  for (;;) {
    const block = new Uint8Array(BLOCK);
    const got = blocks.fill(block);
    if (got === 0 && !isFirst) return;
    if (got < BLOCK) throw isFirst ? damaged('is no tar archive') : damaged('ends too early');
    if (block.every((byte) => byte === 0)) return;
    if (!checksumIsRight(block)) throw isFirst ? damaged('is no tar archive') : damaged('header with a wrong checksum');
    isFirst = false;
    const type = String.fromCharCode(block[TYPE_AT] ?? 0);
    const size = natural(part(block, FIELD.size), 'size');
    if (type === 'x' || type === 'X') pending = { ...pending, local: paxRecords(blocks.extended(size)) };
    else if (type === 'g')
      pending = { ...pending, global: new Map([...pending.global, ...paxRecords(blocks.extended(size))]) };
    else if (type === 'L') pending = { ...pending, longName: text(blocks.extended(size)) };
    else if (type === 'K') pending = { ...pending, longLink: text(blocks.extended(size)) };
    else {
      const member = new Member(blocks, block, pending);
      const entry = member.entry();
      if (entry !== undefined) yield entry;
      member.finish();
      pending = { ...pending, local: new Map(), longName: undefined, longLink: undefined };
    }
  }
}

const TYPES: Readonly<Record<string, TarType>> = {
  '\0': 'reg',
  '0': 'reg',
  '7': 'reg',
  S: 'reg',
  '1': 'link',
  '2': 'lnk',
  '3': 'chr',
  '4': 'blk',
  '5': 'dir',
  '6': 'fifo',
  D: 'dir',
};

class Member {
  readonly #blocks: Blocks;
  readonly #header: Uint8Array;
  readonly #pending: Pending;
  /** Bytes of the archive that belong to it and were not read yet, and their padding. */
  #left: number;
  readonly #padding: number;
  /** Bytes of data that the entry may read. */
  #data = 0;

  constructor(blocks: Blocks, header: Uint8Array, pending: Pending) {
    this.#blocks = blocks;
    this.#header = header;
    this.#pending = pending;
    const stored = this.#decimal('size') ?? natural(part(header, FIELD.size), 'size');
    const kind = TYPES[this.#type] ?? 'reg';
    // Links and the like have no contents, whatever their size says.
    this.#left = kind === 'reg' || !(this.#type in TYPES) ? stored : 0;
    this.#padding = padding(this.#left);
  }

  get #type(): string {
    return String.fromCharCode(this.#header[TYPE_AT] ?? 0);
  }

  #record(key: string): Uint8Array | undefined {
    const value = this.#pending.local.get(key) ?? this.#pending.global.get(key);
    // An empty value takes a global one back.
    return value?.length === 0 ? undefined : value;
  }

  #text(key: string): string | undefined {
    const value = this.#record(key);
    return value === undefined ? undefined : text(value);
  }

  #decimal(key: string): number | undefined {
    const value = this.#record(key);
    if (value === undefined) return undefined;
    const digits = text(value);
    const n = /^[0-9]+$/.test(digits) ? Number(digits) : NaN;
    if (!Number.isSafeInteger(n)) throw damaged(`${key} is no number`);
    return n;
  }

  #time(key: string): Timespec | undefined {
    const value = this.#record(key);
    if (value === undefined) return undefined;
    const [, sign = '', whole = '', fraction = ''] = /^(-?)([0-9]{1,15})(?:\.([0-9]*))?$/.exec(text(value)) ?? [];
    if (whole === '') throw damaged(`${key} is no time`);
    const nsec = Number(`${fraction}000000000`.slice(0, 9));
    if (sign === '') return { sec: Number(whole), nsec };
    return nsec === 0 ? { sec: -Number(whole), nsec } : { sec: -Number(whole) - 1, nsec: 1e9 - nsec };
  }

  /** undefined: of a kind that is no file (a volume label). */
  entry(): TarEntry | undefined {
    const h = this.#header;
    const name = this.#name();
    const type = this.#kind(name);
    if (type === undefined) return undefined;
    const { runs, size } = this.#layout();
    this.#data = runs.reduce((sum, { length }) => sum + length, 0);
    if (this.#data > this.#left) throw damaged('sparse map that holds more than the archive');
    const linkpath = this.#record('linkpath');
    const isPosix = text(part(h, FIELD.magic)).startsWith('ustar');
    const isDevice = type === 'chr' || type === 'blk';
    return {
      path: name,
      type,
      mode: natural(part(h, FIELD.mode), 'mode') & 0o7777,
      uid: this.#id('uid'),
      gid: this.#id('gid'),
      uname: this.#text('uname') ?? (isPosix ? text(part(h, FIELD.uname)) : ''),
      gname: this.#text('gname') ?? (isPosix ? text(part(h, FIELD.gname)) : ''),
      mtime: this.#time('mtime') ?? { sec: number(part(h, FIELD.mtime), 'mtime'), nsec: 0 },
      atime: this.#time('atime'),
      birthtime: this.#time('LIBARCHIVE.creationtime'),
      size: type === 'reg' ? size : 0,
      target: linkpath !== undefined ? text(linkpath) : (this.#pending.longLink ?? text(part(h, FIELD.linkname))),
      rdev: isDevice
        ? { major: natural(part(h, FIELD.devmajor), 'devmajor'), minor: natural(part(h, FIELD.devminor), 'devminor') }
        : undefined,
      xattrs: this.#xattrs(),
      aclAccess: this.#text('SCHILY.acl.access'),
      aclDefault: this.#text('SCHILY.acl.default'),
      fflags: this.#text('SCHILY.fflags'),
      runs: type === 'reg' ? runs : [],
      read: (dst) => this.#read(dst),
    };
  }

  #name(): string {
    const h = this.#header;
    const pax = this.#record('GNU.sparse.name') ?? this.#record('path');
    if (pax !== undefined) return text(pax);
    if (this.#pending.longName !== undefined) return this.#pending.longName;
    const name = text(part(h, FIELD.name));
    // GNU's own format has other things where ustar has the prefix.
    const isUstar = text(part(h, FIELD.magic)) === 'ustar';
    const prefix = isUstar ? text(part(h, FIELD.prefix)) : '';
    return prefix === '' ? name : `${prefix}/${name}`;
  }

  /** Old archives mark directories by a slash only. */
  #kind(name: string): TarType | undefined {
    const type = this.#type;
    if (type === 'V' || type === 'M') return undefined;
    if (!(type in TYPES)) throw damaged(`entry of type '${type}'`);
    return TYPES[type] === 'reg' && name.endsWith('/') ? 'dir' : TYPES[type];
  }

  #id(which: 'uid' | 'gid'): number {
    const id = this.#decimal(which) ?? natural(part(this.#header, FIELD[which]), which);
    if (id > 0xffff_fffe) throw damaged(`${which} out of range`);
    return id;
  }

  #xattrs(): ReadonlyMap<string, Uint8Array> {
    const found = new Map<string, Uint8Array>();
    for (const [key, value] of [...this.#pending.global, ...this.#pending.local]) {
      if (key.startsWith('LIBARCHIVE.xattr.')) {
        const name = percentDecoded(key.slice('LIBARCHIVE.xattr.'.length));
        if (!found.has(name)) found.set(name, base64Decoded(text(value)));
      } else if (key.startsWith('SCHILY.xattr.'))
        found.set(percentDecoded(key.slice('SCHILY.xattr.'.length)), value.slice());
    }
    return found;
  }

  /** Which bytes of the file the data are; reads a map that stands before them. */
  #layout(): { readonly runs: readonly TarRun[]; readonly size: number } {
    const { local } = this.#pending;
    const realSize = this.#decimal('GNU.sparse.realsize') ?? this.#decimal('GNU.sparse.size');
    if (this.#type === 'S') return this.#oldSparse();
    if (realSize === undefined) return { runs: [{ offset: 0, length: this.#left }], size: this.#left };
    if (local.has('GNU.sparse.major')) return sparse(this.#mapInData(), realSize);
    const map = local.get('GNU.sparse.map');
    if (map !== undefined) return sparse(numbers(text(map).split(',')), realSize);
    const pairs: number[] = [];
    for (let i = 0; local.has(`GNU.sparse.offset.${i}`) && i < MAX_RUNS; i++) {
      pairs.push(this.#decimal(`GNU.sparse.offset.${i}`) ?? 0, this.#decimal(`GNU.sparse.numbytes.${i}`) ?? 0);
    }
    return sparse(pairs, realSize);
  }

  /** Four pairs in the header, 21 in each block that follows. */
  #oldSparse(): { readonly runs: readonly TarRun[]; readonly size: number } {
    const pairs: number[] = [];
    const add = (bytes: Uint8Array): void => {
      for (let at = 0; at + 24 <= bytes.length; at += 24) {
        if (bytes[at] === 0) return;
        pairs.push(natural(bytes.subarray(at, at + 12), 'offset'), natural(bytes.subarray(at + 12, at + 24), 'length'));
      }
    };
    add(part(this.#header, FIELD.gnuSparse));
    for (let more = this.#header[FIELD.gnuExtended[0]] ?? 0; more !== 0;) {
      if (pairs.length > 2 * MAX_RUNS) throw damaged('sparse map');
      const block = this.#blocks.exactly(BLOCK);
      add(block.subarray(0, 504));
      more = block[504] ?? 0;
    }
    return sparse(pairs, natural(part(this.#header, FIELD.gnuRealSize), 'real size'));
  }

  /** Version 1.0: decimal lines in the data, padded to a block: how many pairs, then the pairs. */
  #mapInData(): number[] {
    const lines: string[] = [];
    let rest = '';
    let wanted = Infinity;
    while (lines.length < wanted) {
      if (this.#left < BLOCK) throw damaged('sparse map');
      const block = this.#blocks.exactly(BLOCK);
      this.#left -= BLOCK;
      const pieces = `${rest}${text(block)}`.split('\n');
      rest = pieces.pop() ?? '';
      lines.push(...pieces);
      if (wanted === Infinity && lines.length > 0) {
        wanted = 1 + 2 * (numbers(lines.slice(0, 1))[0] ?? 0);
        if (wanted > 2 * MAX_RUNS) throw damaged('sparse map');
      }
    }
    return numbers(lines.slice(1, wanted));
  }

  #read(dst: Uint8Array): number {
    const n = this.#blocks.fill(dst.subarray(0, Math.min(dst.length, this.#data)));
    if (n === 0 && this.#data > 0 && dst.length > 0) throw damaged('ends too early');
    this.#data -= n;
    this.#left -= n;
    return n;
  }

  /** To the next header. */
  finish(): void {
    this.#blocks.skip(this.#left + this.#padding);
    this.#left = 0;
  }
}

function numbers(words: readonly string[]): number[] {
  return words.map((word) => {
    const n = /^[0-9]{1,16}$/.test(word) ? Number(word) : NaN;
    if (!Number.isSafeInteger(n)) throw damaged('sparse map');
    return n;
  });
}

/** Pairs of offset and length, checked: ascending, apart, within the file. */
function sparse(pairs: readonly number[], size: number): { readonly runs: readonly TarRun[]; readonly size: number } {
  const runs: TarRun[] = [];
  let end = 0;
  for (let i = 0; i + 1 < pairs.length; i += 2) {
    const [offset = 0, length = 0] = pairs.slice(i, i + 2);
    if (offset < end || offset + length > size) throw damaged('sparse map');
    end = offset + length;
    if (length > 0) runs.push({ offset, length });
  }
  return { runs, size };
}

const percentDecoded = (name: string): string =>
  name.replace(/%([0-9a-fA-F]{2})/g, (_, hex: string) => String.fromCharCode(parseInt(hex, 16)));

const BASE64 = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';

function base64Decoded(word: string): Uint8Array {
  const out: number[] = [];
  let bits = 0;
  let count = 0;
  for (const letter of word.replace(/[=\s]+$/, '')) {
    const value = BASE64.indexOf(letter);
    if (value < 0) throw damaged('attribute value');
    bits = ((bits << 6) | value) & 0xfffff;
    count += 6;
    if (count < 8) continue;
    count -= 8;
    out.push((bits >> count) & 0xff);
  }
  return Uint8Array.from(out);
}
