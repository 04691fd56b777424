/**
 * Writing tar archives: headers, their extensions, and contents, into one buffer that goes out when it is full.
 *
 * `pax` (POSIX.1-2001) holds everything and is the default: what a ustar header cannot hold goes into records before it.
 * `gnu` has long names and large numbers, `ustar` only what its fields hold: the caller is told what was lost, and gets
 * EOVERFLOW or ENAMETOOLONG for what makes no entry at all. The same entries give the same bytes. Sources: as in tar.ts; GNU
 * tar manual, "Storing Sparse Files", format 1.0; libarchive-formats(5) for LIBARCHIVE.creationtime.
 */
import { FsError, isWellFormedName, nameToBytes } from '@ukfs/kernel';
import type { Rdev, Timespec } from '@ukfs/kernel';
import { BLOCK, FIELD, padding, SPARSE_DIR, TYPE_AT } from './tarformat.ts';
import type { Field, TarFormat, TarType } from './tarformat.ts';

/** Where the bytes go: all of bytes[0, length), or it throws. */
export interface ByteSink {
  write(bytes: Uint8Array, length: number): void;
}

/** One entry, as it is to stand in the archive. */
export interface TarHeader {
  /** Directories without a slash at the end. */
  readonly path: string;
  readonly type: TarType;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly uname: string;
  readonly gname: string;
  readonly mtime: Timespec;
  readonly atime?: Timespec | undefined;
  readonly birthtime?: Timespec | undefined;
  /** Of the file, holes included. */
  readonly size: number;
  readonly target: string;
  readonly rdev: Rdev | undefined;
  readonly xattrs?: ReadonlyMap<string, Uint8Array> | undefined;
  readonly aclAccess?: string | undefined;
  readonly aclDefault?: string | undefined;
  /** chflags(1) words. */
  readonly fflags?: string | undefined;
  /** The file has holes: bytes that its map and its data take (pax only). */
  readonly sparse?: { readonly stored: number } | undefined;
}

/** Output is gathered in pieces of this size. */
const PIECE = 256 * 1024;
/** Archives end at a multiple of this: 20 blocks, the record of tape drives (POSIX pax, -b). */
const RECORD = 20 * BLOCK;

export class TarWriter {
  readonly format: TarFormat;
  /** What the sink threw: there is no more archive. */
  broken: unknown;
  readonly #sink: ByteSink;
  readonly #buffer = new Uint8Array(PIECE);
  #used = 0;
  readonly #owners = new Map<string, Uint8Array>();
  /** Bytes before those in the buffer. */
  #written = 0;

  constructor(sink: ByteSink, format: TarFormat = 'pax') {
    this.#sink = sink;
    this.format = format;
  }

  /** Errors, before anything is written: ENAMETOOLONG, EOVERFLOW the format cannot hold it; those of the sink. */
  header(entry: TarHeader): void {
    const path = nameToBytes(entry.type === 'dir' && entry.path !== '/' ? `${entry.path}/` : entry.path);
    const target = nameToBytes(entry.target);
    if (this.format === 'gnu') this.#gnu(entry, path, target);
    else this.#posix(entry, path, target);
  }

  /** Room for at most `max` bytes of contents: fill it from its start, then take() what was filled. */
  space(max: number): Uint8Array {
    if (this.#used === PIECE) this.flush();
    return this.#buffer.subarray(this.#used, Math.min(PIECE, this.#used + max));
  }

  take(length: number): void {
    this.#used += length;
  }

  bytes(bytes: Uint8Array): void {
    for (let done = 0; done < bytes.length;) {
      const room = this.space(bytes.length - done);
      room.set(bytes.subarray(done, done + room.length));
      this.take(room.length);
      done += room.length;
    }
  }

  zeros(count: number): void {
    for (let left = count; left > 0;) {
      const room = this.space(left);
      room.fill(0);
      this.take(room.length);
      left -= room.length;
    }
  }

  /** To the next block. */
  pad(): void {
    // A piece is whole blocks.
    this.zeros(padding(this.#used));
  }

  /** Two blocks of zeros, and as many as make a record. */
  end(): void {
    this.zeros(2 * BLOCK);
    this.zeros((RECORD - ((this.#written + this.#used) % RECORD)) % RECORD);
    this.flush();
  }

  flush(): void {
    try {
      if (this.#used > 0) this.#sink.write(this.#buffer, this.#used);
    } catch (e) {
      this.broken = e;
      throw e;
    }
    this.#written += this.#used;
    this.#used = 0;
  }

  #posix(entry: TarHeader, path: Uint8Array, target: Uint8Array): void {
    const isPax = this.format === 'pax';
    const { sparse } = entry;
    const shown = sparse === undefined ? path : besideOf(path, SPARSE_DIR);
    const records = new Records();
    const split = splitName(shown);
    const tooLong = (sparse === undefined && split === undefined) || target.length > FIELD.linkname[1];
    if (!isPax && tooLong) throw new FsError('ENAMETOOLONG', { op: 'tar', path: entry.path, what: NO_USTAR });
    if (isPax) this.#names(records, entry, { path, target, fits: split !== undefined });
    const stored = entry.type === 'reg' ? (sparse?.stored ?? entry.size) : 0;
    const { uid, gid, mtime } = entry;
    const large = uid > MAX_ID || gid > MAX_ID || stored > MAX_SIZE || !isOctalTime(mtime);
    if (!isPax && large) throw new FsError('EOVERFLOW', { op: 'tar', path: entry.path, what: NO_USTAR });
    if (isPax) this.#attributes(records, entry, stored);
    if (records.length > 0) this.#extended(records, path);
    this.#block(entry, {
      letter: LETTERS[entry.type],
      name: split?.name ?? shown.subarray(0, FIELD.name[1]),
      prefix: split?.prefix ?? NOTHING,
      target,
      stored,
    });
  }

  #names(
    records: Records,
    entry: TarHeader,
    { path, target, fits }: { readonly path: Uint8Array; readonly target: Uint8Array; readonly fits: boolean },
  ): void {
    const { path: name, target: link, uname, gname } = entry;
    const isUtf8 =
      isWellFormedName(name) && isWellFormedName(link) && isWellFormedName(uname) && isWellFormedName(gname);
    // Records are UTF-8 unless they say that they are not.
    if (!isUtf8) records.text('hdrcharset', 'BINARY');
    if (entry.sparse !== undefined) {
      records.text('GNU.sparse.major', '1');
      records.text('GNU.sparse.minor', '0');
      records.add('GNU.sparse.name', path);
      records.text('GNU.sparse.realsize', String(entry.size));
    } else if (!fits || !isAscii(path)) records.add('path', path);
    if (target.length > FIELD.linkname[1] || !isAscii(target)) records.add('linkpath', target);
    if (!isShortAscii(uname)) records.text('uname', uname);
    if (!isShortAscii(gname)) records.text('gname', gname);
  }

  #attributes(records: Records, entry: TarHeader, stored: number): void {
    const { uid, gid, mtime, atime, birthtime, fflags, aclAccess, aclDefault, xattrs } = entry;
    if (uid > MAX_ID) records.text('uid', String(uid));
    if (gid > MAX_ID) records.text('gid', String(gid));
    if (stored > MAX_SIZE) records.text('size', String(stored));
    if (mtime.nsec !== 0 || !isOctalTime(mtime)) records.text('mtime', timeText(mtime));
    if (atime !== undefined && (atime.sec !== mtime.sec || atime.nsec !== mtime.nsec))
      records.text('atime', timeText(atime));
    if (birthtime !== undefined) records.text('LIBARCHIVE.creationtime', timeText(birthtime));
    if (fflags !== undefined) records.text('SCHILY.fflags', fflags);
    if (aclAccess !== undefined) records.text('SCHILY.acl.access', aclAccess);
    if (aclDefault !== undefined) records.text('SCHILY.acl.default', aclDefault);
    for (const [name, value] of xattrs ?? []) records.add(`SCHILY.xattr.${keyword(name)}`, value);
  }

  #extended(records: Records, path: Uint8Array): void {
    const name = besideOf(path, 'PaxHeaders').subarray(0, FIELD.name[1]);
    this.#block(EXTENSION, { letter: 'x', name, prefix: NOTHING, target: NOTHING, stored: records.length });
    for (const piece of records.pieces) this.bytes(piece);
    this.pad();
  }

  /** Long names come before, as files of a type of their own; numbers are in base 256 where octal ends. */
  #gnu(entry: TarHeader, path: Uint8Array, target: Uint8Array): void {
    if (target.length > FIELD.linkname[1]) this.#long('K', target);
    if (path.length > FIELD.name[1]) this.#long('L', path);
    const stored = entry.type === 'reg' ? entry.size : 0;
    this.#block(entry, {
      letter: LETTERS[entry.type],
      name: path.subarray(0, FIELD.name[1]),
      prefix: NOTHING,
      target: target.subarray(0, FIELD.linkname[1]),
      stored,
    });
  }

  #long(letter: string, name: Uint8Array): void {
    const at = {
      letter,
      name: nameToBytes('././@LongLink'),
      prefix: NOTHING,
      target: NOTHING,
      stored: name.length + 1,
    };
    this.#block(EXTENSION, at);
    this.bytes(name);
    this.zeros(1);
    this.pad();
  }

  /** Straight into the buffer: a view for each field would be most of what an archive of small files costs. */
  #block(entry: BlockAttributes, names: BlockNames): void {
    if (this.#used === PIECE) this.flush();
    const buffer = this.#buffer;
    const start = this.#used;
    buffer.fill(0, start, start + BLOCK);
    buffer.set(names.name, start + FIELD.name[0]);
    this.#number(start, FIELD.mode, entry.mode);
    this.#number(start, FIELD.uid, entry.uid);
    this.#number(start, FIELD.gid, entry.gid);
    this.#number(start, FIELD.size, names.stored);
    this.#number(start, FIELD.mtime, entry.mtime.sec);
    buffer[start + TYPE_AT] = names.letter.charCodeAt(0);
    if (names.target.length > 0) buffer.set(names.target.subarray(0, FIELD.linkname[1]), start + FIELD.linkname[0]);
    buffer.set(this.format === 'gnu' ? GNU_MAGIC : USTAR_MAGIC, start + FIELD.magic[0]);
    if (entry.uname !== '') buffer.set(this.#owner(entry.uname), start + FIELD.uname[0]);
    if (entry.gname !== '') buffer.set(this.#owner(entry.gname), start + FIELD.gname[0]);
    if (entry.rdev !== undefined) {
      this.#number(start, FIELD.devmajor, entry.rdev.major);
      this.#number(start, FIELD.devminor, entry.rdev.minor);
    }
    if (names.prefix.length > 0) buffer.set(names.prefix, start + FIELD.prefix[0]);
    const [at, length] = FIELD.checksum;
    buffer.fill(0x20, start + at, start + at + length);
    let sum = 0;
    for (let i = start; i < start + BLOCK; i++) sum += buffer[i] as number;
    octal(buffer, start + at, length - 1, sum);
    this.#used += BLOCK;
  }

  /** A user's or group's name as it fits into its field; there are few of them. */
  #owner(name: string): Uint8Array {
    let bytes = this.#owners.get(name);
    if (bytes === undefined) {
      if (this.#owners.size >= OWNERS_MAX) this.#owners.clear();
      bytes = nameToBytes(name).subarray(0, FIELD.uname[1] - 1);
      this.#owners.set(name, bytes);
    }
    return bytes;
  }

  #number(start: number, [at, length]: Field, value: number): void {
    const buffer = this.#buffer;
    if (value >= 0 && value < 8 ** (length - 1)) octal(buffer, start + at, length, value);
    else if (this.format === 'gnu') {
      let rest = value;
      for (let i = length - 1; i > 0; i--) {
        buffer[start + at + i] = ((rest % 256) + 256) % 256;
        rest = Math.floor(rest / 256);
      }
      buffer[start + at] = value < 0 ? 0xff : 0x80;
    }
    // In pax a record has it.
    else octal(buffer, start + at, length, 0);
  }
}

type BlockAttributes = Pick<TarHeader, 'mode' | 'uid' | 'gid' | 'uname' | 'gname' | 'mtime' | 'rdev'>;

interface BlockNames {
  readonly letter: string;
  readonly name: Uint8Array;
  readonly prefix: Uint8Array;
  readonly target: Uint8Array;
  readonly stored: number;
}

/** Names of users and groups that are remembered. */
const OWNERS_MAX = 1000;
const NOTHING = new Uint8Array(0);
const NO_USTAR = 'more than a ustar header holds: use --format=pax';
const USTAR_MAGIC = nameToBytes('ustar\x0000');
const GNU_MAGIC = nameToBytes('ustar  \0');
const MAX_ID = 0o7777777;
const MAX_SIZE = 0o77777777777;
const LETTERS: Readonly<Record<TarType, string>> = {
  reg: '0',
  link: '1',
  lnk: '2',
  chr: '3',
  blk: '4',
  dir: '5',
  fifo: '6',
};
/** Attributes of headers that are about the next one. */
const EXTENSION: BlockAttributes = {
  mode: 0o644,
  uid: 0,
  gid: 0,
  uname: '',
  gname: '',
  mtime: { sec: 0, nsec: 0 },
  rdev: undefined,
};

const isOctalTime = ({ sec }: Timespec): boolean => sec >= 0 && sec <= MAX_SIZE;
const isAscii = (bytes: Uint8Array): boolean => {
  for (let i = 0; i < bytes.length; i++) if ((bytes[i] as number) >= 0x80) return false;
  return true;
};

/** As names of users and groups are. */
const isShortAscii = (name: string): boolean => name.length < FIELD.uname[1] && /^[ -~]*$/.test(name);

/** Digits up to the last byte, which ends them. */
function octal(buffer: Uint8Array, at: number, length: number, value: number): void {
  let rest = value;
  for (let i = at + length - 2; i >= at; i--) {
    buffer[i] = 0x30 + (rest % 8);
    rest = Math.floor(rest / 8);
  }
  buffer[at + length - 1] = 0;
}

/** `12.5`, `-1.5`: decimal seconds. */
function timeText({ sec, nsec }: Timespec): string {
  if (nsec === 0) return String(sec);
  // The time -2 s and 500 ms is -1.5.
  const [whole, fraction] = sec < 0 ? [sec + 1, 1e9 - nsec] : [sec, nsec];
  const sign = sec < 0 && whole === 0 ? '-' : '';
  return `${sign}${whole}.${String(fraction).padStart(9, '0').replace(/0+$/, '')}`;
}

/** The name in a header's two fields, cut at a slash; undefined: it does not fit. */
function splitName(path: Uint8Array): { readonly name: Uint8Array; readonly prefix: Uint8Array } | undefined {
  const [, nameMax] = FIELD.name;
  const [, prefixMax] = FIELD.prefix;
  if (path.length <= nameMax) return { name: path, prefix: NOTHING };
  // The slash between them is in neither; one at the end of a directory's name is no place to cut.
  for (let at = path.length - nameMax - 1; at <= prefixMax && at < path.length - 1; at++) {
    if (at > 0 && path[at] === 0x2f) return { prefix: path.subarray(0, at), name: path.subarray(at + 1) };
  }
  return undefined;
}

/** `a/b` → `a/DIR/b`. */
function besideOf(path: Uint8Array, dir: string): Uint8Array {
  const end = path.at(-1) === 0x2f ? path.length - 1 : path.length;
  const slash = path.subarray(0, end).lastIndexOf(0x2f);
  const middle = nameToBytes(`${dir}/`);
  const out = new Uint8Array(slash + 1 + middle.length + (end - slash - 1));
  out.set(path.subarray(0, slash + 1));
  out.set(middle, slash + 1);
  out.set(path.subarray(slash + 1, end), slash + 1 + middle.length);
  return out;
}

/** GNU's escapes for the two letters that would end a keyword. */
const keyword = (name: string): string => name.replace(/%/g, '%25').replace(/=/g, '%3D');

class Records {
  readonly pieces: Uint8Array[] = [];
  length = 0;

  text(key: string, value: string): void {
    this.add(key, nameToBytes(value));
  }

  /** "LENGTH KEY=VALUE\n", where the length counts its own digits. */
  add(key: string, value: Uint8Array): void {
    const middle = nameToBytes(` ${key}=`);
    const rest = middle.length + value.length + 1;
    let length = rest + String(rest).length;
    if (rest + String(length).length !== length) length = rest + String(length).length;
    const piece = new Uint8Array(length);
    piece.set(nameToBytes(String(length)));
    piece.set(middle, length - rest);
    piece.set(value, length - 1 - value.length);
    piece[length - 1] = 0x0a;
    this.pieces.push(piece);
    this.length += length;
  }
}
