/** An edit as one call: to programs what `fsu script` is on the command line. */
import { FsError } from '@ukfs/kernel';
import type { AddressLike, OpenOptions, Ukfs } from './handle.ts';
import { open } from './ukfs.ts';

/**
 * Open an image, let `act` edit it, commit, close: everything that `act` does happens, or nothing. What it returns comes back
 * once it is durable; what it throws comes out again, and the image is as it was. With `dryRun` nothing is committed.
 * In a `session` that others have images open in, what they staged stays staged when `act` throws, and is committed with the rest
 * when it does not.
 * Errors: open()'s and commit()'s; EROFS the file system may only be read; what `act` throws.
 */
export async function transaction<T>(
  address: AddressLike,
  act: (fs: Ukfs) => T | Promise<T>,
  options: Omit<OpenOptions, 'write'> = {},
): Promise<T> {
  const fs = await open(address, { ...options, write: true });
  let result: T;
  try {
    fs.checkWritable();
    const mark = fs.savepoint();
    try {
      result = await act(fs);
    } catch (thrown) {
      quietly(() => fs.rollback(mark));
      throw thrown;
    }
    if (options.dryRun !== true) fs.commit();
  } catch (thrown) {
    quietly(() => fs.close());
    throw thrown;
  }
  fs.close();
  return result;
}

/** What went wrong first is what is told: `act` may have used up the mark, a commit that failed may have ended the handle. */
function quietly(act: () => void): void {
  try {
    act();
  } catch (thrown) {
    if (!(thrown instanceof FsError)) throw thrown;
  }
}
