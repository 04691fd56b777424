/** du: the space that trees take, with NetBSD's options and GNU's. */
import { walk } from 'ukfs';
import type { WalkEntry } from 'ukfs';
import type { Command, Invocation } from '../command.ts';
import type { Context } from '../context.ts';
import { pathMembers } from '../format/json.ts';
import type { Json } from '../format/json.ts';
import { humanBsd } from '../format/size.ts';
import { rfc3339 } from '../format/time.ts';
import { duOptions, readDuOptions } from '../du/options.ts';
import type { DuOptions } from '../du/options.ts';
import { addUsage, Seen, usageOf } from '../du/usage.ts';
import type { Usage } from '../du/usage.ts';
import { absolute, shownBelow, startsOf } from '../starts.ts';
import type { TreeStart } from '../starts.ts';

export const du: Command = {
  name: 'du',
  summary: 'Show the space that files and trees take.',
  synopsis: { addresses: 'ADDRESS...', paths: '[PATH...]' },
  options: duOptions,
  examples: [
    { command: 'fsu du -sh disk.img:/usr', does: 'a tree, for people' },
    { command: 'fsu du -h -d 1 disk.img:2', does: 'what is at the top of partition 2' },
    { command: 'fsu_du disk.img -a -t 1M /var', does: 'all that takes a MiB or more, the way of fs-utils' },
  ],
  image: 'read',
  run,
};

async function run(ctx: Context, args: Invocation): Promise<number> {
  const options = readDuOptions(args.options, (name) => ctx.shell.env(name));
  const starts = await startsOf(ctx, args.operands);
  const seen = new Seen(options.countLinks ? 'nothing' : starts.length > 1 ? 'directories' : 'links', options.follow);
  const meter = new Meter(ctx, options);
  ctx.json?.array('entries');
  for (const start of starts) meter.tree(start, seen);
  meter.end();
  return ctx.status;
}

class Meter {
  readonly #ctx: Context;
  readonly #options: DuOptions;
  readonly #total: Usage = usageOf(undefined);

  constructor(ctx: Context, options: DuOptions) {
    this.#ctx = ctx;
    this.#options = options;
  }

  /** Directories that are being added up; memory is their depth. */
  tree(start: TreeStart, seen: Seen): void {
    const { follow, oneFileSystem, excluded } = this.#options;
    const open: Usage[] = [];
    const steps = walk(start.fs, start.path, { post: true, follow, crossMounts: !oneFileSystem });
    for (const entry of steps) {
      if (entry.order === 'post') {
        const usage = open.pop();
        if (usage !== undefined) this.#end(start, entry, usage, open.at(-1));
        continue;
      }
      if (entry.error !== undefined) {
        this.#ctx.fail(entry.error, { image: start.image, path: entry.path, shown: entry.path });
        continue;
      }
      const { stat } = entry;
      // What begins the walk is there because somebody named it.
      const passedOver = entry.depth > 0 && excluded(entry.path, entry.name, stat?.flags ?? 0);
      if (stat === undefined || passedOver || seen.again(start.fs, stat)) steps.skip();
      else if (entry.enters) open.push(usageOf(stat));
      else this.#end(start, entry, usageOf(stat), open.at(-1));
    }
  }

  /** All that is in an entry is known: show it, and add it to what it is in. */
  #end(start: TreeStart, entry: WalkEntry, usage: Usage, parent: Usage | undefined): void {
    const { maxDepth, all, separate } = this.#options;
    const isDirectory = entry.type === 'dir';
    if (entry.depth <= maxDepth && (isDirectory || all || entry.depth === 0) && this.#isLarge(usage))
      this.#show(usage, start, entry);
    if (parent !== undefined && !(separate && isDirectory)) addUsage(parent, usage);
    // With -S the total is of all that was met all the same.
    if (entry.depth === 0 || (separate && isDirectory)) addUsage(this.#total, usage);
  }

  #amount(usage: Usage): number {
    const { counts } = this.#options;
    return counts === 'inodes' ? usage.inodes : counts === 'apparent' ? usage.apparent : usage.allocated;
  }

  #isLarge(usage: Usage): boolean {
    const { threshold } = this.#options;
    const amount = this.#amount(usage);
    return threshold < 0 || Object.is(threshold, -0) ? amount <= -threshold : amount >= threshold;
  }

  #shownAmount(usage: Usage): string {
    const { counts, human, blockSize } = this.#options;
    const amount = this.#amount(usage);
    if (human !== 'no') return counts === 'inodes' ? String(amount) : humanBsd(amount, human === 'si');
    return String(counts === 'inodes' ? amount : Math.ceil(amount / blockSize));
  }

  #show(usage: Usage, start: TreeStart, { path, depth, type }: WalkEntry): void {
    const { json } = this.#ctx;
    if (json === undefined) return this.#line(usage, this.#ctx.shownName(shownBelow(start, path)));
    json.element({
      ...pathMembers('image', start.image.text),
      ...pathMembers('path', absolute(path)),
      depth,
      type,
      ...usageMembers(usage),
    });
  }

  #line(usage: Usage, name: string): void {
    const { time, terminator } = this.#options;
    const newest = time === undefined ? '' : `\t${time(usage, this.#ctx.clock)}`;
    this.#ctx.out.text(`${this.#shownAmount(usage)}${newest}\t${name}${terminator}`);
  }

  end(): void {
    if (!this.#options.total) return;
    if (this.#ctx.json === undefined) this.#line(this.#total, 'total');
    else this.#ctx.json.member('total', usageMembers(this.#total));
  }
}

function usageMembers(usage: Usage): { readonly [key: string]: Json } {
  const { allocated, apparent, inodes, mtime } = usage;
  return { allocated, apparent, inodes, ...(mtime === undefined ? {} : { newest: rfc3339(mtime) }) };
}
