/** Where a path of an image leads. Walking it is the kernel's business; this says in words where it ended. */
import { FsError } from '@ukfs/kernel';
import type { Ukfs } from './handle.ts';
import { baseOf, joinPath } from './path.ts';

/** The kernel's SYMLOOP_MAX is 32: a longer chain is a loop. */
const LINKS_MAX = 40;

/** The absolute path of what `path` names, free of links, `.` and `..`. Errors: ENOENT, ENOTDIR, ELOOP. */
export function realPath(fs: Ukfs, path: string): string {
  let at = path;
  for (let links = 0; links < LINKS_MAX; links++) {
    const { type } = fs.lstat(at);
    if (type === 'dir') return realDir(fs, at);
    const name = baseOf(at);
    const parent = realDir(fs, at.replace(/\/+$/, '').slice(0, -name.length) || '.');
    if (type !== 'lnk') return joinPath(parent, name);
    const target = fs.readlink(at);
    at = target.startsWith('/') ? target : joinPath(parent, target);
  }
  throw new FsError('ELOOP', { path });
}

/** The same for a directory. Errors: ENOENT, ENOTDIR, ELOOP. */
export function realDir(fs: Ukfs, path: string): string {
  const here = fs.getcwd();
  fs.chdir(path);
  try {
    return fs.getcwd();
  } finally {
    fs.chdir(here);
  }
}
