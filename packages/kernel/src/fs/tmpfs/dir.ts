/**
 * A directory's entries: found by name, listed in the order they were made.
 *
 * Every entry has a number that never comes back; it is readdir's cookie. Going on after number n is exact whatever was
 * added, removed or renamed meanwhile: nothing is skipped, nothing comes twice. Removed entries keep their place in the
 * list (as dead) until half of it is dead, so removal costs no search through names behind it.
 */
import type { Dirent } from '../../vfs/dirent.ts';
import type { Budget } from './budget.ts';
import { nameByteLength } from '../../kern/name.ts';
import type { TmpNode } from './inode.ts';

/** Cookies 1 and 2 are `.` and `..`. */
const FIRST_COOKIE = 3;
/** Memory of an entry beside its name, counted against size=. */
const ENTRY_BYTES = 64;
/** Below this many the list is not worth sweeping. */
const SWEEP_MIN = 32;

export interface TmpDirent {
  readonly cookie: number;
  name: string;
  /** undefined: removed. */
  node: TmpNode | undefined;
}

const chargeOf = (name: string): number => ENTRY_BYTES + nameByteLength(name);

export class Directory {
  /** The directory above; undefined once this one is removed. The root is its own parent. */
  parent: TmpNode | undefined;
  readonly #byName = new Map<string, TmpDirent>();
  #list: TmpDirent[] = [];
  #dead = 0;
  #bytes = 0;
  #nextCookie = FIRST_COOKIE;
  readonly #space: Budget;

  constructor(space: Budget) {
    this.#space = space;
  }

  get isEmpty(): boolean {
    return this.#byName.size === 0;
  }

  get bytes(): number {
    return this.#bytes;
  }

  find(name: string): TmpDirent | undefined {
    return this.#byName.get(name);
  }

  /** Errors: ENOSPC, before any change. */
  add(name: string, node: TmpNode): void {
    this.#charge(chargeOf(name));
    const entry: TmpDirent = { cookie: this.#nextCookie++, name, node };
    this.#byName.set(name, entry);
    this.#list.push(entry);
  }

  remove(entry: TmpDirent): void {
    this.#charge(-chargeOf(entry.name));
    this.#byName.delete(entry.name);
    entry.node = undefined;
    if (++this.#dead > SWEEP_MIN && this.#dead * 2 > this.#list.length) {
      this.#list = this.#list.filter((e) => e.node !== undefined);
      this.#dead = 0;
    }
  }

  /** The entry keeps its place, so a reader who renames what it lists sees each file once. Errors: ENOSPC. */
  rename(entry: TmpDirent, name: string): void {
    this.#charge(chargeOf(name) - chargeOf(entry.name));
    this.#byName.delete(entry.name);
    entry.name = name;
    this.#byName.set(name, entry);
  }

  /** `self` is the directory's own node. A removed directory has not even `.` and `..`. */
  readdir(self: TmpNode, cookie: number, max: number): Dirent[] {
    const { parent } = this;
    if (parent === undefined) return [];
    const out: Dirent[] = [];
    if (cookie < 1 && out.length < max) out.push({ name: '.', ino: self.ino, type: 'dir', next: 1 });
    if (cookie < 2 && out.length < max) out.push({ name: '..', ino: parent.ino, type: 'dir', next: 2 });
    for (let i = this.#after(cookie); i < this.#list.length && out.length < max; i++) {
      const entry = this.#list[i];
      if (entry?.node === undefined) continue;
      out.push({ name: entry.name, ino: entry.node.ino, type: entry.node.type, next: entry.cookie });
    }
    return out;
  }

  /** Place of the first entry with a greater cookie: the list is in cookie order. */
  #after(cookie: number): number {
    let low = 0;
    let high = this.#list.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      const entry = this.#list[middle];
      if (entry !== undefined && entry.cookie <= cookie) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  #charge(bytes: number): void {
    if (bytes > 0) this.#space.take(bytes);
    else this.#space.give(-bytes);
    this.#bytes += bytes;
  }
}
