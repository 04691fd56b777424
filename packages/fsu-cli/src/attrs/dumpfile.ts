/** A dump that is to be restored, line by line: `# file: PATH`, then lines about it. From the host, or standard input. */
import { FsError, nameFromBytes } from 'ukfs';
import type { Context } from '../context.ts';
import { unescapeName } from '../format/escaped.ts';

/** Lines of a dump about one file. */
export interface Dumped {
  /** From the root of the image. */
  readonly path: string;
  readonly lines: readonly string[];
}

/** A line longer than any value that a file system keeps is none of a dump, nor are so many lines about a file. */
const LINE_MAX = 1024 * 1024;
const LINES_MAX = 4096;

/** All lines; undefined: the file cannot be read, which has been told. */
export async function openDump(ctx: Context, file: string): Promise<Iterable<Dumped> | undefined> {
  if (file === '-') return dumped(linesOf((dst) => ctx.shell.stdin.read(dst)));
  try {
    const reader = (await ctx.shell.host()).openForReading(file);
    return dumped(linesOf((dst) => reader.read(dst)));
  } catch (thrown) {
    if (!(thrown instanceof FsError)) throw thrown;
    ctx.fail(thrown, file);
    return undefined;
  }
}

function* linesOf(read: (dst: Uint8Array) => number): Generator<string> {
  const chunk = new Uint8Array(64 * 1024);
  let rest = new Uint8Array(0);
  for (let n = read(chunk); n > 0; n = read(chunk)) {
    const bytes = new Uint8Array(rest.length + n);
    bytes.set(rest);
    bytes.set(chunk.subarray(0, n), rest.length);
    let start = 0;
    for (let end = bytes.indexOf(10); end >= 0; end = bytes.indexOf(10, start)) {
      yield nameFromBytes(bytes, start, end);
      start = end + 1;
    }
    rest = bytes.slice(start);
    if (rest.length > LINE_MAX) throw new FsError('EFBIG', { what: 'this is no dump: a line of it is too long' });
  }
  if (rest.length > 0) yield nameFromBytes(rest);
}

function* dumped(lines: Iterable<string>): Generator<Dumped> {
  let path: string | undefined;
  let about: string[] = [];
  for (const line of lines) {
    const [, named] = /^# file: (.*)$/s.exec(line) ?? [];
    if (named !== undefined) {
      if (path !== undefined) yield { path, lines: about };
      path = `/${unescapeName(named).replace(/^\/+/, '')}`;
      about = [];
    } else if (line.trim() !== '') {
      if (path === undefined && !line.startsWith('#'))
        throw new FsError('EINVAL', { what: 'this is no dump: it names no file' });
      about.push(line);
      if (about.length > LINES_MAX)
        throw new FsError('EFBIG', { what: 'this is no dump: too many lines about a file' });
    }
  }
  if (path !== undefined) yield { path, lines: about };
}

/** Where a file of the dump is, which is restored to this directory. */
export const beneath = (dir: string, path: string): string =>
  `${dir.replace(/\/+$/, '')}${path === '/.' ? '' : path}` || '/';
