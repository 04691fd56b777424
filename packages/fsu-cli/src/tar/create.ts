/** tar -c: files of images into an archive. */
import { FsError, TarWriter, tarTree } from 'ukfs';
import type { CopyReport, Stat, TarRoot, TarTreeOptions, Ukfs } from 'ukfs';
import { UsageError } from '../command.ts';
import { addressText } from '../context.ts';
import type { Context, ImageName } from '../context.ts';
import { reportMembers, tellLoss } from '../copying.ts';
import { sourceDateEpoch } from '../epoch.ts';
import { pathMembers } from '../format/json.ts';
import { safeText } from '../format/name.ts';
import { Owners } from '../owners.ts';
import { outerPlace } from '../place.ts';
import { openArchiveOut, placeOfArchive } from './archive.ts';
import type { ArchiveOut } from './archive.ts';
import { excludes, namesOf, patternsOf } from './names.ts';
import type { OwnerWord, TarOptions } from './options.ts';

/** Trees of one image. */
interface Source {
  readonly image: ImageName;
  readonly roots: readonly TarRoot[];
}

export async function create(ctx: Context, options: TarOptions, operands: readonly string[]): Promise<void> {
  const sources = sourcesOf(ctx, { options, operands, more: await namesOf(ctx, options) });
  const excluded = excludes(await patternsOf(ctx, options));
  const place = placeOfArchive(ctx, options);
  // What is written is opened before what is read: both may be the same image.
  const inImage = place.kind === 'image' ? await openArchiveOut(ctx, place, options) : undefined;
  if (place.kind === 'image' && inImage === undefined) return;
  const opened: { readonly fs: Ukfs; readonly source: Source }[] = [];
  for (const source of sources) {
    const fs = await ctx.tryOpen(source.image);
    if (fs !== undefined) opened.push({ fs, source });
  }
  // An archive without what was asked for is none.
  const out = opened.length < sources.length ? undefined : (inImage ?? (await openArchiveOut(ctx, place, options)));
  if (out === undefined) {
    inImage?.close();
    return;
  }
  try {
    write(ctx, { options, out, opened, excluded });
  } catch (thrown) {
    if (!(thrown instanceof FsError)) throw thrown;
    ctx.fail(thrown, out.shown);
  } finally {
    out.close();
  }
}

interface Words {
  readonly options: TarOptions;
  readonly operands: readonly string[];
  /** From -T. */
  readonly more: readonly string[];
}

/**
 * What the operands mean. With an image given they are paths in it. Otherwise the first is an address, and those after it
 * are addresses too, or names as seen from there: then the first is only where they begin.
 */
function sourcesOf(ctx: Context, { options, operands, more }: Words): readonly Source[] {
  const { image } = ctx.settings;
  if (image !== undefined) {
    const names = [...operands, ...more];
    const base = joined('/', options.directory);
    return [{ image, roots: (names.length === 0 ? ['.'] : names).map((name) => rootOf(base, name)) }];
  }
  const [first, ...rest] = operands;
  if (first === undefined) throw new UsageError('no image given');
  const target = ctx.addressTarget(first);
  const base = joined(target.path, options.directory);
  const places = rest.map((operand) => ({ operand, place: outerPlace(ctx, operand) }));
  const names = [...places.filter(({ place }) => place.kind !== 'image').map(({ operand }) => operand), ...more];
  const isBase = names.length > 0 || options.directory !== undefined;
  const own = names.length > 0 ? names.map((name) => rootOf(base, name)) : [rootOf(base, isBase ? '.' : target.path)];
  const others = places.flatMap(({ place }) =>
    place.kind === 'image' ? [{ image: place.image, roots: [rootOf('/', place.path)] }] : [],
  );
  return merged([{ image: target.image, roots: own }, ...others]);
}

/** Neighbours in one image are one source, so that hard links between them are seen. */
function merged(sources: readonly Source[]): readonly Source[] {
  const out: Source[] = [];
  for (const source of sources) {
    const last = out.at(-1);
    if (last?.image.text === source.image.text)
      out[out.length - 1] = { ...last, roots: [...last.roots, ...source.roots] };
    else out.push(source);
  }
  return out;
}

/** A directory, as seen from another. */
function joined(base: string, directory: string | undefined): string {
  if (directory === undefined) return base;
  return directory.startsWith('/') && !directory.startsWith('//') && base === '/' ? directory : `${base}/${directory}`;
}

/** Names in archives are relative: without leading slashes, and what goes up is left out. */
function rootOf(base: string, name: string): TarRoot {
  const path = name.startsWith('/') ? name : `${base.replace(/\/+$/, '')}/${name}`;
  const shown = name
    .replace(/^.*(?:^|\/)\.\.(?=\/|$)/s, '')
    .replace(/^\/+/, '')
    .replace(/\/+$/, '');
  return { path: path.replace(/(?<=.)(?:\/+\.?)+$/, ''), name: shown === '' ? '.' : shown };
}

interface Job {
  readonly options: TarOptions;
  readonly out: ArchiveOut;
  readonly opened: readonly { readonly fs: Ukfs; readonly source: Source }[];
  readonly excluded: (name: string) => boolean;
}

function write(ctx: Context, { options, out, opened, excluded }: Job): void {
  const writer = new TarWriter(out.sink, options.format);
  const reports: CopyReport[] = [];
  for (const { fs, source } of opened) {
    const { image } = source;
    const how: TarTreeOptions = {
      ...(options.numeric ? {} : { names: new Owners(fs) }),
      set: setOf(fs, options),
      xattrs: options.xattrs,
      acls: options.acls,
      birthtimes: options.birthTimes,
      follow: options.follow,
      recursive: options.recursive,
      oneFileSystem: options.oneFileSystem,
      order: options.sorted ? 'name' : 'directory',
      filter: (name, stat) => !excluded(name) && !isItself(out, fs, stat),
      ...latestOf(ctx),
      done: (name) => {
        if (options.verbose) ctx.shell.err(`${safeText(name)}\n`);
      },
      failed: (path, error) => ctx.fail(error, { image, path, shown: path }),
    };
    const report = tarTree(fs, source.roots, writer, how);
    for (const loss of report.losses) tellLoss(ctx, addressText(image, '/'), { ...loss, verbose: options.verbose });
    reports.push(report);
  }
  writer.end();
  out.end();
  if (ctx.json === undefined) return;
  ctx.json.path('archive', out.shown);
  ctx.json.array('sources');
  opened.forEach(({ source }, index) => {
    const report = reports[index];
    if (report !== undefined)
      ctx.json?.element({ ...pathMembers('image', source.image.text), ...reportMembers(report) });
  });
}

/** An archive does not hold itself. */
const isItself = ({ file }: ArchiveOut, fs: Ukfs, stat: Stat | undefined): boolean =>
  file !== undefined && file.fs === fs && file.ino === stat?.ino;

function latestOf(ctx: Context): Pick<TarTreeOptions, 'latest'> {
  const latest = sourceDateEpoch(ctx);
  return latest === undefined ? {} : { latest };
}

type SetWords = NonNullable<TarTreeOptions['set']>;

/** --owner NAME is a user of the image, if it knows one. */
function setOf(fs: Ukfs, { owner, group, mtime, numeric }: TarOptions): SetWords {
  const known = new Owners(fs);
  const uid = idOf(owner, (name) => known.uid(name));
  const gid = idOf(group, (name) => known.gid(name));
  return {
    ...(uid === undefined ? {} : { uid }),
    ...(gid === undefined ? {} : { gid }),
    ...(owner?.name === undefined || numeric ? {} : { uname: owner.name }),
    ...(group?.name === undefined || numeric ? {} : { gname: group.name }),
    ...(mtime === undefined ? {} : { mtime }),
  };
}

function idOf(word: OwnerWord | undefined, lookUp: (name: string) => number | undefined): number | undefined {
  if (word === undefined) return undefined;
  return word.id ?? (word.name === undefined ? undefined : lookUp(word.name));
}
