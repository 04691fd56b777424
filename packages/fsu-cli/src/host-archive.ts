/**
 * Archives of the host: a tar file, or standard input, to be read from the beginning as often as needed. What is compressed
 * by gzip, and what comes through a pipe, is first written to a file without a name in TMPDIR: memory stays small.
 */
import { randomBytes } from 'node:crypto';
import * as fs from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGunzip } from 'node:zlib';
import { FsError } from 'ukfs';
import type { ByteSource } from 'ukfs';
import { hostError } from './host-files.ts';

interface HostArchive {
  /** From the first byte on. */
  open(): ByteSource;
  close(): void;
}

const PIECE = 256 * 1024;
const isGzip = (head: Uint8Array): boolean => head[0] === 0x1f && head[1] === 0x8b;

/** `input`: where a stream comes from; undefined: the file `path`. Errors: of the host; EINVAL damaged gzip data. */
export async function openArchive(path: string, input: ByteSource | undefined): Promise<HostArchive> {
  try {
    if (input === undefined) {
      const fd = fs.openSync(path, 'r');
      const head = new Uint8Array(2);
      const n = fs.readSync(fd, head, 0, 2, 0);
      if (n === 2 && isGzip(head)) return await spooled(fileSource(fd), () => fs.closeSync(fd));
      if (fs.fstatSync(fd).isFile()) return archiveOf(fd);
      return await spooled({ read: (dst) => fs.readSync(fd, dst, 0, dst.length, null) }, () => fs.closeSync(fd));
    }
    return await spooled(input, () => undefined);
  } catch (thrown) {
    if (thrown instanceof FsError) throw thrown;
    if (thrown instanceof Error && 'code' in thrown && String(thrown.code).startsWith('Z_')) {
      throw new FsError('EINVAL', { op: 'gzip', path, what: `archive: damaged gzip data (${thrown.message})` });
    }
    throw hostError(thrown, path);
  }
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

async function spooled(source: ByteSource, done: () => void): Promise<HostArchive> {
  const name = join(tmpdir(), `fsu-archive-${randomBytes(8).toString('hex')}`);
  const fd = fs.openSync(name, 'wx+', 0o600);
  // The stream closes what it writes to, whatever happens.
  const out = fs.openSync(name, 'r+');
  fs.unlinkSync(name);
  try {
    const first = new Uint8Array(PIECE);
    const n = source.read(first);
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
