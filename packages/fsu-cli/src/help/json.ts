/** `fsu help --json`: the command table for programs. */
import { isCommon, optionsOf, shapeOf } from '../command.ts';
import type { Command, OptionSpec } from '../command.ts';
import { aliasesOf } from '../commands/index.ts';
import type { Json } from '../format/json.ts';
import { themeOf } from './themes.ts';

export function commandJson(command: Command): Json {
  const { name, summary, description, synopsis, image, examples } = command;
  return {
    name,
    aliases: aliasesOf(name),
    theme: themeOf(command),
    summary,
    description: description ?? [],
    image,
    synopsis: { addresses: synopsis.addresses, paths: synopsis.paths },
    options: optionsOf(command).map(optionJson),
    examples: examples.map(({ command: line, does }) => ({ command: line, does })),
  };
}

function optionJson(spec: OptionSpec): Json {
  const { short, long, takes, value } = shapeOf(spec);
  return {
    short,
    long,
    takes,
    value,
    choices: spec.choices,
    bare: spec.bare,
    common: isCommon(spec),
    summary: spec.summary,
  };
}
