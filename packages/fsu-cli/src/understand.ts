/** From the words behind a command's name to its settings, options and operands: the same for a process and a line of a script. */
import { splitClassic, splitModern } from './args.ts';
import { parseArguments, shapesOf, UsageError } from './command.ts';
import type { Command, Invocation } from './command.ts';
import { settingsOf } from './context.ts';
import type { ImageName, ImageSettings, Shell } from './context.ts';

/** A command line that was understood. */
export interface Understood {
  readonly settings: ImageSettings;
  readonly args: Invocation;
}

/**
 * Read the words after a command's name. `image`: the one that paths mean when the words name none. UsageError, HelpRequest.
 */
export async function understand(
  command: Command,
  line: { readonly program: string; readonly words: readonly string[]; readonly image?: ImageName | undefined },
  shell: Shell,
): Promise<Understood> {
  const { program, words } = line;
  const shapes = shapesOf(command);
  const classic = program.startsWith('fsu_') && command.image !== 'none';
  const isGiven = line.image !== undefined || shell.env('FSU_DEVICE') !== undefined;
  const split = classic ? splitClassic(words, shapes, isGiven) : splitModern(words, shapes);
  const { words: common, own } = command.takeOwn?.(split.words) ?? { words: split.words, own: [] };
  const invocation = await parseArguments(command, program, common, shapes);
  const shape = { ...split, given: line.image, writes: command.image === 'write' };
  const { settings, rest, path } = settingsOf(invocation.options, shape, shell);
  if (classic && settings.image === undefined) throw new UsageError('no image given');
  const inImage = path === undefined ? [] : [path];
  const operands =
    command.imagePath === 'last' ? [...invocation.operands, ...inImage] : [...inImage, ...invocation.operands];
  return { settings, args: { options: rest, operands, own } };
}
