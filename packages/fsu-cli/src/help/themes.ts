/** What kind of work each command is for: how `fsu help` and fsu(1) group them. */
import type { Command } from '../command.ts';
import { commandNames, loadCommand } from '../commands/index.ts';

interface Theme {
  readonly title: string;
  readonly commands: readonly Command[];
}

const READING = 'Reading';
const EDITING = 'Editing';
const IMAGES = 'Images';
const SCRIPTING = 'Scripting';
const HELP = 'Help';

/** Of those that go elsewhere than what they do with an image tells. */
const placed: Readonly<Record<string, string>> = {
  apply: SCRIPTING,
  diff: SCRIPTING,
  exec: SCRIPTING,
  fsck: IMAGES,
  info: IMAGES,
  mkfs: IMAGES,
  mtree: SCRIPTING,
  patch: SCRIPTING,
  recover: IMAGES,
  script: SCRIPTING,
  sh: SCRIPTING,
};

export function themeOf({ name, image }: Command): string {
  return placed[name] ?? { read: READING, write: EDITING, none: HELP }[image];
}

/** Every command, in the order in which help lists them. */
export async function themes(): Promise<readonly Theme[]> {
  const commands = (await Promise.all(commandNames().map(loadCommand))).filter((command) => command !== undefined);
  return [READING, EDITING, IMAGES, SCRIPTING, HELP]
    .map((title) => ({ title, commands: commands.filter((command) => themeOf(command) === title) }))
    .filter((theme) => theme.commands.length > 0);
}
