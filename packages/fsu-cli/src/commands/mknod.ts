/** mknod: devices and FIFOs in an image, as one transaction. */
import { FsError } from 'ukfs';
import type { FsTraits, Rdev, Ukfs } from 'ukfs';
import { deviceFormats, packDevice } from '../attrs/devnumber.ts';
import { modeGiven, modeOption, setNewMode } from '../attrs/newmode.ts';
import { resolveOwner } from '../attrs/ownerspec.ts';
import { eachTarget } from '../attrs/targets.ts';
import { UsageError } from '../command.ts';
import type { Command, Invocation } from '../command.ts';
import type { Context } from '../context.ts';
import type { ModeChange } from '../format/modechange.ts';
import { Given } from '../given.ts';
import { Owners } from '../owners.ts';

export const mknod: Command = {
  name: 'mknod',
  summary: 'Make a device or a FIFO in an image.',
  synopsis: { addresses: 'ADDRESS TYPE [MAJOR MINOR]', paths: 'PATH TYPE [MAJOR MINOR]' },
  options: [
    { flags: '-F <format>', summary: 'numbers as this system packs them', choices: deviceFormats },
    modeOption,
    { flags: '-u, --owner <user>', summary: "its owner: a name of the image's /etc/passwd, or a number" },
    { flags: '-g, --group <group>', summary: "its group: a name of the image's /etc/group, or a number" },
    { flags: '-r, --replace', summary: 'one that is there may stay if it is such a one, and is replaced otherwise' },
    { flags: '-R, --correct', summary: 'as -r, and mode, owner and group of one that stays are set' },
  ],
  examples: [
    { command: 'fsu mknod disk.img:/dev/null c 1 3', does: 'a character device' },
    { command: 'fsu mknod -m 660 -g disk disk.img:/dev/sda b 8 0', does: 'a block device' },
    { command: 'fsu_mknod disk.img /run/pipe p', does: 'a FIFO' },
  ],
  image: 'write',
  run,
};

interface Node {
  readonly type: 'chr' | 'blk' | 'fifo';
  readonly rdev: Rdev | undefined;
}

interface Wanted extends Node {
  readonly mode: ModeChange | undefined;
  readonly owner: string | undefined;
  readonly group: string | undefined;
  readonly replace: boolean;
  readonly correct: boolean;
}

async function run(ctx: Context, args: Invocation): Promise<number> {
  const given = new Given(args);
  const [name, ...words] = args.operands;
  if (name === undefined) throw new UsageError('no file to make given');
  const node = {
    ...nodeOf(words, given.value('F') ?? 'native'),
    mode: modeGiven(given),
    owner: given.value('owner'),
    group: given.value('group'),
    replace: given.has('replace', 'correct'),
    correct: given.has('correct'),
  };
  let created = 0;
  const refuse = ({ devices }: FsTraits): string | undefined => (devices ? undefined : 'has no devices and no FIFOs');
  const act = (fs: Ukfs, { path }: { readonly path: string }): void => {
    if (make(fs, path, node)) created++;
  };
  await eachTarget(ctx, ctx.targets([name]), act, { refuse });
  ctx.json?.member('created', created);
  return ctx.status;
}

/** False: there is such a one already. */
function make(fs: Ukfs, path: string, wanted: Wanted): boolean {
  const { type, rdev, mode, owner, group, replace, correct } = wanted;
  // Who is not known makes no node.
  const ids = resolveOwner(new Owners(fs), { owner, group, loginGroup: false });
  const stays = replace && isThere(fs, path, wanted);
  if (!stays) {
    if (type === 'fifo') fs.mkfifo(path, 0o666);
    else fs.mknod(path, type, 0o666, rdev);
  }
  if (stays && !correct) return false;
  if (mode !== undefined) setNewMode(fs, path, { change: mode, from: 0o666 });
  if (ids.uid !== -1 || ids.gid !== -1) fs.lchown(path, ids.uid, ids.gid);
  return !stays;
}

/** Is the very node there? Another one is removed, if it is no directory. */
function isThere(fs: Ukfs, path: string, { type, rdev }: Node): boolean {
  try {
    const stat = fs.lstat(path);
    if (stat.type === type && stat.rdev?.major === rdev?.major && stat.rdev?.minor === rdev?.minor) return true;
    fs.unlink(path);
  } catch (thrown) {
    if (!(thrown instanceof FsError && thrown.code === 'ENOENT')) throw thrown;
  }
  return false;
}

/** UsageError. */
function nodeOf([letter, ...numbers]: readonly string[], format: string): Node {
  if (letter === 'p') {
    if (numbers.length > 0) throw new UsageError('a FIFO has no numbers');
    return { type: 'fifo', rdev: undefined };
  }
  if (letter !== 'b' && letter !== 'c' && letter !== 'u')
    throw new UsageError(letter === undefined ? 'no type given: b, c or p' : `'${letter}' is no type: b, c or p`);
  if (numbers.length === 0) throw new UsageError('a device needs its numbers');
  const rdev = packDevice(format, numbers.map(numberOf));
  if (rdev === undefined) throw new UsageError(`'${numbers.join(' ')}' are no device numbers of ${format}`);
  return { type: letter === 'b' ? 'blk' : 'chr', rdev };
}

/** `3`, `0x3`, `03`: as C has them. UsageError. */
function numberOf(text: string): number {
  if (!/^(0x[0-9a-f]+|0[0-7]*|[1-9]\d*)$/i.test(text)) throw new UsageError(`'${text}' is no number`);
  const value = /^0[0-7]/.test(text) ? Number.parseInt(text, 8) : Number(text);
  if (value > 0xffff_ffff) throw new UsageError(`'${text}' is too large`);
  return value;
}
