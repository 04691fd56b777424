/**
 * From a program's name and its words to an exit status: finds the command, parses, runs it, closes its images.
 * Knows neither the process nor any command by name; commands/index.ts lists them.
 */
import { commandNames, loadCommand } from './commands/index.ts';
import { HelpRequest, UsageError } from './command.ts';
import type { Command, Invocation } from './command.ts';
import { Context } from './context.ts';
import type { Shell } from './context.ts';
import { debugText, describeError, Exit } from './errors.ts';
import { JsonDocument } from './format/json.ts';
import { safeLines } from './format/name.ts';
import { ClosedPipeError, STDOUT, StreamError } from './out.ts';
import { understand } from './understand.ts';
import { ImageChangedError } from 'ukfs';

/** `fsu_ls` and `fsu-ls` are `fsu ls`. */
function programOf(argv0: string): { readonly program: string; readonly command: string | undefined } {
  const base = argv0.replace(/^.*[/\\]/, '').replace(/\.(c?js|mjs|ts|exe|cmd)$/, '');
  // `npx fsu-cli` starts the tool that has the package's name.
  const [, command] = base === 'fsu-cli' ? [] : (/^fsu[_-](.+)$/.exec(base) ?? []);
  return { program: command === undefined ? 'fsu' : `fsu_${command}`, command };
}

export async function main(argv0: string, args: readonly string[], shell: Shell): Promise<number> {
  const { program, command } = programOf(argv0);
  try {
    const status = command === undefined ? await runModern(args, shell) : await runNamed(command, program, args, shell);
    shell.out.flush();
    return status;
  } catch (thrown) {
    if (thrown instanceof ClosedPipeError) return Exit.pipe;
    shell.err(`${program}: ${describeError(thrown)}\n`);
    if (shell.env('FSU_DEBUG') !== undefined) shell.err(`${debugText(thrown)}\n`);
    return Exit.failed;
  }
}

/** `fsu WORD …`. */
async function runModern(args: readonly string[], shell: Shell): Promise<number> {
  const [word, ...rest] = args;
  if (word === '__complete') {
    await (await import('./complete/main.ts')).answer(rest, shell);
    return Exit.done;
  }
  if (word === '__kernel') {
    await (await import('./tui/kernel/main.ts')).serveBrowser(shell);
    return Exit.done;
  }
  if (word === '--version' || word === '-V') return runNamed('version', 'fsu', rest, shell);
  if (word === '--help' || word === '-h') return runNamed('help', 'fsu', rest, shell);
  if (word === undefined || word.startsWith('-')) {
    const what = word === undefined ? 'no command given' : `unknown option '${word}'`;
    return usage(new UsageError(what), { program: 'fsu', name: '', args }, shell);
  }
  return runNamed(word, `fsu ${word}`, rest, shell);
}

async function runNamed(name: string, program: string, args: readonly string[], shell: Shell): Promise<number> {
  const call = { program, name, args };
  const command = await loadCommand(name);
  if (command === undefined) {
    const { suggestion } = await import('./suggest.ts');
    const near = suggestion(name, commandNames());
    const hint = near === undefined ? '' : `; did you mean '${near}'?`;
    const error = new UsageError(`unknown command '${name}'${hint}`);
    return usage(error, { name: '', args, program: program.startsWith('fsu_') ? program : 'fsu' }, shell);
  }
  try {
    const status = await runCommand(command, program, args, shell);
    shell.out.flush();
    return status;
  } catch (thrown) {
    if (thrown instanceof HelpRequest) {
      shell.out.text(thrown.help);
      return Exit.done;
    }
    if (thrown instanceof UsageError) return usage(thrown, { ...call, status: command.statuses?.usage }, shell);
    if (thrown instanceof StreamError) {
      shell.err(`${program}: ${safeLines(thrown.stream)}: ${describeError(thrown)}\n`);
      return Exit.failed;
    }
    throw thrown;
  }
}

interface Call {
  readonly program: string;
  readonly name: string;
  readonly args: readonly string[];
  readonly status?: number | undefined;
}

/** Says what is wrong with the command line, on standard error and, if JSON was asked for, as JSON. */
function usage(error: UsageError, { program, name, args, status = Exit.usage }: Call, shell: Shell): number {
  const hint = name === '' || program === 'fsu' ? "'fsu --help' lists the commands" : `'${program} --help' tells more`;
  shell.out.drop();
  shell.err(`${program}: ${safeLines(error.message)}\n${hint}\n`);
  const end = args.indexOf('--');
  const options = end < 0 ? args : args.slice(0, end);
  if (options.includes('--json') || options.includes('--jsonl')) {
    const document = new JsonDocument(name === '' ? 'fsu' : `fsu.${name}`, (text) => shell.out.text(text));
    document.error({ errno: 'EINVAL', op: 'usage', path: undefined, place: undefined, message: error.message });
    document.end(status);
  }
  return status;
}

async function runCommand(command: Command, program: string, words: readonly string[], shell: Shell): Promise<number> {
  const { settings, args } = await understand(command, { program, words }, shell);
  for (let attempt = 1; ; attempt++) {
    const ctx = new Context({
      program,
      shell,
      settings,
      schema: `fsu.${command.name}`,
      failed: command.statuses?.failed,
      words,
    });
    const status = await runOnce(command, ctx, args, attempt === 1);
    if (status !== undefined) return status;
  }
}

/** undefined: the image changed while it was read, and nothing has been told yet; worth one more try. */
async function runOnce(
  command: Command,
  ctx: Context,
  args: Invocation,
  mayRetry: boolean,
): Promise<number | undefined> {
  try {
    ctx.raise(await command.run(ctx, args));
    // Listing an image is not to load how edits end.
    if (ctx.images.edited.length > 0) await (await import('./edit.ts')).endEdits(ctx);
    ctx.raise(ctx.excused);
  } catch (thrown) {
    ctx.progress.end();
    closeQuietly(ctx);
    if (thrown instanceof UsageError || thrown instanceof HelpRequest || thrown instanceof ClosedPipeError)
      throw thrown;
    if (thrown instanceof StreamError && thrown.stream === STDOUT) throw thrown;
    ctx.fail(thrown, thrown instanceof StreamError ? thrown.stream : ctx.imageOf(thrown));
  }
  const edited = ctx.images.edited.length > 0;
  ctx.progress.end();
  try {
    ctx.images.close();
  } catch (thrown) {
    if (thrown instanceof ImageChangedError && mayRetry && !edited && !ctx.out.wrote) {
      ctx.out.drop();
      return undefined;
    }
    ctx.fail(thrown, ctx.imageOf(thrown));
  }
  ctx.json?.end(ctx.status);
  return ctx.status;
}

function closeQuietly(ctx: Context): void {
  try {
    ctx.images.close();
  } catch (thrown) {
    // The first failure is the one to tell; this one matters only to people who mend us.
    if (ctx.shell.env('FSU_DEBUG') !== undefined) ctx.shell.err(`${debugText(thrown)}\n`);
  }
}
