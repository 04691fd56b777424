/** The directories found, ascending by inode number: for each, who has an entry for it and whom its `..` names. */
import type { Ino } from '../../../kern/ids.ts';

export class DirTable {
  #inos = new Uint32Array(256);
  #parents = new Uint32Array(256);
  #dotdots = new Uint32Array(256);
  count = 0;

  /** Inode numbers come in ascending order. */
  add(ino: Ino): void {
    if (this.count === this.#inos.length) {
      this.#inos = grown(this.#inos);
      this.#parents = grown(this.#parents);
      this.#dotdots = grown(this.#dotdots);
    }
    this.#inos[this.count++] = ino;
  }

  ino(index: number): Ino {
    return this.#inos[index] ?? 0;
  }

  /** Place of a directory in the table, or -1. */
  indexOf(ino: Ino): number {
    let low = 0;
    let high = this.count;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.ino(middle) < ino) low = middle + 1;
      else high = middle;
    }
    return low < this.count && this.ino(low) === ino ? low : -1;
  }

  /** Directory that has the entry; 0: none found. */
  parent(index: number): Ino {
    return this.#parents[index] ?? 0;
  }
  setParent(index: number, ino: Ino): void {
    this.#parents[index] = ino;
  }
  dotdot(index: number): Ino {
    return this.#dotdots[index] ?? 0;
  }
  setDotdot(index: number, ino: Ino): void {
    this.#dotdots[index] = ino;
  }
}

function grown(array: Uint32Array<ArrayBuffer>): Uint32Array<ArrayBuffer> {
  const more = new Uint32Array(array.length * 2);
  more.set(array);
  return more;
}
