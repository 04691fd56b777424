/** tmpfs has no disk. Its only bytes that leave the kernel are file handles. */
import { bytes, le64, struct } from '../../kern/struct.ts';

/** It outlives the mount, so it says which mount it is of: a later one at the same place is another. */
export const Handle = struct('tmpfs file handle', 16, [
  [0x00, 'ino', le64],
  [0x08, 'mountId', bytes(8)],
]);
