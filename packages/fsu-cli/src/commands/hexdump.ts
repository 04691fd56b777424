/** hexdump: bytes of files in hexadecimal, as hexdump -C shows them, or plain as xxd -p. */
import { FsError, parseSize } from 'ukfs';
import type { Ukfs } from 'ukfs';
import { UsageError } from '../command.ts';
import type { Command, Invocation } from '../command.ts';
import type { Context } from '../context.ts';
import { Given } from '../given.ts';
import { HexRows } from '../hexdump/rows.ts';
import type { RowSink } from '../hexdump/rows.ts';

export const hexdump: Command = {
  name: 'hexdump',
  summary: 'Show bytes of files in hexadecimal.',
  synopsis: { addresses: 'ADDRESS...', paths: 'PATH...' },
  options: [
    { flags: '-C, --canonical', summary: 'offset, sixteen bytes, and what they are as text (the default)' },
    { flags: '-n, --length <size>', summary: 'only so many bytes' },
    { flags: '-s, --skip <size>', summary: 'begin so far into the input (fsu_hexdump: after the image)' },
    { flags: '-v, --no-squeezing', summary: 'rows like the one before, too (fsu_hexdump: after the image)' },
    { flags: '-p, --plain', summary: 'digits only, thirty bytes a line' },
  ],
  examples: [
    { command: 'fsu hexdump -n 64 disk.img:/bin/ls', does: 'the beginning of a file' },
    { command: 'fsu_hexdump disk.img -s 1k -n 16 /data', does: 'sixteen bytes at 1024, the way of fs-utils' },
    { command: 'fsu hexdump -p disk.img:/key | xxd -r -p', does: 'and back' },
  ],
  image: 'read',
  run,
};

const BUFFER = 128 * 1024;

async function run(ctx: Context, args: Invocation): Promise<number> {
  const given = new Given(args);
  const size = (name: string, otherwise: number): number => {
    const text = args.options.findLast((option) => option.name === name)?.value;
    return text === undefined ? otherwise : sizeOf(text, name);
  };
  if (args.operands.length === 0) throw new UsageError('no file given');
  let left = size('length', Infinity);
  let skip = size('skip', 0);
  const rows = new HexRows(sinkOf(ctx, given.has('plain')), {
    rowBytes: given.has('plain') ? 30 : 16,
    offset: skip,
    squeeze: !given.has('no-squeezing') && !given.has('plain'),
  });
  const buffer = new Uint8Array(BUFFER);
  ctx.json?.array('rows');
  // All files are one input, as hexdump(1) has it.
  for (const target of ctx.targets(args.operands)) {
    const fs = await ctx.tryOpen(target.image);
    if (fs === undefined || left === 0) continue;
    try {
      const done = dump(fs, target.path, { rows, buffer, skip, left });
      skip -= done.skipped;
      left -= done.shown;
    } catch (thrown) {
      if (!(thrown instanceof FsError)) throw thrown;
      ctx.fail(thrown, target);
    }
  }
  rows.end();
  return ctx.status;
}

/** `16`, `0x10`, `1k`. UsageError. */
function sizeOf(text: string, name: string): number {
  const bytes = /^0x[0-9a-f]{1,12}$/i.test(text) ? Number(text) : parseSize(text);
  if (bytes === undefined || !Number.isSafeInteger(bytes)) throw new UsageError(`--${name}: '${text}' is no size`);
  return bytes;
}

interface Part {
  readonly rows: HexRows;
  readonly buffer: Uint8Array;
  readonly skip: number;
  readonly left: number;
}

/** Bytes of the file that were passed over, and shown. */
function dump(
  fs: Ukfs,
  path: string,
  { rows, buffer, skip, left }: Part,
): { readonly skipped: number; readonly shown: number } {
  const fd = fs.open(path);
  try {
    const { type, size } = fs.fstat(fd);
    if (type === 'dir') throw new FsError('EISDIR');
    if (skip >= size) return { skipped: size, shown: 0 };
    let shown = 0;
    while (shown < left) {
      const n = fs.read(fd, buffer, 0, Math.min(buffer.length, left - shown), skip + shown);
      if (n === 0) break;
      rows.add(buffer.subarray(0, n));
      shown += n;
    }
    return { skipped: skip, shown };
  } finally {
    fs.close(fd);
  }
}

const hex = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'));
const digits = (bytes: Uint8Array): string => {
  let text = '';
  for (const byte of bytes) text += hex[byte] ?? '';
  return text;
};
const offsetText = (offset: number): string => offset.toString(16).padStart(8, '0');

function sinkOf({ out, json }: Context, plain: boolean): RowSink {
  if (json !== undefined)
    return {
      row: () => undefined,
      squeezed: () => undefined,
      run: (bytes, offset, rows) => json.element({ offset, hex: digits(bytes), rows }),
      end: () => undefined,
    };
  if (plain)
    return {
      row: (bytes) => out.text(`${digits(bytes)}\n`),
      squeezed: () => undefined,
      run: () => undefined,
      end: () => undefined,
    };
  return {
    row: (bytes, offset) => out.text(canonical(bytes, offset)),
    squeezed: () => out.text('*\n'),
    run: () => undefined,
    end: (offset, hasRows) => out.text(hasRows ? `${offsetText(offset)}\n` : ''),
  };
}

function canonical(bytes: Uint8Array, offset: number): string {
  let left = '';
  let right = '';
  for (let i = 0; i < 16; i++) {
    const byte = bytes[i];
    left += `${i === 8 ? '  ' : ' '}${byte === undefined ? '  ' : (hex[byte] ?? '')}`;
    if (byte !== undefined) right += byte >= 0x20 && byte < 0x7f ? String.fromCharCode(byte) : '.';
  }
  return `${offsetText(offset)} ${left}  |${right}|\n`;
}
