/** What helps after a failure: lines behind its message, and the `hint` of its JSON. */
import { FsError, NotRecognisedError, SelectionError } from 'ukfs';
import type { Ukfs } from 'ukfs';
import { suggestion } from './suggest.ts';

/** Entries of a directory looked at for a name like the one that is missing. */
const LOOKED_AT_MAX = 4096;
/** Steps up a path that is missing altogether. */
const DEPTH_MAX = 64;

/** The flag or the command that goes on from here; undefined where the message says all there is. */
export function adviceOf(thrown: unknown, program: string): string | undefined {
  if (!(thrown instanceof FsError) || thrown instanceof SelectionError) return undefined;
  const command = program.replace(/^fsu[ _-]/, '');
  if (thrown instanceof NotRecognisedError && thrown.recognised === undefined)
    return '--type TYPE goes by no signature, IMAGE:off=1MiB looks elsewhere in the image';
  if (thrown.code === 'EISDIR') return withDirectories[command];
  return undefined;
}

/** Of the commands that take directories when asked to. */
const withDirectories: Readonly<Record<string, string>> = {
  cp: '-R copies directories with all they hold',
  put: '-R copies directories with all they hold',
  rm: '-r removes directories with all they hold, -d empty ones',
};

/**
 * A path that is there and is spelt nearly as this one, of which the last parts are missing: its first missing name in the
 * spelling of the nearest sibling. Reads one directory, and no more of it than it takes to help.
 */
export function nearestPath(fs: Ukfs, path: string): string | undefined {
  try {
    const found = firstMissing(fs, path);
    if (found === undefined) return undefined;
    const { dir, name, rest } = found;
    // Of one or two letters nearly everything is near.
    const near = name.length < 3 ? undefined : suggestion(name, namesIn(fs, dir));
    const meant = near === undefined ? undefined : `${dir}${near}${rest}`;
    return meant === undefined || !fs.exists(meant) ? undefined : meant;
  } catch (thrown) {
    if (thrown instanceof FsError) return undefined;
    throw thrown;
  }
}

function firstMissing(fs: Ukfs, path: string): { dir: string; name: string; rest: string } | undefined {
  let end = path.replace(/\/+$/, '').length;
  for (let depth = 0; depth < DEPTH_MAX && end > 0; depth++) {
    const slash = path.lastIndexOf('/', end - 1);
    const dir = path.slice(0, slash + 1);
    if (fs.exists(dir === '' ? '.' : dir)) return { dir, name: path.slice(slash + 1, end), rest: path.slice(end) };
    end = slash;
  }
  return undefined;
}

function namesIn(fs: Ukfs, dir: string): readonly string[] {
  const fd = fs.opendir(dir === '' ? '.' : dir);
  try {
    const names: string[] = [];
    for (let batch = fs.getdents(fd); batch.length > 0 && names.length < LOOKED_AT_MAX; batch = fs.getdents(fd))
      for (const { name } of batch) if (name !== '.' && name !== '..') names.push(name);
    return names;
  } finally {
    fs.close(fd);
  }
}

const KINDS = ['name', 'label', 'uuid', 'type', 'off', 'file'];

/** Of an address whose selector makes no sense: `lable=root` → `label=root`. */
export function nearestSelector(text: string): string | undefined {
  for (const [, kind = '', value = ''] of text.matchAll(/:(\w+)=([^:/]*)/g)) {
    const near = KINDS.includes(kind) ? undefined : suggestion(kind, KINDS);
    if (near !== undefined) return `${near}=${value}`;
  }
  return undefined;
}
