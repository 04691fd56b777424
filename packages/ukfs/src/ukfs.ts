/** open(): from an address to a handle. */
import { FsError } from '@ukfs/kernel';
import type { AddressLike, ImageReport, OpenOptions, Ukfs } from './handle.ts';

/**
 * Open an image. Errors: ENOENT …, of the host; SelectionError; NotRecognisedError; UnsupportedError (a feature);
 * CorruptError; EBUSY (locked or in use); EROFS.
 */
export async function open(address: AddressLike, options: OpenOptions = {}): Promise<Ukfs> {
  throw new FsError('ENOSYS', { op: 'open', path: `${String(address)} ${String(options)}` });
}

/** What is in an image: its partitions and what each holds. Nothing is mounted. */
export async function inspect(address: AddressLike, options: OpenOptions = {}): Promise<ImageReport> {
  throw new FsError('ENOSYS', { op: 'inspect', path: `${String(address)} ${String(options)}` });
}
