/** The sum of a file of an image. */
import type { Ukfs } from 'ukfs';
import type { HostSide } from '../host-files.ts';
import type { Algorithm } from './manifest.ts';

const BUFFER = 256 * 1024;

/** Reads files and sums them; one buffer for all. */
export class Sums {
  readonly #host: HostSide;
  readonly #buffer = new Uint8Array(BUFFER);

  constructor(host: HostSide) {
    this.#host = host;
  }

  /** Errors: of open and read; EISDIR. */
  of(fs: Ukfs, path: string, algorithm: Algorithm): { readonly sum: string; readonly size: number } {
    const sum = this.#host.hash(algorithm === 'b2' ? 'blake2b512' : algorithm);
    const fd = fs.open(path);
    try {
      let size = 0;
      for (let n = fs.read(fd, this.#buffer); n > 0; n = fs.read(fd, this.#buffer)) {
        sum.update(n === BUFFER ? this.#buffer : this.#buffer.subarray(0, n));
        size += n;
      }
      return { sum: sum.digest(), size };
    } finally {
      fs.close(fd);
    }
  }
}
