/** sh: the lines of a script, typed by a person: staged until `commit`. */
import { FsError } from 'ukfs';
import { UsageError } from '../command.ts';
import type { Command, Invocation } from '../command.ts';
import { addressName } from '../context.ts';
import type { Context, ImageName } from '../context.ts';
import { commitEdits } from '../edit.ts';
import { linesOf, reportOf } from '../edit/report.ts';
import { Exit } from '../errors.ts';
import { safeText } from '../format/name.ts';
import type { Builtin } from '../script/builtins.ts';
import { completeLine } from '../script/completing.ts';
import { newState, readScript } from '../script/lines.ts';
import type { ScriptLine } from '../script/lines.ts';
import { Marks } from '../script/marks.ts';
import { Runner } from '../script/runner.ts';
import { script } from './script.ts';

export const sh: Command = {
  name: 'sh',
  summary: 'Type commands on an image; nothing of it is changed before commit.',
  synopsis: { addresses: 'IMAGE', paths: '[DIR]' },
  options: [{ flags: '--commit', summary: 'at the end, commit what is staged without asking' }],
  examples: [
    { command: 'fsu sh disk.img', does: 'cd, ls, rm …; changes, undo, discard, commit; exit' },
    { command: 'fsu sh disk.img < edits.fsu', does: 'without a terminal it is fsu script' },
  ],
  image: 'write',
  run,
};

async function run(ctx: Context, args: Invocation): Promise<number> {
  if (ctx.settings.image === undefined && args.operands.length === 0) throw new UsageError('no image given');
  if (!ctx.shell.stdin.isTTY || !ctx.out.isTTY || ctx.json !== undefined)
    return script.run(ctx, { ...args, options: [], operands: ['-', ...args.operands] });
  const { image, path } = imageOf(ctx, args.operands);
  const shell = new Shell(ctx, image);
  if (!(await shell.enter(path ?? '/'))) return ctx.status;
  return shell.run({ commits: args.options.some(({ name }) => name === 'commit') });
}

function imageOf(
  ctx: Context,
  operands: readonly string[],
): { readonly image: ImageName; readonly path: string | undefined } {
  const [first, ...more] = operands;
  if (more.length > 0) throw new UsageError(`too many operands: '${more[0] ?? ''}'`);
  if (ctx.settings.image !== undefined) return { image: ctx.settings.image, path: first };
  if (first === undefined) throw new UsageError('no image given');
  return addressName(first, ctx.shell);
}

class Shell {
  readonly #ctx: Context;
  readonly #runner: Runner;
  readonly #state = newState();
  readonly #builtins: ReadonlyMap<string, Builtin>;
  /** A mark before each line that edited something. */
  #undo: Marks[] = [];
  #isDone = false;

  constructor(ctx: Context, image: ImageName) {
    this.#ctx = ctx;
    this.#builtins = this.#own();
    this.#runner = new Runner(ctx, {
      image,
      place: () => 'fsu',
      stdin: ctx.shell.stdin,
      builtins: this.#builtins,
    });
  }

  #own(): ReadonlyMap<string, Builtin> {
    const leave: Builtin = (_, ctx) => {
      this.#isDone = true;
      return ctx.status;
    };
    return new Map<string, Builtin>([
      ['changes', (_, ctx) => this.#tellChanges(ctx)],
      [
        'commit',
        async (_, ctx) => {
          await commitEdits(ctx);
          this.#undo = [];
          return ctx.status;
        },
      ],
      ['discard', (_, ctx) => this.#discard(ctx)],
      ['undo', (_, ctx) => this.#takeBack(ctx)],
      ['exit', leave],
      ['quit', leave],
    ]);
  }

  async enter(dir: string): Promise<boolean> {
    try {
      const fs = await this.#runner.fs(this.#runner.image);
      if (fs.stat(dir).type !== 'dir') throw new FsError('ENOTDIR');
      this.#runner.cwd = { ...this.#runner.cwd, dir };
      return true;
    } catch (thrown) {
      if (!(thrown instanceof FsError)) throw thrown;
      this.#ctx.fail(thrown, this.#runner.image, { opening: true });
      return false;
    }
  }

  async run({ commits }: { readonly commits: boolean }): Promise<number> {
    const terminal = await this.#ctx.shell.terminal();
    const complete = (line: string) =>
      completeLine(line, {
        dir: this.#runner.cwd.dir,
        builtins: [...this.#builtins.keys(), 'cd', 'echo', 'pwd', 'set'],
        fs: () => this.#runner.fs(this.#runner.cwd.image),
      });
    let text = '';
    while (!this.#isDone) {
      this.#ctx.out.flush();
      const { image, dir } = this.#runner.cwd;
      const prompt = text === '' ? `${safeText(image.text)}:${safeText(dir)}> ` : '> ';
      const line = await terminal.ask(prompt, complete);
      if (line === undefined) {
        this.#ctx.out.text('\n');
        return this.#atEnd(commits);
      }
      text = line === '' && text !== '' ? '' : `${text}${line}\n`;
      const { lines, problems } = readScript(text, this.#state);
      if (problems.some(({ incomplete }) => incomplete)) continue;
      text = '';
      for (const { message } of problems) this.#ctx.shell.err(`fsu: ${safeText(message)}\n`);
      if (problems.length > 0) continue;
      const status = await this.#runAll(lines);
      if (status === Exit.interrupted) return status;
    }
    if (commits || !this.#isChanged()) return this.#atEnd(commits);
    const answer = await terminal.ask('There are changes that are not committed. Commit them? [y/N] ');
    return this.#atEnd(/^y(es)?$/i.test((answer ?? '').trim()));
  }

  async #runAll(lines: readonly ScriptLine[]): Promise<number> {
    for (const line of lines) {
      const status = await this.#runOne(line);
      if (status !== 0 && !line.ignore) return status;
    }
    return Exit.done;
  }

  async #runOne(line: ScriptLine): Promise<number> {
    const marks = new Marks(this.#ctx.images);
    let status: number = Exit.usage;
    let edits = false;
    try {
      const planned = await this.#runner.plan(line);
      if (planned.does.kind === 'builtin') {
        marks.end('keep');
        return await this.#runner.run(planned);
      }
      edits = planned.does.command.image === 'write';
      status = await this.#runner.run(planned);
    } catch (thrown) {
      if (!(thrown instanceof UsageError)) throw thrown;
      this.#ctx.shell.err(`fsu: ${safeText(thrown.message)}\n`);
    }
    if (status !== 0) marks.end('take back');
    else if (edits) this.#undo.push(marks);
    else marks.end('keep');
    return status;
  }

  #isChanged(): boolean {
    return this.#ctx.images.edited.some(({ fs }) => fs.changes().bytes > 0);
  }

  #tellChanges(ctx: Context): number {
    for (const { name, fs } of this.#ctx.images.edited)
      for (const line of linesOf(name.text, reportOf(fs))) ctx.out.text(`${line}\n`);
    return ctx.status;
  }

  #takeBack(ctx: Context): number {
    const last = this.#undo.pop();
    if (last === undefined) throw new UsageError('nothing to undo');
    last.end('take back');
    return ctx.status;
  }

  #discard(ctx: Context): number {
    this.#undo = [];
    for (const { fs } of this.#ctx.images.edited) fs.discard();
    this.#ctx.images.forgetActs(0);
    return ctx.status;
  }

  /** What is left staged is committed by whoever ran us. */
  #atEnd(commits: boolean): number {
    if (commits || !this.#isChanged()) return this.#ctx.status;
    this.#discard(this.#ctx);
    this.#ctx.warn('what was not committed is gone');
    return this.#ctx.status;
  }
}
