/** What a line can say that is no command on an image: where relative paths begin, how failures count. */
import { FsError } from 'ukfs';
import { UsageError } from '../command.ts';
import { addressText } from '../context.ts';
import type { Context, ImageName } from '../context.ts';
import { placeOf } from '../place.ts';

/** Where a line's paths begin. */
export interface WorkingDir {
  readonly image: ImageName;
  readonly dir: string;
}

/** Of the runner, what they see and change. */
interface Surroundings {
  /** The script's image. */
  readonly image: ImageName;
  cwd: WorkingDir;
  stopsAtFailure: boolean;
  echoes: boolean;
  /** A line of text on standard output; in the midst of a JSON document, which has no place for it, on standard error. */
  say(text: string): void;
}

export type Builtin = (around: Surroundings, ctx: Context, words: readonly string[]) => Promise<number> | number;
export type Builtins = ReadonlyMap<string, Builtin>;

async function cd(around: Surroundings, ctx: Context, words: readonly string[]): Promise<number> {
  const [word = '/', ...more] = words;
  if (more.length > 0) throw new UsageError(`too many operands: '${more[0] ?? ''}'`);
  const place = placeOf(ctx, word);
  if (place.kind !== 'image') throw new UsageError(`'${word}' is no directory of an image`);
  const fs = await ctx.tryOpen(place.image);
  if (fs === undefined) return ctx.status;
  try {
    fs.chdir(place.path);
    around.cwd = { image: place.image, dir: fs.getcwd() };
    // The handle's own directory stays the root: one that is removed must not hold it.
    fs.chdir('/');
  } catch (thrown) {
    if (!(thrown instanceof FsError)) throw thrown;
    ctx.fail(thrown, place);
  }
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
      const { image, dir } = around.cwd;
      around.say(ctx.shownName(image.text === around.image.text ? dir : addressText(image, dir)));
      return ctx.status;
    },
  ],
  ['set', set],
]);
