/**
 * A command as a value. The parser (commander), --help, `fsu help`, docs/cli.md and the completions all come from it.
 * Nothing here needs commander: parser.ts does, and is loaded when words are to be read that need it.
 */
import type { Context, Shell } from './context.ts';
import { progressWhens } from './progress.ts';

export interface OptionSpec {
  /** In commander's notation: `-a, --all`, `--ignore <pattern>`, `--color [when]`. */
  readonly flags: string;
  readonly summary: string;
  /** The words its value may be. */
  readonly choices?: readonly string[];
  /** The value meant when the option stands without one; its value then is always written `--color=when`. */
  readonly bare?: string;
  /** Heading in --help; default "Options:". */
  readonly group?: string;
}

interface Example {
  readonly command: string;
  readonly does: string;
}

/** Terms and what they mean. */
export interface Table {
  readonly title: string;
  readonly rows: readonly { readonly term: string; readonly says: string }[];
}

export interface Command {
  /** `ls`: started as `fsu ls` or `fsu_ls`. */
  readonly name: string;
  readonly summary: string;
  /** Paragraphs behind the summary, in --help and in the manual page. */
  readonly description?: readonly string[];
  /** What follows the options: of `fsu X`, and of `fsu_X` after the image. */
  readonly synopsis: { readonly addresses: string; readonly paths: string };
  /** Its own; those all commands on images have come from imageOptions. */
  readonly options: readonly OptionSpec[];
  readonly examples: readonly Example[];
  /** What --help has to say beyond options and examples; lines of at most 120 characters. */
  readonly notes?: string;
  /** Tables, in --help and in the manual page. */
  readonly tables?: readonly Table[];
  /** `none`: knows no image (help, version). */
  readonly image: 'read' | 'write' | 'none';
  /** Which operand the path in an address of `fsu_X`'s image is; default the first. */
  readonly imagePath?: 'last';
  /** Does the operand at this place name a file outside of the image, when one is given? A script's wildcards then stay. */
  outer?(at: number, line: OuterLine): boolean;
  /**
   * For a tool of which some words look like options and are none (find's expression, chmod's `-x`): takes them away before
   * the others are read. Gets the words that follow the command's name, the image of `fsu_X` left out.
   */
  takeOwn?(words: readonly string[]): { readonly words: readonly string[]; readonly own: readonly string[] };
  /** For a tool whose exit status is of another kind (fsck): what it is when the command fails, or makes no sense. */
  readonly statuses?: { readonly failed: number; readonly usage: number };
  /** Does its work and returns the exit status. */
  run(ctx: Context, args: Invocation): Promise<number> | number;
}

/** What tells where an operand lies. */
export interface OuterLine extends Words {
  readonly shell: Pick<Shell, 'isFile' | 'aliases'>;
}

export interface GivenOption {
  /** Long name without dashes, or the letter of an option that has none. */
  readonly name: string;
  /** '' for an option that takes none. */
  readonly value: string;
}

/** A parsed command line. Options keep their order, for those of which the last one wins. */
export interface Invocation {
  readonly options: readonly GivenOption[];
  readonly operands: readonly string[];
  /** What takeOwn() took. */
  readonly own: readonly string[];
}

/** Options and operands, as parseArguments() finds them. */
export type Words = Omit<Invocation, 'own'>;

/** The command line makes no sense: exit status 2. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

/** Not an error: --help was asked for. */
export class HelpRequest extends Error {
  override readonly name = 'HelpRequest';
  readonly help: string;
  constructor(help: string) {
    super('help');
    this.help = help;
  }
}

const IMAGE_GROUP = 'Image options:';

/** Options of every command that opens images. For `fsu_X` the short ones of fs-utils stand before the image. */
const readOptions: readonly OptionSpec[] = [
  {
    flags: '--type <type>',
    summary: 'file-system type instead of looking (fsu_X: -t before the image)',
    group: IMAGE_GROUP,
  },
  { flags: '--options <list>', summary: 'mount options, as mount(8) spells them (fsu_X: -o)', group: IMAGE_GROUP },
  {
    flags: '--image <image>',
    summary: 'the image, by its plain file name; operands are paths in it',
    group: IMAGE_GROUP,
  },
  {
    flags: '--partition <selector>',
    summary: 'part of the image: 2, a, label=…, off=1MiB, file=vm.img; nested: 1:b',
    group: IMAGE_GROUP,
  },
  { flags: '--bytes', summary: 'in paths \\xNN stands for a byte and \\\\ for a backslash', group: IMAGE_GROUP },
  { flags: '--json', summary: 'one JSON object on standard output', group: IMAGE_GROUP },
];

/** Of commands that take their time: those that write, and some others. */
export const progressOption: OptionSpec = {
  flags: '--progress [when]',
  summary: 'how far it is, on standard error: auto (a terminal, after a moment), always, never, json',
  choices: progressWhens,
  bare: 'always',
  group: IMAGE_GROUP,
};

const writeOptions: readonly OptionSpec[] = [
  {
    flags: '--force',
    summary: 'write although the file system was not left clean, or the image has several links',
    group: IMAGE_GROUP,
  },
  { flags: '--no-lock', summary: 'do without the lock on the image', group: IMAGE_GROUP },
  { flags: '--log <file>', summary: 'where the redo log goes when the image is a block device', group: IMAGE_GROUP },
  { flags: '--dry-run', summary: 'do all but the commit: the image stays as it is', group: IMAGE_GROUP },
  {
    flags: '--verify',
    summary: 'check the file system before the commit; refuse an edit that brings errors',
    group: IMAGE_GROUP,
  },
  {
    flags: '--audit <file>',
    summary: 'append a line of JSON for each changed file, with hashes; - is standard error',
    group: IMAGE_GROUP,
  },
  {
    flags: '--backup [suffix]',
    summary: 'keep the image as it was, under its name and this suffix (default ~)',
    bare: '~',
    group: IMAGE_GROUP,
  },
  {
    flags: '--output <file>',
    summary: 'edit a copy, which is there when all of it is; the image stays as it is',
    group: IMAGE_GROUP,
  },
  progressOption,
];

/** Of those, what concerns the images as they are opened and committed, not the one command. */
export const editOptionNames = (): readonly string[] =>
  [...readOptions, ...writeOptions]
    .map((spec) => shapeOf(spec).long ?? '')
    .filter((name) => !['image', 'partition', 'bytes', 'json'].includes(name));

/** All options of a command, its own first. */
export function optionsOf(command: Command): readonly OptionSpec[] {
  if (command.image === 'none') return command.options;
  return command.image === 'read'
    ? [...command.options, ...readOptions]
    : [...command.options, ...readOptions, ...writeOptions];
}

/** Is it one that every command on images has? */
export const isCommon = (spec: OptionSpec): boolean => readOptions.includes(spec) || writeOptions.includes(spec);

/** How an option is spelt. */
export interface OptionShape {
  readonly short: string | undefined;
  readonly long: string | undefined;
  readonly takes: 'nothing' | 'value' | 'optional';
  /** What the value is called: `pattern`. */
  readonly value: string | undefined;
  readonly bare: string | undefined;
  readonly choices: readonly string[] | undefined;
}

export function shapeOf(spec: OptionSpec): OptionShape {
  let takes: OptionShape['takes'] = 'nothing';
  let short: string | undefined;
  let long: string | undefined;
  let value: string | undefined;
  for (const word of spec.flags.split(/[ ,]+/)) {
    if (word.startsWith('--')) long = word.slice(2);
    else if (word.startsWith('-')) short = word.slice(1);
    else {
      takes = word.startsWith('<') ? 'value' : 'optional';
      value = word.slice(1, -1);
    }
  }
  return { short, long, takes, value, bare: spec.bare, choices: spec.choices };
}

const shapesKnown = new WeakMap<Command, readonly OptionShape[]>();

/** How the command's options are spelt, found out when somebody asks. */
export const shapesOf = (command: Command) => (): readonly OptionShape[] => {
  const known = shapesKnown.get(command) ?? optionsOf(command).map(shapeOf);
  shapesKnown.set(command, known);
  return known;
};

/**
 * Reads the words after the command's name (and, for `fsu_X`, after the mount options). UsageError, HelpRequest.
 * Most command lines hold operands and options without values, which can be read one way only. The others, and all that
 * is wrong, are commander's, whose loading and set-up would be an eighth of the time that a small listing takes.
 */
export async function parseArguments(
  command: Command,
  program: string,
  words: readonly string[],
  shapes: () => readonly OptionShape[] = shapesOf(command),
): Promise<Words> {
  return plainWords(words, shapes) ?? (await import('./parser.ts')).parseByCommander(command, program, words);
}

/** undefined: a word that could be read in two ways, or is wrong. */
export function plainWords(words: readonly string[], shapes: () => readonly OptionShape[]): Words | undefined {
  const options: GivenOption[] = [];
  const operands: string[] = [];
  for (let at = 0; at < words.length; at++) {
    const word = words[at] ?? '';
    if (word === '-' || !word.startsWith('-')) {
      operands.push(word);
      continue;
    }
    if (word === '--') {
      operands.push(...words.slice(at + 1));
      break;
    }
    const taken = word.startsWith('--')
      ? longOption(word, words[at + 1], shapes())
      : letters(word, words[at + 1], shapes());
    if (taken === undefined) return undefined;
    options.push(...taken.options);
    if (taken.tookNext) at++;
  }
  return { options, operands };
}

interface Taken {
  readonly options: readonly GivenOption[];
  /** The next word is the value. */
  readonly tookNext: boolean;
}

function longOption(word: string, next: string | undefined, shapes: readonly OptionShape[]): Taken | undefined {
  const equals = word.indexOf('=');
  const name = equals < 0 ? word.slice(2) : word.slice(2, equals);
  const shape = shapes.find(({ long }) => long === name);
  if (shape === undefined || shape.takes === 'optional' || name === 'help') return undefined;
  if (shape.takes === 'nothing') return equals < 0 ? { options: [{ name, value: '' }], tookNext: false } : undefined;
  const value = equals < 0 ? next : word.slice(equals + 1);
  return isValueOf(shape, value) ? { options: [{ name, value }], tookNext: equals < 0 } : undefined;
}

/** `-lR`, `-I*.o`, `-I *.o`: the first letter that takes a value takes the rest of the word, or else the next one. */
function letters(word: string, next: string | undefined, shapes: readonly OptionShape[]): Taken | undefined {
  const options: GivenOption[] = [];
  for (let i = 1; i < word.length; i++) {
    const letter = word.charAt(i);
    const shape = shapes.find(({ short }) => short === letter);
    if (shape === undefined || shape.takes === 'optional') return undefined;
    const name = shape.long ?? letter;
    if (name === 'help') return undefined;
    if (shape.takes === 'value') {
      const inWord = i + 1 < word.length;
      const value = inWord ? word.slice(i + 1) : next;
      if (!isValueOf(shape, value)) return undefined;
      return { options: [...options, { name, value }], tookNext: !inWord };
    }
    options.push({ name, value: '' });
  }
  return { options, tookNext: false };
}

const isValueOf = ({ choices }: OptionShape, value: string | undefined): value is string =>
  value !== undefined && value !== '' && (choices === undefined || choices.includes(value));
