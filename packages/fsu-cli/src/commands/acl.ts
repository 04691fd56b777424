/** acl: POSIX access control lists of files in an image, seen and changed; a change is one transaction for each image. */
import { FsError } from 'ukfs';
import type { AclEntry, FsTraits, Stat, Ukfs } from 'ukfs';
import { isExtended } from '../acl/entries.ts';
import { restoreDump } from '../acl/restore.ts';
import { applyActions, isSame, readLists, writeLists } from '../acl/lists.ts';
import type { Action, Lists } from '../acl/lists.ts';
import { parseSpec } from '../acl/spec.ts';
import type { Said } from '../acl/spec.ts';
import { listsText } from '../acl/text.ts';
import type { TextOptions } from '../acl/text.ts';
import { changeReached, Tally, tellingOf, tellingOptions } from '../attrs/change.ts';
import type { ChangeOne } from '../attrs/change.ts';
import { attempt, eachTarget } from '../attrs/targets.ts';
import { reachOf, reachOptions, visits } from '../attrs/visit.ts';
import { UsageError } from '../command.ts';
import type { Command, Invocation } from '../command.ts';
import type { Context, Target } from '../context.ts';
import { escapeName } from '../format/escaped.ts';
import { pathMembers } from '../format/json.ts';
import { Given } from '../given.ts';
import { Owners } from '../owners.ts';

export const acl: Command = {
  name: 'acl',
  summary: 'Access control lists of files in an image: get, set, rm.',
  synopsis: { addresses: 'get|set|rm ADDRESS...', paths: 'get|set|rm PATH...' },
  options: [
    { flags: '-a, --access', summary: 'get: the list of the file alone' },
    { flags: '-d, --default', summary: "get: a directory's default alone; set: entries are about the default" },
    { flags: '-n, --numeric', summary: 'get: numbers for users and groups; set: as --no-mask' },
    { flags: '--omit-header', summary: 'get: no comments on top; -c as well' },
    { flags: '-e, --all-effective', summary: 'get: what the mask leaves of each entry' },
    { flags: '-E, --no-effective', summary: 'get: no word of what the mask leaves' },
    {
      flags: '-s, --skip-base',
      summary: 'get: only files whose list says more than their mode (fsu_acl: after the image)',
    },
    { flags: '-m, --modify <entries>', summary: 'set: add or change them: u:fred:rw,g::r,d:o:x' },
    { flags: '-x, --remove <entries>', summary: 'set: take them away: u:fred,d:g:staff' },
    { flags: '--set <entries>', summary: 'set: the whole list' },
    { flags: '-b, --remove-all', summary: 'set: all that says more than the mode, and the default' },
    { flags: '-k, --remove-default', summary: 'set: the default' },
    { flags: '--mask', summary: 'set: the mask lets all entries through, even if one is given' },
    { flags: '--no-mask', summary: 'set: the mask stays as it is' },
    {
      flags: '--restore <file>',
      summary: 'set: what get -R wrote, owners and set-id bits included; - is standard input',
    },
    ...reachOptions.filter(({ flags }) => !flags.startsWith('-h')),
    ...tellingOptions,
  ],
  examples: [
    { command: 'fsu acl set -m u:fred:rw,d:g::rx disk.img:/srv', does: "names of the image's /etc/passwd" },
    { command: 'fsu acl get -R disk.img:/ > lists', does: 'all of them' },
    { command: 'fsu_acl disk.img set --restore lists', does: 'and back' },
  ],
  image: 'write',
  imagePath: 'last',
  takeOwn,
  run,
};

/** getfacl's `-c` is --omit-header, where commands have -c for --changes. */
function takeOwn(given: readonly string[]): { readonly words: readonly string[]; readonly own: readonly string[] } {
  if (given.find((word) => ['get', 'set', 'rm'].includes(word)) !== 'get') return { words: given, own: [] };
  const end = given.indexOf('--');
  const words = given.flatMap((word, at) => {
    if (!/^-[A-Za-z]*c/.test(word) || (end >= 0 && at > end)) return [word];
    const rest = word.replace('c', '');
    return rest === '-' ? ['--omit-header'] : [rest, '--omit-header'];
  });
  return { words, own: [] };
}

const refuse = ({ xattr }: FsTraits): string | undefined => (xattr ? undefined : 'keeps no access control lists');

async function run(ctx: Context, args: Invocation): Promise<number> {
  const given = new Given(args);
  const [verb, ...files] = args.operands;
  if (verb !== 'get' && verb !== 'set' && verb !== 'rm')
    throw new UsageError(verb === undefined ? 'no verb given: get, set or rm' : `'${verb}' is not get, set or rm`);
  const file = given.value('restore');
  if (verb === 'set' && file !== undefined) return restoreDump(ctx, given, { file, files, refuse });
  if (files.length === 0) throw new UsageError('no file given');
  if (verb === 'get') return get(ctx, given, files);
  const actions =
    verb === 'rm'
      ? actionsOf([{ name: 'remove-all', value: '' }], false)
      : actionsOf(args.options, given.has('default'));
  if (actions.length === 0) throw new UsageError('nothing to set given');
  const masks = given.has('mask') ? 'recalculate' : given.has('no-mask', 'numeric') ? 'leave' : 'unless said';
  const job = { reach: reachOf(given, 'operands'), tally: new Tally(), ...tellingOf(ctx, given) };
  const act = (fs: Ukfs, target: Target): void => {
    const owners = new Owners(fs);
    const change: ChangeOne = (_, { path, stat, isOperand }) => {
      if (stat.type === 'lnk') return undefined;
      const isDirectory = stat.type === 'dir';
      const lists = readLists(fs, path, stat);
      if (isOperand && !isDirectory && !job.reach.recursive && actions.some(isAboutDefault))
        throw new FsError('EACCES', { what: 'only directories have a default' });
      const wanted = applyActions(lists, actions, { owners, isDirectory, masks });
      if (isSame(lists, wanted)) return undefined;
      writeLists(fs, path, stat, wanted);
      return 'changed';
    };
    changeReached(ctx, fs, target, { ...job, change });
  };
  await eachTarget(ctx, ctx.targets(files), act, { refuse });
  job.tally.tell(ctx);
  return ctx.status;
}

const isAboutDefault = (action: Action): boolean =>
  'said' in action && action.kind !== 'remove' && action.said.some(({ isDefault }) => isDefault);

/** In the order in which they are given. UsageError. */
function actionsOf(options: Invocation['options'], allDefault: boolean): readonly Action[] {
  const spec = (text: string, needs: Parameters<typeof parseSpec>[1]): readonly Said[] =>
    parseSpec(text, needs).map((said) => (allDefault ? { ...said, isDefault: true } : said));
  return options.flatMap(({ name, value }): Action[] => {
    if (name === 'modify') return [{ kind: 'modify', said: spec(value, 'permissions') }];
    if (name === 'remove') return [{ kind: 'remove', said: spec(value, 'no permissions') }];
    if (name === 'set') return [{ kind: 'set', said: spec(value, 'permissions') }];
    if (name === 'remove-all') return [{ kind: 'no extended' }, { kind: 'no default' }];
    return name === 'remove-default' ? [{ kind: 'no default' }] : [];
  });
}

async function get(ctx: Context, given: Given, files: readonly string[]): Promise<number> {
  const options: TextOptions = {
    numeric: given.has('numeric'),
    header: !given.has('omit-header'),
    access: given.has('access') || !given.has('default'),
    inherited: given.has('default') || !given.has('access'),
    aligned: ctx.out.isTTY,
    effective: given.has('no-effective') ? 'none' : given.has('all-effective') ? 'all' : 'some',
  };
  const reach = reachOf(given, 'operands');
  const skip = given.has('skip-base');
  ctx.json?.array('entries');
  const act = (fs: Ukfs, target: Target): void => {
    const owners = new Owners(fs);
    for (const visit of visits(fs, target.path, reach)) {
      const where = { ...target, path: visit.path };
      if ('error' in visit) ctx.fail(visit.error, where);
      else if (visit.stat.type !== 'lnk')
        attempt(ctx, where, () => {
          const { path, stat } = visit;
          const lists = readLists(fs, path, stat);
          if (skip && !isExtended(lists.access) && lists.inherited.length === 0) return;
          const shown = ctx.shownName(escapeName(path === '/' ? '.' : path.replace(/^\/+/, ''), '\\\\'));
          const text = listsText({ shown, stat, lists }, owners, options);
          if (ctx.json === undefined) ctx.out.text(text);
          else ctx.json.element({ ...pathMembers('path', path), ...listMembers(stat, lists, options) });
        });
    }
  };
  await eachTarget(ctx, ctx.targets(files), act, { open: 'read', refuse });
  return ctx.status;
}

const listMembers = ({ uid, gid }: Stat, { access, inherited }: Lists, options: TextOptions) => ({
  uid,
  gid,
  ...(options.access ? { access: access.map(entryMembers) } : {}),
  ...(options.inherited ? { default: inherited.map(entryMembers) } : {}),
});

const entryMembers = ({ tag, id, perm }: AclEntry) =>
  tag === 'user' || tag === 'group' ? { tag, id, perm } : { tag, perm };
