/** mtree -f: a tree held against a specification, and (-u) made to be what it says. */
import { fflagsOf, FsError, mtreeEntries, removeTree, unvis } from 'ukfs';
import type { MtreeEntry, Stat, Ukfs } from 'ukfs';
import type { Context } from '../context.ts';
import { globTest } from '../format/glob.ts';
import { pathMembers } from '../format/json.ts';
import { safeText } from '../format/name.ts';
import { isDigest, normalOf, valueOf } from './keywords.ts';
import type { MtreeOptions } from './options.ts';
import { filesOf } from './write.ts';
import type { Tree } from './write.ts';

/** The exit status when the tree is not as specified. */
const DIFFERS = 2;

interface Difference {
  readonly keyword: string;
  readonly expected: string;
  readonly found: string | undefined;
  corrected: boolean;
}

/** As NetBSD's mtree calls them. */
const WORDS: Readonly<Record<string, string>> = {
  uid: 'user',
  uname: 'user',
  gname: 'gid',
  mode: 'permissions',
  nlink: 'link count',
  time: 'modification time',
  link: 'link ref',
};

export class Verification {
  readonly #ctx: Context;
  readonly #tree: Tree;
  readonly #options: MtreeOptions;
  readonly #known = new Set<string>();
  /** Directories below which anything may be. */
  readonly #ignored = new Set<string>();
  /** Set at the end: a directory changes while what is in it is set. */
  readonly #times: { readonly path: string; readonly sec: number; readonly nsec: number }[] = [];
  #isSame = true;

  constructor(ctx: Context, tree: Tree, options: MtreeOptions) {
    this.#ctx = ctx;
    this.#tree = tree;
    this.#options = options;
  }

  /** Errors: EINVAL the specification is none; of reading, and of writing with -u and -r. */
  run(lines: Iterable<string>): void {
    this.#ctx.json?.array('differences');
    for (const entry of mtreeEntries(lines)) this.#entry(entry);
    if (this.#options.extras !== 'ignore') this.#extras();
    const { fs } = this.#tree;
    for (const { path, sec, nsec } of this.#times.reverse()) fs.lutimes(path, 'omit', { sec, nsec });
    // What was set is committed: differing is a verdict, and no failure.
    if (!this.#isSame) this.#ctx.excuse(DIFFERS);
  }

  #entry(entry: MtreeEntry): void {
    const { path, pattern, keywords } = entry;
    if (this.#tree.excluded(path)) return;
    if (this.#options.directoriesOnly && keywords.get('type') !== 'dir') return;
    if (pattern !== undefined && this.#lstat(path) === undefined) {
      for (const name of this.#matching(path, pattern)) this.#file(name, entry);
    } else this.#file(path, entry);
  }

  /** Files beside `path` that the pattern means. */
  #matching(path: string, pattern: string): readonly string[] {
    const parent = path.slice(0, Math.max(0, path.lastIndexOf('/')));
    const test = globTest(pattern);
    const at = this.#at(parent);
    if (this.#lstat(parent)?.type !== 'dir') return [];
    const names = this.#tree.fs.readdir(at).filter(test);
    return names.map((name) => (parent === '' ? name : `${parent}/${name}`));
  }

  #file(path: string, { keywords }: MtreeEntry): void {
    this.#known.add(path);
    if (keywords.has('ignore')) this.#ignored.add(path);
    const stat = this.#lstat(path);
    if (stat === undefined) this.#missing(path, keywords);
    else if (!keywords.has('nochange')) this.#compare(path, stat, keywords);
  }

  #missing(path: string, keywords: ReadonlyMap<string, string>): void {
    if (keywords.has('optional')) return;
    const made = this.#options.update && this.#make(path, keywords);
    this.#tell(path, 'missing', { corrected: made, done: 'created' });
    const stat = made ? this.#lstat(path) : undefined;
    if (stat !== undefined) this.#set(path, stat, this.#differences(path, stat, keywords));
  }

  #make(path: string, keywords: ReadonlyMap<string, string>): boolean {
    const { fs } = this.#tree;
    const at = this.#at(path);
    const type = keywords.get('type');
    const link = keywords.get('link');
    if (type === 'dir') fs.mkdir(at, 0o755);
    else if (type === 'link' && link !== undefined) fs.symlink(unvis(link), at);
    else if (type === 'fifo') fs.mknod(at, 'fifo', 0o600);
    else if (type === 'char' || type === 'block') {
      const device = normalOf('device', keywords.get('device') ?? '') ?? '';
      const [major = 0, minor = 0] = device.split(',').map(Number);
      fs.mknod(at, type === 'char' ? 'chr' : 'blk', 0o600, { major, minor });
    } else return false;
    return true;
  }

  #compare(path: string, stat: Stat, keywords: ReadonlyMap<string, string>): void {
    const differences = this.#differences(path, stat, keywords);
    if (differences.length === 0) return;
    // Of another type: nothing else can be compared.
    const isOther = differences.some(({ keyword }) => keyword === 'type');
    if (this.#options.update && !isOther) this.#set(path, stat, differences);
    this.#tellChanged(path, differences);
  }

  #differences(path: string, stat: Stat, keywords: ReadonlyMap<string, string>): Difference[] {
    const { fs, owners, digests } = this.#tree;
    const subject = { fs, path: this.#at(path), stat, owners, digests };
    const found: Difference[] = [];
    const type = keywords.get('type');
    const isOther = type !== undefined && type !== valueOf('type', subject);
    for (const [keyword, expected] of keywords) {
      if (this.#options.removed.has(keyword) || (isOther && keyword !== 'type')) continue;
      // The mode of a link is the host's affair.
      if (keyword === 'mode' && stat.type === 'lnk') continue;
      if (isDigest(keyword) && found.some((other) => other.keyword === 'size')) continue;
      const value = valueOf(keyword, subject);
      if (value === undefined && keyword !== 'uname' && keyword !== 'gname') continue;
      const isSame = value !== undefined && normalOf(keyword, value) === normalOf(keyword, expected);
      if (!isSame) found.push({ keyword, expected, found: value, corrected: false });
    }
    return found;
  }

  /** In an order in which nothing undoes what was set before: flags forbid, owners take set-id bits away. */
  #set(path: string, stat: Stat, differences: readonly Difference[]): void {
    const { fs, owners } = this.#tree;
    const at = this.#at(path);
    const of = (keyword: string): Difference | undefined => differences.find((one) => one.keyword === keyword);
    const act = (one: Difference | undefined, set: (value: string) => void): void => {
      if (one === undefined) return;
      set(one.expected);
      one.corrected = true;
    };
    const flags = of('flags');
    if (flags !== undefined && stat.flags !== 0) fs.lchflags(at, 0);
    act(of('uid'), (value) => fs.lchown(at, Number(normalOf('uid', value)), -1));
    act(of('gid'), (value) => fs.lchown(at, -1, Number(normalOf('gid', value))));
    const uname = of('uname');
    const uid = uname === undefined ? undefined : owners.uid(uname.expected);
    if (uid !== undefined) act(uname, () => fs.lchown(at, uid, -1));
    const gname = of('gname');
    const gid = gname === undefined ? undefined : owners.gid(gname.expected);
    if (gid !== undefined) act(gname, () => fs.lchown(at, -1, gid));
    if (stat.type !== 'lnk') act(of('mode'), (value) => fs.lchmod(at, Number(normalOf('mode', value))));
    act(of('time'), (value) => {
      const [sec = 0, nsec = 0] = (normalOf('time', value) ?? '').split('.').map(Number);
      this.#times.push({ path: at, sec, nsec });
    });
    if (stat.type === 'lnk') {
      act(of('link'), (value) => {
        fs.unlink(at);
        fs.symlink(unvis(value), at);
        fs.lchown(at, stat.uid, stat.gid);
      });
    }
    act(flags, (value) => fs.lchflags(at, fflagsOf(value)));
  }

  #extras(): void {
    const { fs, target } = this.#tree;
    const gone: string[] = [];
    for (const { below, type, depth } of filesOf(this.#tree, this.#options)) {
      if (this.#known.has(below) || depth === 0 || this.#isIgnored(below)) continue;
      // What is in an extra directory is extra, too, and not told.
      if (gone.some((dir) => below.startsWith(`${dir}/`))) continue;
      if (gone.length > 0) gone.length = 0;
      if (type === 'dir') gone.push(below);
      const isRemoved = this.#options.extras === 'remove';
      if (isRemoved) this.#removals.push(below);
      this.#tell(below, 'extra', { corrected: isRemoved, done: 'removed' });
    }
    // Not while the walk goes on.
    for (const below of this.#removals) {
      const path = this.#at(below);
      if (fs.lstat(path).type === 'dir') removeTree(fs, path, { dev: fs.stat(target.path).dev });
      else fs.unlink(path);
    }
  }
  readonly #removals: string[] = [];

  #isIgnored(below: string): boolean {
    for (let at = below.lastIndexOf('/'); at > 0; at = below.lastIndexOf('/', at - 1)) {
      if (this.#ignored.has(below.slice(0, at))) return true;
    }
    return this.#ignored.has('');
  }

  #tell(
    path: string,
    kind: 'missing' | 'extra',
    { corrected, done }: { readonly corrected: boolean; readonly done: string },
  ): void {
    if (!(corrected && this.#options.forgive)) this.#isSame = false;
    const shown = kind === 'missing' ? `./${path}` : path;
    if (this.#ctx.json === undefined)
      this.#ctx.out.text(`${kind}: ${safeText(shown)}${corrected ? ` (${done})` : ''}\n`);
    else this.#ctx.json.element({ ...pathMembers('path', path), kind, corrected });
  }

  #tellChanged(path: string, differences: readonly Difference[]): void {
    if (!(this.#options.forgive && differences.every(({ corrected }) => corrected))) this.#isSame = false;
    if (this.#ctx.json !== undefined) {
      const all = differences.map(({ keyword, expected, found, corrected }) => ({
        keyword,
        expected,
        found,
        corrected,
      }));
      const corrected = differences.every((one) => one.corrected);
      this.#ctx.json.element({ ...pathMembers('path', path), kind: 'changed', corrected, differences: all });
      return;
    }
    const label = `${safeText(path === '' ? '.' : path)}:`;
    const lines = differences.map(({ keyword, expected, found, corrected }) => {
      const [was, is] = [expected, found ?? 'unknown'].map(safeText);
      return `${WORDS[keyword] ?? keyword} (${was ?? ''}, ${is ?? ''}${corrected ? ', modified' : ''})`;
    });
    const first = label.length < LABEL ? label.padEnd(LABEL) : `${label}\n\t`;
    this.#ctx.out.text(`${first}${lines.join('\n\t')}\n`);
  }

  #at(below: string): string {
    const root = this.#tree.target.path.replace(/\/+$/, '');
    return below === '' ? (root === '' ? '/' : root) : `${root}/${below}`;
  }

  #lstat(below: string): Stat | undefined {
    return lstatOf(this.#tree.fs, this.#at(below), below === '');
  }
}

/** Columns of a name before what is said of it. */
const LABEL = 8;

function lstatOf(fs: Ukfs, path: string, follow: boolean): Stat | undefined {
  try {
    return follow ? fs.stat(path) : fs.lstat(path);
  } catch (e) {
    if (e instanceof FsError && (e.code === 'ENOENT' || e.code === 'ENOTDIR')) return undefined;
    throw e;
  }
}
