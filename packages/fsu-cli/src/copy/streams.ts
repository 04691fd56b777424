/** Copies from standard input and to standard output, where an operand is `-`. */
import { FsError, writeAll } from 'ukfs';
import { UsageError } from '../command.ts';
import type { Context, Target } from '../context.ts';
import { standardInput } from '../input.ts';
import type { Place } from '../place.ts';

const BUFFER = 128 * 1024;

/** Files one after the other, as cat does. */
export async function toOutput(ctx: Context, sources: readonly Target[]): Promise<number> {
  if (ctx.json !== undefined) throw new UsageError('--json: standard output takes the file already');
  const buffer = new Uint8Array(BUFFER);
  for (const source of sources) {
    const fs = await ctx.tryOpen(source.image);
    if (fs === undefined) continue;
    let fd: number | undefined;
    try {
      fd = fs.open(source.path);
      if (fs.fstat(fd).type === 'dir') throw new FsError('EISDIR');
      for (let n = fs.read(fd, buffer); n > 0; n = fs.read(fd, buffer)) ctx.out.bytes(buffer, n);
    } catch (thrown) {
      if (!(thrown instanceof FsError)) throw thrown;
      ctx.fail(thrown, source);
    } finally {
      if (fd !== undefined) fs.close(fd);
    }
  }
  return ctx.status;
}

/** One file from standard input. */
export async function fromInput(ctx: Context, dest: Place): Promise<number> {
  if (dest.kind !== 'image') throw new UsageError('no image in it: from standard input is to a file of an image');
  const fs = await ctx.tryOpenForWriting(dest.image);
  if (fs === undefined) return ctx.status;
  const input = standardInput(ctx);
  if (input === undefined) return ctx.status;
  const buffer = new Uint8Array(BUFFER);
  let fd: number | undefined;
  let bytes = 0;
  try {
    fd = fs.open(dest.path, 'w', 0o666);
    for (let n = input.read(buffer); n > 0; n = input.read(buffer)) {
      writeAll(fs, fd, buffer, { length: n });
      bytes += n;
    }
    ctx.json?.member('bytes', bytes);
  } catch (thrown) {
    if (!(thrown instanceof FsError)) throw thrown;
    ctx.fail(thrown, dest);
  } finally {
    if (fd !== undefined) fs.close(fd);
  }
  return ctx.status;
}
