/**
 * The files of one listing, compactly: a million of them must fit in memory that is not worth mentioning. Names are an
 * array of strings, everything else is numbers in typed arrays of a fixed stride.
 */
import type { Stat, VType } from '@ukfs/kernel';
import { vtypeIndex, vtypes } from '../format/mode.ts';
import { compareNames, compareVersions, displayWidth } from '../format/name.ts';
import type { LsOptions } from './options.ts';

/** Columns. The first two are there always, those to RMINOR with attributes, the rest for JSON. */
export const Col = {
  /** Type's index × 65536 + permission bits. */
  TYPE_MODE: 0,
  INO: 1,
  NLINK: 2,
  UID: 3,
  GID: 4,
  SIZE: 5,
  BYTES: 6,
  FLAGS: 7,
  SEC: 8,
  NSEC: 9,
  RMAJOR: 10,
  RMINOR: 11,
  ATIME: 12,
  MTIME: 14,
  CTIME: 16,
  BIRTH: 18,
  GEN: 20,
  BLOCK_SIZE: 21,
} as const;

const STRIDES = { names: 2, stats: 12, full: 22 } as const;
export type Detail = keyof typeof STRIDES;

const TYPE_UNIT = 65536;
export const typeOf = (typeMode: number): VType => vtypes[Math.floor(typeMode / TYPE_UNIT)] ?? 'reg';
export const permOf = (typeMode: number): number => typeMode % TYPE_UNIT;

/** Entries a block of numbers holds; blocks are added, never copied. */
const BLOCK = 4096;

export class Entries {
  readonly names: string[] = [];
  readonly detail: Detail;
  readonly #stride: number;
  readonly #blocks: Float64Array[] = [];
  /** Order in which to show them; undefined: as they came. */
  #order: Uint32Array | undefined;

  constructor(detail: Detail) {
    this.detail = detail;
    this.#stride = STRIDES[detail];
  }

  get count(): number {
    return this.names.length;
  }

  clear(): void {
    this.names.length = 0;
    this.#order = undefined;
  }

  /** `time`: which of the attributes' times the listing shows and sorts by. */
  add(
    name: string,
    entry: { readonly type: VType; readonly ino: number; readonly stat: Stat | undefined },
    time: LsOptions['time'],
  ): void {
    const at = this.names.push(name) - 1;
    const block = Math.floor(at / BLOCK);
    const numbers = (this.#blocks[block] ??= new Float64Array(BLOCK * this.#stride));
    const base = (at - block * BLOCK) * this.#stride;
    const { stat } = entry;
    numbers[base + Col.TYPE_MODE] = vtypeIndex[entry.type] * TYPE_UNIT + (stat === undefined ? 0 : stat.mode & 0o7777);
    numbers[base + Col.INO] = entry.ino;
    if (this.detail === 'names' || stat === undefined) return;
    numbers[base + Col.NLINK] = stat.nlink;
    numbers[base + Col.UID] = stat.uid;
    numbers[base + Col.GID] = stat.gid;
    numbers[base + Col.SIZE] = stat.size;
    numbers[base + Col.BYTES] = stat.bytes;
    numbers[base + Col.FLAGS] = stat.flags;
    const when = stat[time];
    numbers[base + Col.SEC] = when === undefined ? 0 : when.sec;
    numbers[base + Col.NSEC] = when === undefined ? 0 : when.nsec;
    numbers[base + Col.RMAJOR] = stat.rdev === undefined ? -1 : stat.rdev.major;
    numbers[base + Col.RMINOR] = stat.rdev === undefined ? -1 : stat.rdev.minor;
    if (this.detail === 'full') addFull(numbers, base, stat);
  }

  /** Number in the i-th entry shown. */
  number(i: number, column: number): number {
    const at = this.#order === undefined ? i : (this.#order[i] ?? 0);
    return this.#raw(at, column);
  }

  name(i: number): string {
    return this.names[this.#order === undefined ? i : (this.#order[i] ?? 0)] ?? '';
  }

  #raw(at: number, column: number): number {
    const block = Math.floor(at / BLOCK);
    return this.#blocks[block]?.[(at - block * BLOCK) * this.#stride + column] ?? 0;
  }

  /** Put them in the order asked for. Ties are by name, as in NetBSD's cmp.c; reversed with the rest. */
  sort(options: Pick<LsOptions, 'sort' | 'reverse' | 'dirsFirst'>): void {
    const compare = this.#comparison(options.sort);
    if (compare === undefined && !options.dirsFirst) {
      if (options.reverse) this.#order = identity(this.count).reverse();
      return;
    }
    const sign = options.reverse ? -1 : 1;
    const dir = vtypeIndex.dir;
    const isDir = (at: number): number => (Math.floor(this.#raw(at, Col.TYPE_MODE) / TYPE_UNIT) === dir ? 0 : 1);
    const base = compare ?? ((a: number, b: number): number => a - b);
    const ordered = (a: number, b: number): number => sign * base(a, b);
    this.#order = identity(this.count).sort(
      options.dirsFirst ? (a, b) => isDir(a) - isDir(b) || ordered(a, b) : ordered,
    );
  }

  #comparison(sort: LsOptions['sort']): ((a: number, b: number) => number) | undefined {
    const names = this.names;
    // Where no name reaches the surrogates, strings compare as their bytes do, and the engine compares them faster.
    const plain = names.every((name) => !HIGH.test(name));
    const byName = plain
      ? (a: number, b: number): number => {
          const x = names[a] ?? '';
          const y = names[b] ?? '';
          return x < y ? -1 : x > y ? 1 : 0;
        }
      : (a: number, b: number): number => compareNames(names[a] ?? '', names[b] ?? '');
    switch (sort) {
      case 'none':
        return undefined;
      case 'name':
        return byName;
      case 'size':
        return (a, b) => this.#raw(b, Col.SIZE) - this.#raw(a, Col.SIZE) || byName(a, b);
      case 'time':
        return (a, b) =>
          this.#raw(b, Col.SEC) - this.#raw(a, Col.SEC) ||
          this.#raw(b, Col.NSEC) - this.#raw(a, Col.NSEC) ||
          byName(a, b);
      case 'version':
        return (a, b) => compareVersions(names[a] ?? '', names[b] ?? '');
      case 'extension':
        return (a, b) => compareNames(extension(names[a] ?? ''), extension(names[b] ?? '')) || byName(a, b);
      case 'width':
        return (a, b) => displayWidth(names[a] ?? '') - displayWidth(names[b] ?? '') || byName(a, b);
    }
  }
}

const HIGH = /[\ud800-\uffff]/;

function addFull(numbers: Float64Array, base: number, stat: Stat): void {
  numbers[base + Col.ATIME] = stat.atime.sec;
  numbers[base + Col.ATIME + 1] = stat.atime.nsec;
  numbers[base + Col.MTIME] = stat.mtime.sec;
  numbers[base + Col.MTIME + 1] = stat.mtime.nsec;
  numbers[base + Col.CTIME] = stat.ctime.sec;
  numbers[base + Col.CTIME + 1] = stat.ctime.nsec;
  numbers[base + Col.BIRTH] = stat.birthtime === undefined ? Number.NaN : stat.birthtime.sec;
  numbers[base + Col.BIRTH + 1] = stat.birthtime === undefined ? 0 : stat.birthtime.nsec;
  numbers[base + Col.GEN] = stat.gen;
  numbers[base + Col.BLOCK_SIZE] = stat.blockSize;
}

function identity(count: number): Uint32Array {
  const order = new Uint32Array(count);
  for (let i = 0; i < count; i++) order[i] = i;
  return order;
}

/** From the last dot on; none: ''. */
const extension = (name: string): string => {
  const dot = name.lastIndexOf('.');
  return dot < 0 ? '' : name.slice(dot);
};
