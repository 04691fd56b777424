/** Places and directories. */
import type { DirentPlus } from 'ukfs';
import { describeError } from '../../errors.ts';
import { HOST } from '../model/state.ts';
import type { Row } from '../model/state.ts';
import type { Answerers } from './index.ts';

/** Entries of one answer: few enough that others get a turn, enough that a large directory takes few. */
const BATCH = 1000;

export const movingAnswerers: Pick<Answerers, 'stack' | 'enter' | 'standing' | 'follow' | 'list'> = {
  stack: ({ image }, { desk, signal }) => desk.call('stack', image === undefined ? [] : [image], { signal }),
  async follow({ place, path, isLink }, { desk, signal }) {
    if (place === HOST) return { place, path, isLink, isDir: await desk.call('isHostDir', [path], { signal }) };
    const fs = (await desk.fs(place)).until(signal);
    return { place, path, isLink, isDir: (await fs.stat(path)).type === 'dir' };
  },
  enter: ({ place }, { desk }) => (place === HOST ? desk.call('enterHost', []) : desk.enter(place)),
  async standing({ place }, { desk, signal }) {
    const { variant, details, readOnlyReasons } = await (await desk.fs(place)).until(signal).fsinfo('/');
    const { journal } = details;
    return {
      variant,
      journal: journal === undefined || journal === 'none' ? undefined : String(journal),
      readOnly: readOnlyReasons.map(({ what }) => what),
    };
  },
  async list({ place, dir }, { desk, part, signal }) {
    if (place === HOST) return desk.call('hostList', [dir], { signal, item: (rows) => part(rows as readonly Row[]) });
    const fs = (await desk.fs(place)).until(signal);
    const fd = await fs.opendir(dir);
    try {
      for (;;) {
        const entries = await fs.getdentsplus(fd, BATCH);
        if (entries.length === 0) return undefined;
        part(entries.filter(({ name }) => name !== '.' && name !== '..').map(rowOf));
      }
    } finally {
      // What was cancelled leaves its descriptor all the same; nobody waits for that.
      if (!signal.aborted) await fs.close(fd);
      else void (await desk.fs(place)).close(fd);
    }
  },
};

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
