/** --dry-run out of an image: the host's directory as it is, to which nothing happens. */
import { FsError } from 'ukfs';
import type { TreeDir, TreeFile, TreeStat } from 'ukfs';

const NOWHERE: TreeFile = {
  read: () => 0,
  write: () => undefined,
  truncate: () => undefined,
  setattr: () => [],
  data: () => undefined,
  close: () => undefined,
};

/** `dir`, or a directory that would have been made. */
export function dryTree(dir: TreeDir | undefined): TreeDir {
  const create = (name: string): TreeFile => {
    if (dir?.lstat(name) !== undefined) throw new FsError('EEXIST', { path: name });
    return NOWHERE;
  };
  const nothing = (): void => undefined;
  return {
    list: () => dir?.list() ?? [],
    lstat: (name): TreeStat | undefined => dir?.lstat(name),
    opendir: (name) => dryTree(dir?.lstat(name) === undefined ? undefined : dir.opendir(name)),
    open: (name) => dir?.open(name) ?? NOWHERE,
    readlink: (name) => dir?.readlink(name) ?? '',
    xattrs: () => new Map(),
    create,
    mkdir: nothing,
    symlink: nothing,
    link: nothing,
    mknod: nothing,
    setattr: () => [],
    setxattr: nothing,
    unlink: nothing,
    rename: nothing,
    rmdir: nothing,
    close: () => dir?.close(),
  };
}
