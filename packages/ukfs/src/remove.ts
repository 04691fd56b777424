/** rm -r: directories are emptied from below, with a descriptor and a batch of entries for each level. */
import { FsError } from '@ukfs/kernel';
import type { DirentPlus, VType } from '@ukfs/kernel';
import { joinPath } from './path.ts';
import type { Ukfs } from './handle.ts';

type Remover = Pick<
  Ukfs,
  'opendir' | 'getdents' | 'getdentsplus' | 'close' | 'unlink' | 'rmdir' | 'together' | 'traits'
>;

interface Level {
  readonly path: string;
  readonly fd: number;
  batch: DirentPlus[];
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
        const batch = fs.getdentsplus(top.fd, BATCH);
        if (batch.length > 0) top.batch = batch.filter(isChild).reverse();
        else if (leave(fs, levels, top, level)) done?.(top.path);
        continue;
      }
      mustBeOn(dev, top, entry);
      if (typeOf(entry) === 'dir') levels.push(level(joinPath(top.path, entry.name)));
      else unlinkSome(fs, top, [entry, ...moreFiles(top, dev)], done);
    }
  } finally {
    for (const { fd } of levels) fs.close(fd);
  }
}

const typeOf = ({ stat, type }: DirentPlus): VType | undefined => stat?.type ?? type;

function mustBeOn(dev: number, { path }: Level, { stat, name }: DirentPlus): void {
  if (stat !== undefined && stat.dev !== dev) throw new FsError('EBUSY', { op: 'rm', path: joinPath(path, name) });
}

/** Take the next entries from a level's batch as long as they are files. */
function moreFiles({ batch }: Level, dev: number): DirentPlus[] {
  const files: DirentPlus[] = [];
  for (let next = batch.at(-1); next !== undefined && files.length < GROUP; next = batch.at(-1)) {
    if (typeOf(next) === 'dir' || (next.stat !== undefined && next.stat.dev !== dev)) break;
    files.push(next);
    batch.pop();
  }
  return files;
}

/** As one group, which is faster; one by one if it fails, so that those before the one that cannot go are gone. */
function unlinkSome(fs: Remover, top: Level, entries: readonly DirentPlus[], done: RemoveOptions['done']): void {
  const paths = entries.map(({ name }) => joinPath(top.path, name));
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
  if (top.removed > 0 && !isEmpty(fs, top.path)) {
    levels.push(level(top.path));
    return false;
  }
  fs.rmdir(top.path);
  const parent = levels.at(-1);
  if (parent !== undefined) parent.removed++;
  return true;
}

function isEmpty(fs: Remover, path: string): boolean {
  const fd = fs.opendir(path);
  try {
    for (let some = fs.getdents(fd, BATCH); some.length > 0; some = fs.getdents(fd, BATCH)) {
      if (some.some(isChild)) return false;
    }
    return true;
  } finally {
    fs.close(fd);
  }
}
