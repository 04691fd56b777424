/** How many names are in both of two directories that are to become one, at any depth. */
import { FsError } from 'ukfs';
import type { TreeDir } from 'ukfs';
import type { Clashes } from '../model/ask.ts';

/** Names that are counted before somebody is asked what becomes of them. */
export const COUNTED = 1000;

/** Two directories of one name, and what of the first is still to be looked at. */
interface Pair {
  /** Equal for names of one directory. */
  readonly id: string;
  readonly from: TreeDir;
  readonly to: TreeDir;
  readonly entries: Iterator<{ readonly name: string }>;
}

/** The second is opened when the first could be. Errors: those of opendir(3). */
function pairOf(id: string, openFrom: () => TreeDir, openTo: () => TreeDir): Pair {
  const from = openFrom();
  try {
    return { id, from, to: openTo(), entries: from.list()[Symbol.iterator]() };
  } catch (thrown) {
    from.close();
    throw thrown;
  }
}

const TOP = '.';

/** Directories that are in both become one, and do not count. In slices. Errors: those of opendir(3) and readdir(3). */
export function* clashesOf(openFrom: () => TreeDir, openTo: () => TreeDir): Generator<undefined, Clashes> {
  let names = 0;
  const open = [pairOf(TOP, openFrom, openTo)];
  try {
    for (let pair = open.at(-1); pair !== undefined; pair = open.at(-1)) {
      const { from, to, entries } = pair;
      const next = entries.next();
      if (next.done === true) {
        open.pop();
        from.close();
        to.close();
        continue;
      }
      const { name } = next.value;
      const there = to.lstat(name);
      if (there === undefined) {
        yield;
        continue;
      }
      const here = from.lstat(name);
      if (here?.type === 'dir' && there.type === 'dir') {
        // A damaged image may have directories in themselves.
        if (open.some(({ id }) => id === here.id)) throw new FsError('ELOOP', { path: name });
        open.push(
          pairOf(
            here.id,
            () => from.opendir(name),
            () => to.opendir(name),
          ),
        );
      } else if (++names > COUNTED) return { names: COUNTED, isMore: true };
      yield;
    }
    return { names, isMore: false };
  } finally {
    for (const { from, to } of open) {
      from.close();
      to.close();
    }
  }
}
