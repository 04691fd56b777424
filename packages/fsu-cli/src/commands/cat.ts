/** cat: files of an image, and standard input, to standard output; BSD's options, and GNU's -A -E -T. */
import { FsError } from 'ukfs';
import type { Command, Invocation } from '../command.ts';
import type { Context, Target } from '../context.ts';
import { Cooker, isCooking } from '../cat/cook.ts';
import type { CookOptions } from '../cat/cook.ts';

export const cat: Command = {
  name: 'cat',
  summary: 'Show files of an image.',
  synopsis: { addresses: 'ADDRESS...', paths: 'PATH...' },
  options: [
    { flags: '-A, --show-all', summary: 'as -vET' },
    { flags: '-b, --number-nonblank', summary: 'number lines that are not empty' },
    { flags: '-E, --show-ends', summary: '$ at the end of each line' },
    { flags: '-e', summary: 'as -vE' },
    { flags: '-n, --number', summary: 'number all lines' },
    { flags: '-s, --squeeze-blank', summary: 'one empty line for several' },
    { flags: '-T, --show-tabs', summary: 'tabs as ^I' },
    { flags: '-t', summary: 'as -vT' },
    { flags: '-u', summary: 'ignored: output is never held back for long' },
    {
      flags: '-v, --show-nonprinting',
      summary: 'control characters as ^X, bytes above 127 as M-x (fsu_cat: after the image)',
    },
    { flags: '--content', summary: 'with --json: the contents too, base64' },
  ],
  examples: [
    { command: 'fsu cat disk.img:/etc/fstab', does: 'a file' },
    { command: 'fsu_cat disk.img /etc/fstab', does: 'the same, the way of fs-utils' },
    { command: 'fsu cat disk.img:2/a.gz | zcat', does: 'bytes come out as they are' },
    { command: 'fsu cat --json disk.img:/etc/fstab', does: 'size and SHA-256' },
  ],
  image: 'read',
  run,
};

/** Larger buffers fall out of the processor's cache; smaller ones cost calls. A multiple of all block sizes. */
const BUFFER = 128 * 1024;

interface CatOptions extends CookOptions {
  readonly content: boolean;
}

async function run(ctx: Context, args: Invocation): Promise<number> {
  const options = readOptions(args);
  const sink = await sinkOf(ctx, options);
  const buffer = new Uint8Array(BUFFER);
  const operands = args.operands.length === 0 && ctx.settings.image === undefined ? ['-'] : args.operands;
  for (const operand of operands.length === 0 ? [undefined] : operands) {
    if (operand === '-') {
      sink.begin(undefined);
      for (let n = ctx.shell.stdin.read(buffer); n > 0; n = ctx.shell.stdin.read(buffer)) sink.write(buffer, n);
      sink.end();
      continue;
    }
    const [target] = ctx.targets(operand === undefined ? [] : [operand]);
    if (target !== undefined) await copyOut(ctx, target, sink, buffer);
  }
  return ctx.status;
}

function readOptions(args: Invocation): CatOptions {
  const has = (...names: string[]): boolean => args.options.some(({ name }) => names.includes(name));
  return {
    numberAll: has('number'),
    numberFilled: has('number-nonblank'),
    squeeze: has('squeeze-blank'),
    ends: has('show-ends', 'show-all', 'e'),
    tabs: has('show-tabs', 'show-all', 't'),
    visible: has('show-nonprinting', 'show-all', 'e', 't'),
    content: has('content'),
  };
}

async function copyOut(ctx: Context, target: Target, sink: FileSink, buffer: Uint8Array): Promise<void> {
  const fs = await ctx.tryOpen(target.image);
  if (fs === undefined) return;
  let fd: number | undefined;
  try {
    fd = fs.open(target.path);
    if (fs.fstat(fd).type === 'dir') throw new FsError('EISDIR');
    sink.begin(target);
    for (let n = fs.read(fd, buffer); n > 0; n = fs.read(fd, buffer)) sink.write(buffer, n);
    sink.end();
  } catch (thrown) {
    if (!(thrown instanceof FsError)) throw thrown;
    ctx.fail(thrown, target);
  } finally {
    if (fd !== undefined) fs.close(fd);
  }
}

/** What becomes of a file's bytes. */
interface FileSink {
  /** undefined: standard input. */
  begin(target: Target | undefined): void;
  write(bytes: Uint8Array, length: number): void;
  end(): void;
}

async function sinkOf(ctx: Context, options: CatOptions): Promise<FileSink> {
  const { json, out } = ctx;
  if (json !== undefined) return (await import('../cat/digest.ts')).digestSink(ctx, json, options);
  if (!isCooking(options)) {
    return { begin: () => undefined, write: (bytes, length) => out.bytes(bytes, length), end: () => undefined };
  }
  let cooker = new Cooker(options, (bytes, length) => out.bytes(bytes, length));
  return {
    // Lines are numbered from 1 in each file, as in BSD's cat.
    begin: () => {
      cooker = new Cooker(options, (bytes, length) => out.bytes(bytes, length));
    },
    write: (bytes, length) => cooker.write(bytes, length),
    end: () => cooker.flush(),
  };
}
