/**
 * A tree as a list of plain entries, so that two readers of the same image can be compared: ours, the kernel, debugfs.
 *
 * The digest of contents is defined here once for all of them: plain SHA-256 up to 64 MiB; above it, a digest of the
 * 64 KiB chunks that are not all zero, which is the same whatever way the holes are stored and quick for terabytes.
 */
import { createHash } from 'node:crypto';

export type EntryType = 'reg' | 'dir' | 'lnk' | 'chr' | 'blk' | 'fifo' | 'sock';

export interface TimeSpec {
  readonly sec: number;
  readonly nsec: number;
}

export interface TreeEntry {
  /** From the root, which is '/'. Bytes that are not UTF-8 as in the project's name codec: 0xNN is U+DCNN. */
  readonly path: string;
  readonly type: EntryType;
  /** Permission bits with suid, sgid and sticky; no file type. */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly nlink: number;
  readonly size: number;
  readonly ino: number;
  readonly rdev?: { readonly major: number; readonly minor: number };
  readonly mtime: TimeSpec;
  readonly atime: TimeSpec;
  readonly ctime: TimeSpec;
  readonly btime?: TimeSpec;
  /** What FS_IOC_GETFLAGS tells; only of files and directories. */
  readonly flags?: number;
  /** SHA-256 of the contents, for files of at most 64 MiB. */
  readonly sha256?: string;
  /** The chunk digest of contentDigest(), for larger files. */
  readonly sparseSha256?: string;
  /** Target of a symlink, in the codec of `path`. */
  readonly target?: string;
  /** Full name ("user.a") → value in hex. POSIX ACLs are here under "system.posix_acl_access" and "…_default". */
  readonly xattrs: Readonly<Record<string, string>>;
}

export type Digest = { readonly sha256: string } | { readonly sparseSha256: string };

const CHUNK = 64 * 1024;
const PLAIN_DIGEST_MAX = 64 * 1024 * 1024;
const ZEROS = new Uint8Array(CHUNK);

/**
 * Digest of a file of `sizeBytes` bytes. `runs` are its data in ascending order without overlap; what they leave out is
 * zeros. Whoever can skip holes leaves them out, whoever cannot gives them as zeros: the digest is the same.
 */
export function contentDigest(
  sizeBytes: number,
  runs: Iterable<{ readonly offset: number; readonly data: Uint8Array }>,
): Digest {
  return sizeBytes <= PLAIN_DIGEST_MAX
    ? { sha256: plainDigest(sizeBytes, runs) }
    : { sparseSha256: sparseDigest(sizeBytes, runs) };
}

function plainDigest(sizeBytes: number, runs: Iterable<{ offset: number; data: Uint8Array }>): string {
  const hash = createHash('sha256');
  let position = 0;
  const zerosTo = (end: number): void => {
    for (; position < end; position += Math.min(CHUNK, end - position)) {
      hash.update(ZEROS.subarray(0, Math.min(CHUNK, end - position)));
    }
  };
  for (const { offset, data } of runs) {
    checkRun(offset, data, position, sizeBytes);
    zerosTo(offset);
    hash.update(data);
    position = offset + data.length;
  }
  zerosTo(sizeBytes);
  return hash.digest('hex');
}

/** SHA-256 of, for each chunk that is not all zero, its index (u64, little-endian) and bytes; then the size (u64). */
function sparseDigest(sizeBytes: number, runs: Iterable<{ offset: number; data: Uint8Array }>): string {
  const hash = createHash('sha256');
  const chunk = Buffer.alloc(CHUNK);
  let index = 0;
  const flush = (next: number): void => {
    const length = Math.min(CHUNK, sizeBytes - index * CHUNK);
    if (!chunk.equals(ZEROS)) hash.update(u64(index)).update(chunk.subarray(0, length));
    chunk.fill(0);
    index = next;
  };
  let end = 0;
  for (const { offset, data } of runs) {
    checkRun(offset, data, end, sizeBytes);
    end = offset + data.length;
    for (let done = 0; done < data.length;) {
      const at = offset + done;
      const inChunk = at % CHUNK;
      if (Math.floor(at / CHUNK) !== index) flush(Math.floor(at / CHUNK));
      const piece = data.subarray(done, done + CHUNK - inChunk);
      chunk.set(piece, inChunk);
      done += piece.length;
    }
  }
  flush(0);
  return hash.update(u64(sizeBytes)).digest('hex');
}

function checkRun(offset: number, data: Uint8Array, position: number, sizeBytes: number): void {
  if (offset < position || offset + data.length > sizeBytes) {
    throw new RangeError(`run [${offset}, ${offset + data.length}) after ${position} in a file of ${sizeBytes} bytes`);
  }
}

function u64(value: number): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64LE(BigInt(value));
  return bytes;
}

export interface CompareOptions {
  /** Fields that are not compared. Hard links are compared even without `ino`: the same paths must be one file. */
  readonly ignore?: readonly (keyof TreeEntry)[];
  /** What the two sides are called in the lines. */
  readonly names?: readonly [string, string];
  /** At most so many lines, and one that counts the rest. */
  readonly limit?: number;
}

/** Every difference between two trees, one readable line each; none when they are equal. The order does not matter. */
export function compareTrees(
  a: readonly TreeEntry[],
  b: readonly TreeEntry[],
  { ignore = [], names = ['a', 'b'], limit = 50 }: CompareOptions = {},
): string[] {
  const lines: string[] = [];
  const left = index(a, names[0], lines);
  const right = index(b, names[1], lines);
  const skip = new Set<string>(ignore);
  for (const path of [...new Set([...left.keys(), ...right.keys()])].sort()) {
    const x = left.get(path);
    const y = right.get(path);
    if (x === undefined) lines.push(`${quote(path)}: only in ${names[1]}`);
    else if (y === undefined) lines.push(`${quote(path)}: only in ${names[0]}`);
    else lines.push(...compareEntries(x, y, skip, names));
  }
  const rest = lines.length - limit;
  return rest > 0 ? [...lines.slice(0, limit), `… and ${rest} more differences`] : lines;
}

/** An entry by field name; `same file as` is the first path of its hard links. */
type Fields = Record<string, unknown>;

function index(tree: readonly TreeEntry[], name: string, lines: string[]): Map<string, Fields> {
  const firstPath = new Map<number, string>();
  for (const { ino, path } of tree) {
    const known = firstPath.get(ino);
    if (known === undefined || path < known) firstPath.set(ino, path);
  }
  const entries = new Map<string, Fields>();
  for (const entry of tree) {
    if (entries.has(entry.path)) lines.push(`${quote(entry.path)}: listed twice in ${name}`);
    entries.set(entry.path, { ...entry, 'same file as': firstPath.get(entry.ino) });
  }
  return entries;
}

function compareEntries(x: Fields, y: Fields, skip: ReadonlySet<string>, names: readonly [string, string]): string[] {
  const path = quote(String(x['path']));
  return [...new Set([...Object.keys(x), ...Object.keys(y)])]
    .filter((field) => !skip.has(field) && canonical(x[field]) !== canonical(y[field]))
    .map((field) => `${path}: ${field}: ${names[0]} ${show(field, x[field])}, ${names[1]} ${show(field, y[field])}`);
}

function canonical(value: unknown): string {
  if (typeof value !== 'object' || value === null) return JSON.stringify(value) ?? 'undefined';
  return JSON.stringify(Object.entries(value).sort(([p], [q]) => (p < q ? -1 : 1)));
}

function show(field: string, value: unknown): string {
  if (field === 'mode' && typeof value === 'number') return `0${value.toString(8)}`;
  const text = JSON.stringify(value) ?? 'absent';
  return text.length > 200 ? `${text.slice(0, 200)}… (${text.length} characters)` : text;
}

/** JSON escapes lone surrogates and control characters, so a line stays a line and shows the bytes. */
function quote(path: string): string {
  return JSON.stringify(path);
}

const types: readonly string[] = ['reg', 'dir', 'lnk', 'chr', 'blk', 'fifo', 'sock'] satisfies EntryType[];

/** The border check for entries that come as JSON (kernel-tree.py). */
export function parseTreeEntry(line: string): TreeEntry {
  const value: unknown = JSON.parse(line);
  if (!isTreeEntry(value)) throw new TypeError(`not a tree entry: ${line}`);
  return value;
}

function isTreeEntry(value: unknown): value is TreeEntry {
  if (typeof value !== 'object' || value === null) return false;
  const fields = new Map<string, unknown>(Object.entries(value));
  const isNumber = (field: string): boolean => Number.isSafeInteger(fields.get(field));
  const isObject = (field: string): boolean => typeof fields.get(field) === 'object';
  return (
    typeof fields.get('path') === 'string' &&
    types.includes(String(fields.get('type'))) &&
    ['mode', 'uid', 'gid', 'nlink', 'size', 'ino'].every(isNumber) &&
    ['mtime', 'atime', 'ctime', 'xattrs'].every(isObject)
  );
}
