/** The sum of a file of an image. */
import type { Ukfs } from 'ukfs';
import { FileSums } from '../filesums.ts';
import type { HostSide } from '../host-files.ts';
import type { Algorithm } from './manifest.ts';

export class Sums {
  readonly #host: HostSide;
  readonly #sums = new FileSums();

  constructor(host: HostSide) {
    this.#host = host;
  }

  /** `size` in bytes. Errors: of open and read; EISDIR. */
  of(fs: Ukfs, path: string, algorithm: Algorithm): { readonly digest: string; readonly size: number } {
    return this.#sums.of(fs, path, this.#host.hash(algorithm === 'b2' ? 'blake2b512' : algorithm));
  }
}
