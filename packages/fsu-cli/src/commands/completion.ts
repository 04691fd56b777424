/** completion: the script that makes a shell complete our command lines. */
import { UsageError } from '../command.ts';
import type { Command } from '../command.ts';
import { suggestion } from '../suggest.ts';
import { aliasesOf, commandNames } from './index.ts';

export const completion: Command = {
  name: 'completion',
  summary: 'Write the script with which a shell completes our command lines, paths inside images included.',
  description: ['Without SHELL it says how to install the script.'],
  synopsis: { addresses: '[bash | zsh | fish]', paths: '' },
  options: [{ flags: '--json', summary: 'one JSON object on standard output' }],
  examples: [
    { command: 'source <(fsu completion bash)', does: 'in ~/.bashrc' },
    { command: 'fsu completion fish > ~/.config/fish/completions/fsu.fish', does: 'for fish' },
  ],
  image: 'none',
  async run(ctx, { operands: [shell, ...more] }) {
    const { installing, scripts } = await import('../complete/scripts.ts');
    if (more.length > 0) throw new UsageError('one shell at a time');
    const make = shell === undefined ? undefined : scripts[shell];
    if (shell !== undefined && make === undefined) {
      const near = suggestion(shell, Object.keys(scripts));
      const known = near === undefined ? `there are ${Object.keys(scripts).join(', ')}` : `did you mean '${near}'?`;
      throw new UsageError(`no completion for '${shell}'; ${known}`);
    }
    const text = make === undefined ? installing : make(toolNames());
    if (ctx.json === undefined) ctx.out.text(text);
    else {
      ctx.json.member('shell', shell);
      ctx.json.member('text', text);
    }
    return ctx.status;
  },
};

/** `fsu`, and the tools of the commands on images. */
function toolNames(): readonly string[] {
  const names = commandNames().filter((name) => name !== 'help' && name !== 'version');
  return ['fsu', ...names.flatMap((name) => [name, ...aliasesOf(name)]).map((name) => `fsu_${name}`)];
}
