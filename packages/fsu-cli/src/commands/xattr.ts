/** xattr: extended attributes of files in an image, seen and changed; a change is one transaction for each image. */
import { FsError } from 'ukfs';
import type { FsTraits, Ukfs } from 'ukfs';
import { changeReached, Tally, tellingOf, tellingOptions } from '../attrs/change.ts';
import type { ChangeOne } from '../attrs/change.ts';
import { beneath, openDump } from '../attrs/dumpfile.ts';
import type { Dumped } from '../attrs/dumpfile.ts';
import { attempt, eachTarget } from '../attrs/targets.ts';
import { reachOf, reachOptions, visits } from '../attrs/visit.ts';
import type { Reach, Visit } from '../attrs/visit.ts';
import { parseValue, rawValue, valueText } from '../attrs/xattrvalue.ts';
import type { Encoding } from '../attrs/xattrvalue.ts';
import { UsageError } from '../command.ts';
import type { Command, Invocation } from '../command.ts';
import type { Context, Target } from '../context.ts';
import { escapeName, unescapeName } from '../format/escaped.ts';
import { base64 } from '../format/base64.ts';
import { pathMembers } from '../format/json.ts';
import { Given } from '../given.ts';

export const xattr: Command = {
  name: 'xattr',
  summary: 'Extended attributes of files in an image: ls, get, set, rm.',
  synopsis: { addresses: 'ls|get|set|rm ADDRESS...', paths: 'ls|get|set|rm PATH...' },
  options: [
    { flags: '-n, --name <name>', summary: 'the attribute: user.mime_type, security.capability' },
    { flags: '--value <value>', summary: 'set: text, "text" with \\ooo, 0x hexadecimal, 0s base64; -v VALUE as well' },
    { flags: '-d, --dump', summary: 'get: all of them with their values, as getfattr has it' },
    { flags: '-m, --match <pattern>', summary: 'ls, get -d: those whose name this expression matches; - is all' },
    { flags: '-e, --encoding <how>', summary: 'get: values as', choices: ['text', 'hex', 'base64'] },
    { flags: '--only-values', summary: 'get: the bytes of the values and nothing else' },
    { flags: '--restore <file>', summary: 'set: what get -d wrote; - is standard input' },
    ...reachOptions,
    ...tellingOptions,
  ],
  examples: [
    { command: 'fsu xattr get -d -R disk.img:/ > attributes', does: 'all attributes of all files' },
    { command: 'fsu xattr set --restore attributes disk.img', does: 'and back' },
    { command: 'fsu_xattr disk.img set -n user.color -v blue /etc/motd', does: 'one of a file' },
  ],
  image: 'write',
  imagePath: 'last',
  takeOwn,
  run,
};

/** setfattr's `-v VALUE`, where commands have -v for --verbose: with set it takes a value. */
function takeOwn(given: readonly string[]): { readonly words: readonly string[]; readonly own: readonly string[] } {
  const isSet = given.find((word) => ['ls', 'get', 'set', 'rm'].includes(word)) === 'set';
  const at = isSet ? given.indexOf('-v') : -1;
  const end = given.indexOf('--');
  const value = given[at + 1];
  if (at < 0 || value === undefined || (end >= 0 && at > end)) return { words: given, own: [] };
  return { words: [...given.slice(0, at), ...given.slice(at + 2)], own: [value] };
}

const refuse = ({ xattr: kept }: FsTraits): string | undefined => (kept ? undefined : 'keeps no extended attributes');

async function run(ctx: Context, args: Invocation): Promise<number> {
  const given = new Given(args);
  const [verb, ...files] = args.operands;
  if (verb === 'ls' || verb === 'get') return show(ctx, given, { files, values: verb === 'get' });
  if (verb !== 'set' && verb !== 'rm')
    throw new UsageError(
      verb === undefined ? 'no verb given: ls, get, set or rm' : `'${verb}' is not ls, get, set or rm`,
    );
  const file = given.value('restore');
  if (verb === 'set' && file !== undefined) return restore(ctx, given, { file, files });
  if (files.length === 0) throw new UsageError('no file to change given');
  const name = given.value('name');
  if (name === undefined) throw new UsageError('no --name given');
  const text = given.value('value') ?? args.own[0] ?? '';
  const value = parseValue(text);
  if (value === undefined) throw new UsageError(`--value: '${text}' is no such value`);
  const reach = reachOf(given, 'operands');
  const change = verb === 'rm' ? remover(name, reach.recursive) : setter(name, value);
  const job = { reach, tally: new Tally(), ...tellingOf(ctx, given), change };
  await eachTarget(ctx, ctx.targets(files), (fs, target) => changeReached(ctx, fs, target, job), { refuse });
  job.tally.tell(ctx);
  return ctx.status;
}

const nofollow = ({ follow }: Visit): { readonly nofollow: boolean } => ({ nofollow: !follow });

function setter(name: string, value: Uint8Array): ChangeOne {
  return (fs, visit) => {
    const old = fs.getxattr(visit.path, name, nofollow(visit));
    if (old !== undefined && isSame(old, value)) return undefined;
    fs.setxattr(visit.path, name, value, nofollow(visit));
    return `${name} ${old === undefined ? 'added' : 'changed'}`;
  };
}

const isSame = (a: Uint8Array, b: Uint8Array): boolean => a.length === b.length && a.every((byte, i) => byte === b[i]);

function remover(name: string, isTree: boolean): ChangeOne {
  return (fs, visit) => {
    if ((isTree || !visit.isOperand) && fs.getxattr(visit.path, name, nofollow(visit)) === undefined) return undefined;
    fs.removexattr(visit.path, name, nofollow(visit));
    return `${name} removed`;
  };
}

async function show(
  ctx: Context,
  given: Given,
  { files, values }: { readonly files: readonly string[]; readonly values: boolean },
): Promise<number> {
  if (files.length === 0) throw new UsageError('no file given');
  const name = given.value('name');
  if (values && name === undefined && !given.has('dump')) throw new UsageError('get needs --name or --dump');
  const word = given.value('match');
  const shown: Shown = {
    name,
    match: word === undefined || word === '-' ? undefined : expressionOf(word),
    values,
    bare: given.has('only-values'),
    encoding: encodingOf(given.value('encoding')),
    reach: reachOf(given, 'operands'),
  };
  ctx.json?.array('entries');
  await eachTarget(ctx, ctx.targets(files), (fs, target) => showReached(ctx, fs, target, shown), {
    open: 'read',
    refuse,
  });
  return ctx.status;
}

const encodingOf = (word: string | undefined): Encoding | undefined =>
  word === 'text' || word === 'hex' || word === 'base64' ? word : undefined;

/** UsageError. */
function expressionOf(text: string): RegExp {
  try {
    return new RegExp(text, 'u');
  } catch (thrown) {
    throw new UsageError(`--match: '${text}' is no regular expression`, { cause: thrown });
  }
}

interface Shown {
  readonly name: string | undefined;
  readonly match: RegExp | undefined;
  readonly values: boolean;
  readonly bare: boolean;
  readonly encoding: Encoding | undefined;
  readonly reach: Reach;
}

function showReached(ctx: Context, fs: Ukfs, target: Target, shown: Shown): void {
  for (const visit of visits(fs, target.path, shown.reach)) {
    const where = { ...target, path: visit.path };
    if ('error' in visit) ctx.fail(visit.error, where);
    else attempt(ctx, where, () => showOne(ctx, fs, visit, shown));
  }
}

function showOne(ctx: Context, fs: Ukfs, visit: Visit, shown: Shown): void {
  const { path } = visit;
  const found = attributesOf(fs, visit, shown);
  if (found.length === 0) return;
  if (ctx.json !== undefined) {
    const attributes = found.map(({ name, value }) => ({
      ...pathMembers('name', name),
      ...(value === undefined ? {} : { value: base64(value) }),
    }));
    ctx.json.element({ ...pathMembers('path', path), attributes });
    return;
  }
  if (shown.bare) {
    for (const { value } of found) if (value !== undefined) ctx.out.text(rawValue(value));
    return;
  }
  ctx.out.text(`# file: ${ctx.shownName(escapeName(path === '/' ? '.' : path.replace(/^\/+/, '')))}\n`);
  for (const { name, value } of found) {
    const text = value === undefined ? '' : `=${valueText(value, shown.encoding)}`;
    ctx.out.text(`${ctx.shownName(escapeName(name))}${text}\n`);
  }
  ctx.out.text('\n');
}

interface Attribute {
  readonly name: string;
  readonly value: Uint8Array | undefined;
}

/** Errors: ENOATTR the one asked for is not there (below an operand, it need not be). */
function attributesOf(fs: Ukfs, visit: Visit, { name, match, values }: Shown): readonly Attribute[] {
  const get = (one: string): Uint8Array | undefined =>
    values ? fs.getxattr(visit.path, one, nofollow(visit)) : undefined;
  if (name === undefined || !values) {
    const names = fs.listxattr(visit.path, nofollow(visit)).filter((one) => match?.test(one) ?? true);
    return [...names]
      .sort()
      .flatMap((one) => (name === undefined || name === one ? [{ name: one, value: get(one) }] : []));
  }
  const value = get(name);
  if (value !== undefined) return [{ name, value }];
  if (visit.isOperand) throw new FsError('ENOATTR');
  return [];
}

async function restore(
  ctx: Context,
  given: Given,
  { file, files }: { readonly file: string; readonly files: readonly string[] },
): Promise<number> {
  const job = { reach: { ...reachOf(given, 'none'), nofollow: true }, tally: new Tally(), ...tellingOf(ctx, given) };
  let dump: Iterable<Dumped> | undefined;
  const prepare = async (): Promise<boolean> => (dump = await openDump(ctx, file)) !== undefined;
  const targets = ctx.targets(files);
  if (targets.length > 1) throw new UsageError('a dump is restored to one image');
  const act = (fs: Ukfs, target: Target): void => {
    for (const { path, lines } of dump ?? [])
      for (const line of lines) {
        const change = changeOfLine(line);
        if (change !== undefined)
          changeReached(ctx, fs, { ...target, path: beneath(target.path, path) }, { ...job, change });
      }
  };
  await eachTarget(ctx, targets, act, { refuse, prepare });
  job.tally.tell(ctx);
  return ctx.status;
}

/** undefined: it says nothing. Errors: EINVAL. */
function changeOfLine(line: string): ChangeOne | undefined {
  if (line.startsWith('#')) return undefined;
  const equals = line.indexOf('=');
  const name = unescapeName(equals < 0 ? line : line.slice(0, equals));
  const value = equals < 0 ? new Uint8Array(0) : parseValue(line.slice(equals + 1));
  if (value === undefined) throw new FsError('EINVAL', { what: `the dump has no value for ${name}` });
  return setter(name, value);
}
