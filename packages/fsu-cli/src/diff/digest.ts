/** SHA-256 of a file of either side. */
import type { ComparedEntry } from 'ukfs';
import type { HostSide } from '../host.ts';

const PIECE = 128 * 1024;

export class Digests {
  readonly #host: HostSide;
  readonly #buffer = new Uint8Array(PIECE);

  constructor(host: HostSide) {
    this.#host = host;
  }

  /** Lower-case hexadecimal. Errors: those of reading. */
  sha256({ dir, name }: ComparedEntry): string {
    const hash = this.#host.sha256();
    const file = dir.open(name);
    try {
      for (let at = 0; ;) {
        const n = file.read(this.#buffer, at);
        if (n === 0) return hash.digest();
        hash.update(this.#buffer.subarray(0, n));
        at += n;
      }
    } finally {
      file.close();
    }
  }
}
