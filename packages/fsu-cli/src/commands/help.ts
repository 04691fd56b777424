/** help: the list of commands, or one command's help. */
import { helpOf } from '../parser.ts';
import type { Command, Invocation } from '../command.ts';
import { UsageError } from '../command.ts';
import type { Context } from '../context.ts';
import { suggestion } from '../suggest.ts';
import { commandNames, loadCommand } from './index.ts';

export const help: Command = {
  name: 'help',
  summary: 'Explain a command.',
  synopsis: { addresses: '[COMMAND]', paths: '[COMMAND]' },
  options: [],
  examples: [],
  image: 'none',
  run,
};

async function run(ctx: Context, { operands }: Invocation): Promise<number> {
  const [name] = operands;
  if (name === undefined) {
    ctx.out.text(await overview());
    return ctx.status;
  }
  const word = name.replace(/^fsu[_-]/, '');
  const command = await loadCommand(word);
  if (command === undefined) {
    const near = suggestion(word, commandNames());
    throw new UsageError(`unknown command '${name}'${near === undefined ? '' : `; did you mean '${near}'?`}`);
  }
  ctx.out.text(helpOf(command, name.startsWith('fsu') ? `fsu_${command.name}` : `fsu ${command.name}`));
  return ctx.status;
}

async function overview(): Promise<string> {
  const lines: string[] = [];
  for (const name of commandNames()) {
    const command = await loadCommand(name);
    if (command !== undefined) lines.push(`  ${name.padEnd(9)} ${command.summary}\n`);
  }
  return `Usage: fsu COMMAND [options] ADDRESS...
       fsu_COMMAND [mount options] IMAGE [options] [PATH...]

Reads and edits disk images: no root, no mount.

Commands:
${lines.join('')}
An ADDRESS is IMAGE[:SELECTOR][/PATH]:
  disk.img:/etc/fstab       the one file system in the image
  disk.img:2/etc            partition 2; also a (BSD letter), label=, uuid=, name=, type=, off=1MiB

Exit status: 0 done, 1 something failed, 2 usage, 3 not recognised or unsupported, 4 damaged or dirty,
5 locked or in use, 6 no space, 130 interrupted.

'fsu help COMMAND' or 'fsu COMMAND --help' tells more.
`;
}
