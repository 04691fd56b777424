/** -m of mkdir, mkfifo and mknod: the mode of what is made. */
import type { Ukfs } from 'ukfs';
import { UsageError } from '../command.ts';
import type { OptionSpec } from '../command.ts';
import { parseMode } from '../format/modechange.ts';
import type { ModeChange } from '../format/modechange.ts';
import type { Given } from '../given.ts';

export const modeOption: OptionSpec = {
  flags: '-m, --mode <mode>',
  summary: 'its permissions, as chmod takes them; no umask cuts them',
};

/** UsageError. */
export function modeGiven(given: Given): ModeChange | undefined {
  const text = given.value('mode');
  return text === undefined ? undefined : modeOf(text);
}

/** UsageError. */
export function modeOf(text: string): ModeChange {
  const change = parseMode(text);
  if (change === undefined) throw new UsageError(`'${text}' is no mode`);
  return change;
}

/** The umask of those who change the image. */
export function umaskOf(fs: Pick<Ukfs, 'umask'>): number {
  const mask = fs.umask(0);
  fs.umask(mask);
  return mask;
}

/** Give a file just made the mode asked for, which speaks of `from`; what it took over from its directory stays. */
export function setNewMode(fs: Ukfs, path: string, made: { readonly change: ModeChange; readonly from: number }): void {
  const { type, mode } = fs.lstat(path);
  const isDirectory = type === 'dir';
  const from = made.from | (isDirectory ? mode & 0o6000 : 0);
  fs.lchmod(path, made.change.adjust(from, { isDirectory, umask: umaskOf(fs) }));
}
