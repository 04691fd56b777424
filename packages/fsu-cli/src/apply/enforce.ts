/**
 * Making one file what a manifest says. First what is to be done is found, by reading alone; then it is done: a file that is
 * as it should be is not touched, so that a second time changes nothing.
 */
import { compareTrees, FileFlag, FsError, nameFromBytes, nameToBytes, O, removeTree, ukfsTree, writeAll } from 'ukfs';
import type { ComparedTree, Ukfs } from 'ukfs';
import type { Stat } from '@ukfs/kernel';
import { baseOf, parentOf, rootIfEmpty } from '../copying.ts';
import { streamTree } from '../stream.ts';
import { attributeSteps, belowSteps } from './attributes.ts';
import type { OwnersOf } from './attributes.ts';
import { obeyingLines } from './lines.ts';
import type { Entry } from './manifest.ts';

/** One thing to do to a file. */
export interface Step {
  /** What of the file is not as it should be: `content`, `mode`, `created` … */
  readonly what: string;
  act(): void;
}

interface Enforcement {
  readonly fs: Ukfs;
  readonly owners: OwnersOf;
  /** What the manifest says of another path. */
  declared(path: string): Entry | undefined;
  /** The host file a `source` means. */
  source(path: string): ComparedTree;
}

const PIECE = 128 * 1024;
/** Lines are worked on in memory. */
const LINES_MAX = 16 * 1024 * 1024;
const IMMUTABLE = FileFlag.SF_IMMUTABLE | FileFlag.SF_APPEND | FileFlag.UF_IMMUTABLE | FileFlag.UF_APPEND;

/** Makes it so; what was different. Errors: FsError. */
export function enforce(on: Enforcement, entry: Entry): readonly string[] {
  const { fs } = on;
  const { path } = entry;
  const found = lstatIf(fs, path);
  const steps = entry.state === 'absent' ? absentSteps(fs, entry, found) : stepsOf(on, entry, found);
  if (steps.length === 0) return [];
  const held = found === undefined ? 0 : found.flags & IMMUTABLE;
  if (found !== undefined && held !== 0) fs.lchflags(path, (found.flags & ~IMMUTABLE) >>> 0);
  for (const { act } of steps) act();
  if (held !== 0 && lstatIf(fs, path)?.ino === found?.ino)
    fs.lchflags(path, entry.attributes.flags ?? found?.flags ?? 0);
  return [...new Set(steps.map(({ what }) => what))];
}

function lstatIf(fs: Ukfs, path: string): Stat | undefined {
  try {
    return fs.lstat(path);
  } catch (thrown) {
    if (thrown instanceof FsError && thrown.code === 'ENOENT') return undefined;
    throw thrown;
  }
}

function absentSteps(fs: Ukfs, entry: Entry & { state: 'absent' }, found: Stat | undefined): Step[] {
  if (found === undefined) return [];
  const { path } = entry;
  const act = (): void => {
    if (found.type !== 'dir') fs.unlink(path);
    else if (entry.recurse) removeTree(fs, path, { dev: found.dev });
    else fs.rmdir(path);
  };
  return [{ what: 'removed', act }];
}

type Present = Exclude<Entry, { state: 'absent' }>;
const typeOf = { file: 'reg', line: 'reg', directory: 'dir', link: 'lnk', fifo: 'fifo' } as const;

function stepsOf(on: Enforcement, entry: Present, found: Stat | undefined): Step[] {
  const { fs } = on;
  const { path } = entry;
  const right = isRightKind(fs, entry, found);
  const body = bodySteps(on, entry, right ? found : undefined);
  if (right && found !== undefined) return [...body, ...attributesOf(on, entry, found, body.length > 0)];
  if (found !== undefined && (found.type === 'dir' || entry.state === 'directory')) {
    const what = found.type === 'dir' ? 'a directory is there' : 'something else than a directory is there';
    throw new FsError(found.type === 'dir' ? 'EISDIR' : 'ENOTDIR', { path, what });
  }
  const make = (): void => {
    if (found !== undefined) fs.unlink(path);
    else fs.mkdir(rootIfEmpty(parentOf(path)), { recursive: true, mode: 0o755 });
    create(fs, entry);
  };
  const what = found === undefined ? 'created' : 'replaced';
  // What it then lacks is known when it is there.
  const finish = (): void => attributesOf(on, entry, fs.lstat(path), true).forEach(({ act }) => act());
  return [make, ...body.map(({ act }) => act), finish].map((act) => ({ what, act }));
}

/** Is what is there of the kind that is wanted, so that it can be made right? */
function isRightKind(fs: Ukfs, entry: Present, found: Stat | undefined): boolean {
  if (found === undefined) return false;
  switch (entry.state) {
    case 'hard': {
      const { dev, ino } = fs.lstat(entry.target);
      return found.dev === dev && found.ino === ino;
    }
    case 'device':
      return found.type === entry.type && found.rdev?.major === entry.major && found.rdev.minor === entry.minor;
    case 'link':
      return found.type === 'lnk' && fs.readlink(entry.path) === entry.target;
    default:
      return found.type === typeOf[entry.state];
  }
}

function create(fs: Ukfs, entry: Present): void {
  const { path } = entry;
  const mode = entry.attributes.mode ?? 0o644;
  switch (entry.state) {
    case 'file':
    case 'line':
      return fs.close(fs.open(path, O.WRONLY | O.CREAT | O.EXCL | O.NOFOLLOW, mode));
    case 'directory':
      return fs.mkdir(path, entry.attributes.mode ?? 0o755);
    case 'link':
      return fs.symlink(entry.target, path);
    case 'hard':
      return fs.link(entry.target, path);
    case 'device':
      return fs.mknod(path, entry.type, mode, { major: entry.major, minor: entry.minor });
    case 'fifo':
      return fs.mkfifo(path, mode);
  }
}

function attributesOf(on: Enforcement, entry: Present, found: Stat, written: boolean): Step[] {
  if (entry.state === 'hard') return [];
  const { attributes, path } = entry;
  const steps = attributeSteps(on.fs, path, { attributes, found, written, owners: on.owners });
  if (entry.state !== 'directory' || !entry.recurse) return steps;
  const hasOwner = (other: string): boolean => {
    const declared = on.declared(other)?.attributes;
    return declared?.owner !== undefined || declared?.group !== undefined;
  };
  return [...belowSteps(on.fs, path, { attributes, owners: on.owners, hasOwner }), ...steps];
}

/** What is to be written; `found`: a file that is there and stays. */
function bodySteps(on: Enforcement, entry: Present, found: Stat | undefined): Step[] {
  if (entry.state === 'line') return lineSteps(on.fs, entry, found);
  if (entry.state !== 'file' || entry.content.kind === 'any') return [];
  const { content } = entry;
  const wanted =
    content.kind === 'bytes'
      ? { ...streamTree(content.bytes), tells: contentOnly, grainNs: 1 }
      : on.source(content.path);
  return withTree(wanted, () => {
    if (found !== undefined && isSame(on.fs, entry.path, wanted)) return [];
    return [
      { what: 'content', act: () => withTree(again(on, entry, wanted), (tree) => write(on.fs, entry.path, tree)) },
    ];
  });
}

const contentOnly = new Set(['content'] as const);

/** The host's directory was closed meanwhile. */
const again = (on: Enforcement, entry: Present & { state: 'file' }, tree: ComparedTree): ComparedTree =>
  entry.content.kind === 'source' ? on.source(entry.content.path) : tree;

function withTree<T>(tree: ComparedTree, use: (tree: ComparedTree) => T): T {
  try {
    return use(tree);
  } finally {
    tree.dir.close();
  }
}

function isSame(fs: Ukfs, path: string, wanted: ComparedTree): boolean {
  const there: ComparedTree = {
    dir: ukfsTree(fs, rootIfEmpty(parentOf(path))),
    name: baseOf(path),
    tells: contentOnly,
    grainNs: 1,
  };
  return compareTrees(there, wanted, { what: contentOnly }).next().done === true;
}

function write(fs: Ukfs, path: string, { dir, name }: ComparedTree): void {
  const from = dir.open(name);
  try {
    const fd = fs.open(path, O.WRONLY | O.TRUNC | O.NOFOLLOW);
    try {
      const buffer = new Uint8Array(PIECE);
      for (let at = 0, n = from.read(buffer, at); n > 0; at += n, n = from.read(buffer, at))
        writeAll(fs, fd, buffer, { length: n });
    } finally {
      fs.close(fd);
    }
  } finally {
    from.close();
  }
}

function lineSteps(fs: Ukfs, { path, lines }: Present & { state: 'line' }, found: Stat | undefined): Step[] {
  if (found === undefined && lines.ensure.length === 0) throw new FsError('ENOENT', { path });
  if (found !== undefined && found.size > LINES_MAX)
    throw new FsError('EFBIG', { path, what: 'more than 16 MiB, too large to look at its lines' });
  const text = found === undefined ? '' : nameFromBytes(fs.readFile(path));
  const obeying = obeyingLines(text, lines);
  if (obeyingLines(obeying, lines) !== obeying)
    throw new FsError('EINVAL', { path, what: 'the rules for its lines never come to rest' });
  return obeying === text
    ? []
    : [{ what: 'lines', act: () => fs.writeFile(path, nameToBytes(obeying), { flag: 'w' }) }];
}
