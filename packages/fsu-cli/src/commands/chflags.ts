/** chflags: file flags in an image, as one transaction for each image. */
import { FsError } from 'ukfs';
import type { Ukfs } from 'ukfs';
import { changeReached, Tally, tellingOf, tellingOptions } from '../attrs/change.ts';
import type { ChangeOne } from '../attrs/change.ts';
import { eachTarget } from '../attrs/targets.ts';
import { reachOf, reachOptions } from '../attrs/visit.ts';
import { UsageError } from '../command.ts';
import type { Command, Invocation } from '../command.ts';
import type { Context, Target } from '../context.ts';
import { flagsText, parseFlags } from '../format/flags.ts';
import type { FlagChange } from '../format/flags.ts';
import { Given } from '../given.ts';

export const chflags: Command = {
  name: 'chflags',
  summary: 'Change file flags in an image: of all files or none.',
  synopsis: { addresses: 'FLAGS ADDRESS...', paths: 'FLAGS PATH...' },
  options: [...reachOptions, ...tellingOptions],
  examples: [
    { command: 'fsu chflags schg disk.img:/etc/passwd', does: 'nobody may change it' },
    { command: 'fsu chflags -R noschg,nodump disk.img:/var', does: 'one is taken away, one set, over a tree' },
    { command: 'fsu_chflags disk.img -- -i /etc/passwd', does: "by chattr's letters" },
  ],
  image: 'write',
  imagePath: 'last',
  takeOwn,
  run,
};

/** chattr's `-i`, `-ad`. */
const DASHED = /^-[adi]+$/;

function takeOwn(given: readonly string[]): { readonly words: readonly string[]; readonly own: readonly string[] } {
  const end = given.indexOf('--');
  const isOwn = (word: string, at: number): boolean => DASHED.test(word) && (end < 0 || at < end);
  return { words: given.filter((word, at) => !isOwn(word, at)), own: given.filter(isOwn) };
}

async function run(ctx: Context, args: Invocation): Promise<number> {
  const given = new Given(args);
  const files = [...args.operands];
  const [word = files.shift(), ...more] = args.own;
  if (word === undefined) throw new UsageError('no flags given');
  if (more.length > 0) throw new UsageError(`flags are given twice: '${word}' and '${more[0] ?? ''}'`);
  if (files.length === 0) throw new UsageError('no file to change given');
  const change = parseFlags(word);
  if (change === undefined) throw new UsageError(`'${word}' are no flags`);
  const job = { reach: reachOf(given, 'operands'), tally: new Tally(), ...tellingOf(ctx, given) };
  const act = (fs: Ukfs, target: Target): void =>
    changeReached(ctx, fs, target, { ...job, change: changer(change, job.reach.nofollow) });
  await eachTarget(ctx, ctx.targets(files), act, {
    refuse({ flags }) {
      if (flags === 0) return 'keeps no flags';
      const lost = change.set & ~flags;
      return lost === 0 ? undefined : `does not keep these flags: ${nameOf(lost)}`;
    },
  });
  job.tally.tell(ctx);
  return ctx.status;
}

const nameOf = (flags: number): string => {
  const text = flagsText(flags);
  return text === '-' ? (flags >>> 0).toString(8) : text;
};

function changer({ set, clear }: FlagChange, ofLinks: boolean): ChangeOne {
  return (fs, { path, stat, follow, isOperand }) => {
    if (stat.type === 'lnk' && !ofLinks) return undefined;
    const flags = ((stat.flags & ~clear) | set) >>> 0;
    if (flags === stat.flags) return undefined;
    // Checkers take such a flag on anything else for damage (e2fsck: "Special file has immutable flag set").
    if (stat.type !== 'reg' && stat.type !== 'dir') {
      if (isOperand) throw new FsError('EOPNOTSUPP', { what: 'only files and directories have flags' });
      return undefined;
    }
    if (follow) fs.chflags(path, flags);
    else fs.lchflags(path, flags);
    return `${flagsText(stat.flags)} -> ${flagsText(flags)}`;
  };
}
