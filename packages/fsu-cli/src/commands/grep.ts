/** grep: lines of files that match, with grep's exit status: 0 found, 1 not found, 2 trouble. */
import { FsError } from 'ukfs';
import type { Command, Invocation } from '../command.ts';
import type { Context } from '../context.ts';
import { pathMembers } from '../format/json.ts';
import { safeLines } from '../format/name.ts';
import { grepOptions, readGrepOptions } from '../grep/options.ts';
import type { GrepOptions } from '../grep/options.ts';
import { searchFile } from '../grep/search.ts';
import type { Found, GrepSink } from '../grep/search.ts';
import { absolute, shownBelow, sortedWalk, startsOf } from '../starts.ts';
import type { TreeStart } from '../starts.ts';

export const grep: Command = {
  name: 'grep',
  summary: 'Find lines of files that match a pattern.',
  synopsis: { addresses: 'PATTERN ADDRESS...', paths: 'PATTERN [PATH...]' },
  options: grepOptions,
  examples: [
    { command: 'fsu grep -r PermitRoot disk.img:/etc', does: 'in a tree' },
    { command: "fsu_grep disk.img -Ein 'root|admin' /etc/passwd", does: 'with line numbers, the way of fs-utils' },
    { command: 'fsu grep -rlF TODO disk.img:2', does: 'names of files only' },
  ],
  image: 'read',
  imagePath: 'last',
  statuses: { failed: 2, usage: 2 },
  run,
};

async function run(ctx: Context, args: Invocation): Promise<number> {
  // What a pattern makes V8 try again and again it then matches in linear time.
  const host = await ctx.shell.host();
  host.boundRegexes();
  const { options, files } = await readGrepOptions(ctx, args.options, args.operands);
  const grepper = new Grepper(ctx, options);
  const starts = await startsOf(ctx, files);
  const many = starts.length > 1;
  ctx.json?.array(options.output === 'lines' || options.output === 'matches' ? 'matches' : 'files');
  for (const start of starts) {
    if (!grepper.isOver) grepper.start(start, many);
  }
  grepper.tellTrouble();
  return Math.max(grepper.found ? 0 : 1, ctx.status);
}

const TROUBLE_MAX = 1000;

class Grepper {
  readonly #ctx: Context;
  readonly #options: GrepOptions;
  /** -q: trouble with other files does not matter where something is found. */
  readonly #trouble: (() => void)[] = [];
  found = false;

  constructor(ctx: Context, options: GrepOptions) {
    this.#ctx = ctx;
    this.#options = options;
  }

  get isOver(): boolean {
    return this.found && this.#options.output === 'nothing';
  }

  start(start: TreeStart, many: boolean): void {
    const { recursive, names, isFile, isDirectory } = this.#options;
    if (recursive === 'no') {
      if (isFile(start.path.slice(start.path.lastIndexOf('/') + 1))) this.#file(start, start.path, names ?? many);
      return;
    }
    const steps = sortedWalk(start, { follow: recursive, attributes: recursive === 'all' });
    let inTree = false;
    for (const entry of steps) {
      const { path, name, depth, type } = entry;
      if (entry.error !== undefined) this.#fail(entry.error, start, path);
      else if (type === 'dir') {
        inTree ||= depth === 0;
        if (depth > 0 && !isDirectory(name)) steps.skip();
      } else if ((type === 'reg' || depth === 0) && isFile(name)) {
        this.#file(start, path, names ?? (many || inTree));
        if (this.isOver) break;
      }
    }
  }

  #fail(error: FsError, start: TreeStart, path: string): void {
    const tell = (): void => {
      if (this.#options.silent) this.#ctx.raise(2);
      else this.#ctx.fail(error, { image: start.image, path, shown: path });
    };
    if (this.#options.output !== 'nothing') tell();
    else if (this.#trouble.length < TROUBLE_MAX) this.#trouble.push(tell);
  }

  tellTrouble(): void {
    if (!this.isOver) for (const tell of this.#trouble) tell();
  }

  #file(start: TreeStart, path: string, named: boolean): void {
    const { fs } = start;
    let fd: number | undefined;
    try {
      fd = fs.open(path);
      if (fs.fstat(fd).type === 'dir') throw new FsError('EISDIR');
      const file = fd;
      const sink = this.#sinkOf(start, path, named);
      this.#end(start, path, { named, found: searchFile((dst) => fs.read(file, dst), this.#options, sink) });
    } catch (thrown) {
      if (!(thrown instanceof FsError)) throw thrown;
      this.#fail(thrown, start, path);
    } finally {
      if (fd !== undefined) fs.close(fd);
    }
  }

  #place(start: TreeStart, path: string): Record<string, string> {
    return { ...pathMembers('image', start.image.text), ...pathMembers('path', absolute(path)) } as Record<
      string,
      string
    >;
  }

  /** A line goes to a terminal escaped: it is as hostile as a name. */
  #shownText(text: string): string {
    return this.#ctx.out.isTTY ? safeLines(text) : text;
  }

  #sinkOf(start: TreeStart, path: string, named: boolean): GrepSink {
    const { output, numbers, nameEnd, delimiter, matcher, invert } = this.#options;
    const { out, json } = this.#ctx;
    if (json !== undefined)
      return {
        line: (text, number, isMatch) => {
          if (!isMatch) return;
          const matches =
            output === 'matches' ? matcher.all(text).map((match) => ({ ...pathMembers('text', match) })) : undefined;
          json.element({
            ...this.#place(start, path),
            line: number,
            ...pathMembers('text', text),
            matches,
          });
        },
        gap: () => undefined,
      };
    const name = named ? this.#ctx.shownName(shownBelow(start, path)) : '';
    const head = (number: number, mark: ':' | '-'): string =>
      (named ? name + (nameEnd ?? mark) : '') + (numbers ? `${number}${mark}` : '');
    return {
      line: (text, number, isMatch) => {
        const mark = isMatch ? ':' : '-';
        if (output === 'lines') out.text(`${head(number, mark)}${this.#shownText(text)}${delimiter}`);
        else if (isMatch && !invert)
          for (const match of matcher.all(text)) out.text(`${head(number, mark)}${this.#shownText(match)}${delimiter}`);
      },
      gap: () => out.text('--\n'),
    };
  }

  #end(start: TreeStart, path: string, { named, found }: { readonly named: boolean; readonly found: Found }): void {
    const { output, nameEnd } = this.#options;
    const { out, json, program } = this.#ctx;
    const { count, hidden } = found;
    const selected = output === 'without' ? count === 0 : count > 0;
    this.found ||= selected;
    const name = this.#ctx.shownName(shownBelow(start, path));
    if (json !== undefined) {
      if (output === 'count' || ((output === 'with' || output === 'without') && selected))
        json.element({ ...this.#place(start, path), count: output === 'count' ? count : undefined });
    } else if (output === 'count') out.text(`${named ? name + (nameEnd ?? ':') : ''}${count}\n`);
    else if ((output === 'with' || output === 'without') && selected) out.text(`${name}${nameEnd ?? '\n'}`);
    else if (hidden) out.text(`${program}: ${name}: binary file matches\n`);
  }
}
