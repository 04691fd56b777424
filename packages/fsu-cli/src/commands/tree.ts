/** tree: directories with what is in them, drawn as a tree. */
import { FsError } from 'ukfs';
import type { Stat, WalkEntry, WalkName } from 'ukfs';
import { UsageError } from '../command.ts';
import type { Command, Invocation } from '../command.ts';
import type { Context } from '../context.ts';
import { entryMembers } from '../entries.ts';
import { globTest } from '../format/glob.ts';
import { markOf, modeText } from '../format/mode.ts';
import { humanBsd } from '../format/size.ts';
import { Given } from '../given.ts';
import { Owners } from '../owners.ts';
import { shownBelow, sortedWalk, startsOf } from '../starts.ts';
import type { TreeStart } from '../starts.ts';

export const tree: Command = {
  name: 'tree',
  summary: 'Draw directories as a tree.',
  synopsis: { addresses: 'ADDRESS...', paths: '[PATH...]' },
  options: [
    { flags: '-a', summary: 'names that begin with a dot, too' },
    { flags: '-d', summary: 'directories only' },
    { flags: '-L <levels>', summary: 'go so many levels down' },
    { flags: '-f', summary: 'the whole path of each file (fsu_tree: after the image)' },
    { flags: '-i', summary: 'no lines and no indentation' },
    { flags: '-p', summary: 'type and permissions' },
    { flags: '-u', summary: 'owners' },
    { flags: '-g', summary: 'groups' },
    { flags: '-s', summary: 'sizes in bytes (fsu_tree: after the image)' },
    { flags: '-h', summary: 'sizes with B, K, M, G …' },
    { flags: '-D', summary: 'times of modification' },
    { flags: '-F', summary: "ls -F's mark behind each name" },
    { flags: '-P <pattern>', summary: 'only files with names like this; several with | between them' },
    { flags: '-I <pattern>', summary: 'nothing with a name like this' },
    { flags: '-x', summary: 'stay on one file system' },
    { flags: '--dirsfirst', summary: 'directories before files' },
    { flags: '--noreport', summary: 'do not count at the end' },
    { flags: '--charset <name>', summary: 'ascii: draw lines with | and -' },
  ],
  examples: [
    { command: 'fsu tree -L 2 disk.img:2', does: 'two levels of partition 2' },
    { command: 'fsu_tree disk.img -pugs /etc', does: 'with attributes, the way of fs-utils' },
    { command: 'fsu tree -J disk.img:/etc', does: '-J is --json' },
  ],
  image: 'read',
  takeOwn: (words) => ({ words: words.map((word) => (word === '-J' ? '--json' : word)), own: [] }),
  run,
};

interface TreeOptions {
  readonly maxDepth: number;
  readonly oneFileSystem: boolean;
  readonly dirsFirst: boolean;
  readonly fullPaths: boolean;
  readonly lines: 'none' | 'ascii' | 'unicode';
  readonly marks: boolean;
  isListed(entry: WalkName): boolean;
  /** What stands in brackets before a name. */
  readonly columns: readonly ((stat: Stat, owners: Owners) => string)[];
}

async function run(ctx: Context, args: Invocation): Promise<number> {
  const options = readOptions(ctx, args);
  const counts = { directories: 0, files: 0 };
  ctx.json?.array('entries');
  for (const start of await startsOf(ctx, args.operands)) draw(ctx, start, options, counts);
  if (ctx.json !== undefined) {
    ctx.json.member('directories', counts.directories);
    ctx.json.member('files', counts.files);
  } else if (!args.options.some(({ name }) => name === 'noreport')) {
    const told = [`${counts.directories} director${counts.directories === 1 ? 'y' : 'ies'}`];
    if (!args.options.some(({ name }) => name === 'd'))
      told.push(`${counts.files} file${counts.files === 1 ? '' : 's'}`);
    ctx.out.text(`\n${told.join(', ')}\n`);
  }
  return ctx.status;
}

const strokes = {
  none: { on: '', blank: '', branch: '', last: '' },
  ascii: { on: '|   ', blank: '    ', branch: '|-- ', last: '`-- ' },
  unicode: { on: '│   ', blank: '    ', branch: '├── ', last: '└── ' },
} as const;

function draw(
  ctx: Context,
  start: TreeStart,
  options: TreeOptions,
  counts: { directories: number; files: number },
): void {
  const { on, blank, branch, last } = strokes[options.lines];
  const owners = new Owners(start.fs);
  /** Of each level above: what stands in its column. */
  const above: string[] = [];
  const steps = sortedWalk(start, {
    follow: 'root',
    crossMounts: !options.oneFileSystem,
    maxDepth: options.maxDepth,
    select: (entry) => options.isListed(entry),
    dirsFirst: options.dirsFirst,
  });
  for (const entry of steps) {
    const { depth, stat, error } = entry;
    if (error !== undefined) ctx.fail(error, { image: start.image, path: entry.path, shown: entry.path });
    if (stat === undefined) continue;
    if (depth > 0 && error === undefined) counts[stat.type === 'dir' ? 'directories' : 'files']++;
    if (error !== undefined && stat.type === 'dir' && depth > 0 && error.code !== 'ELOOP') continue;
    const target = stat.type === 'lnk' ? readlink(ctx, start, entry) : undefined;
    if (ctx.json !== undefined) {
      ctx.json.element(entryMembers({ start, owners, path: entry.path, depth, stat, target }));
      continue;
    }
    above.length = Math.max(0, depth - 1);
    const stroke = depth === 0 ? '' : entry.isLast === true ? last : branch;
    ctx.out.text(`${above.join('')}${stroke}${lineOf(ctx, start, entry, { stat, target, owners, options })}\n`);
    if (depth > 0) above.push(entry.isLast === true ? blank : on);
  }
}

function readlink(ctx: Context, start: TreeStart, { path }: WalkEntry): string | undefined {
  try {
    return start.fs.readlink(path);
  } catch (thrown) {
    if (!(thrown instanceof FsError)) throw thrown;
    ctx.fail(thrown, { image: start.image, path, shown: path });
    return undefined;
  }
}

interface Line {
  readonly stat: Stat;
  readonly target: string | undefined;
  readonly owners: Owners;
  readonly options: TreeOptions;
}

function lineOf(ctx: Context, start: TreeStart, entry: WalkEntry, { stat, target, owners, options }: Line): string {
  const columns = options.columns.map((column) => column(stat, owners)).join(' ');
  const whole = options.fullPaths || entry.depth === 0;
  const name = ctx.shownName(whole ? shownBelow(start, entry.path) : entry.name);
  const mark = options.marks && !(entry.depth === 0 && name.endsWith('/')) ? markOf(stat.type, stat.mode) : '';
  const leads = target === undefined ? '' : ` -> ${ctx.shownName(target)}`;
  return `${columns === '' ? '' : `[${columns}]  `}${name}${stat.type === 'lnk' ? '' : mark}${leads}`;
}

function readOptions(ctx: Context, args: Invocation): TreeOptions {
  const given = new Given(args);
  const levels = given.value('L');
  if (levels !== undefined && !/^[1-9]\d{0,8}$/.test(levels))
    throw new UsageError(`-L: '${levels}' is no number of levels`);
  const anyOf = (pattern: string | undefined): ((name: string) => boolean) | undefined => {
    const tests = pattern?.split('|').map((one) => globTest(one));
    return tests && ((name) => tests.some((test) => test(name)));
  };
  const [only, never] = [anyOf(given.value('P')), anyOf(given.value('I'))];
  const columns: TreeOptions['columns'][number][] = [];
  const column = (names: readonly string[], text: TreeOptions['columns'][number]): void => {
    if (given.has(...names)) columns.push(text);
  };
  column(['p'], ({ type, mode }) => modeText(type, mode));
  column(['u'], ({ uid }, owners) => (owners.user(uid) ?? String(uid)).padEnd(8));
  column(['g'], ({ gid }, owners) => (owners.group(gid) ?? String(gid)).padEnd(8));
  column(['s', 'h'], ({ size }) => (given.has('h') ? humanBsd(size).padStart(4) : String(size).padStart(11)));
  column(['D'], ({ mtime }) => ctx.clock.ls(mtime.sec));
  const charset = given.value('charset') ?? 'UTF-8';
  return {
    maxDepth: levels === undefined ? Infinity : Number(levels),
    oneFileSystem: given.has('x'),
    dirsFirst: given.has('dirsfirst'),
    fullPaths: given.has('f'),
    lines: given.has('i') ? 'none' : /^utf-?8$/i.test(charset) ? 'unicode' : 'ascii',
    marks: given.has('F'),
    isListed({ name, type }) {
      if (name.startsWith('.') && !given.has('a')) return false;
      if (never?.(name) === true || (given.has('d') && type !== 'dir')) return false;
      return type === 'dir' || only === undefined || only(name);
    },
    columns,
  };
}
