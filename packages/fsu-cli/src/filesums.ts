/** What a file of an image adds up to. */
import { O } from 'ukfs';
import type { Ukfs } from 'ukfs';

/** Read at a time. */
const BUFFER = 256 * 1024;

/** A sum over bytes in the making: a hash of the host's, or one of our own. */
export interface Sum {
  update(bytes: Uint8Array): void;
  digest(): string;
}

/** Reads files of images to their end; one buffer for all. */
export class FileSums {
  readonly #buffer = new Uint8Array(BUFFER);

  /** The digest of a file's bytes, and how many these are. `flags`: of open(2). Errors: of open and read; EISDIR. */
  of(fs: Ukfs, path: string, sum: Sum, flags: number = O.RDONLY): { readonly digest: string; readonly size: number } {
    const fd = fs.open(path, flags);
    try {
      let size = 0;
      for (let n = fs.read(fd, this.#buffer); n > 0; n = fs.read(fd, this.#buffer)) {
        sum.update(this.#buffer.subarray(0, n));
        size += n;
      }
      return { digest: sum.digest(), size };
    } finally {
      fs.close(fd);
    }
  }
}
