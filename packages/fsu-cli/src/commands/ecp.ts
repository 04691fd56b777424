/** ecp and emv: fs-utils' copies between image and host, of which get and put are the halves. */
import { UsageError } from '../command.ts';
import type { Command, Invocation, OptionSpec, OuterLine } from '../command.ts';
import type { Context } from '../context.ts';
import { copyAll } from '../copy/engine.ts';
import type { CopyPlan, TreePlaceName } from '../copy/engine.ts';
import { inPlan, isVerbose, outPlan } from '../copy/options.ts';
import { reportMembers } from '../copying.ts';
import { pathMembers } from '../format/json.ts';
import { Given } from '../given.ts';

const options: readonly OptionSpec[] = [
  { flags: '-g, --get', summary: 'from the image to the host' },
  { flags: '-p, --put', summary: 'from the host to the image' },
  { flags: '-R, --recursive', summary: 'directories, too, with all they hold' },
  { flags: '-L, --dereference', summary: 'follow symbolic links: copy what they lead to' },
  { flags: '-v, --verbose', summary: 'name each file (fsu_X: after the image)' },
];

const synopsis = { addresses: '-g ADDRESS... DEST | -p FILE... ADDRESS', paths: '-g PATH... DEST | -p FILE... PATH' };

export const ecp: Command = {
  name: 'ecp',
  summary: 'Copy between an image and the host, as fs-utils does: get with -g, put with -p.',
  synopsis,
  options: [...options, { flags: '-d, --delete', summary: 'remove each source that was copied whole' }],
  examples: [
    { command: 'fsu_ecp disk.img -g /etc/fstab .', does: 'out of the image' },
    { command: 'fsu_ecp disk.img -pR www /srv', does: 'into it' },
  ],
  image: 'write',
  outer: isOnHost,
  run: (ctx, args) => run(ctx, args, { move: new Given(args).has('delete') }),
};

export const emv: Command = {
  name: 'emv',
  summary: 'Move between an image and the host, as fs-utils does: ecp -d.',
  synopsis,
  options,
  examples: [{ command: 'fsu_emv disk.img -gR /var/crash .', does: 'out of the image' }],
  image: 'write',
  outer: isOnHost,
  run: (ctx, args) => run(ctx, args, { move: true }),
};

function isOnHost(at: number, { operands, options: given }: OuterLine): boolean {
  const isLast = at === operands.length - 1;
  return given.findLast(({ name }) => name === 'get' || name === 'put')?.name === 'put' ? !isLast : isLast;
}

async function run(ctx: Context, args: Invocation, { move }: Pick<CopyPlan, 'move'>): Promise<number> {
  const given = new Given(args);
  const way = given.lastOf('get', 'put');
  if (way === undefined) throw new UsageError('-g or -p says which way');
  const sources = args.operands.slice(0, -1);
  const [last] = args.operands.slice(-1);
  if (last === undefined || sources.length === 0) throw new UsageError('give a source and a destination');
  const onHost = (path: string): TreePlaceName => ({ kind: 'host', path, shown: path });
  const inImage = (operands: readonly string[]): TreePlaceName[] =>
    ctx.targets(operands).map((target) => ({ kind: 'image', ...target }));
  const isGet = way === 'get';
  const [dest] = isGet ? [onHost(last)] : inImage([last]);
  if (dest === undefined) throw new UsageError('give a source and a destination');
  const plan = isGet ? outPlan(ctx, args) : inPlan(ctx, args);
  return copyAll(ctx, {
    sources: isGet ? inImage(sources) : sources.map(onHost),
    dest,
    plan: {
      ...plan,
      copy: { ...plan.copy, recursive: given.has('recursive') },
      host: { ...plan.host, durable: move },
      verbose: isVerbose(ctx, args),
      move,
    },
    members: ({ source, report }) => ({
      ...pathMembers('source', source.shown),
      ...pathMembers('dest', dest.shown),
      ...reportMembers(report),
    }),
  });
}
