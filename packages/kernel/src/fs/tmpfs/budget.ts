/**
 * What a tmpfs may use: bytes (file data in whole chunks, names, link targets, attribute values) and files.
 * Everything that takes memory asks here first, so running out is found before anything has changed.
 */
import { assert } from '../../kern/assert.ts';
import { FsError } from '../../kern/errno.ts';

export class Budget {
  readonly limit: number;
  #used = 0;

  constructor(limit: number) {
    this.limit = limit;
  }

  get used(): number {
    return this.#used;
  }

  get free(): number {
    return this.limit - this.#used;
  }

  /** ENOSPC when the amount does not fit; then nothing was taken. */
  take(amount: number): void {
    if (amount > this.free) throw new FsError('ENOSPC');
    this.#used += amount;
  }

  give(amount: number): void {
    this.#used -= amount;
    assert(this.#used >= 0, 'tmpfs gave back more than it took');
  }
}
