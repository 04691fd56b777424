/** A directory of an image in parts. */
import type { DirentPlus, Ukfs } from 'ukfs';
import { describeError } from '../../errors.ts';
import type { Row } from '../model/state.ts';

/** Entries of one part: few enough that others get a turn, enough that a large directory takes few. */
const BATCH = 1000;

export function* imageRows(fs: Ukfs, dir: string): Generator<readonly Row[], undefined> {
  const fd = fs.opendir(dir);
  try {
    for (;;) {
      const entries = fs.getdentsplus(fd, BATCH);
      if (entries.length === 0) return undefined;
      yield entries.filter(({ name }) => name !== '.' && name !== '..').map(rowOf);
    }
  } finally {
    fs.close(fd);
  }
}

function rowOf({ name, ino, type, stat, error }: DirentPlus): Row {
  if (stat === undefined) {
    const nothing = { size: 0, bytes: 0, mtime: { sec: 0, nsec: 0 }, mode: 0, uid: 0, gid: 0, nlink: 0 };
    return { name, ino, type, ...nothing, damage: describeError(error) };
  }
  const { size, bytes, mtime, mode, uid, gid, nlink, rdev } = stat;
  return {
    name,
    ino: stat.ino,
    type: stat.type,
    size,
    bytes,
    mtime,
    mode,
    uid,
    gid,
    nlink,
    ...(rdev === undefined ? {} : { rdev }),
  };
}
