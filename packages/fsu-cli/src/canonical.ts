/** Names without links, dots and doubled slashes: readlink -f, ln -r. */
import { FsError } from 'ukfs';
import type { Stat, Ukfs } from 'ukfs';

/** As many links as the kernel follows in a path, and some. */
const LINKS_MAX = 40;

const namesOf = (path: string): string[] => path.split('/').filter((name) => name !== '' && name !== '.');
const parentOf = (path: string): string => path.slice(0, Math.max(0, path.lastIndexOf('/')));

/**
 * The path from the root that leads to the same file without a link on the way. `missing`: which of its names need not be
 * there. Errors: ENOENT, ENOTDIR, ELOOP.
 */
export function canonical(
  fs: Pick<Ukfs, 'lstat' | 'readlink' | 'getcwd'>,
  path: string,
  missing: 'none' | 'last' | 'any',
): string {
  const pending = namesOf(path.startsWith('/') ? path : `${fs.getcwd()}/${path}`).reverse();
  let done = '';
  let links = 0;
  for (let name = pending.pop(); name !== undefined; name = pending.pop()) {
    if (name === '..') {
      done = parentOf(done);
      continue;
    }
    const next = `${done}/${name}`;
    const isLast = pending.length === 0;
    const stat = lstatIf(fs, next, missing === 'any' || (missing === 'last' && isLast));
    if (stat?.type === 'lnk') {
      if (++links > LINKS_MAX) throw new FsError('ELOOP', { path });
      const target = fs.readlink(next);
      if (target.startsWith('/')) done = '';
      pending.push(...namesOf(target).reverse());
      continue;
    }
    const mustBeDir = !isLast || path.endsWith('/');
    if (stat !== undefined && stat.type !== 'dir' && mustBeDir && missing !== 'any')
      throw new FsError('ENOTDIR', { path });
    done = next;
  }
  return done === '' ? '/' : done;
}

function lstatIf(fs: Pick<Ukfs, 'lstat'>, path: string, mayMiss: boolean): Stat | undefined {
  try {
    return fs.lstat(path);
  } catch (e) {
    if (mayMiss && e instanceof FsError && (e.code === 'ENOENT' || e.code === 'ENOTDIR')) return undefined;
    throw e;
  }
}

/** How to get from a directory to a file, both from the root and without links: `../b/c`. */
export function relativePath(fromDir: string, to: string): string {
  const here = namesOf(fromDir);
  const there = namesOf(to);
  let common = 0;
  while (common < here.length && common < there.length && here[common] === there[common]) common++;
  const steps = [...here.slice(common).map(() => '..'), ...there.slice(common)];
  return steps.length === 0 ? '.' : steps.join('/');
}
