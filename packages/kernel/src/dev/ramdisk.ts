/**
 * A disk in memory, for tests and for file systems that need no image. No transaction: what is written is written.
 * Filled with 0xA5, because code that relies on zeros it never wrote should fail here.
 */
import { FsError } from '../kern/errno.ts';
import type { BlockDevice } from './blockdev.ts';

interface RamDisk extends BlockDevice {
  /** The disk's memory itself. */
  readonly bytes: Uint8Array;
}

/** `contents` becomes the disk (not copied); a number makes one of that many bytes. */
export function ramDisk(contents: number | Uint8Array, options: { readonly readOnly?: boolean } = {}): RamDisk {
  const bytes = typeof contents === 'number' ? new Uint8Array(contents).fill(0xa5) : contents;
  const check = (op: string, offset: number, length: number): void => {
    if (!(offset >= 0 && offset + length <= bytes.length)) {
      throw new FsError('EINVAL', { op, offset, what: 'outside the device' });
    }
  };
  return {
    bytes,
    sectorSize: 512,
    sizeBytes: bytes.length,
    readOnly: options.readOnly ?? false,
    read(dst, offset) {
      check('read', offset, dst.length);
      dst.set(bytes.subarray(offset, offset + dst.length));
    },
    write(src, offset) {
      if (options.readOnly === true) throw new FsError('EROFS', { op: 'write' });
      check('write', offset, src.length);
      bytes.set(src, offset);
    },
    fresh: () => undefined,
    released: () => undefined,
    isReleased: () => false,
    superblock: () => undefined,
  };
}
