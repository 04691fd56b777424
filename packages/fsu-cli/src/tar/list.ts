/** tar -t: what is in an archive. */
import { FsError, tarEntries } from 'ukfs';
import type { TarEntry } from 'ukfs';
import { UsageError } from '../command.ts';
import type { Context } from '../context.ts';
import { pathMembers } from '../format/json.ts';
import type { Json } from '../format/json.ts';
import { modeText, octalMode } from '../format/mode.ts';
import { rfc3339 } from '../format/time.ts';
import { placeOf } from '../place.ts';
import { openArchiveIn, placeOfArchive } from './archive.ts';
import { excludes, Members, namesOf, patternsOf } from './names.ts';
import type { TarOptions } from './options.ts';

export async function list(ctx: Context, options: TarOptions, operands: readonly string[]): Promise<void> {
  // Without -f the first operand is the archive.
  const [first, ...rest] = operands;
  const isOperand = options.file === undefined && first !== undefined;
  const archive = await openArchiveIn(ctx, isOperand ? placeOf(ctx, first) : placeOfArchive(ctx, options));
  if (archive === undefined) return;
  if (options.directory !== undefined) throw new UsageError('-C: a listing needs no directory');
  const members = new Members([...(isOperand ? rest : operands), ...(await namesOf(ctx, options))]);
  const excluded = excludes(await patternsOf(ctx, options));
  const lines = new Lines(ctx, options);
  ctx.json?.path('archive', archive.shown);
  ctx.json?.array('entries');
  try {
    for (const entry of tarEntries(archive.source)) {
      if (!members.has(entry.path) || excluded(entry.path)) continue;
      if (ctx.json === undefined) ctx.out.text(`${lines.of(entry)}\n`);
      else ctx.json.element(membersOf(entry));
    }
    members.tellMissing(ctx, archive.shown);
  } catch (thrown) {
    if (!(thrown instanceof FsError)) throw thrown;
    ctx.fail(thrown, archive.shown);
  } finally {
    archive.close();
  }
}

/** What the columns before the size take at least, as GNU tar has it. */
const OWNER_WIDTH = 19;

class Lines {
  readonly #ctx: Context;
  readonly #options: TarOptions;
  /** Of owner, group and size; grows. */
  #width = OWNER_WIDTH;

  constructor(ctx: Context, options: TarOptions) {
    this.#ctx = ctx;
    this.#options = options;
  }

  of(entry: TarEntry): string {
    const { path, type, mode, uid, gid, uname, gname, size, rdev, mtime, target } = entry;
    const name = this.#ctx.shownName(type === 'dir' && !path.endsWith('/') ? `${path}/` : path);
    if (!this.#options.verbose) return name;
    const { numeric } = this.#options;
    const owner = `${numeric || uname === '' ? uid : uname}/${numeric || gname === '' ? gid : gname}`;
    const amount = rdev === undefined ? String(size) : `${rdev.major},${rdev.minor}`;
    this.#width = Math.max(this.#width, owner.length + amount.length + 1);
    const { clock } = this.#ctx;
    const letters = type === 'link' ? `h${modeText('reg', mode).slice(1)}` : modeText(type, mode);
    const link =
      type === 'lnk'
        ? ` -> ${this.#ctx.shownName(target)}`
        : type === 'link'
          ? ` link to ${this.#ctx.shownName(target)}`
          : '';
    const gap = ' '.repeat(this.#width - owner.length - amount.length);
    return `${letters} ${owner}${gap}${amount} ${clock.longIso(mtime.sec)} ${name}${link}`;
  }
}

function membersOf(entry: TarEntry): { readonly [key: string]: Json } {
  const { path, type, mode, uid, gid, uname, gname, size, rdev, mtime, target, xattrs } = entry;
  return {
    ...pathMembers('path', path),
    type,
    perm: octalMode(mode),
    uid,
    gid,
    user: uname === '' ? undefined : uname,
    group: gname === '' ? undefined : gname,
    size,
    mtime: rfc3339(mtime),
    ...pathMembers('target', target === '' ? undefined : target),
    rdev: rdev === undefined ? undefined : { major: rdev.major, minor: rdev.minor },
    xattrs: xattrs.size === 0 ? undefined : [...xattrs.keys()],
  };
}
