/** Completion of a path inside an open image: for the shells, and for our own prompt. */
import { FsError } from 'ukfs';
import type { Dirent, Ukfs } from 'ukfs';
import { CANDIDATES_MAX } from './candidate.ts';
import type { Candidate } from './candidate.ts';

/** Entries looked at: a directory of millions must not hold up a key. */
const LOOKED_AT_MAX = 65536;

/**
 * What the word may become, in order; nothing where it leads nowhere. A word without `/` is of the current directory. Names that
 * begin with a dot come only when the word's last part does.
 */
export function completePath(fs: Ukfs, word: string): Candidate[] {
  const dir = word.slice(0, word.lastIndexOf('/') + 1);
  const begin = word.slice(dir.length);
  try {
    const found: Candidate[] = [];
    for (const entry of entriesOf(fs, dir === '' ? '.' : dir)) {
      const { name } = entry;
      if (!name.startsWith(begin) || name === '.' || name === '..' || (begin === '' && name.startsWith('.'))) continue;
      const isDir = leadsToDir(fs, dir + name, entry);
      found.push({ word: `${dir}${name}${isDir ? '/' : ''}`, says: '', more: isDir });
      if (found.length === CANDIDATES_MAX) break;
    }
    return found.sort((a, b) => (a.word < b.word ? -1 : 1));
  } catch (thrown) {
    if (thrown instanceof FsError) return [];
    throw thrown;
  }
}

function* entriesOf(fs: Ukfs, dir: string): Generator<Dirent> {
  const fd = fs.opendir(dir);
  try {
    let seen = 0;
    for (let batch = fs.getdents(fd); batch.length > 0 && seen < LOOKED_AT_MAX; batch = fs.getdents(fd)) {
      yield* batch;
      seen += batch.length;
    }
  } finally {
    fs.close(fd);
  }
}

function leadsToDir(fs: Ukfs, path: string, { type }: Dirent): boolean {
  if (type !== undefined && type !== 'lnk') return type === 'dir';
  try {
    return fs.stat(path).type === 'dir';
  } catch (thrown) {
    if (thrown instanceof FsError) return false;
    throw thrown;
  }
}
