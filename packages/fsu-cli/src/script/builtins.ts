/** What a line can say that is no command on an image: where relative paths begin, how failures count. */
import { UsageError } from '../command.ts';
import type { Context } from '../context.ts';

/** Of the runner, what they see and change. */
interface Surroundings {
  dir: string;
  stopsAtFailure: boolean;
  echoes: boolean;
  /** A line of text on standard output; in the midst of a JSON document, which has no place for it, on standard error. */
  say(text: string): void;
  fs(): Promise<{ chdir(path: string): void; getcwd(): string }>;
}

export type Builtin = (around: Surroundings, ctx: Context, words: readonly string[]) => Promise<number> | number;
export type Builtins = ReadonlyMap<string, Builtin>;

async function cd(around: Surroundings, ctx: Context, words: readonly string[]): Promise<number> {
  const [word = '/', ...more] = words;
  if (more.length > 0) throw new UsageError(`too many operands: '${more[0] ?? ''}'`);
  const [target] = ctx.targets([word]);
  const fs = await around.fs();
  fs.chdir(target?.path ?? '/');
  around.dir = fs.getcwd();
  // The handle's own directory stays the root: one that is removed must not hold it.
  fs.chdir('/');
  return ctx.status;
}

/** What concerns the reading of lines has been done by lines.ts. */
function set(around: Surroundings, ctx: Context, words: readonly string[]): number {
  for (const word of words) {
    if (word.includes('e')) around.stopsAtFailure = word.startsWith('-');
    if (word.includes('x')) around.echoes = word.startsWith('-');
  }
  return ctx.status;
}

export const commonBuiltins: Builtins = new Map<string, Builtin>([
  ['cd', cd],
  [
    'echo',
    (around, ctx, words) => {
      around.say(words.join(' '));
      return ctx.status;
    },
  ],
  [
    'pwd',
    (around, ctx) => {
      around.say(ctx.shownName(around.dir));
      return ctx.status;
    },
  ],
  ['set', set],
]);
