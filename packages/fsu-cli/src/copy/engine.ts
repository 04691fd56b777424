/**
 * The engine of cp, get, put, ecp and of mv between file systems: operands, each a file or a tree, to one destination.
 *
 * What is written is opened before what is read, for the two may be one image; and the image that is copied to commits before
 * one that is moved from. Whatever fails is said and counted; whether anything is committed is not decided here (edit.ts).
 */
import { copyContents, copyTree, FsError } from 'ukfs';
import type { CopiedLinks, CopyOptions, CopyReport, LossReport, TreeDir } from 'ukfs';
import type { Context } from '../context.ts';
import { afterFailure, baseOf, isWhole, joinPath, parentOf, rootIfEmpty, tellLoss } from '../copying.ts';
import type { Json } from '../format/json.ts';
import { safeText } from '../format/name.ts';
import type { HostTreeOptions, HostTrees } from '../host.ts';
import type { Place } from '../place.ts';
import type { HostNameRule } from './hostnames.ts';
import { Manifests } from './manifests.ts';
import { refuseWhole, removeSource } from './move.ts';
import { hostSide, imageSide, sideOf } from './side.ts';
import type { At, Side } from './side.ts';
import { targetIn } from './target.ts';
import type { Into, TargetName } from './target.ts';

/** A place that a copy comes from or goes to. */
export type TreePlaceName = Exclude<Place, { readonly kind: 'stream' }>;

export interface CopyPlan {
  readonly copy: CopyOptions;
  readonly host: HostTreeOptions;
  /** An operand that is a link is what it leads to, and gets that one's name. */
  readonly resolve: boolean;
  readonly into: Into;
  /** Of the destination: they must be there, are made, or are made as the source's path has them, below it. */
  readonly parents: 'needed' | 'made' | 'as in source';
  /** In place of copies of files. */
  readonly instead?: 'hard links' | 'symbolic links' | undefined;
  readonly verbose: boolean;
  /** Remove each operand that was copied whole. */
  readonly move: boolean;
  /** What the host cannot hold goes into a manifest, or comes from one: that of the tree, or the one given. */
  readonly manifest?: { readonly file: string | undefined } | undefined;
  /** Which names the host cannot hold; default what it is. */
  readonly hostNames?: HostNameRule | undefined;
}

/** One operand's copy, for JSON. */
interface Copied {
  readonly source: TreePlaceName;
  readonly report: CopyReport;
}

interface CopyJob {
  readonly sources: readonly TreePlaceName[];
  readonly dest: TreePlaceName;
  readonly plan: CopyPlan;
  /** The members of an operand's element in JSON. */
  readonly members: (copied: Copied) => { readonly [name: string]: Json };
}

export async function copyAll(ctx: Context, job: CopyJob): Promise<number> {
  const trees = await ctx.shell.trees();
  const { sources, dest, plan } = job;
  const host = { ...plan.host, guarded: guardedFiles(trees, sources) };
  const to = await openSide(ctx, dest, { trees, host, write: true });
  if (to === undefined) return ctx.status;
  const umask = to.fs?.umask(0);
  const run = new Run(ctx, job, { trees, to, umask });
  try {
    if (run.prepare()) for (const source of sources) await run.copy(source);
  } finally {
    // Whoever comes after this line of a script makes files as before it.
    if (umask !== undefined) to.fs?.umask(umask);
    run.close();
  }
  return ctx.status;
}

/** Images that are read must not be replaced by what is in them. */
function guardedFiles(trees: HostTrees, sources: readonly TreePlaceName[]): ReadonlySet<string> {
  const images = new Set(sources.flatMap((place) => (place.kind === 'image' ? [place.image.image] : [])));
  return new Set([...images].flatMap((image) => trees.hostId(image) ?? []));
}

/** undefined: it cannot be opened, which has been said. */
async function openSide(
  ctx: Context,
  place: TreePlaceName,
  how: { readonly trees: HostTrees; readonly host: HostTreeOptions; readonly write: boolean },
): Promise<Side | undefined> {
  if (place.kind === 'host') {
    const dry = how.write && ctx.settings.open.dryRun === true;
    return hostSide(how.trees, how.host, dry);
  }
  const fs = await (how.write ? ctx.tryOpenForWriting(place.image) : ctx.tryOpen(place.image));
  return fs === undefined ? undefined : imageSide(fs, place.image);
}

class Run {
  readonly #ctx: Context;
  readonly #job: CopyJob;
  readonly #trees: HostTrees;
  readonly #to: Side;
  /** What new files of the destination do not get where modes are not kept. */
  readonly #umask: number;
  /** Directories that operands were copied into: names of one file find each other through them. */
  readonly #open = new Map<string, TreeDir>();
  readonly #links = new Map<unknown, CopiedLinks>();
  readonly #manifests: Manifests;
  #isHinted = false;

  constructor(
    ctx: Context,
    job: CopyJob,
    { trees, to, umask }: { readonly trees: HostTrees; readonly to: Side; readonly umask: number | undefined },
  ) {
    this.#ctx = ctx;
    this.#job = job;
    this.#trees = trees;
    this.#to = to;
    this.#umask = umask ?? trees.hostUmask();
    this.#manifests = new Manifests(trees, job.plan);
  }

  close(): void {
    for (const dir of this.#open.values()) dir.close();
    this.#manifests.close();
  }

  /** Is the destination fit for it? What is wrong has been said. */
  prepare(): boolean {
    const { sources, dest, plan } = this.#job;
    const many = sources.length > 1 || plan.into === 'always';
    try {
      if (plan.parents === 'made') {
        const isDir = many || dest.path.endsWith('/');
        this.#to.makeDirs(rootIfEmpty(isDir ? dest.path : parentOf(dest.path)));
      }
      const mustBeDir = many || plan.parents === 'as in source';
      if (mustBeDir && this.#to.kind(dest.path) !== 'dir') throw new FsError('ENOTDIR');
    } catch (thrown) {
      if (!(thrown instanceof FsError)) throw thrown;
      this.#ctx.fail(thrown, this.#to.place(dest.path));
      return false;
    }
    this.#ctx.json?.array('copies');
    return true;
  }

  async copy(source: TreePlaceName): Promise<void> {
    const { plan, members } = this.#job;
    const ctx = this.#ctx;
    const host = { ...plan.host, told: this.#xattrsOf(source) };
    const side = await openSide(ctx, source, { trees: this.#trees, host, write: plan.move });
    if (side === undefined) return;
    if (plan.move && side.fs !== undefined && this.#to.fs !== undefined) ctx.images.commitBefore(this.#to.fs, side.fs);
    const from = { side, path: source.path };
    try {
      if (plan.move) refuseWhole(source.path);
      const report = this.#copy(from);
      if (report === undefined) return;
      for (const loss of report.losses) this.#tellLoss(side.text(source.path), loss);
      ctx.json?.element(members({ source, report }));
      if (plan.move) removeSource(ctx, { from, report, trees: this.#trees });
    } catch (thrown) {
      if (!(thrown instanceof FsError)) throw thrown;
      ctx.fail(thrown, this.#whereOf(thrown, from));
    }
  }

  /** Of a host tree, in one go. */
  #xattrsOf(source: TreePlaceName): HostTreeOptions['told'] {
    const { plan } = this.#job;
    const trees = this.#trees;
    if (source.kind !== 'host' || !plan.host.xattrs || trees.hostKind(source.path) === 'none') return undefined;
    const parent = trees.hostRealPath(rootIfEmpty(parentOf(source.path)));
    const name = baseOf(source.path);
    const told = trees.readHostXattrs(isWhole(name) ? trees.hostRealPath(source.path) : joinPath(parent, name));
    if (told === undefined) this.#ctx.warn(`${safeText(source.path)}: extended attributes not kept: no getfattr(1)`);
    return told;
  }

  #tellLoss(where: string, loss: LossReport): void {
    const { plan } = this.#job;
    const isTold = tellLoss(this.#ctx, where, { ...loss, verbose: plan.verbose });
    if (!isTold || this.#to.fs !== undefined || this.#isHinted || plan.manifest !== undefined || plan.move) return;
    if (loss.loss === 'birth time' || loss.loss === 'hole') return;
    this.#isHinted = true;
    this.#ctx.shell.err('  --manifest keeps it in a file beside the copy, from which copying in has it again\n');
  }

  /** Of an operand as a whole. */
  #whereOf(error: FsError, from: At): ReturnType<Side['place']> {
    const to = { side: this.#to, path: this.#job.dest.path };
    if (sideOf(error, from, to, this.#isRecursive) === 'source') return from.side.place(from.path);
    const { op, path, image } = error.context;
    const isHosts = this.#to.fs === undefined && image === undefined && op !== 'copy';
    return isHosts && path !== undefined ? path : this.#to.place(to.path);
  }

  get #isRecursive(): boolean {
    return this.#job.plan.copy.recursive !== false;
  }

  /** undefined: it failed, which has been said. */
  #copy({ side, path: operand }: At): CopyReport | undefined {
    const { plan } = this.#job;
    const path = plan.resolve && side.isLink(operand) ? side.realPath(operand) : operand;
    const name = baseOf(path);
    const whole = isWhole(name);
    const target = this.#targetOf(path, whole);
    this.#refuseInside({ side, path }, target.parent);
    /** Where an entry of the copy is: in the source, and in the target. */
    const outer = (entry: string): string => joinPath(path, whole ? entry : entry.split('/').slice(1).join('/'));
    const made = (entry: string): string => joinPath(target.parent, entry);
    const options = this.#optionsFor(side, outer, made);
    if (plan.move && !this.#makeRoom(side, path, made(target.name))) return undefined;
    if (whole) {
      if (!this.#isRecursive) throw new FsError('EISDIR', { op: 'copy', path });
      if (this.#to.kind(target.parent) === 'none') this.#to.makeDir(target.parent);
      return this.#contents({ side, path }, target.parent, options);
    }
    const report = withDir(this.#source({ side, path }, 'parent'), (dir) => {
      const isNew = this.#to.fs === undefined && this.#to.kind(joinPath(target.parent, target.name)) === 'none';
      const root =
        isNew && side.stat(path).type === 'dir' && target.parent !== this.#job.dest.path ? target.name : undefined;
      return copyTree({ dir, name }, { dir: this.#dir(target.parent, root), name: target.name }, options);
    });
    return this.#manifests.without(report, this.#to);
  }

  #contents(from: At, parent: string, options: CopyOptions): CopyReport {
    const to = this.#to;
    const report = withDir(this.#source(from, 'itself'), (dir) => copyContents(dir, this.#dir(parent), options));
    this.#manifests.root(from, { side: to, path: parent });
    return this.#manifests.without(report, to);
  }

  /** The operand's directory, or the one that it is in. */
  #source({ side, path }: At, which: 'itself' | 'parent'): TreeDir {
    const dir = side.tree(which === 'itself' ? path : rootIfEmpty(parentOf(path)));
    return side.fs === undefined ? this.#manifests.reading(dir, path, which) : dir;
  }

  /** A tree that moves takes the place of an empty directory, as in rename(2), and is not put into a full one. */
  #makeRoom(side: Side, path: string, target: string): boolean {
    const to = this.#to;
    if (side.stat(path).type !== 'dir' || to.kind(target) !== 'dir' || to.isLink(target)) return true;
    try {
      withDir(to.tree(rootIfEmpty(parentOf(target))), (dir) => dir.rmdir(baseOf(target)));
      return true;
    } catch (thrown) {
      if (!(thrown instanceof FsError)) throw thrown;
      this.#ctx.fail(thrown, to.place(target));
      return false;
    }
  }

  /** The directory that the copy is made in, and its name there. */
  #targetOf(source: string, whole: boolean): TargetName {
    const { dest, plan } = this.#job;
    const to = this.#to;
    const kind = to.kind(dest.path);
    const image = plan.host.guarded;
    if (to.fs === undefined && kind === 'other' && image?.has(this.#trees.hostId(dest.path) ?? '') === true)
      throw new FsError('EEXIST', { op: 'copy', path: dest.path, what: 'is the image itself' });
    if (whole) return { parent: dest.path, name: '' };
    if (plan.parents === 'as in source') {
      const parent = joinPath(dest.path, parentOf(source).replace(/^[/.]+/, ''));
      to.makeDirs(parent);
      return { parent, name: baseOf(source) };
    }
    // Writing into a file goes through links to it, as cp(1) does; only an image is written to so.
    const through = plan.copy.existing === 'overwrite' && to.fs !== undefined && kind === 'other';
    const path = through ? to.realPath(dest.path) : dest.path;
    return targetIn(to, path, { name: baseOf(source), into: plan.into, kind });
  }

  /** A tree into itself has no end. */
  #refuseInside(from: At, parent: string): void {
    if (from.side.fs === undefined || from.side.fs !== this.#to.fs || this.#job.plan.instead === 'hard links') return;
    if (from.side.kind(from.path) !== 'dir' || from.side.isLink(from.path) || this.#to.kind(parent) !== 'dir') return;
    const [outer, inner] = [from.side.realPath(from.path), this.#to.realPath(parent)];
    if (inner === outer || inner.startsWith(outer === '/' ? '/' : `${outer}/`))
      throw new FsError('EINVAL', { op: 'copy', path: from.path, what: 'a directory is not copied into itself' });
  }

  #optionsFor(side: Side, source: (entry: string) => string, made: (entry: string) => string): CopyOptions {
    const { plan } = this.#job;
    const to = this.#to;
    const ctx = this.#ctx;
    const { instead } = plan;
    if (instead === 'symbolic links' && side.fs !== to.fs)
      throw new FsError('EXDEV', { op: 'copy', what: 'a symbolic link leads nowhere outside of its file system' });
    return {
      ...plan.copy,
      umask: this.#umask,
      sameSide: side.fs !== undefined && side.fs === to.fs,
      links: this.#linksOf(side),
      ...(instead === 'hard links' ? { instead: 'hard link' as const } : {}),
      ...(instead === 'symbolic links' ? { instead: (entry: string) => side.realPath(source(entry)) } : {}),
      wrote: (bytes) => ctx.progress.bytes(bytes),
      done: (entry) => {
        ctx.progress.files(1);
        if (!plan.verbose) return;
        ctx.shell.err(`${safeText(side.text(source(entry)))} -> ${safeText(to.text(made(entry)))}\n`);
      },
      failed: (entry, error) => {
        const places = { from: { side, path: source(entry) }, to: { side: to, path: made(entry) } };
        const where = sideOf(error, places.from, places.to, this.#isRecursive) === 'source' ? places.from : places.to;
        ctx.fail(error, where.side.place(where.path));
        return afterFailure(error);
      },
    };
  }

  #linksOf(side: Side): CopiedLinks {
    // The host is one side, however often it is named.
    const key = side.fs ?? 'host';
    let links = this.#links.get(key);
    if (links === undefined) this.#links.set(key, (links = new Map()));
    return links;
  }

  /** `root`: the new directory in it that has a manifest of its own; else that is of `path`. */
  #dir(path: string, root?: string): TreeDir {
    const key = JSON.stringify([path, root]);
    let dir = this.#open.get(key);
    if (dir === undefined) {
      const plain = this.#to.tree(path);
      dir = this.#to.fs === undefined ? this.#manifests.writing(plain, path, root) : plain;
      this.#open.set(key, dir);
    }
    return dir;
  }
}

function withDir<T>(dir: TreeDir, use: (dir: TreeDir) => T): T {
  try {
    return use(dir);
  } finally {
    dir.close();
  }
}
