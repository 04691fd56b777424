/** What people call the type of a file system: `ext4`, where the module is ext2fs. */
import { FsError } from 'ukfs';
import type { Ukfs } from 'ukfs';

export function variantOf(handle: Ukfs): string {
  try {
    return handle.fsinfo('/').variant;
  } catch (thrown) {
    // Types without information are what they are called.
    if (thrown instanceof FsError && thrown.code === 'EOPNOTSUPP') return handle.type;
    throw thrown;
  }
}
