/** truncate: sizes of files in an image, as one transaction for each image. */
import { FsError, O } from 'ukfs';
import type { Ukfs } from 'ukfs';
import { Reference, referenceOption } from '../attrs/reference.ts';
import { eachTarget } from '../attrs/targets.ts';
import { UsageError } from '../command.ts';
import type { Command, Invocation } from '../command.ts';
import type { Context, Target } from '../context.ts';
import { parseBytes } from '../format/size.ts';
import { Given } from '../given.ts';

export const truncate: Command = {
  name: 'truncate',
  summary: 'Set sizes of files in an image; what is added is a hole: all of them or nothing.',
  synopsis: { addresses: 'ADDRESS...', paths: 'PATH...' },
  options: [
    {
      flags: '-s, --size <size>',
      summary:
        '4096, 64K, 1MiB; +N more, -N less, <N at most, >N at least, /N down and %N up to a multiple (fsu_truncate: after the image)',
    },
    referenceOption('the size of this file, or what --size adds to it', 'r'),
    { flags: '-c, --no-create', summary: 'what is missing stays so' },
    { flags: '-o, --io-blocks', summary: "--size counts blocks of the file's (fsu_truncate: after the image)" },
  ],
  examples: [
    { command: 'fsu truncate -s 0 disk.img:/var/log/messages', does: 'nothing of it is left' },
    { command: 'fsu truncate -s 1G disk.img:2/swapfile', does: 'a hole of that size' },
    { command: "fsu_truncate disk.img -s '%4K' /data", does: 'up to a multiple' },
  ],
  image: 'write',
  run,
};

/** The size that a file of this size gets. */
interface NewSize {
  readonly isRelative: boolean;
  of(size: number, unit: number): number;
}

async function run(ctx: Context, args: Invocation): Promise<number> {
  const given = new Given(args);
  if (args.operands.length === 0) throw new UsageError('no file given');
  const word = given.value('size');
  const reference = Reference.of(ctx, given);
  const blocks = given.has('io-blocks');
  if (word === undefined && reference === undefined) throw new UsageError('no --size and no --reference given');
  if (word === undefined && blocks) throw new UsageError('--io-blocks is about --size, which is not given');
  const asked = word === undefined ? undefined : parseNewSize(word);
  if (reference !== undefined && asked !== undefined && !asked.isRelative)
    throw new UsageError('with --reference --size must be relative');
  let changed = 0;
  const act = (fs: Ukfs, { path }: Target): void => {
    const stat = statOrMake(fs, path, !given.has('no-create'));
    if (stat === undefined) return;
    const from = reference?.stat.size ?? stat.size;
    const size = asked === undefined ? from : asked.of(from, blocks ? stat.blockSize : 1);
    if (!Number.isSafeInteger(size)) throw new FsError('EFBIG');
    fs.truncate(path, size);
    if (size !== stat.size) changed++;
  };
  await eachTarget(ctx, ctx.targets(args.operands), act, { prepare: reference?.prepare });
  ctx.json?.member('changed', changed);
  return ctx.status;
}

/** undefined: it is missing, and is to stay so. */
function statOrMake(fs: Ukfs, path: string, create: boolean): { size: number; blockSize: number } | undefined {
  try {
    return fs.stat(path);
  } catch (thrown) {
    if (!(thrown instanceof FsError && thrown.code === 'ENOENT')) throw thrown;
    if (!create) return undefined;
  }
  fs.close(fs.open(path, O.WRONLY | O.CREAT, 0o666));
  return fs.stat(path);
}

const rules: Readonly<Record<string, (size: number, n: number) => number>> = {
  '': (_, n) => n,
  '+': (size, n) => size + n,
  '-': (size, n) => Math.max(0, size - n),
  '<': (size, n) => Math.min(size, n),
  '>': (size, n) => Math.max(size, n),
  '/': (size, n) => size - (size % n),
  '%': (size, n) => Math.ceil(size / n) * n,
};

/** UsageError. */
function parseNewSize(text: string): NewSize {
  const [, sign = '', digits = ''] = /^\s*([-+<>/%]?)(.*)$/.exec(text) ?? [];
  const n = parseBytes(digits);
  const rule = rules[sign];
  if (n === undefined || rule === undefined) throw new UsageError(`--size: '${text}' is no size`);
  if (n === 0 && (sign === '/' || sign === '%')) throw new UsageError(`--size: no multiples of nothing: '${text}'`);
  return { isRelative: sign !== '', of: (size, unit) => rule(size, n * unit) };
}
