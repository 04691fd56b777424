/** help: the list of commands, or one command's help; for people, for man(1) and for programs. */
import type { Command, Invocation } from '../command.ts';
import { UsageError } from '../command.ts';
import type { Context } from '../context.ts';
import { suggestion } from '../suggest.ts';
import { commandNames, loadCommand } from './index.ts';

export const help: Command = {
  name: 'help',
  summary: 'Explain a command.',
  synopsis: { addresses: '[COMMAND]', paths: '[COMMAND]' },
  options: [
    { flags: '--man', summary: 'the manual page, as mdoc(7)' },
    { flags: '--json', summary: 'commands and their options, as one JSON object' },
  ],
  examples: [
    { command: 'fsu help ls', does: 'options of ls' },
    { command: 'fsu help --man ls | man -l -', does: 'its manual page' },
    { command: 'fsu help --json', does: 'every command and option, for programs' },
  ],
  image: 'none',
  run,
};

async function run(ctx: Context, { operands, options }: Invocation): Promise<number> {
  const [name, ...more] = operands;
  if (more.length > 0) throw new UsageError('one command at a time');
  const isMan = options.some((option) => option.name === 'man');
  if (isMan && ctx.json !== undefined) throw new UsageError('--man and --json exclude each other');
  const command = name === undefined ? undefined : await commandOf(name);
  if (ctx.json !== undefined) {
    const { commandJson } = await import('../help/json.ts');
    ctx.json.array('commands');
    for (const one of command === undefined ? await everyCommand() : [command]) ctx.json.element(commandJson(one));
  } else if (isMan) {
    const { commandPage, overviewPage } = await import('../help/man.ts');
    ctx.out.text(command === undefined ? await overviewPage() : commandPage(command));
  } else if (command === undefined) {
    ctx.out.text(await (await import('../help/overview.ts')).overview());
  } else {
    const { helpOf } = await import('../parser.ts');
    ctx.out.text(helpOf(command, name?.startsWith('fsu') === true ? `fsu_${command.name}` : `fsu ${command.name}`));
  }
  return ctx.status;
}

async function everyCommand(): Promise<readonly Command[]> {
  return (await Promise.all(commandNames().map(loadCommand))).filter((command) => command !== undefined);
}

async function commandOf(name: string): Promise<Command> {
  const word = name.replace(/^fsu[_-]/, '');
  const command = await loadCommand(word);
  if (command !== undefined) return command;
  const near = suggestion(word, commandNames());
  throw new UsageError(`unknown command '${name}'${near === undefined ? '' : `; did you mean '${near}'?`}`);
}
