/** mtree -c: the specification of a tree, a line for each file, in the form that names lead: every reader takes it. */
import { asFsError, compareNames, FsError, vis, walk } from 'ukfs';
import type { Ukfs, WalkEntry } from 'ukfs';
import type { Context, Target } from '../context.ts';
import { pathMembers } from '../format/json.ts';
import type { Owners } from '../owners.ts';
import type { FileDigests } from './digests.ts';
import { valueOf } from './keywords.ts';
import type { MtreeOptions } from './options.ts';

export interface Tree {
  readonly fs: Ukfs;
  readonly target: Target;
  readonly owners: Owners;
  readonly digests: FileDigests;
  /** Left out, with what is below. */
  readonly excluded: (name: string) => boolean;
}

/** Everything below the root that is meant, with its path from there; '' is the root itself. */
export function* filesOf(
  { fs, target, excluded }: Tree,
  options: MtreeOptions,
): Iterable<WalkEntry & { readonly below: string }> {
  const root = target.path;
  const steps = walk(fs, root, {
    crossMounts: !options.oneFileSystem,
    follow: 'root',
    order: (a, b) => compareNames(a.name, b.name),
  });
  const cut = root.length + (root.endsWith('/') ? 0 : 1);
  for (const entry of steps) {
    const below = entry.depth === 0 ? '' : entry.path.slice(cut);
    if (below !== '' && excluded(below)) steps.skip();
    else if (!options.directoriesOnly || entry.type === 'dir' || entry.type === undefined) yield { ...entry, below };
  }
}

export function writeSpecification(ctx: Context, tree: Tree, options: MtreeOptions): void {
  if (ctx.json === undefined && options.comments) ctx.out.text('#mtree\n');
  ctx.json?.array('entries');
  for (const entry of filesOf(tree, options)) {
    const { path, below, stat, error } = entry;
    try {
      if (stat === undefined || error !== undefined) throw asFsError(error);
      const { fs, owners, digests } = tree;
      const words = options.keywords.flatMap((keyword) => {
        const value = valueOf(keyword, { fs, path, stat, owners, digests });
        return value === undefined ? [] : [[keyword, value] as const];
      });
      if (ctx.json === undefined) {
        const texts = words.map(([keyword, value]) => `${keyword}=${isName(keyword) ? vis(value) : value}`);
        ctx.out.text(`${shownPath(below)} ${texts.join(' ')}\n`);
      } else ctx.json.element({ ...pathMembers('path', below), keywords: Object.fromEntries(words) });
    } catch (thrown) {
      if (!(thrown instanceof FsError)) throw thrown;
      ctx.fail(thrown, { ...tree.target, path });
    }
  }
}

const isName = (keyword: string): boolean => keyword === 'uname' || keyword === 'gname';

/** As a specification has it. */
export const shownPath = (below: string): string => (below === '' ? '.' : `./${vis(below)}`);
