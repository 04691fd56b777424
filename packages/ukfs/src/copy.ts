/**
 * Copying trees: image to host, host to image, image to image.
 *
 * Everything is kept: owners, modes, times, flags, extended attributes, hard links, symbolic links, devices, holes. What
 * the other side cannot hold is counted and told once, at the end. Nothing is followed and no path is built (tree.ts): a
 * hostile image cannot make a copy write outside of its target. Directories get their attributes when they are full.
 */
import type { FsError } from '@ukfs/kernel';
import { Copier } from './copier.ts';
import type { Loss, TreeDir, TreePlace, TreeStat } from './tree.ts';

export interface CopyOptions {
  /** What to keep beyond names and contents. Default: everything. */
  readonly keep?: Partial<Record<'owner' | 'mode' | 'times' | 'flags' | 'links', boolean>> & {
    readonly xattrs?: boolean | ((name: string) => boolean);
  };
  /** Enter directories; without it a directory is EISDIR. Default true. */
  readonly recursive?: boolean;
  /**
   * A file that is there already: put the new one in its place (default), leave it, fail with EEXIST, or write into it, where the
   * target can do that, so that it keeps its attributes and its other names.
   */
  readonly existing?: 'replace' | 'skip' | 'fail' | 'overwrite';
  /** Asked of each file that is there already; false leaves it. */
  readonly mayReplace?: (path: string, there: TreeStat, stat: TreeStat) => boolean;
  /** Symbolic links to copy as what they lead to: none (default), the one that is named, or all. */
  readonly follow?: 'never' | 'named' | 'always';
  /** Where modes are not kept: permissions that new files do not get. Default 0o022. */
  readonly umask?: number;
  /** In place of each file: another name for it, or a symbolic link with the text given. */
  readonly instead?: 'hard link' | ((path: string) => string);
  /** Source and target are one file system: a file is not copied onto itself. */
  readonly sameSide?: boolean;
  /** Files with several names that earlier copies made from the same source: give each call the same map. */
  readonly links?: CopiedLinks;
  /**
   * 'keep' holes (default): where nobody can tell them, runs of zeros of a file that must have some; 'detect' runs of
   * zeros in every file, too; or 'fill' them.
   */
  readonly holes?: 'keep' | 'detect' | 'fill';
  /** Called before each entry; false leaves it (and what is below) out. */
  readonly filter?: (path: string, stat: TreeStat) => boolean;
  /** Told of each entry that was made, with the bytes so far: for -v and progress. */
  readonly done?: (path: string, stat: TreeStat, bytes: number) => void;
  /** Told of bytes as they are written, those of a long file on its way, too. */
  readonly wrote?: (bytes: number) => void;
  /** An entry failed; without it the copy ends there. What to do with the others. */
  readonly failed?: (path: string, error: FsError) => 'go on' | 'stop';
}

/** By the source's id of the file: a name that was made, and how many are still to come. */
export type CopiedLinks = Map<string, { readonly base: TreeDir; readonly path: readonly string[]; left: number }>;

export interface LossReport {
  readonly loss: Loss;
  readonly count: number;
  /** The first path it happened to. */
  readonly example: string;
}

export interface CopyReport {
  readonly directories: number;
  readonly files: number;
  readonly others: number;
  /** Bytes of data written, holes not counted. */
  readonly bytes: number;
  readonly failures: number;
  /** Left alone because something was there already. */
  readonly skipped: number;
  /** What could not be kept, each kind once. */
  readonly losses: readonly LossReport[];
}

/** Copy `from` to the name `to`. Errors: those of either side, unless `failed` takes them; EINVAL for a name that is none. */
export function copyTree(from: TreePlace, to: TreePlace, options: CopyOptions = {}): CopyReport {
  return new Copier(from, to, options, undefined).run();
}

/** Copy everything in `from` into `to`, both open and staying so; neither directory's own attributes are touched. */
export function copyContents(from: TreeDir, to: TreeDir, options: CopyOptions = {}): CopyReport {
  return new Copier(undefined, { dir: to, name: '' }, options, from).run();
}
