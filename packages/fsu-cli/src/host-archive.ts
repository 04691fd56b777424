/**
 * Archives of the host: a tar file, or standard input, to be read from the beginning as often as needed, or once. What is
 * compressed by gzip, and what comes through a pipe and is to be read again, is first written to a file without a name in
 * TMPDIR: memory stays small. And archives that are written.
 */
import { randomBytes } from 'node:crypto';
import * as fs from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { constants, crc32, createGunzip, deflateRawSync } from 'node:zlib';
import { FsError } from 'ukfs';
import type { ByteSink, ByteSource } from 'ukfs';
import { hostError } from './host-files.ts';
import { hostPath } from './host-path.ts';
import { StreamError } from './out.ts';

interface HostArchive {
  /** From the first byte on. */
  open(): ByteSource;
  close(): void;
}

const PIECE = 256 * 1024;
const isGzip = (head: Uint8Array): boolean => head[0] === 0x1f && head[1] === 0x8b;

/** How files of other compressors begin: somebody else unpacks them. */
const OTHERS: readonly (readonly [tool: string, ...magic: number[]])[] = [
  ['bzip2', 0x42, 0x5a, 0x68],
  ['xz', 0xfd, 0x37, 0x7a, 0x58, 0x5a],
  ['zstd', 0x28, 0xb5, 0x2f, 0xfd],
  ['lz4', 0x04, 0x22, 0x4d, 0x18],
  ['lzip', 0x4c, 0x5a, 0x49, 0x50],
  ['compress', 0x1f, 0x9d],
];
const HEAD = 6;

function refuseOthers(head: Uint8Array, path: string): void {
  const [tool] = OTHERS.find(([, ...magic]) => magic.every((byte, at) => head[at] === byte)) ?? [];
  if (tool === undefined) return;
  throw new FsError('EINVAL', {
    op: 'tar',
    path,
    what: `archive: compressed by ${tool}: pipe it through '${tool} -dc'`,
  });
}

/** `input`: where a stream comes from; undefined: the file `path`. Errors: of the host; EINVAL damaged gzip data. */
export async function openArchive(path: string, input: ByteSource | undefined): Promise<HostArchive> {
  try {
    if (input === undefined) {
      const fd = fs.openSync(hostPath(path), 'r');
      const done = (): void => fs.closeSync(fd);
      if (!fs.fstatSync(fd).isFile()) {
        return await spooled({ read: (dst) => fs.readSync(fd, dst, 0, dst.length, null) }, path, done);
      }
      const head = new Uint8Array(HEAD);
      fs.readSync(fd, head, 0, HEAD, 0);
      return isGzip(head) ? await spooled(fileSource(fd), path, done) : plainFile(fd, head, path);
    }
    return await spooled(input, path, () => undefined);
  } catch (thrown) {
    throw archiveError(thrown, path);
  }
}

function archiveError(thrown: unknown, path: string): unknown {
  if (thrown instanceof FsError || thrown instanceof StreamError) return thrown;
  if (thrown instanceof Error && 'code' in thrown && String(thrown.code).startsWith('Z_')) {
    return new FsError('EINVAL', { op: 'gzip', path, what: `archive: damaged gzip data (${thrown.message})` });
  }
  return hostError(thrown, path);
}

function plainFile(fd: number, head: Uint8Array, path: string): HostArchive {
  try {
    refuseOthers(head, path);
    return archiveOf(fd);
  } catch (thrown) {
    fs.closeSync(fd);
    throw thrown;
  }
}

/** A stream to be read once: as it comes, unless it is compressed. Errors: as openArchive. */
export async function sniffed(
  input: ByteSource,
  path: string,
): Promise<{ readonly source: ByteSource; close(): void }> {
  const head = new Uint8Array(HEAD);
  let got = 0;
  for (let n = -1; got < HEAD && n !== 0; got += n) n = input.read(head.subarray(got));
  const source = after(head.subarray(0, got), input);
  if (isGzip(head)) {
    const archive = await openArchive(path, source);
    return { source: archive.open(), close: () => archive.close() };
  }
  refuseOthers(head, path);
  return { source, close: () => undefined };
}

/** What was read already, and then the rest. */
function after(head: Uint8Array, rest: ByteSource): ByteSource {
  let at = 0;
  return {
    read(dst) {
      if (at === head.length) return rest.read(dst);
      const n = Math.min(dst.length, head.length - at);
      dst.set(head.subarray(at, at + n));
      at += n;
      return n;
    },
  };
}

/** An archive being written. */
interface HostArchiveOut extends ByteSink {
  end(): void;
  close(): void;
}

/** A new archive, or one in the place of an old. `never`: files that it must not be. Errors: of the host; EEXIST one of those. */
export function createArchive(path: string, never: readonly string[]): HostArchiveOut {
  let fd: number;
  try {
    fd = fs.openSync(hostPath(path), fs.constants.O_WRONLY | fs.constants.O_CREAT, 0o666);
  } catch (thrown) {
    throw hostError(thrown, path);
  }
  let isWhole = false;
  const isFile = fs.fstatSync(fd).isFile();
  const attempt = <T>(act: () => T): T => {
    try {
      return act();
    } catch (thrown) {
      throw hostError(thrown, path);
    }
  };
  try {
    const { dev, ino } = fs.fstatSync(fd, { bigint: true });
    for (const image of never) {
      const other = fs.statSync(hostPath(image), { bigint: true, throwIfNoEntry: false });
      if (other?.dev === dev && other.ino === ino) throw new FsError('EEXIST', { path, what: 'is the image itself' });
    }
    if (isFile) attempt(() => fs.ftruncateSync(fd, 0));
  } catch (thrown) {
    fs.closeSync(fd);
    throw thrown;
  }
  return {
    write(bytes, length) {
      attempt(() => {
        for (let done = 0; done < length;) done += fs.writeSync(fd, bytes, done, length - done);
      });
    },
    end: () => void (isWhole = true),
    close() {
      attempt(() => fs.closeSync(fd));
      // Half of an archive is none.
      if (!isWhole && isFile) attempt(() => fs.unlinkSync(hostPath(path)));
    },
  };
}

/** Compressed in pieces of this size, each on its own. */
const GZIP_PIECE = 1024 * 1024;
/** RFC 1952: deflate, no name, no time, so that the same archive is the same file. */
const GZIP_HEAD = Uint8Array.of(0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255);
/** A last block that holds nothing (RFC 1951, fixed codes). */
const DEFLATE_END = Uint8Array.of(0x03, 0x00);

/** One gzip member, made of pieces that end at byte boundaries: no stream is needed, nor its asynchronous end. */
export function gzipSink(to: ByteSink): ByteSink & { end(): void } {
  const pending = new Uint8Array(GZIP_PIECE);
  let used = 0;
  let sum = 0;
  let size = 0;
  const send = (bytes: Uint8Array): void => to.write(bytes, bytes.length);
  const flush = (): void => {
    if (used === 0) return;
    if (size === 0) send(GZIP_HEAD);
    const piece = pending.subarray(0, used);
    sum = crc32(piece, sum);
    size += used;
    used = 0;
    send(deflateRawSync(piece, { finishFlush: constants.Z_FULL_FLUSH }));
  };
  return {
    write(bytes, length) {
      for (let done = 0; done < length;) {
        const n = Math.min(length - done, GZIP_PIECE - used);
        pending.set(bytes.subarray(done, done + n), used);
        used += n;
        done += n;
        if (used === GZIP_PIECE) flush();
      }
    },
    end() {
      flush();
      send(DEFLATE_END);
      const tail = [sum, size % 2 ** 32].flatMap((word) => [0, 8, 16, 24].map((bits) => (word >>> bits) & 0xff));
      send(Uint8Array.from(tail));
    },
  };
}

function fileSource(fd: number): ByteSource {
  let at = 0;
  return {
    read(dst) {
      const n = fs.readSync(fd, dst, 0, dst.length, at);
      at += n;
      return n;
    },
  };
}

const archiveOf = (fd: number): HostArchive => ({ open: () => fileSource(fd), close: () => fs.closeSync(fd) });

async function spooled(source: ByteSource, path: string, done: () => void): Promise<HostArchive> {
  const name = join(tmpdir(), `fsu-archive-${randomBytes(8).toString('hex')}`);
  const fd = fs.openSync(name, 'wx+', 0o600);
  // The stream closes what it writes to, whatever happens.
  const out = fs.openSync(name, 'r+');
  fs.unlinkSync(name);
  try {
    const first = new Uint8Array(PIECE);
    const n = source.read(first);
    refuseOthers(first, path);
    const pieces = Readable.from(piecesOf(first.subarray(0, n), source), { objectMode: false });
    const sink = fs.createWriteStream('', { fd: out });
    if (isGzip(first)) await pipeline(pieces, createGunzip(), sink);
    else await pipeline(pieces, sink);
    return archiveOf(fd);
  } catch (thrown) {
    fs.closeSync(fd);
    throw thrown;
  } finally {
    done();
  }
}

function* piecesOf(first: Uint8Array, source: ByteSource): Iterable<Uint8Array> {
  if (first.length > 0) yield first;
  for (;;) {
    const piece = new Uint8Array(PIECE);
    const n = source.read(piece);
    if (n === 0) return;
    yield piece.subarray(0, n);
  }
}
