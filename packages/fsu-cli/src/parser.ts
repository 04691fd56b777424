/** The part of reading a command line that commander does, and the help texts. */
import { Command as Parser, CommanderError, Option } from 'commander';
import { HelpRequest, optionsOf, shapeOf, UsageError } from './command.ts';
import type { Command, GivenOption, OptionSpec, Table, Words } from './command.ts';

/** A commander parser for the command, with these options of it. */
function parserOf(command: Command, program: string, given: GivenOption[], specs: readonly OptionSpec[]): Parser {
  const classic = program !== `fsu ${command.name}`;
  const parser = new Parser(program);
  parser.exitOverride().configureOutput({ writeOut: () => undefined, writeErr: () => undefined });
  const about = [command.summary, ...(command.description ?? [])].join('\n\n');
  parser.description(about).usage(usageOf(command, classic)).helpOption('--help', 'show this text');
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
  const notes = command.notes === undefined ? '' : `\n${command.notes}`;
  const tables = (command.tables ?? []).map(tableText).join('');
  return parser.helpInformation() + notes + tables + (examples === '' ? '' : `\nExamples:\n${examples}`);
}

function tableText({ title, rows }: Table): string {
  const width = Math.max(0, ...rows.map(({ term }) => term.length));
  return `\n${title}:\n${rows.map(({ term, says }) => `  ${term.padEnd(width)}  ${says}\n`).join('')}`;
}

/** parseArguments for any words. */
export function parseByCommander(command: Command, program: string, words: readonly string[]): Words {
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
