/**
 * A command as a value. The parser (commander), --help, `fsu help`, docs/cli.md and the completions all come from it.
 */
import { Command as Parser, CommanderError, Option } from 'commander';
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

export interface Example {
  readonly command: string;
  readonly does: string;
}

export interface Command {
  /** `ls`: started as `fsu ls` or `fsu_ls`. */
  readonly name: string;
  readonly summary: string;
  /** What follows the options: of `fsu X`, and of `fsu_X` after the image. */
  readonly synopsis: { readonly addresses: string; readonly paths: string };
  /** Its own; those all commands on images have come from imageOptions. */
  readonly options: readonly OptionSpec[];
  readonly examples: readonly Example[];
  /** `none`: knows no image (help, version). */
  readonly image: 'read' | 'write' | 'none';
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
}

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
  { flags: '--verify', summary: 'read back what was written and compare', group: IMAGE_GROUP },
];

/** All options of a command, its own first. */
export function optionsOf(command: Command): readonly OptionSpec[] {
  if (command.image === 'none') return command.options;
  return command.image === 'read'
    ? [...command.options, ...readOptions]
    : [...command.options, ...readOptions, ...writeOptions];
}

/** How an option is spelt. */
export interface OptionShape {
  readonly short: string | undefined;
  readonly long: string | undefined;
  readonly takes: 'nothing' | 'value' | 'optional';
  readonly bare: string | undefined;
}

export function shapeOf(spec: OptionSpec): OptionShape {
  let takes: OptionShape['takes'] = 'nothing';
  let short: string | undefined;
  let long: string | undefined;
  for (const word of spec.flags.split(/[ ,]+/)) {
    if (word.startsWith('--')) long = word.slice(2);
    else if (word.startsWith('-')) short = word.slice(1);
    else takes = word.startsWith('<') ? 'value' : 'optional';
  }
  return { short, long, takes, bare: spec.bare };
}

/** A commander parser for the command, with these options of it. */
function parserOf(command: Command, program: string, given: GivenOption[], specs: readonly OptionSpec[]): Parser {
  const classic = program !== `fsu ${command.name}`;
  const parser = new Parser(program);
  parser.exitOverride().configureOutput({ writeOut: () => undefined, writeErr: () => undefined });
  parser.description(command.summary).usage(usageOf(command, classic)).helpOption('--help', 'show this text');
  parser.argument('[operands...]');
  // The usage line tells of the operands, the summaries of the choices.
  parser.configureHelp({ visibleArguments: () => [], optionDescription: (option) => option.description });
  for (const spec of specs) {
    const option = new Option(spec.flags, spec.summary);
    if (spec.choices !== undefined) option.choices([...spec.choices]);
    option.helpGroup(spec.group ?? 'Options:');
    parser.addOption(option);
    const name = option.name();
    parser.on(`option:${name}`, (value: string | undefined) => given.push({ name, value: value ?? '' }));
  }
  return parser;
}

/**
 * The options that the words can mean. Declaring an option compares it with all before it: the sixty of ls would take
 * a tenth of the start of the tool.
 */
function mentioned(specs: readonly OptionSpec[], words: readonly string[]): readonly OptionSpec[] {
  const letters = words.filter((word) => /^-[^-]/.test(word)).join('');
  const longs = new Set(words.filter((word) => word.startsWith('--')).map((word) => word.split('=', 1)[0]));
  return specs.filter((spec) => {
    const { short, long } = shapeOf(spec);
    return (short !== undefined && letters.includes(short)) || longs.has(`--${long ?? ''}`);
  });
}

function usageOf(command: Command, classic: boolean): string {
  if (command.image === 'none') return `[options] ${command.synopsis.addresses}`;
  return classic
    ? `[-t type] [-o options] [-v] IMAGE [options] ${command.synopsis.paths}`
    : `[options] ${command.synopsis.addresses}`;
}

/** --help's text. */
export function helpOf(command: Command, program: string): string {
  const parser = parserOf(command, program, [], optionsOf(command));
  const width = Math.max(0, ...command.examples.map((example) => example.command.length));
  const examples = command.examples.map((example) => `  ${example.command.padEnd(width)}  ${example.does}\n`).join('');
  return parser.helpInformation() + (examples === '' ? '' : `\nExamples:\n${examples}`);
}

/** Reads the words after the command's name (and, for `fsu_X`, after the mount options). UsageError, HelpRequest. */
export function parseArguments(command: Command, program: string, words: readonly string[]): Invocation {
  const all = optionsOf(command);
  const options: GivenOption[] = [];
  const parser = parserOf(command, program, options, mentioned(all, words));
  try {
    parser.parse([...words], { from: 'user' });
  } catch (thrown) {
    if (!(thrown instanceof CommanderError)) throw thrown;
    if (thrown.code === 'commander.helpDisplayed') throw new HelpRequest(helpOf(command, program));
    // Say it once more with all options known: then it can propose the one that was meant.
    throw usageError(parserOf(command, program, [], all), words, thrown);
  }
  return { options, operands: parser.args };
}

function usageError(parser: Parser, words: readonly string[], first: CommanderError): UsageError {
  let error = first;
  try {
    parser.parse([...words], { from: 'user' });
  } catch (thrown) {
    if (!(thrown instanceof CommanderError)) throw thrown;
    error = thrown;
  }
  return new UsageError(
    error.message
      .replace(/^error: /, '')
      .replace('\n(Did', ' (did')
      .replace('\n', ' '),
    { cause: error },
  );
}
