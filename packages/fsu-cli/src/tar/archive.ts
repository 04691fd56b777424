/** Where an archive is read from or written to: the host, a stream, or a file of an image; compressed or not. */
import { FsError, O, writeAll } from 'ukfs';
import type { ByteSink, ByteSource, Ukfs } from 'ukfs';
import { UsageError } from '../command.ts';
import type { Context } from '../context.ts';
import { addressText } from '../context.ts';
import { STDIN, STDOUT } from '../out.ts';
import { outerPlace } from '../place.ts';
import type { Place } from '../place.ts';
import type { TarOptions } from './options.ts';

/** An archive open for reading. */
export interface ArchiveIn {
  /** As messages name it. */
  readonly shown: string;
  readonly source: ByteSource;
  close(): void;
}

/** An archive open for writing. */
export interface ArchiveOut {
  readonly shown: string;
  readonly sink: ByteSink;
  /** It lies in this file of an image. */
  readonly file?: { readonly fs: Ukfs; readonly ino: number };
  /** It is whole. */
  end(): void;
  /** Let it go; what is not whole goes away, where that can be. */
  close(): void;
}

/** Errors that are the archive's, and not of the image that is unpacked into. */
export const isOfArchive = (thrown: unknown): boolean =>
  thrown instanceof FsError && ['tar', 'gzip', 'archive'].includes(thrown.context.op ?? '');

export const placeOfArchive = (ctx: Context, { file = '-' }: TarOptions): Place => outerPlace(ctx, file);

/** undefined: it cannot be opened, which has been said. */
export async function openArchiveIn(ctx: Context, place: Place): Promise<ArchiveIn | undefined> {
  const shown = shownOf(place, STDIN);
  try {
    if (place.kind === 'image') return await imageIn(ctx, place, shown);
    const { openArchive, sniffed } = await ctx.shell.archives();
    if (place.kind === 'host') {
      const archive = await openArchive(place.path, undefined);
      return { shown, source: archive.open(), close: () => archive.close() };
    }
    const { stdin } = ctx.shell;
    if (stdin.isTTY) throw new UsageError('no archive given: -f FILE, or pipe it in');
    return { shown, ...(await sniffed(stdin, shown)) };
  } catch (thrown) {
    if (!(thrown instanceof FsError)) throw thrown;
    ctx.fail(thrown, place.kind === 'image' ? place : shown);
    return undefined;
  }
}

async function imageIn(
  ctx: Context,
  place: Place & { readonly kind: 'image' },
  shown: string,
): Promise<ArchiveIn | undefined> {
  const fs = await ctx.tryOpen(place.image);
  if (fs === undefined) return undefined;
  const fd = fs.open(place.path);
  const { sniffed } = await ctx.shell.archives();
  const inner = await sniffed({ read: (dst) => fs.read(fd, dst) }, shown);
  const close = (): void => {
    inner.close();
    fs.close(fd);
  };
  return { shown, source: inner.source, close };
}

const shownOf = (place: Place, stream: string): string =>
  place.kind === 'stream' ? stream : place.kind === 'host' ? place.path : addressText(place.image, place.path);

/**
 * The archive that is to be written; one in an image is an edit of that image. `images`: host files that it must not be.
 * undefined: it cannot be opened, which has been said.
 */
export async function openArchiveOut(ctx: Context, place: Place, options: TarOptions): Promise<ArchiveOut | undefined> {
  const shown = shownOf(place, STDOUT);
  if (place.kind === 'stream') {
    if (ctx.json !== undefined) throw new UsageError('--json: standard output takes the archive already (-f FILE)');
    if (ctx.out.isTTY) throw new UsageError('an archive is nothing for a terminal: -f FILE, or pipe it on');
    const sink: ByteSink = { write: (bytes, length) => ctx.out.bytes(bytes, length) };
    return compressed(ctx, options, { shown, sink, end: () => undefined, close: () => undefined });
  }
  try {
    const out = place.kind === 'image' ? await imageOut(ctx, place, shown) : await hostOut(ctx, place.path);
    return out === undefined ? undefined : await compressed(ctx, options, out);
  } catch (thrown) {
    if (!(thrown instanceof FsError)) throw thrown;
    ctx.fail(thrown, place.kind === 'image' ? place : shown);
    return undefined;
  }
}

async function hostOut(ctx: Context, path: string): Promise<ArchiveOut> {
  const { createArchive } = await ctx.shell.archives();
  const file = createArchive(path, ctx.images.paths);
  return { shown: path, sink: file, end: () => file.end(), close: () => file.close() };
}

async function imageOut(
  ctx: Context,
  place: Place & { readonly kind: 'image' },
  shown: string,
): Promise<ArchiveOut | undefined> {
  const fs = await ctx.tryOpenForWriting(place.image);
  if (fs === undefined) return undefined;
  const fd = fs.open(place.path, O.WRONLY | O.CREAT | O.TRUNC, 0o666);
  const sink: ByteSink = {
    write: (bytes, length) => writeAll(fs, fd, bytes, { length }),
  };
  return { shown, sink, file: { fs, ino: fs.fstat(fd).ino }, end: () => undefined, close: () => fs.close(fd) };
}

async function compressed(ctx: Context, { gzip }: TarOptions, out: ArchiveOut): Promise<ArchiveOut> {
  if (!gzip) return out;
  const { gzipSink } = await ctx.shell.archives();
  const packed = gzipSink(out.sink);
  const end = (): void => {
    packed.end();
    out.end();
  };
  return { ...out, sink: packed, end };
}
