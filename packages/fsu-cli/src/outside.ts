/** A file of an image in the hands of a host program: a private copy goes out, and comes back if the program changed it. */
import { FsError, O, writeAll } from 'ukfs';
import type { Ukfs } from 'ukfs';
import type { Context, Target } from './context.ts';
import { baseOf } from './copying.ts';
import { StreamError } from './out.ts';

const BUFFER = 256 * 1024;

interface Wish {
  /** The program with its words; `path` is the copy's. */
  command(path: string): readonly string[];
  /** A file that is not there is an empty one, and made if the program put something into it. */
  readonly mayMake: boolean;
}

/** undefined: it could not be done, which has been said. `status` is the program's. */
export async function withProgram(
  ctx: Context,
  target: Target,
  wish: Wish,
): Promise<{ readonly status: number; readonly changed: boolean } | undefined> {
  const fs = await ctx.tryOpenForWriting(target.image);
  if (fs === undefined) return undefined;
  const { makeScratch, runProgram } = await ctx.shell.programs();
  let scratch: ReturnType<typeof makeScratch> | undefined;
  try {
    const isThere = !wish.mayMake || fs.exists(target.path);
    if (isThere && fs.stat(target.path).type !== 'reg') throw notPlain(fs, target.path);
    scratch = makeScratch(baseOf(target.path));
    const { path } = scratch;
    const before = isThere
      ? await digestOf(ctx, copyOut(fs, target.path), (bytes, n) => scratch?.append(bytes, n))
      : '';
    scratch.end();
    ctx.out.flush();
    const status = runProgram(wish.command(path), {
      // A script's lines have other input than the script.
      stdin: ctx.settings.script === undefined ? 'ours' : 'nothing',
      stdout: ctx.json === undefined ? 'ours' : 'stderr',
    });
    if (status !== 0) return { status, changed: false };
    const after = await digestOf(ctx, hostPieces(await ctx.shell.host(), path));
    const isSame = after === before || (!isThere && after === (await digestOf(ctx, [])));
    if (!isSame) copyIn(fs, target.path, hostPieces(await ctx.shell.host(), path));
    return { status, changed: !isSame };
  } catch (thrown) {
    if (!(thrown instanceof FsError)) throw thrown;
    ctx.fail(thrown, target);
    return undefined;
  } finally {
    scratch?.remove();
  }
}

const notPlain = (fs: Ukfs, path: string): FsError =>
  fs.stat(path).type === 'dir' ? new FsError('EISDIR') : new FsError('EINVAL', { what: 'not a regular file' });

type Pieces = Iterable<Uint8Array>;

async function digestOf(
  ctx: Context,
  pieces: Pieces,
  also?: (bytes: Uint8Array, length: number) => void,
): Promise<string> {
  const hash = (await ctx.shell.host()).sha256();
  for (const piece of pieces) {
    hash.update(piece);
    also?.(piece, piece.length);
  }
  return hash.digest();
}

function* copyOut(fs: Ukfs, path: string): Generator<Uint8Array> {
  const fd = fs.open(path);
  try {
    const buffer = new Uint8Array(BUFFER);
    for (let n = fs.read(fd, buffer); n > 0; n = fs.read(fd, buffer)) yield buffer.subarray(0, n);
  } finally {
    fs.close(fd);
  }
}

/** A program may have put another file in the place of the copy: it is opened by its name again. */
function* hostPieces(host: Awaited<ReturnType<Context['shell']['host']>>, path: string): Generator<Uint8Array> {
  let reader: ReturnType<typeof host.openForReading> | undefined;
  try {
    reader = host.openForReading(path);
    const buffer = new Uint8Array(BUFFER);
    for (let n = reader.read(buffer); n > 0; n = reader.read(buffer)) yield buffer.subarray(0, n);
  } catch (thrown) {
    throw thrown instanceof FsError ? new StreamError(path, thrown.code, thrown) : thrown;
  } finally {
    reader?.close();
  }
}

/** New contents, all else as it was: owner, mode, extended attributes, flags, other names. */
function copyIn(fs: Ukfs, path: string, pieces: Pieces): void {
  const mode = fs.exists(path) ? fs.stat(path).mode : undefined;
  const fd = fs.open(path, O.WRONLY | O.CREAT | O.TRUNC, 0o666);
  try {
    for (const piece of pieces) writeAll(fs, fd, piece);
    // Writing may have taken away set-user-id.
    if (mode !== undefined && fs.fstat(fd).mode !== mode) fs.fchmod(fd, mode);
  } finally {
    fs.close(fd);
  }
}
