/** mv within a file system: rename(2), and what mv(1) refuses or asks before it. */
import { FsError } from 'ukfs';
import type { Ukfs } from 'ukfs';

export interface RenamePlan {
  /** Leave what is there already. */
  readonly keepsOld: boolean;
  readonly exchange: boolean;
  /** Asked when the target is there; false leaves it. */
  readonly mayReplace: ((target: string) => boolean) | undefined;
}

/** False: what is there was left alone. Errors: rename(2)'s; EINVAL the two are one file. */
export function renameTo(fs: Ukfs, from: string, to: string, plan: RenamePlan): boolean {
  const stat = fs.lstat(from);
  const there = lstatOf(fs, to);
  if (plan.exchange) {
    fs.rename(from, to, { exchange: true });
    return true;
  }
  if (there !== undefined) {
    if (plan.keepsOld) return false;
    // rename(2) does nothing when both are names of one file; nobody who says mv means that.
    if (there.dev === stat.dev && there.ino === stat.ino)
      throw new FsError('EINVAL', { op: 'rename', path: from, what: 'source and target are the same file' });
    if (plan.mayReplace?.(to) === false) return false;
  }
  fs.rename(from, to);
  return true;
}

function lstatOf(fs: Ukfs, path: string): ReturnType<Ukfs['lstat']> | undefined {
  try {
    return fs.lstat(path);
  } catch (thrown) {
    if (thrown instanceof FsError && thrown.code === 'ENOENT') return undefined;
    throw thrown;
  }
}
