/**
 * The second half of a move between file systems: the source goes when its copy is whole.
 *
 * Nothing is ever lost: an image's file goes in its own transaction, which commits after the one that brought the copy; a host
 * file goes after every commit. A crash in between leaves both.
 */
import { FsError, removeTree } from 'ukfs';
import type { CopyReport, Loss } from 'ukfs';
import type { Context } from '../context.ts';
import { baseOf, isWhole } from '../copying.ts';
import type { HostTrees } from '../host.ts';
import type { At } from './side.ts';

/** Losses of whole files, not merely of something about them. */
const WHOLE: ReadonlySet<Loss> = new Set(['symbolic link', 'device', 'fifo', 'socket']);

interface Moved {
  readonly from: At;
  readonly report: CopyReport;
  readonly trees: HostTrees;
}

/** Errors: EBUSY a path that is no name, but what a directory holds. */
export function refuseWhole(path: string): void {
  if (isWhole(baseOf(path))) throw new FsError('EBUSY', { op: 'copy', path, what: 'this is not moved' });
}

/** Errors: ENOTSUP the copy is not whole. What failed already has been said, and stays. */
export function removeSource(ctx: Context, { from, report, trees }: Moved): void {
  const { side, path } = from;
  if (report.failures > 0 || report.skipped > 0) return;
  if (report.losses.some(({ loss }) => WHOLE.has(loss)))
    throw new FsError('ENOTSUP', { op: 'copy', path, what: 'not all of it could be copied, so it stays' });
  const { fs } = side;
  if (fs === undefined) {
    ctx.images.afterCommits(() => {
      try {
        trees.removeHostTree(path);
      } catch (thrown) {
        if (!(thrown instanceof FsError)) throw thrown;
        ctx.fail(thrown, path);
      }
    });
    return;
  }
  const { type, dev } = fs.lstat(path);
  if (type === 'dir') removeTree(fs, path, { dev });
  else fs.unlink(path);
}
