/** What ls was asked for: NetBSD's letters with their rules of precedence, and the long options people know from GNU. */
import { UsageError } from '../command.ts';
import type { GivenOption, OptionSpec } from '../command.ts';
import { globTest } from '../format/glob.ts';
import { quotingStyles } from '../format/name.ts';
import type { ColorWhen } from './color.ts';
import type { NameStyle } from '../format/name.ts';
import { parseBlockUnit } from '../format/size.ts';

export interface LsOptions {
  format: 'single' | 'columns' | 'across' | 'long' | 'comma';
  hidden: 'none' | 'almost' | 'all';
  time: 'mtime' | 'atime' | 'ctime' | 'birthtime';
  sort: 'name' | 'none' | 'size' | 'time' | 'version' | 'extension' | 'width';
  reverse: boolean;
  dirsFirst: boolean;
  recursive: boolean;
  /** -d: directories as themselves. */
  plainDirs: boolean;
  inode: boolean;
  blocks: boolean;
  follow: boolean;
  numeric: boolean;
  owner: boolean;
  group: boolean;
  flags: boolean;
  mark: 'none' | 'slash' | 'file-type' | 'classify';
  style: NameStyle | 'safe';
  /** Bytes that -s, and the total line, count in. */
  blockSize: number;
  /** -l's sizes in units of --block-size instead of bytes. */
  scaleSizes: boolean;
  human: 'no' | 'binary' | 'si';
  fullTime: boolean;
  /** GNU's --time-style; undefined: NetBSD's. */
  timeStyle: string | undefined;
  color: ColorWhen;
  hide: ((name: string) => boolean)[];
  ignore: ((name: string) => boolean)[];
  width: number | undefined;
  zero: boolean;
}

const GNU = 'Options known from GNU ls:';

export const lsOptions: readonly OptionSpec[] = [
  { flags: '-A, --almost-all', summary: 'names that begin with a dot too, but not . and ..' },
  { flags: '-a, --all', summary: 'all names' },
  { flags: '-B', summary: 'non-graphic characters as octal \\ooo' },
  { flags: '-b', summary: 'as -B, C escapes where there is one' },
  { flags: '-C', summary: 'columns, sorted downwards (default on a terminal)' },
  { flags: '-c', summary: 'time of last status change, for -l and -t' },
  { flags: '-d, --directory', summary: 'directories themselves, not what is in them' },
  { flags: '-F, --classify', summary: 'mark / directory, @ link, = socket, | fifo, * executable' },
  { flags: '-f', summary: 'unsorted' },
  { flags: '-g', summary: 'long format without the owner' },
  { flags: '-h, --human-readable', summary: 'sizes with B, K, M, G …' },
  { flags: '-i, --inode', summary: 'inode numbers' },
  { flags: '-k, --kibibytes', summary: 'blocks of 1024 bytes' },
  { flags: '-L, --dereference', summary: 'what symbolic links point to, instead of them' },
  { flags: '-l', summary: 'long format' },
  { flags: '-m', summary: 'one line, names separated by commas' },
  { flags: '-n, --numeric-uid-gid', summary: 'long format, owners as numbers' },
  { flags: '-o', summary: 'chflags(1) flags in the long format' },
  { flags: '-p', summary: 'mark directories with /' },
  { flags: '-q, --hide-control-chars', summary: 'non-graphic characters as ?' },
  { flags: '-R, --recursive', summary: 'directories below too' },
  { flags: '-r, --reverse', summary: 'the other way round' },
  { flags: '-S', summary: 'by size, largest first' },
  { flags: '-s, --size', summary: 'blocks used' },
  { flags: '-T', summary: 'times in full: seconds and year' },
  { flags: '-t', summary: 'by time, newest first' },
  { flags: '-u', summary: 'time of last access, for -l and -t' },
  { flags: '-W', summary: 'whiteouts too (no format here has them)' },
  { flags: '-w, --show-control-chars', summary: 'names raw (default when not on a terminal)' },
  { flags: '-x', summary: 'columns, sorted across' },
  { flags: '-1', summary: 'one name a line (default when not on a terminal)' },
  { flags: '--block-size <size>', summary: 'unit of blocks and sizes: 512, K, 1M, KB, human-readable, si', group: GNU },
  {
    flags: '--color [when]',
    summary: 'colour names: always, auto, never',
    choices: ['always', 'auto', 'never'],
    bare: 'always',
    group: GNU,
  },
  { flags: '--escape', summary: "GNU's C escapes; as --quoting-style=escape", group: GNU },
  { flags: '--file-type', summary: 'as -F without the *', group: GNU },
  {
    flags: '--format <word>',
    summary: 'across, commas, horizontal, long, single-column, verbose, vertical',
    group: GNU,
    choices: ['across', 'commas', 'horizontal', 'long', 'single-column', 'verbose', 'vertical'],
  },
  { flags: '--full-time', summary: '-l --time-style=full-iso', group: GNU },
  { flags: '--group-directories-first', summary: 'directories before files', group: GNU },
  { flags: '--hide <pattern>', summary: 'leave out names that match, unless -a or -A', group: GNU },
  { flags: '-I, --ignore <pattern>', summary: 'leave out names that match', group: GNU },
  { flags: '-N, --literal', summary: 'names without quotes', group: GNU },
  { flags: '-G, --no-group', summary: 'long format without the group', group: GNU },
  { flags: '-Q, --quote-name', summary: 'names in double quotes', group: GNU },
  { flags: '--quoting-style <word>', summary: quotingStyles.join(', '), choices: quotingStyles, group: GNU },
  { flags: '--si', summary: 'as -h in powers of 1000', group: GNU },
  {
    flags: '--sort <word>',
    summary: 'name, none, size, time, version, extension, width',
    group: GNU,
    choices: ['name', 'none', 'size', 'time', 'version', 'extension', 'width'],
  },
  {
    flags: '--time <word>',
    summary: 'which time: mtime, atime, ctime, birth',
    group: GNU,
    choices: ['mtime', 'modification', 'atime', 'access', 'use', 'ctime', 'status', 'birth', 'creation'],
  },
  { flags: '--time-style <style>', summary: 'full-iso, long-iso, iso, locale or +FORMAT', group: GNU },
  { flags: '-U', summary: 'unsorted, as the directory has them', group: GNU },
  { flags: '-v', summary: 'by version number (fsu_ls: after the image)', group: GNU },
  { flags: '--width <columns>', summary: 'width of the output', group: GNU },
  { flags: '-X', summary: 'by extension', group: GNU },
  { flags: '--zero', summary: 'names raw, each ended by a NUL', group: GNU },
  { flags: '--jsonl', summary: 'one JSON object a file, one a line', group: 'Image options:' },
];

/** What the surroundings decide where no option does. */
interface LsSurroundings {
  readonly isTTY: boolean;
  env(name: string): string | undefined;
}

/** Options on their way. */
interface Draft extends LsOptions {
  readonly isTTY: boolean;
  /** -f, whatever else is said of the order. */
  unsorted: boolean;
  /** -l was given: -g says nothing of the owner any more. */
  ownerDecided: boolean;
}

const defaults = (isTTY: boolean): Draft => ({
  isTTY,
  unsorted: false,
  ownerDecided: false,
  format: isTTY ? 'columns' : 'single',
  hidden: 'none',
  time: 'mtime',
  sort: 'name',
  reverse: false,
  dirsFirst: false,
  recursive: false,
  plainDirs: false,
  inode: false,
  blocks: false,
  follow: false,
  numeric: false,
  owner: true,
  group: true,
  flags: false,
  mark: 'none',
  style: isTTY ? 'safe' : 'raw',
  blockSize: 512,
  scaleSizes: false,
  human: 'no',
  fullTime: false,
  timeStyle: undefined,
  color: 'unset',
  hide: [],
  ignore: [],
  width: undefined,
  zero: false,
});

/** What each option does; of those that exclude each other the last one wins, because it comes last. */
const effects: Readonly<Record<string, (o: Draft, value: string) => void>> = {
  1: (o) => void (o.format = 'single'),
  C: (o) => void (o.format = 'columns'),
  x: (o) => void (o.format = 'across'),
  m: (o) => void (o.format = 'comma'),
  // Never let -g take precedence over -l, in whichever order they come.
  l: (o) => {
    o.format = 'long';
    o.owner = true;
    o.ownerDecided = true;
  },
  g: (o) => {
    o.format = 'long';
    if (!o.ownerDecided) o.owner = false;
  },
  'numeric-uid-gid': (o) => {
    o.format = 'long';
    o.numeric = true;
  },
  format: (o, value) => void (o.format = formatWord(value)),
  all: (o) => void (o.hidden = 'all'),
  'almost-all': (o) => {
    if (o.hidden === 'none') o.hidden = 'almost';
  },
  B: (o) => void (o.style = 'octal'),
  b: (o) => void (o.style = 'cstyle'),
  'hide-control-chars': (o) => void (o.style = 'question'),
  'show-control-chars': (o) => void (o.style = 'raw'),
  escape: (o) => void (o.style = 'escape'),
  literal: (o) => void (o.style = o.isTTY ? 'question' : 'literal'),
  'quote-name': (o) => void (o.style = 'c'),
  'quoting-style': (o, value) => void (o.style = quotingWord(value, o.isTTY)),
  c: (o) => void (o.time = 'ctime'),
  u: (o) => void (o.time = 'atime'),
  time: (o, value) => void (o.time = timeWord(value)),
  directory: (o) => {
    o.plainDirs = true;
    o.recursive = false;
  },
  recursive: (o) => void (o.recursive = true),
  classify: (o) => void (o.mark = 'classify'),
  'file-type': (o) => void (o.mark = 'file-type'),
  p: (o) => {
    if (o.mark === 'none') o.mark = 'slash';
  },
  f: (o) => void (o.unsorted = true),
  U: (o) => void (o.sort = 'none'),
  S: (o) => void (o.sort = 'size'),
  t: (o) => void (o.sort = 'time'),
  v: (o) => void (o.sort = 'version'),
  X: (o) => void (o.sort = 'extension'),
  sort: (o, value) => void (o.sort = sortWord(value)),
  reverse: (o) => void (o.reverse = true),
  'group-directories-first': (o) => void (o.dirsFirst = true),
  'human-readable': (o) => void (o.human = 'binary'),
  si: (o) => void (o.human = 'si'),
  kibibytes: (o) => {
    o.blockSize = 1024;
    o.human = 'no';
  },
  'block-size': (o, value) => applyBlockOption(o, value),
  inode: (o) => void (o.inode = true),
  size: (o) => void (o.blocks = true),
  dereference: (o) => void (o.follow = true),
  'no-group': (o) => void (o.group = false),
  o: (o) => void (o.flags = true),
  T: (o) => {
    o.fullTime = true;
    o.timeStyle = undefined;
  },
  'full-time': (o) => {
    o.format = 'long';
    o.timeStyle = 'full-iso';
  },
  'time-style': (o, value) => void (o.timeStyle = timeStyleWord(value)),
  color: (o, value) => void (o.color = value === 'auto' ? 'auto' : value === 'never' ? 'never' : 'always'),
  hide: (o, value) => void o.hide.push(globTest(value)),
  ignore: (o, value) => void o.ignore.push(globTest(value)),
  width: (o, value) => void (o.width = columnsWord(value)),
  zero: (o) => {
    o.zero = true;
    if (o.format !== 'long') o.format = 'single';
    o.style = 'raw';
    o.color = 'never';
  },
  W: () => undefined,
};

/** UsageError for a value that makes no sense. */
export function readLsOptions(given: readonly GivenOption[], around: LsSurroundings): LsOptions {
  const o = defaults(around.isTTY);
  applyBlockSize(o, around.env('BLOCKSIZE'));
  for (const { name, value } of given) {
    const effect = effects[name];
    if (effect === undefined) throw new UsageError(`unknown option '${name}'`);
    effect(o, value);
  }
  if (o.unsorted) o.sort = 'none';
  return o;
}

function applyBlockSize(o: LsOptions, text: string | undefined): void {
  const unit = text === undefined ? undefined : parseBlockUnit(text);
  // getbsize(3) bounds what the environment may ask for.
  if (unit?.kind === 'blocks') o.blockSize = Math.min(2 ** 30, Math.max(512, unit.size));
}

function applyBlockOption(o: LsOptions, text: string): void {
  const unit = parseBlockUnit(text);
  if (unit === undefined) throw new UsageError(`--block-size: '${text}' is no size`);
  if (unit.kind === 'human') o.human = unit.si ? 'si' : 'binary';
  else {
    o.human = 'no';
    o.blockSize = unit.size;
    o.scaleSizes = true;
  }
}

function formatWord(word: string): LsOptions['format'] {
  if (word === 'long' || word === 'verbose') return 'long';
  if (word === 'commas') return 'comma';
  if (word === 'single-column') return 'single';
  return word === 'vertical' ? 'columns' : 'across';
}

function quotingWord(word: string, isTTY: boolean): NameStyle {
  const style = quotingStyles.find((known) => known === word) ?? 'literal';
  return isTTY && !style.includes('escape') && style !== 'c' && !style.includes('locale') ? 'question' : style;
}

function timeWord(word: string): LsOptions['time'] {
  if (word === 'atime' || word === 'access' || word === 'use') return 'atime';
  if (word === 'ctime' || word === 'status') return 'ctime';
  return word === 'birth' || word === 'creation' ? 'birthtime' : 'mtime';
}

const SORTS = ['name', 'none', 'size', 'time', 'version', 'extension', 'width'] as const;
const sortWord = (word: string): LsOptions['sort'] => SORTS.find((known) => known === word) ?? 'name';

function timeStyleWord(word: string): string {
  if (['full-iso', 'long-iso', 'iso', 'locale'].includes(word) || word.startsWith('+')) return word;
  if (word.startsWith('posix-')) return 'locale';
  throw new UsageError(`--time-style: '${word}' is none of full-iso, long-iso, iso, locale, +FORMAT`);
}

function columnsWord(word: string): number {
  if (!/^\d{1,6}$/.test(word)) throw new UsageError(`--width: '${word}' is no number of columns`);
  // GNU: 0 is no limit.
  return Number(word) === 0 ? Number.MAX_SAFE_INTEGER : Number(word);
}
