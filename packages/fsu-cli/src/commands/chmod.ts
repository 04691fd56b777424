/** chmod: permissions of files and trees in an image, as one transaction for each image. */
import type { FsTraits, Ukfs } from 'ukfs';
import { changeReached, Tally, tellingOf, tellingOptions } from '../attrs/change.ts';
import type { ChangeOne } from '../attrs/change.ts';
import { modeOf, umaskOf } from '../attrs/newmode.ts';
import { Reference, referenceOption } from '../attrs/reference.ts';
import { eachTarget } from '../attrs/targets.ts';
import { reachOf, reachOptions } from '../attrs/visit.ts';
import { UsageError } from '../command.ts';
import type { Command, Invocation } from '../command.ts';
import type { Context, Target } from '../context.ts';
import { octalMode } from '../format/mode.ts';
import { exactMode } from '../format/modechange.ts';
import type { ModeChange } from '../format/modechange.ts';
import { Given } from '../given.ts';

export const chmod: Command = {
  name: 'chmod',
  summary: 'Change permissions in an image: of all files or none.',
  synopsis: { addresses: 'MODE ADDRESS...', paths: 'MODE PATH...' },
  options: [...reachOptions, ...tellingOptions, referenceOption('the mode of this file')],
  examples: [
    { command: 'fsu chmod 0644 disk.img:/etc/motd', does: 'an octal mode' },
    { command: 'fsu chmod -R u=rwX,go-w disk.img:2/srv', does: 'a symbolic one, over a tree' },
    { command: 'fsu_chmod disk.img -x /etc/rc.local', does: 'the way of fs-utils' },
  ],
  image: 'write',
  imagePath: 'last',
  takeOwn,
  run,
};

/** `-x`, `-rwx`, `-w,g+w`, `-7`: modes that look like options; options may stand before one in its word, as in `-Rx`. */
const DASHED = /^-([RHLPhfvc]*)([rwxXstugo].*|[0-7]+)$/;

function takeOwn(given: readonly string[]): { readonly words: readonly string[]; readonly own: readonly string[] } {
  const words: string[] = [];
  const own: string[] = [];
  for (const [at, word] of given.entries()) {
    if (word === '--') {
      words.push(...given.slice(at));
      break;
    }
    const [, options = '', mode] = DASHED.exec(word) ?? [];
    if (mode === undefined) words.push(word);
    else own.push(`-${mode}`);
    if (mode !== undefined && options !== '') words.push(`-${options}`);
  }
  return { words, own };
}

async function run(ctx: Context, args: Invocation): Promise<number> {
  const given = new Given(args);
  const reference = Reference.of(ctx, given);
  const files = [...args.operands];
  const word = args.own.length > 0 ? args.own.join(',') : reference === undefined ? files.shift() : undefined;
  if (word !== undefined && reference !== undefined) throw new UsageError('--reference and a mode exclude each other');
  if (word === undefined && reference === undefined) throw new UsageError('no mode given');
  if (files.length === 0) throw new UsageError('no file to change given');
  const asked = word === undefined ? undefined : modeOf(word);
  const reach = reachOf(given, 'operands');
  const telling = tellingOf(ctx, given);
  const tally = new Tally();
  const act = (fs: Ukfs, target: Target): void => {
    const mode = asked ?? exactMode(reference?.stat.mode ?? 0);
    changeReached(ctx, fs, target, { change: changer(mode, umaskOf(fs), reach.nofollow), reach, tally, ...telling });
  };
  await eachTarget(ctx, ctx.targets(files), act, { refuse, prepare: reference?.prepare });
  tally.tell(ctx);
  return ctx.status;
}

/** Who keeps no owners keeps no permissions that could tell them apart. */
const refuse = ({ owners }: FsTraits): string | undefined => (owners ? undefined : 'keeps no permissions');

function changer(change: ModeChange, umask: number, ofLinks: boolean): ChangeOne {
  return (fs, { path, stat, follow }) => {
    // Links met on the way have no permissions that matter; -h says that they are meant.
    if (stat.type === 'lnk' && !ofLinks) return undefined;
    const mode = change.adjust(stat.mode, { isDirectory: stat.type === 'dir', umask });
    if (mode === stat.mode) return undefined;
    if (follow) fs.chmod(path, mode);
    else fs.lchmod(path, mode);
    return `${octalMode(stat.mode)} -> ${octalMode(mode)}`;
  };
}
