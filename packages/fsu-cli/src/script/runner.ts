/**
 * Runs lines of a script or of the interactive shell: each is a command like any other, with the images of all of them, and none
 * ends an edit. What a line is, lines.ts says; what happens to the edit, whoever runs the lines.
 */
import type { Ukfs } from 'ukfs';
import { commandNames, loadCommand } from '../commands/index.ts';
import { editOptionNames, HelpRequest, UsageError } from '../command.ts';
import type { Command, Invocation } from '../command.ts';
import { Context, namesScriptImage } from '../context.ts';
import type { ImageName, ImageSettings, Shell } from '../context.ts';
import { endIfSignalled } from '../edit.ts';
import { Exit } from '../errors.ts';
import type { JsonError } from '../format/json.ts';
import { safeText, styleName } from '../format/name.ts';
import { ClosedPipeError, STDOUT, StreamError } from '../out.ts';
import { placeOf } from '../place.ts';
import { suggestion } from '../suggest.ts';
import { understand } from '../understand.ts';
import type { Understood } from '../understand.ts';
import { commonBuiltins } from './builtins.ts';
import type { Builtin, Builtins, WorkingDir } from './builtins.ts';
import { inputOf } from './input.ts';
import type { ScriptLine } from './lines.ts';
import { expandWildcards, hasWildcard, plainText } from './wild.ts';

/** A usage error as documents tell it. */
export const usageError = ({ message }: { readonly message: string }): JsonError => ({
  errno: 'EINVAL',
  op: 'usage',
  path: undefined,
  place: undefined,
  message,
});

/** A line that can be run, so far as can be told without the image. */
export interface PlannedLine extends ScriptLine {
  readonly verb: string;
  readonly does:
    | { readonly kind: 'builtin'; readonly builtin: Builtin }
    | ({ readonly kind: 'command'; readonly command: Command } & Understood);
}

/** Commands with images or a life of their own. */
const REFUSED = new Set(['script', 'sh', 'mkfs', 'fsck', 'recover', 'browse', 'completion']);

const EDIT_OPTIONS = new Set(editOptionNames());

/** Lines between two looks at whether somebody wants us to end. */
const PATIENCE = 64;

interface RunnerOptions {
  readonly image: ImageName;
  /** What messages of a line begin with: `edits.fsu:12`. */
  readonly place: (line: number) => string;
  /** Standard input of lines that have none of their own. */
  readonly stdin: Shell['stdin'];
  /** Those beyond what all lines have. */
  readonly builtins?: Builtins;
}

export class Runner {
  readonly image: ImageName;
  /** Where cd went, in this image or another. */
  cwd: WorkingDir;
  /** set -e */
  stopsAtFailure = true;
  /** set -x */
  echoes = false;
  readonly #ctx: Context;
  readonly #options: RunnerOptions;
  readonly #builtins: Builtins;
  readonly #loaded = new Map<string, Command | undefined>();
  readonly #shell: Shell;
  #untilTurn = PATIENCE;

  constructor(ctx: Context, options: RunnerOptions) {
    this.#ctx = ctx;
    this.#options = options;
    this.image = options.image;
    this.cwd = { image: this.image, dir: '/' };
    this.#builtins = new Map([...commonBuiltins, ...(options.builtins ?? [])]);
    this.#shell = { ...ctx.shell, stdin: options.stdin };
  }

  /** UsageError: the line makes no sense, whatever the image holds. */
  async plan(line: ScriptLine): Promise<PlannedLine> {
    const [verb = '', ...words] = line.words;
    const builtin = this.#builtins.get(verb);
    if (builtin !== undefined) return { ...line, verb, does: { kind: 'builtin', builtin } };
    const command = await this.#command(verb);
    const { shell } = this.#ctx;
    try {
      const understood = await understand(command, { program: `fsu ${verb}`, words, image: this.image }, shell);
      const end = words.indexOf('--');
      const options = end < 0 ? words : words.slice(0, end);
      const whole = options.find(
        (word) => word.startsWith('--') && EDIT_OPTIONS.has(word.slice(2).split('=', 1)[0] ?? ''),
      );
      if (whole !== undefined)
        throw new UsageError(`${plainText(whole)} is for all lines together: say it to the script`);
      return { ...line, verb, does: { kind: 'command', command, ...understood } };
    } catch (thrown) {
      if (thrown instanceof HelpRequest) throw new UsageError(`'fsu help ${verb}' tells of it`, { cause: thrown });
      throw thrown;
    }
  }

  async #command(verb: string): Promise<Command> {
    if (REFUSED.has(verb)) throw new UsageError(`'${verb}' is no command for a script`);
    let command = this.#loaded.get(verb);
    command ??= await loadCommand(verb);
    if (command === undefined) {
      const near = suggestion(verb, [...commandNames(), ...this.#builtins.keys()]);
      const hint = near === undefined ? '' : `; did you mean '${near}'?`;
      throw new UsageError(`unknown command '${plainText(verb)}'${hint}`);
    }
    this.#loaded.set(verb, command);
    return command;
  }

  /** What messages of the line begin with. */
  place({ line }: ScriptLine): string {
    return this.#options.place(line);
  }

  /** The images that the lines edit without naming them as an operand. */
  edited(lines: readonly PlannedLine[]): readonly ImageName[] {
    const images = new Map<string, ImageName>();
    let { image: where } = this.cwd;
    for (const line of lines) {
      const { does } = line;
      if (line.verb === 'cd') {
        const place = placeOf(this.#context(line, line.verb, undefined, where), plainText(line.words[1] ?? '/'));
        if (place.kind === 'image') where = place.image;
      }
      if (does.kind !== 'command' || does.command.image !== 'write') continue;
      const image = this.#imageOf(does, where);
      images.set(image.text, image);
    }
    return [...images.values()];
  }

  /** The one that the line names, or the one that cd went to. */
  #imageOf({ settings: { image = this.image } }: Understood, where = this.cwd.image): ImageName {
    return image === this.image ? where : image;
  }

  /** Run a line; its exit status. Whatever it changed stays until somebody takes it back. */
  async run(line: PlannedLine): Promise<number> {
    const { does } = line;
    const name = `${this.place(line)}: ${line.verb}`;
    if (this.echoes)
      this.#ctx.shell.err(`+ ${line.words.map((word) => styleName(plainText(word), 'shell-escape')).join(' ')}\n`);
    const input = line.input === undefined ? undefined : await inputOf(line.input, this.#ctx.shell);
    const ctx = this.#context(line, name, input?.stdin);
    ctx.images.settle();
    try {
      await this.#turn();
      if (does.kind === 'builtin') ctx.raise(await does.builtin(this, ctx, await this.#expanded(line.words.slice(1))));
      else ctx.raise(await does.command.run(ctx, await this.#invocation(does)));
    } catch (thrown) {
      if (thrown instanceof ClosedPipeError || (thrown instanceof StreamError && thrown.stream === STDOUT))
        throw thrown;
      if (thrown instanceof UsageError) {
        ctx.warn(safeText(thrown.message));
        ctx.raise(does.kind === 'command' ? (does.command.statuses?.usage ?? Exit.usage) : Exit.usage);
        ctx.json?.error(usageError(thrown));
      } else ctx.fail(thrown, thrown instanceof StreamError ? thrown.stream : ctx.imageOf(thrown));
    } finally {
      input?.close();
    }
    if (ctx.json !== undefined) {
      ctx.json.end(ctx.status);
      for (const error of ctx.json.errors) this.#ctx.json?.error({ ...error, message: `${name}: ${error.message}` });
    }
    return ctx.status;
  }

  async #turn(): Promise<void> {
    this.#untilTurn--;
    if (this.#untilTurn > 0) return;
    this.#untilTurn = PATIENCE;
    const fs = this.#ctx.images.first;
    if (fs !== undefined) await endIfSignalled(this.#ctx, fs);
  }

  #context(line: PlannedLine, program: string, stdin?: Shell['stdin'], where = this.cwd.image): Context {
    const { settings } = this.#ctx;
    const own: ImageSettings = line.does.kind === 'command' ? line.does.settings : settings;
    return new Context({
      program,
      shell: stdin === undefined ? this.#shell : { ...this.#shell, stdin },
      images: this.#ctx.images,
      progress: this.#ctx.progress,
      schema: `fsu.${line.does.kind === 'command' ? line.does.command.name : line.verb}`,
      failed: line.does.kind === 'command' ? line.does.command.statuses?.failed : undefined,
      settings: {
        ...own,
        image: line.does.kind === 'command' ? this.#imageOf(line.does, where) : where,
        open: settings.open,
        edit: settings.edit,
        progress: settings.progress,
        script: { image: this.image, dir: this.cwd.dir },
        bytes: own.bytes || settings.bytes,
        json: settings.json === 'no' ? own.json : line.does.kind === 'command' ? 'document' : 'no',
      },
    });
  }

  fs(image: ImageName): Promise<Ukfs> {
    return this.#ctx.images.open(image);
  }

  say(text: string): void {
    if (this.#ctx.json === undefined) this.#ctx.out.text(`${text}\n`);
    else this.#ctx.shell.err(`${text}\n`);
  }

  /** Words with the names that their wildcards mean; `isOuter`: those that name files elsewhere, where there are none. */
  async #expanded(
    words: readonly string[],
    {
      image = this.cwd.image,
      isOuter = () => false,
    }: { readonly image?: ImageName | undefined; readonly isOuter?: (at: number) => boolean } = {},
  ): Promise<readonly string[]> {
    if (!words.some(hasWildcard)) return words;
    const expanded: string[] = [];
    for (const [at, word] of words.entries()) {
      if (!hasWildcard(word)) expanded.push(word);
      else if (namesScriptImage(word))
        for (const path of expandWildcards(await this.fs(this.image), '/', word.slice(1))) expanded.push(`:${path}`);
      else if (isOuter(at)) expanded.push(plainText(word));
      else for (const path of expandWildcards(await this.fs(image), this.cwd.dir, word)) expanded.push(path);
    }
    return expanded;
  }

  async #invocation(does: { readonly command: Command } & Understood): Promise<Invocation> {
    const { command, args } = does;
    const { operands, options, own } = args;
    const line = { operands: operands.map(plainText), options, shell: this.#shell };
    const isOuter = (at: number): boolean => command.outer?.(at, line) === true;
    return {
      operands: await this.#expanded(operands, { image: this.#imageOf(does), isOuter }),
      options: options.some(({ value }) => hasWildcard(value))
        ? options.map(({ name, value }) => ({ name, value: plainText(value) }))
        : options,
      own: own.map(plainText),
    };
  }
}
