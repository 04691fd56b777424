/** The options of tar: those of GNU's that people use, NetBSD's and bsdtar's letters, and the old way without a dash. */
import { shapeOf, UsageError } from '../command.ts';
import type { Invocation, OptionSpec } from '../command.ts';
import type { Context } from '../context.ts';
import type { TarFormat, Timespec } from 'ukfs';
import { Given } from '../given.ts';

const MODES = 'What to do:';
const NAMES = 'Names:';
const KEEP = 'What is kept:';

export const tarOptionSpecs: readonly OptionSpec[] = [
  { flags: '-c, --create', summary: 'archive files of an image', group: MODES },
  { flags: '-x, --extract', summary: 'unpack an archive into an image', group: MODES },
  { flags: '--get', summary: 'as -x', group: MODES },
  { flags: '-t, --list', summary: 'list an archive (fsu_tar: after the image)', group: MODES },
  {
    flags: '-f, --file <archive>',
    summary: 'a host file, a file of an image, or - (the default) (fsu_tar: after the image)',
  },
  { flags: '-z, --gzip', summary: 'compress by gzip (-x and -t notice it themselves)' },
  { flags: '--gunzip', summary: 'as -z' },
  { flags: '-j, --bzip2', summary: 'refused: pipe it through bzip2' },
  { flags: '-J, --xz', summary: 'refused: pipe it through xz' },
  { flags: '-Z, --compress', summary: 'refused: pipe it through compress' },
  { flags: '--zstd', summary: 'refused: pipe it through zstd' },
  { flags: '-v, --verbose', summary: 'name each file; with -t all about it (fsu_tar: after the image)' },
  { flags: '--format <format>', summary: 'pax (default), gnu or ustar', choices: ['pax', 'posix', 'gnu', 'ustar'] },
  { flags: '-C, --directory <dir>', summary: 'in the image: where names begin', group: NAMES },
  { flags: '-T, --files-from <file>', summary: 'more names, one a line, from a host file or -', group: NAMES },
  { flags: '--null', summary: 'the names of -T end in NUL', group: NAMES },
  { flags: '--exclude <pattern>', summary: 'leave out what the pattern matches', group: NAMES },
  { flags: '-X, --exclude-from <file>', summary: 'patterns, one a line, from a host file', group: NAMES },
  { flags: '--strip-components <count>', summary: '-x: leave out leading directories of names', group: NAMES },
  { flags: '-P, --absolute-names', summary: '-x: also follow links that the archive brought', group: NAMES },
  { flags: '-h, --dereference', summary: '-c: what symbolic links lead to', group: NAMES },
  { flags: '-n, --no-recursion', summary: '-c: directories without what they hold', group: NAMES },
  { flags: '--one-file-system', summary: '-c: stay in one file system', group: NAMES },
  { flags: '--sort <order>', summary: '-c: name (default) or none', choices: ['name', 'none'], group: NAMES },
  { flags: '-k, --keep-old-files', summary: '-x: leave alone what is there', group: KEEP },
  { flags: '--skip-old-files', summary: 'as -k', group: KEEP },
  { flags: '--overwrite', summary: '-x: replace what is there, as without it', group: KEEP },
  { flags: '-p, --preserve-permissions', summary: 'modes as they are, as without it', group: KEEP },
  { flags: '--same-owner', summary: 'owners as they are, as without it', group: KEEP },
  { flags: '-o, --no-same-owner', summary: '-x: owners are not kept (fsu_tar: after the image)', group: KEEP },
  { flags: '--numeric-owner', summary: 'numbers alone tell who owns a file', group: KEEP },
  { flags: '-m, --touch', summary: '-x: times are not kept', group: KEEP },
  { flags: '--xattrs', summary: 'extended attributes, as without it', group: KEEP },
  { flags: '--no-xattrs', summary: 'no extended attributes', group: KEEP },
  { flags: '--acls', summary: 'access control lists, as without it', group: KEEP },
  { flags: '--no-acls', summary: 'no access control lists', group: KEEP },
  { flags: '-S', summary: 'holes, as without it', group: KEEP },
  { flags: '--birth-time', summary: '-c: times of creation (GNU tar will warn of them)', group: KEEP },
  { flags: '--mtime <time>', summary: '-c: @seconds since 1970 for all files', group: KEEP },
  { flags: '--owner <owner>', summary: '-c: NAME[:UID] or UID for all files', group: KEEP },
  { flags: '--group <group>', summary: '-c: NAME[:GID] or GID for all files', group: KEEP },
];

/** Who all files belong to. */
export interface OwnerWord {
  readonly name: string | undefined;
  readonly id: number | undefined;
}

export interface TarOptions {
  readonly mode: 'c' | 'x' | 't';
  readonly file: string | undefined;
  readonly gzip: boolean;
  readonly verbose: boolean;
  readonly format: TarFormat;
  /** What the -C options say together. */
  readonly directory: string | undefined;
  readonly filesFrom: readonly string[];
  readonly nul: boolean;
  readonly exclude: readonly string[];
  readonly excludeFrom: readonly string[];
  readonly strip: number;
  readonly followOwnLinks: boolean;
  readonly follow: boolean;
  readonly recursive: boolean;
  readonly oneFileSystem: boolean;
  readonly sorted: boolean;
  readonly keepOld: boolean;
  readonly owners: boolean;
  readonly numeric: boolean;
  readonly times: boolean;
  readonly xattrs: boolean;
  readonly acls: boolean;
  readonly birthTimes: boolean;
  readonly mtime: Timespec | undefined;
  readonly owner: OwnerWord | undefined;
  readonly group: OwnerWord | undefined;
}

/** Compressors that are not ours. */
const OTHERS: Readonly<Record<string, string>> = { bzip2: 'bzip2', xz: 'xz', compress: 'compress', zstd: 'zstd' };

export function tarOptionsOf(ctx: Context, { options }: Invocation): TarOptions {
  const given = new Given({ options });
  for (const { name } of options) {
    const tool = OTHERS[name];
    if (tool !== undefined)
      throw new UsageError(`--${name}: only gzip is built in; pipe the archive through '${tool}'`);
  }
  const format = given.value('format') ?? 'pax';
  const strip = given.value('strip-components') ?? '0';
  if (!/^\d{1,4}$/.test(strip)) throw new UsageError(`--strip-components: '${strip}' is no number`);
  return {
    mode: modeOf(given),
    file: given.value('file'),
    gzip: given.has('gzip', 'gunzip'),
    verbose: given.has('verbose') || ctx.settings.verbose > 0,
    format: format === 'gnu' || format === 'ustar' ? format : 'pax',
    directory: directoryOf(given.values('directory')),
    filesFrom: given.values('files-from'),
    nul: given.has('null'),
    exclude: given.values('exclude'),
    excludeFrom: given.values('exclude-from'),
    strip: Number(strip),
    followOwnLinks: given.has('absolute-names'),
    follow: given.has('dereference'),
    recursive: !given.has('no-recursion'),
    oneFileSystem: given.has('one-file-system'),
    sorted: given.value('sort') !== 'none',
    keepOld: given.has('keep-old-files', 'skip-old-files'),
    owners: !given.has('no-same-owner'),
    numeric: given.has('numeric-owner'),
    times: !given.has('touch'),
    xattrs: !given.has('no-xattrs'),
    acls: !given.has('no-acls'),
    birthTimes: given.has('birth-time'),
    mtime: mtimeOf(given.value('mtime')),
    owner: ownerOf('--owner', given.value('owner')),
    group: ownerOf('--group', given.value('group')),
  };
}

function modeOf(given: Given): TarOptions['mode'] {
  const modes = [
    ...(given.has('create') ? (['c'] as const) : []),
    ...(given.has('extract', 'get') ? (['x'] as const) : []),
    ...(given.has('list') ? (['t'] as const) : []),
  ];
  const [mode, ...more] = modes;
  if (mode === undefined) throw new UsageError('say what to do: -c (create), -x (extract) or -t (list)');
  if (more.length > 0) throw new UsageError('only one of -c, -x and -t can be done');
  return mode;
}

/** Each is as seen from the one before it. */
function directoryOf(words: readonly string[]): string | undefined {
  if (words.length === 0) return undefined;
  return words.reduce((at, word) => (word.startsWith('/') ? word : `${at}/${word}`), '');
}

function mtimeOf(text: string | undefined): Timespec | undefined {
  if (text === undefined) return undefined;
  const [, sec, fraction = ''] = /^@(-?\d{1,12})(?:\.(\d{1,9}))?$/.exec(text) ?? [];
  if (sec === undefined) throw new UsageError(`--mtime: '${text}' is no time: say @SECONDS`);
  return { sec: Number(sec), nsec: Number(fraction.padEnd(9, '0')) };
}

function ownerOf(option: string, text: string | undefined): OwnerWord | undefined {
  if (text === undefined) return undefined;
  if (/^\d{1,10}$/.test(text)) return { name: undefined, id: Number(text) };
  const [, name = '', id] = /^([^:]+)(?::(\d{1,10}))?$/.exec(text) ?? [];
  if (name === '') throw new UsageError(`${option}: '${text}' is neither NAME[:NUMBER] nor a number`);
  return { name, id: id === undefined ? undefined : Number(id) };
}

/** Options by their letter: does it take a value? */
const takesValue = new Map(
  tarOptionSpecs.map(shapeOf).flatMap(({ short, takes }) => (short === undefined ? [] : [[short, takes === 'value']])),
);

/** `cvf FILE …`: the letters of a first word without a dash, whose values follow in their order. */
export function modernWords(words: readonly string[]): readonly string[] {
  const [first = '', ...rest] = words;
  const letters = [...first];
  const isOld = /^[a-zA-Z]*[cxt][a-zA-Z]*$/.test(first) && letters.every((letter) => takesValue.has(letter));
  if (!isOld) return words;
  const options: string[] = [];
  for (const letter of letters) {
    if (takesValue.get(letter) !== true) options.push(`-${letter}`);
    else {
      const value = rest.shift();
      if (value === undefined) throw new UsageError(`option '${letter}' needs a value`);
      options.push(`-${letter}`, value);
    }
  }
  return [...options, ...rest];
}
