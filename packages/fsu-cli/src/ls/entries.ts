/**
 * The files of one listing, compactly: a million of them must fit in memory that is not worth mentioning. Names are an
 * array of strings, everything else is numbers in typed arrays of a fixed stride: what may exceed 32 bits in one, the
 * rest in another.
 */
import type { Stat, VType } from '@ukfs/kernel';
import { vtypeIndex, vtypes } from '../format/mode.ts';
import { compareNames, compareVersions, displayWidth } from '../format/name.ts';
import type { LsOptions } from './options.ts';

/** Columns of numbers that may be large. The first is there always, those to SEC with attributes, the rest for JSON. */
export const Big = { INO: 0, SIZE: 1, BYTES: 2, SEC: 3, ATIME: 4, MTIME: 5, CTIME: 6, BIRTH: 7 } as const;

/** Columns of 32 bits. */
export const Small = {
  /** Type's index × 65536 + LEADS_TO_DIR + permission bits. */
  TYPE_MODE: 0,
  NLINK: 1,
  UID: 2,
  GID: 3,
  FLAGS: 4,
  NSEC: 5,
  /** Plus one; 0: no device. */
  RMAJOR: 6,
  RMINOR: 7,
  ATIME: 8,
  MTIME: 9,
  CTIME: 10,
  BIRTH: 11,
  GEN: 12,
  BLOCK_SIZE: 13,
} as const;

const STRIDES = { names: { big: 1, small: 1 }, stats: { big: 4, small: 8 }, full: { big: 8, small: 14 } } as const;
export type Detail = keyof typeof STRIDES;

const TYPE_UNIT = 65536;
/** A directory, or a symbolic link to one: what --group-directories-first puts first. */
const LEADS_TO_DIR = 32768;
export const typeOf = (typeMode: number): VType => vtypes[Math.floor(typeMode / TYPE_UNIT)] ?? 'reg';
export const permOf = (typeMode: number): number => typeMode % LEADS_TO_DIR;

/** Entries a block of numbers holds; blocks are added, never copied. */
const BLOCK = 4096;

export class Entries {
  readonly names: string[] = [];
  readonly detail: Detail;
  readonly #bigStride: number;
  readonly #smallStride: number;
  readonly #bigs: Float64Array[] = [];
  readonly #smalls: Uint32Array[] = [];
  /** Order in which to show them; undefined: as they came. */
  #order: Uint32Array | undefined;

  constructor(detail: Detail) {
    this.detail = detail;
    this.#bigStride = STRIDES[detail].big;
    this.#smallStride = STRIDES[detail].small;
  }

  get count(): number {
    return this.names.length;
  }

  /** Empty it and keep its memory for the next listing. */
  clear(): void {
    this.names.length = 0;
    this.#order = undefined;
  }

  /** `time`: which of the attributes' times the listing shows and sorts by. */
  add(
    name: string,
    entry: {
      readonly type: VType;
      readonly ino: number;
      readonly stat: Stat | undefined;
      /** Of a symbolic link: to a directory. */
      readonly toDir?: boolean;
    },
    time: LsOptions['time'],
  ): void {
    const at = this.names.push(name) - 1;
    const block = Math.floor(at / BLOCK);
    const index = at - block * BLOCK;
    const bigs = (this.#bigs[block] ??= new Float64Array(BLOCK * this.#bigStride));
    const smalls = (this.#smalls[block] ??= new Uint32Array(BLOCK * this.#smallStride));
    const big = index * this.#bigStride;
    const small = index * this.#smallStride;
    const { stat } = entry;
    bigs[big + Big.INO] = entry.ino;
    const first = entry.type === 'dir' || entry.toDir === true ? LEADS_TO_DIR : 0;
    smalls[small + Small.TYPE_MODE] =
      vtypeIndex[entry.type] * TYPE_UNIT + first + (stat === undefined ? 0 : stat.mode & 0o7777);
    if (this.detail === 'names' || stat === undefined) return;
    bigs[big + Big.SIZE] = stat.size;
    bigs[big + Big.BYTES] = stat.bytes;
    const when = stat[time];
    bigs[big + Big.SEC] = when === undefined ? 0 : when.sec;
    smalls[small + Small.NSEC] = when === undefined ? 0 : when.nsec;
    smalls[small + Small.NLINK] = stat.nlink;
    smalls[small + Small.UID] = stat.uid;
    smalls[small + Small.GID] = stat.gid;
    smalls[small + Small.FLAGS] = stat.flags;
    smalls[small + Small.RMAJOR] = stat.rdev === undefined ? 0 : stat.rdev.major + 1;
    smalls[small + Small.RMINOR] = stat.rdev === undefined ? 0 : stat.rdev.minor;
    if (this.detail === 'full') addFull({ bigs, big, smalls, small }, stat);
  }

  /** A large number of the i-th entry shown. */
  big(i: number, column: number): number {
    return this.#big(this.#order === undefined ? i : (this.#order[i] ?? 0), column);
  }

  small(i: number, column: number): number {
    return this.#small(this.#order === undefined ? i : (this.#order[i] ?? 0), column);
  }

  name(i: number): string {
    return this.names[this.#order === undefined ? i : (this.#order[i] ?? 0)] ?? '';
  }

  /** The device's number, or undefined for what is no device. */
  rdev(i: number): { readonly major: number; readonly minor: number } | undefined {
    const major = this.small(i, Small.RMAJOR);
    return major === 0 ? undefined : { major: major - 1, minor: this.small(i, Small.RMINOR) };
  }

  #big(at: number, column: number): number {
    const block = Math.floor(at / BLOCK);
    return this.#bigs[block]?.[(at - block * BLOCK) * this.#bigStride + column] ?? 0;
  }

  #small(at: number, column: number): number {
    const block = Math.floor(at / BLOCK);
    return this.#smalls[block]?.[(at - block * BLOCK) * this.#smallStride + column] ?? 0;
  }

  /** Put them in the order asked for. Ties are by name, as in NetBSD's cmp.c; reversed with the rest. */
  sort(options: Pick<LsOptions, 'sort' | 'reverse' | 'dirsFirst'>): void {
    const compare = this.#comparison(options.sort);
    if (compare === undefined && !options.dirsFirst) {
      if (options.reverse) this.#order = identity(this.count).reverse();
      return;
    }
    const sign = options.reverse ? -1 : 1;
    const isDir = (at: number): number => ((this.#small(at, Small.TYPE_MODE) & LEADS_TO_DIR) !== 0 ? 0 : 1);
    const base = compare ?? ((a: number, b: number): number => a - b);
    const ordered = (a: number, b: number): number => sign * base(a, b);
    this.#order = identity(this.count).sort(
      options.dirsFirst ? (a, b) => isDir(a) - isDir(b) || ordered(a, b) : ordered,
    );
  }

  #comparison(sort: LsOptions['sort']): ((a: number, b: number) => number) | undefined {
    if (sort === 'none') return undefined;
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
      case 'name':
        return byName;
      case 'size':
        return (a, b) => this.#big(b, Big.SIZE) - this.#big(a, Big.SIZE) || byName(a, b);
      case 'time':
        return (a, b) =>
          this.#big(b, Big.SEC) - this.#big(a, Big.SEC) ||
          this.#small(b, Small.NSEC) - this.#small(a, Small.NSEC) ||
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

interface Place {
  readonly bigs: Float64Array;
  readonly big: number;
  readonly smalls: Uint32Array;
  readonly small: number;
}

function addFull({ bigs, big, smalls, small }: Place, stat: Stat): void {
  bigs[big + Big.ATIME] = stat.atime.sec;
  smalls[small + Small.ATIME] = stat.atime.nsec;
  bigs[big + Big.MTIME] = stat.mtime.sec;
  smalls[small + Small.MTIME] = stat.mtime.nsec;
  bigs[big + Big.CTIME] = stat.ctime.sec;
  smalls[small + Small.CTIME] = stat.ctime.nsec;
  bigs[big + Big.BIRTH] = stat.birthtime === undefined ? Number.NaN : stat.birthtime.sec;
  smalls[small + Small.BIRTH] = stat.birthtime === undefined ? 0 : stat.birthtime.nsec;
  smalls[small + Small.GEN] = stat.gen;
  smalls[small + Small.BLOCK_SIZE] = stat.blockSize;
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
