/** The two sides of a copy, image or host, as the engine sees them: what a path names, and trees to copy from and to. */
import { CorruptError, FsError, realPath, ukfsTree } from 'ukfs';
import type { TreeDir, TreeStat, Ukfs } from 'ukfs';
import { addressText } from '../context.ts';
import type { ImageName, Target } from '../context.ts';
import { baseOf, parentOf, rootIfEmpty } from '../copying.ts';
import { dryTree } from './dry.ts';
import type { HostTreeOptions, HostTrees } from '../host.ts';

export type Kind = 'dir' | 'other' | 'none';

export interface Side {
  /** undefined: the host. */
  readonly fs: Ukfs | undefined;
  /** What a path names, links followed. */
  kind(path: string): Kind;
  isLink(path: string): boolean;
  /** Of the file itself, links not followed. Errors: ENOENT. */
  stat(path: string): TreeStat;
  tree(path: string): TreeDir;
  /** For what a directory holds. */
  makeDir(path: string): void;
  /** With its parents; one that is there is no error. */
  makeDirs(path: string): void;
  realPath(path: string): string;
  /** As people are shown it. */
  text(path: string): string;
  /** As failures name it. */
  place(path: string): Target | string;
}

function dryHostSide(side: Side): Side {
  const nothing = (): void => undefined;
  const tree = (path: string): TreeDir => dryTree(side.kind(path) === 'none' ? undefined : side.tree(path));
  return { ...side, tree, makeDir: nothing, makeDirs: nothing };
}

function statIn(dir: TreeDir, path: string): TreeStat {
  try {
    const stat = dir.lstat(baseOf(path));
    if (stat === undefined) throw new FsError('ENOENT', { op: 'copy', path });
    return stat;
  } finally {
    dir.close();
  }
}

/** A path on a side. */
export interface At {
  readonly side: Side;
  readonly path: string;
}

export function imageSide(fs: Ukfs, image: ImageName): Side {
  return {
    fs,
    kind: (path) => (!fs.exists(path) ? 'none' : fs.stat(path).type === 'dir' ? 'dir' : 'other'),
    isLink: (path) => fs.lstat(path).type === 'lnk',
    stat: (path) => statIn(ukfsTree(fs, rootIfEmpty(parentOf(path))), path),
    tree: (path) => ukfsTree(fs, path),
    makeDir: (path) => fs.mkdir(path),
    makeDirs: (path) => fs.mkdir(path, { recursive: true }),
    realPath: (path) => realPath(fs, path),
    text: (path) => addressText(image, path),
    place: (path) => ({ image, path, shown: addressText(image, path) }),
  };
}

/** `dry`: nothing of it is to change. */
export function hostSide(trees: HostTrees, options: HostTreeOptions, dry: boolean): Side {
  if (dry) return dryHostSide(hostSide(trees, options, false));
  return {
    fs: undefined,
    kind: trees.hostKind,
    isLink: trees.isHostLink,
    stat: (path) => statIn(trees.hostTree(rootIfEmpty(parentOf(path)), options), path),
    tree: (path) => trees.hostTree(path, options),
    makeDir: trees.makeHostDir,
    makeDirs: trees.makeHostDir,
    realPath: trees.hostRealPath,
    text: (path) => path,
    place: (path) => path,
  };
}

/** What the copy itself refuses is mostly about its target. */
const isAboutSource = ({ code }: FsError, recursive: boolean): boolean =>
  code === 'EINVAL' || code === 'ENOENT' || code === 'ELOOP' || code === 'EBUSY' || (code === 'EISDIR' && !recursive);

/**
 * The side on which it failed, if it can be told. Errors of an image name it, the host's name their path, and what the copy
 * itself refused says so.
 */
export function sideOf(error: FsError, from: At, to: At, recursive: boolean): 'source' | 'target' {
  const { image, op, path } = error.context;
  if (image !== undefined) {
    if (from.side.fs === undefined) return 'target';
    if (to.side.fs === undefined) return 'source';
    if (from.side.fs !== to.side.fs && from.side.fs.address.image !== to.side.fs.address.image)
      return from.side.fs.address.image === image ? 'source' : 'target';
    return path === from.path ? 'source' : 'target';
  }
  // Damage is an image's, and met by reading first.
  if (error instanceof CorruptError) return from.side.fs === undefined ? 'target' : 'source';
  if (op === 'copy' || path === undefined) return isAboutSource(error, recursive) ? 'source' : 'target';
  return from.side.fs === undefined ? 'source' : 'target';
}
