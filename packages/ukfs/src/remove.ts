/** rm -r: directories are emptied from below, with a descriptor and a batch of entries for each level. */
import { FsError } from '@ukfs/kernel';
import type { Dirent } from '@ukfs/kernel';
import { joinPath } from './path.ts';
import type { Ukfs } from './handle.ts';

type Remover = Pick<Ukfs, 'opendir' | 'getdents' | 'lstat' | 'close' | 'unlink' | 'rmdir' | 'together' | 'traits'>;

interface Level {
  readonly path: string;
  readonly fd: number;
  batch: Dirent[];
  removed: number;
}

const BATCH = 512;
/** Files unlinked as one group. */
const GROUP = 127;
const isChild = ({ name }: { readonly name: string }): boolean => name !== '.' && name !== '..';

export interface RemoveOptions {
  /** The mount that `root` is on. */
  readonly dev: number;
  /** Told of each entry that is gone. */
  readonly done?: (path: string) => void;
}

/** Remove the directory `root` with all it holds. Errors: EBUSY something else is mounted below. */
export function removeTree(fs: Remover, root: string, { dev, done }: RemoveOptions): void {
  const level = (path: string): Level => ({ path, fd: fs.opendir(path), batch: [], removed: 0 });
  const levels = [level(root)];
  try {
    for (let top = levels.at(-1); top !== undefined; top = levels.at(-1)) {
      const entry = top.batch.pop();
      if (entry === undefined) {
        const batch = fs.getdents(top.fd, BATCH);
        if (batch.length > 0) top.batch = batch.filter(isChild).reverse();
        else if (leave(fs, levels, top, level)) done?.(top.path);
        continue;
      }
      const path = joinPath(top.path, entry.name);
      // Most directories say what is no directory: a file's own attributes are not needed to remove it.
      if (!mayBeDirectory(entry)) unlinkSome(fs, top, [path, ...moreFiles(top)], done);
      else if (isDirectory(fs, path, dev)) levels.push(level(path));
      else unlinkSome(fs, top, [path], done);
    }
  } finally {
    for (const { fd } of levels) fs.close(fd);
  }
}

const mayBeDirectory = ({ type }: Dirent): boolean => type === undefined || type === 'dir';

/** Errors: EBUSY when something else is mounted there. */
function isDirectory(fs: Remover, path: string, dev: number): boolean {
  const stat = fs.lstat(path);
  if (stat.dev !== dev) throw new FsError('EBUSY', { op: 'rm', path });
  return stat.type === 'dir';
}

/** Take the next entries from a level's batch as long as they are files. */
function moreFiles({ path, batch }: Level): string[] {
  const files: string[] = [];
  for (let next = batch.at(-1); next !== undefined && files.length < GROUP; next = batch.at(-1)) {
    if (mayBeDirectory(next)) break;
    files.push(joinPath(path, next.name));
    batch.pop();
  }
  return files;
}

/** As one group, which is faster; one by one if it fails, so that those before the one that cannot go are gone. */
function unlinkSome(fs: Remover, top: Level, paths: readonly string[], done: RemoveOptions['done']): void {
  const atOnce = fs.traits.needsDevice && unlinkTogether(fs, paths);
  for (const path of paths) {
    if (!atOnce) fs.unlink(path);
    top.removed++;
    done?.(path);
  }
}

/** False: one of them cannot go, and all are there. */
function unlinkTogether(fs: Remover, paths: readonly string[]): boolean {
  try {
    fs.together(() => {
      for (const path of paths) fs.unlink(path);
    });
    return true;
  } catch (e) {
    if (e instanceof FsError) return false;
    throw e;
  }
}

/** A directory was read to its end: true, it is removed; or go through it again if removing has hidden entries from the reading. */
function leave(fs: Remover, levels: Level[], top: Level, level: (path: string) => Level): boolean {
  levels.pop();
  fs.close(top.fd);
  try {
    fs.rmdir(top.path);
  } catch (e) {
    if (top.removed === 0 || !(e instanceof FsError && e.code === 'ENOTEMPTY')) throw e;
    levels.push(level(top.path));
    return false;
  }
  const parent = levels.at(-1);
  if (parent !== undefined) parent.removed++;
  return true;
}
