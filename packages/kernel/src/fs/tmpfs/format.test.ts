import { expect, it } from 'vitest';
import { Handle } from './format.ts';

it('a file handle is the inode number, then the mount it is of', () => {
  const raw = new Uint8Array(16);
  const handle = Handle.at(raw, 0);
  handle.ino = 0x1_0000_0002;
  handle.mountId = Uint8Array.from([1, 2, 3, 4, 5, 6, 7, 8]);
  expect([...raw]).toEqual([2, 0, 0, 0, 1, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8]);
});
