/** Lists that people keep in files of the host, or pipe in: names, patterns, specifications. Line by line, memory bounded. */
import { FsError, nameFromBytes } from 'ukfs';
import { UsageError } from './command.ts';
import type { Context } from './context.ts';
import { describeError } from './errors.ts';
import { STDIN } from './out.ts';

/** No line of a list is longer. */
const LINE_MAX = 1024 * 1024;
const PIECE = 64 * 1024;

interface Lines {
  /** As messages name it. */
  readonly shown: string;
  /** Name strings, without their ends. */
  readonly lines: Iterable<string>;
  close(): void;
}

/** `-` is standard input. UsageError: it cannot be opened. */
export async function openLines(ctx: Context, file: string, end: '\n' | '\0' = '\n'): Promise<Lines> {
  const shown = file === '-' ? STDIN : file;
  if (file === '-') {
    const { stdin } = ctx.shell;
    return { shown, lines: linesIn((dst) => stdin.read(dst), shown, end), close: () => undefined };
  }
  try {
    const reader = (await ctx.shell.host()).openForReading(file);
    return { shown, lines: linesIn((dst) => reader.read(dst), shown, end), close: () => reader.close() };
  } catch (thrown) {
    if (!(thrown instanceof FsError)) throw thrown;
    throw new UsageError(`cannot read '${file}': ${describeError(thrown)}`, { cause: thrown });
  }
}

/** All lines that are not empty. UsageError. */
export async function linesOf(ctx: Context, file: string, end: '\n' | '\0'): Promise<readonly string[]> {
  const source = await openLines(ctx, file, end);
  try {
    return [...source.lines].filter((line) => line !== '');
  } finally {
    source.close();
  }
}

function* linesIn(read: (dst: Uint8Array) => number, shown: string, end: string): Iterable<string> {
  const buffer = new Uint8Array(LINE_MAX + PIECE);
  const mark = end.charCodeAt(0);
  let used = 0;
  for (;;) {
    const n = read(buffer.subarray(used, used + PIECE));
    if (n === 0) break;
    let start = 0;
    const filled = used + n;
    for (let at = buffer.indexOf(mark, used); at >= 0 && at < filled; at = buffer.indexOf(mark, start)) {
      yield nameFromBytes(buffer, start, at);
      start = at + 1;
    }
    buffer.copyWithin(0, start, filled);
    used = filled - start;
    if (used > LINE_MAX) throw new UsageError(`'${shown}': a line is too long`);
  }
  if (used > 0) yield nameFromBytes(buffer, 0, used);
}
