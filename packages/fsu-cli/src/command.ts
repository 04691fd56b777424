/**
 * A command as a value. The parser (commander), --help, `fsu help`, docs/cli.md and the completions all come from it.
 * Nothing here needs commander: parser.ts does, and is loaded when words are to be read that need it.
 */
import type { Context } from './context.ts';

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
  /** `none`: knows no image (help, version). */
  readonly image: 'read' | 'write' | 'none';
  /** Which operand the path in an address of `fsu_X`'s image is; default the first. */
  readonly imagePath?: 'last';
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
    summary: 'part of the image: 2, a, label=…, off=1MiB; nested: 1:b',
    group: IMAGE_GROUP,
  },
  { flags: '--bytes', summary: 'in paths \\xNN stands for a byte and \\\\ for a backslash', group: IMAGE_GROUP },
  { flags: '--json', summary: 'one JSON object on standard output', group: IMAGE_GROUP },
];

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
];

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
  return { short, long, takes, value, bare: spec.bare };
}

/**
 * Reads the words after the command's name (and, for `fsu_X`, after the mount options). UsageError, HelpRequest.
 * Most command lines hold operands and options without values, which can be read one way only. The others, and all that
 * is wrong, are commander's, whose loading and set-up would be an eighth of the time that a small listing takes.
 */
export async function parseArguments(
  command: Command,
  program: string,
  words: readonly string[],
  shapes: () => readonly OptionShape[] = () => optionsOf(command).map(shapeOf),
): Promise<Words> {
  return plainWords(words, shapes) ?? (await import('./parser.ts')).parseByCommander(command, program, words);
}

/** undefined: a word that is neither an operand nor options without values. */
export function plainWords(words: readonly string[], shapes: () => readonly OptionShape[]): Words | undefined {
  const options: GivenOption[] = [];
  const operands: string[] = [];
  for (const word of words) {
    if (word === '-' || !word.startsWith('-')) {
      operands.push(word);
      continue;
    }
    const spelt = word.startsWith('--') ? [word.slice(2)] : [...word.slice(1)];
    for (const name of spelt) {
      const shape = shapes().find(({ short, long }) => (word.startsWith('--') ? long : short) === name);
      if (shape?.takes !== 'nothing' || name === 'help') return undefined;
      options.push({ name: shape.long ?? name, value: '' });
    }
  }
  return { options, operands };
}
