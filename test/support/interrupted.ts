/**
 * Real images with what a crash leaves beside them: edits of the real host, stopped before or after their commit point.
 * The library makes them, so that a log here is what the tools meet in the field.
 */
import { nodeHost } from '@ukfs/kernel/host/node';
import type { Host, HostFile } from '@ukfs/kernel';
import { FsError, open, type Ukfs } from 'ukfs';

/** Where the edit ends: its log complete but without its name, or the commit point passed and so many writes applied. */
export type StopAt = 'before the commit' | { readonly applied: number };

/** Edit an image and stop: what lies there then is an image and `<image>.fsu-log` or `.fsu-log.new`. */
export async function interruptEdit(image: string, edit: (fs: Ukfs) => void, stop: StopAt): Promise<void> {
  const host = stoppingHost(image, stop);
  const fs = await open(image, { host, write: true });
  let failure: unknown;
  try {
    edit(fs);
    fs.commit();
  } catch (thrown) {
    failure = thrown;
  }
  // Signals held back for the commit are let go in the next turn of the event loop.
  await new Promise((resolve) => setImmediate(resolve));
  if (!(failure instanceof FsError)) throw new Error('the edit was not stopped', { cause: failure });
}

const stopped = (): never => {
  throw new FsError('EIO', { what: 'stopped by the test' });
};

/** A process that is gone removes nothing and changes nothing any more. */
function stoppingHost(image: string, stop: StopAt): Host {
  const real = nodeHost();
  let published = false;
  let applied = 0;
  const guard = (file: HostFile, isImage: boolean): HostFile =>
    overlaid(file, {
      write(src, offset) {
        if (published && (!isImage || typeof stop !== 'object' || applied++ >= stop.applied)) stopped();
        file.write(src, offset);
      },
      truncate: (size) => (published ? stopped() : file.truncate(size)),
    });
  return overlaid(real, {
    open: (path, mode) => guard(real.open(path, mode), path === real.realpath(image)),
    lock: () => 'locked',
    console: () => undefined,
    rename(from, to) {
      published = true;
      if (stop === 'before the commit') stopped();
      real.rename(from, to);
    },
    unlink: (path) => (published ? stopped() : real.unlink(path)),
  });
}

/** `base` with some of its methods replaced; the others keep their `this`. */
function overlaid<T extends object>(base: T, own: Partial<T>): T {
  return new Proxy(base, {
    get(target, name) {
      const value: unknown = Reflect.get(name in own ? own : target, name);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
}
