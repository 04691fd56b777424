/** What the passes know of each inode: a few bytes each, kept by group and only for groups that have inodes in use. */
import type { Ino } from '../../../kern/ids.ts';
import type { Geometry } from '../superblock.ts';

/** Low bits of a kind: a file type as directory entries have it (FT), 0 for a free inode. */
const TYPE_MASK = 0x0f;
export const KIND = {
  /** Type without a name in FT: an inode in use whose mode makes no sense. */
  UNKNOWN: 0x08,
  /** Needs no name: reserved, or named in the superblock. */
  HIDDEN: 0x10,
  /** Holds the value of an attribute. */
  EA_INODE: 0x20,
  /** Its map is damaged: what it holds is not to be looked at. */
  DAMAGED: 0x40,
  /** Without a name, and known to be: on the orphan list or in the orphan file. */
  ORPHAN: 0x80,
} as const;

class GroupFacts {
  readonly kinds: Uint8Array;
  /** Link counts as stored. */
  readonly links: Uint16Array;
  /** Names found. */
  readonly names: Uint32Array;
  constructor(count: number) {
    this.kinds = new Uint8Array(count);
    this.links = new Uint16Array(count);
    this.names = new Uint32Array(count);
  }
}

export class InodeFacts {
  readonly #perGroup: number;
  readonly #groups: (GroupFacts | undefined)[] = [];

  constructor(geo: Geometry) {
    this.#perGroup = geo.inodesPerGroup;
  }

  #at(ino: Ino): GroupFacts | undefined {
    return this.#groups[Math.floor((ino - 1) / this.#perGroup)];
  }
  #index(ino: Ino): number {
    return (ino - 1) % this.#perGroup;
  }

  /** An inode in use. */
  add(ino: Ino, kind: number, links: number): void {
    const group = Math.floor((ino - 1) / this.#perGroup);
    const at = (this.#groups[group] ??= new GroupFacts(this.#perGroup));
    at.kinds[this.#index(ino)] = kind;
    at.links[this.#index(ino)] = links;
  }

  mark(ino: Ino, bit: number): void {
    const at = this.#at(ino);
    if (at !== undefined) at.kinds[this.#index(ino)] = (at.kinds[this.#index(ino)] ?? 0) | bit;
  }

  isUsed(ino: Ino): boolean {
    return this.kind(ino) !== 0;
  }
  kind(ino: Ino): number {
    return this.#at(ino)?.kinds[this.#index(ino)] ?? 0;
  }
  has(ino: Ino, bit: number): boolean {
    return (this.kind(ino) & bit) !== 0;
  }
  /** FT, or KIND.UNKNOWN, or 0. */
  type(ino: Ino): number {
    return this.kind(ino) & TYPE_MASK;
  }
  links(ino: Ino): number {
    return this.#at(ino)?.links[this.#index(ino)] ?? 0;
  }
  names(ino: Ino): number {
    return this.#at(ino)?.names[this.#index(ino)] ?? 0;
  }
  addName(ino: Ino): void {
    const at = this.#at(ino);
    if (at !== undefined) at.names[this.#index(ino)] = (at.names[this.#index(ino)] ?? 0) + 1;
  }

  /** Every inode in use, ascending. */
  eachUsed(use: (ino: Ino, kind: number) => void): void {
    for (let group = 0; group < this.#groups.length; group++) {
      const kinds = this.#groups[group]?.kinds;
      if (kinds === undefined) continue;
      for (let i = 0; i < kinds.length; i++) {
        const kind = kinds[i] ?? 0;
        if (kind !== 0) use(group * this.#perGroup + i + 1, kind);
      }
    }
  }

  /** Kinds of a group's inodes, or undefined when none is in use. */
  kindsOf(group: number): Uint8Array | undefined {
    return this.#groups[group]?.kinds;
  }
}
