/** changedFiles(): what an edit did, by comparing the tree with what it was. */
import { CorruptError, FsError } from '@ukfs/kernel';
import type { Extent } from '@ukfs/kernel';
import { aspects, aspectsOf } from './aspects.ts';
import type { Aspect } from './aspects.ts';
import { compareTrees } from './compare.ts';
import type { ComparedTree, Difference } from './compare.ts';
import type { ChangedFile, CheckHow, FileRun, Ukfs } from './handle.ts';
import type { TreeStat } from './tree.ts';
import { ukfsTree } from './ukfstree.ts';

/** All that an edit can change; where holes are is the file system's affair. */
const edited: ReadonlySet<Aspect> = new Set(aspects.filter((aspect) => aspect !== 'holes' && aspect !== 'links'));
/** A directory's own size and times follow its entries, which are told themselves. */
const ofDirectories: ReadonlySet<Aspect> = new Set(['mode', 'owner', 'birthtime', 'flags', 'xattrs']);

/** A difference, with what the file was and is; undefined on the side that does not have it. */
export interface TreeChange extends ChangedFile {
  readonly before: TreeStat | undefined;
  readonly after: TreeStat | undefined;
}

/**
 * Differences from `before` to `after`, which is the same image with edits, one by one: directory by directory, memory holds
 * the names of one level at a time. Times of access do not count. What is damaged cannot be compared, and is left out: an edit
 * elsewhere is told all the same.
 */
export function* treeChanges(before: Ukfs, after: Ukfs, { pause }: CheckHow = {}): Generator<TreeChange> {
  const written = new Written(before, after);
  const differences = compareTrees(wholeTree(before), wholeTree(after), {
    what: edited,
    isSameContent: (path) => written.isInPlace(`/${path}`),
    // They are not wanted, but there is a pause at each.
    same: pause !== undefined,
    failed(_, error) {
      if (!isDamage(error)) throw error;
    },
  });
  for (const difference of differences) {
    pause?.();
    const { change, what, before: was, after: is } = difference;
    if (change === 'same') continue;
    if (change === 'changed' && is?.stat.type === 'dir' && !what.some((aspect) => ofDirectories.has(aspect))) continue;
    yield { path: `/${difference.path}`, change: changeOf(difference), before: was?.stat, after: is?.stat };
  }
}

/** A directory that is within itself is damage, too. */
const isDamage = (error: FsError): boolean => error instanceof CorruptError || error.code === 'ELOOP';

const wholeTree = (fs: Ukfs): ComparedTree => ({ dir: ukfsTree(fs, '/'), name: '.', ...aspectsOf(fs) });

export const changedFiles = (before: Ukfs, after: Ukfs): ChangedFile[] =>
  [...treeChanges(before, after)]
    .map(({ path, change }) => ({ path, change }))
    .sort((a, b) => (a.path < b.path ? -1 : 1));

function changeOf({ change, what }: Difference): ChangedFile['change'] {
  if (change === 'added' || change === 'removed') return change;
  if (change === 'type') return 'replaced';
  return what.includes('content') || what.includes('target') ? 'content' : 'metadata';
}

/** What of the image was written: a file that lies where it lay, with nothing written there, is the same. */
class Written {
  readonly #before: Ukfs;
  readonly #after: Ukfs;
  readonly #extents: readonly Extent[];

  constructor(before: Ukfs, after: Ukfs) {
    this.#before = before;
    this.#after = after;
    this.#extents = after.changes().extents;
  }

  /** Times cannot tell: the clock may stand still. */
  isInPlace(path: string): boolean {
    try {
      const [was, is] = [this.#before.bmap(path), this.#after.bmap(path)];
      return is.length > 0 && is.length === was.length && is.every((run, i) => this.#isSame(run, was[i]));
    } catch (e) {
      // Formats without block maps have to be read.
      if (e instanceof FsError) return false;
      throw e;
    }
  }

  #isSame(is: FileRun, was: FileRun | undefined): boolean {
    const { fileOffset, length, deviceOffset } = is;
    if (was?.fileOffset !== fileOffset || was.length !== length || was.deviceOffset !== deviceOffset) return false;
    return deviceOffset === undefined || !this.#isWritten(this.#after.device.offset + deviceOffset, length);
  }

  /** Was any byte of this part of the image written? The extents are in ascending order and do not touch. */
  #isWritten(offset: number, length: number): boolean {
    let [low, high] = [0, this.#extents.length];
    while (low < high) {
      const middle = Math.floor((low + high) / 2);
      const extent = this.#extents[middle];
      if (extent !== undefined && extent.offset + extent.length <= offset) low = middle + 1;
      else high = middle;
    }
    const next = this.#extents[low];
    return next !== undefined && next.offset < offset + length;
  }
}
