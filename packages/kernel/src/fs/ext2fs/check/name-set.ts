/** The names of one directory block, to find those that occur twice. One set serves all blocks, one after the other. */
import { DIRENT_HEADER, DirEntry } from '../format.ts';

const NAME_LEN = DirEntry.offsetOf('nameLen');
const SLASH = 0x2f;
/** Slots hold offsets in a block of at most 64 KiB, and the round in which they were filled. */
const OFFSETS = 0x2_0000;
const ROUNDS = 0x7fff;

export class NameSet {
  readonly #slots: Uint32Array;
  #data: Uint8Array = new Uint8Array(0);
  #round = 0;

  constructor(blockSize: number) {
    // Records take 12 bytes at least: the set is never more than half full.
    this.#slots = new Uint32Array(2 ** Math.ceil(Math.log2(blockSize / 6)));
  }

  begin(data: Uint8Array): void {
    this.#data = data;
    this.#round++;
    if (this.#round <= ROUNDS) return;
    this.#slots.fill(0);
    this.#round = 1;
  }

  /** False: it is there already. `at` is where the name lies in the block. */
  add(at: number, length: number): boolean {
    let hash = 0x811c9dc5;
    for (let i = at; i < at + length; i++) hash = Math.imul(hash ^ (this.#data[i] ?? 0), 0x01000193);
    return this.#put(hash, at, length) === at;
  }

  /** False, and nothing is added: the name is there already, or has a slash or a zero in it. */
  addPlain(at: number, length: number): boolean {
    const data = this.#data;
    let hash = 0x811c9dc5;
    for (let i = at; i < at + length; i++) {
      const byte = data[i] ?? 0;
      if (byte === SLASH || byte === 0) return false;
      hash = Math.imul(hash ^ byte, 0x01000193);
    }
    return this.#put(hash, at, length) === at;
  }

  /** Where the name is now: at `at`, or where it was before. */
  #put(hash: number, at: number, length: number): number {
    const slots = this.#slots;
    const mask = slots.length - 1;
    const base = this.#round * OFFSETS;
    for (let slot = (hash ^ (hash >>> 15)) & mask; ; slot = (slot + 1) & mask) {
      const there = (slots[slot] ?? 0) - base;
      if (there < 0) {
        slots[slot] = base + at;
        return at;
      }
      if (this.#isSame(there, at, length)) return there;
    }
  }

  #isSame(a: number, b: number, length: number): boolean {
    const data = this.#data;
    if (data[a - DIRENT_HEADER + NAME_LEN] !== length) return false;
    for (let i = 0; i < length; i++) if (data[a + i] !== data[b + i]) return false;
    return true;
  }
}
