/** script: many commands on an image, one a line, as one transaction. */
import { FsError, nameFromBytes } from 'ukfs';
import { UsageError } from '../command.ts';
import type { Command, Invocation } from '../command.ts';
import { addressName } from '../context.ts';
import type { Context, ImageName } from '../context.ts';
import { commitEdits } from '../edit.ts';
import { Exit } from '../errors.ts';
import { jsonName, safeText } from '../format/name.ts';
import { Given } from '../given.ts';
import { STDIN, StreamError } from '../out.ts';
import type { Builtin } from '../script/builtins.ts';
import { noInput } from '../script/input.ts';
import { newState, readScript } from '../script/lines.ts';
import { Marks } from '../script/marks.ts';
import { Runner, usageError } from '../script/runner.ts';
import type { PlannedLine } from '../script/runner.ts';
import { plainText } from '../script/wild.ts';

export const script: Command = {
  name: 'script',
  summary: 'Run many commands on an image, one a line: all of them or nothing.',
  synopsis: { addresses: '[-c COMMANDS | FILE] IMAGE', paths: '[FILE]' },
  options: [
    { flags: '-c, --command <text>', summary: 'the commands themselves, instead of a file with them' },
    { flags: '-D, --set <name=value>', summary: 'a variable' },
    { flags: '--env <name>', summary: 'a variable from the environment; no other is seen' },
    { flags: '-n, --no-exec', summary: 'only read the script and say what is wrong with it' },
    { flags: '-x, --trace', summary: 'show each command on standard error before it runs' },
    { flags: '--seed <text>', summary: 'inode generations follow from this text: the same edit gives the same bytes' },
    { flags: '--no-atomic', summary: 'commit lines end a part of the edit, which stays when a later line fails' },
  ],
  examples: [
    { command: 'fsu script edits.fsu disk.img', does: 'a file of commands: write, mkdir, chmod …' },
    { command: "fsu script -c 'rm -rf /tmp/*; mkdir /srv' disk.img:2", does: 'the commands themselves' },
    { command: 'fsu_script -D host=web1 disk.img < edits.fsu', does: 'with $host in it' },
  ],
  image: 'write',
  imagePath: 'last',
  run,
};

interface Work {
  readonly image: ImageName;
  readonly dir: string | undefined;
  /** As messages name it. */
  readonly name: string;
  readonly text: string;
  readonly fromStdin: boolean;
}

async function run(ctx: Context, args: Invocation): Promise<number> {
  const given = new Given(args);
  ctx.images.seed = given.value('seed');
  const work = await workOf(ctx, args);
  const state = newState(variablesOf(ctx, args));
  const atomic = !given.has('no-atomic');
  const runner = new Runner(ctx, {
    image: work.image,
    place: (line) => `${safeText(work.name)}:${line}`,
    stdin: work.fromStdin ? noInput : ctx.shell.stdin,
    builtins: new Map([['commit', commitOf(atomic)]]),
  });
  runner.echoes = given.has('trace');
  const planned = await plan(ctx, work, { state, runner });
  if (planned === undefined || given.has('no-exec')) return ctx.status;
  for (const image of runner.edited(planned)) await ctx.tryOpenForWriting(image);
  if (ctx.status !== 0 || !(await enter(ctx, runner, work))) return ctx.status;
  ctx.json?.array('lines');
  for (const line of planned) {
    const status = await runLine(ctx, runner, line);
    if (status === 0) continue;
    if (isIgnored(line, status)) {
      ctx.shell.err(`${runner.place(line)}: ignored\n`);
      continue;
    }
    if (runner.stopsAtFailure || status === Exit.interrupted) {
      ctx.raise(status);
      break;
    }
    ctx.excuse(status);
  }
  return ctx.status;
}

/** undefined: something in it makes no sense, which has been said. */
async function plan(
  ctx: Context,
  { name, text }: Work,
  { state, runner }: { readonly state: ReturnType<typeof newState>; readonly runner: Runner },
): Promise<readonly PlannedLine[] | undefined> {
  const { lines, problems } = readScript(text, state);
  const wrong: { readonly line: number; readonly message: string }[] = [...problems];
  const planned: PlannedLine[] = [];
  for (const line of lines) {
    try {
      planned.push(await runner.plan(line));
    } catch (thrown) {
      if (!(thrown instanceof UsageError)) throw thrown;
      wrong.push({ line: line.line, message: `${plainText(line.words[0] ?? '')}: ${thrown.message}` });
    }
  }
  if (wrong.length === 0) return planned;
  for (const { line, message } of wrong.sort((a, b) => a.line - b.line)) {
    const told = `${name}:${line}: ${message}`;
    ctx.shell.err(`${safeText(told)}\n`);
    ctx.json?.error(usageError({ message: told }));
  }
  ctx.raise(Exit.usage);
  return undefined;
}

/** Whoever interrupts means all of it. */
const isIgnored = ({ ignore }: PlannedLine, status: number): boolean =>
  ignore && status !== 0 && status !== Exit.interrupted;

async function runLine(ctx: Context, runner: Runner, line: PlannedLine): Promise<number> {
  if (ctx.json !== undefined) {
    const words = line.words.map((word) => jsonName(plainText(word)).text);
    ctx.json.elementText(JSON.stringify({ line: line.line, command: words }).slice(0, -1));
    if (line.does.kind === 'command') ctx.out.text(',"result":');
  }
  // The line that fails takes back what it did, and no other's.
  const marks = line.ignore || !runner.stopsAtFailure ? new Marks(ctx.images) : undefined;
  const status = await runner.run(line);
  marks?.end(status === 0 ? 'keep' : 'take back');
  const ignored = isIgnored(line, status);
  if (ctx.json !== undefined) ctx.out.text(`,"status":${status}${ignored ? ',"ignored":true' : ''}}`);
  return status;
}

/** `commit` in a script. */
const commitOf =
  (atomic: boolean): Builtin =>
  async (_, ctx) => {
    if (atomic) throw new UsageError('the script is one transaction; --no-atomic lets it have several');
    await commitEdits(ctx);
    return ctx.status;
  };

/** The directory that the image's address names. */
async function enter(ctx: Context, runner: Runner, { image, dir }: Work): Promise<boolean> {
  if (dir === undefined || dir === '/') return true;
  try {
    const fs = await ctx.images.open(image);
    if (fs.stat(dir).type !== 'dir') throw new FsError('ENOTDIR');
    runner.cwd = { image, dir };
    return true;
  } catch (thrown) {
    if (!(thrown instanceof FsError)) throw thrown;
    ctx.fail(thrown, { image, path: dir, shown: dir });
    return false;
  }
}

async function workOf(ctx: Context, args: Invocation): Promise<Work> {
  const text = new Given(args).value('command');
  const words = [...args.operands];
  const file = text === undefined && (ctx.settings.image === undefined || words.length > 0) ? words.shift() : undefined;
  const { image, path: dir } = imageOf(ctx, words);
  if (text !== undefined) return { image, dir, name: '-c', text, fromStdin: false };
  if (file === undefined || file === '-')
    return { image, dir, name: '-', text: await scriptText(ctx, '-'), fromStdin: true };
  return { image, dir, name: file, text: await scriptText(ctx, file), fromStdin: false };
}

function imageOf(ctx: Context, words: string[]): { readonly image: ImageName; readonly path: string | undefined } {
  const given = ctx.settings.image;
  const word = words.shift();
  if (words.length > 0) throw new UsageError(`too many operands: '${words[0] ?? ''}'`);
  if (given !== undefined) return { image: given, path: word };
  if (word === undefined) throw new UsageError('say which script, and which image');
  return addressName(word, ctx.shell);
}

/** A script is read whole before it runs. */
const SCRIPT_MAX = 64 * 1024 * 1024;
const BUFFER = 64 * 1024;

async function scriptText(ctx: Context, file: string): Promise<string> {
  const host = await ctx.shell.host();
  let reader: ReturnType<typeof host.openForReading> | undefined;
  const pieces: Uint8Array[] = [];
  let length = 0;
  try {
    if (file !== '-') reader = host.openForReading(file);
    for (;;) {
      const buffer = new Uint8Array(BUFFER);
      const n = reader === undefined ? ctx.shell.stdin.read(buffer) : reader.read(buffer);
      if (n === 0) break;
      pieces.push(buffer.subarray(0, n));
      length += n;
      if (length > SCRIPT_MAX)
        throw new StreamError(file === '-' ? STDIN : file, 'EFBIG', undefined, 'larger than 64 MiB');
    }
  } catch (thrown) {
    throw thrown instanceof FsError ? new StreamError(file, thrown.code, thrown) : thrown;
  } finally {
    reader?.close();
  }
  const whole = new Uint8Array(length);
  let at = 0;
  for (const piece of pieces) {
    whole.set(piece, at);
    at += piece.length;
  }
  return nameFromBytes(whole);
}

function variablesOf(ctx: Context, { options }: Invocation): Map<string, string> {
  const variables = new Map<string, string>();
  for (const { name, value } of options) {
    if (name === 'set') {
      const [, key, text] = /^([A-Za-z_][A-Za-z0-9_]*)=(.*)$/s.exec(value) ?? [];
      if (key === undefined || text === undefined) throw new UsageError(`--set: '${value}' is no NAME=value`);
      variables.set(key, text);
    } else if (name === 'env') {
      const text = ctx.shell.env(value);
      // One that is not set stays so: ${NAME:-default} has a word for that.
      if (text !== undefined) variables.set(value, text);
    }
  }
  return variables;
}
