/**
 * What comes next in a random sequence: mostly something that can be done to what is there, sometimes to what is not.
 * The model says what is there; everything else comes from the seed.
 */
import type { Traits } from '../conformance/suite.ts';
import type { Rng } from '../support/rng.ts';
import type { Model, ModelNode } from './model.ts';
import type { RenameHow, SpecialType, Step, StepOp } from './steps.ts';

/** How often each kind comes, relative to the others. */
export type Weights = Partial<Record<StepOp, number>>;

export const plainWeights: Weights = {
  create: 10,
  write: 14,
  append: 10,
  replace: 5,
  truncate: 9,
  punch: 7,
  allocate: 6,
  mkdir: 8,
  rmdir: 5,
  unlink: 9,
  link: 5,
  symlink: 7,
  rename: 16,
  mknod: 3,
  chmod: 3,
  chown: 3,
  utimens: 3,
  setxattr: 11,
  removexattr: 4,
  readdir: 3,
  readlink: 1,
  read: 3,
  many: 3,
  fewer: 3,
  open: 7,
  close: 4,
  pwrite: 6,
  pread: 6,
  ftruncate: 3,
};

/** The same with what only a transaction has. */
export const transactionWeights: Weights = {
  ...plainWeights,
  commit: 2,
  discard: 1,
  savepoint: 3,
  rollback: 2,
  remount: 2,
};

export interface Surroundings {
  readonly traits: Traits;
  readonly weights: Weights;
  /** Names in the root that belong to the format: left alone. */
  readonly reserved: ReadonlySet<string>;
  /** Largest piece of data, and farthest offset of a write into nothing. */
  readonly pieceMax: number;
  readonly farMax: number;
  /** No sticky bits, which make kernels refuse to follow links of others. */
  readonly tameModes?: boolean;
}

const SLOTS = 4;
const DEPTH_MAX = 5;
const ID_MAX = 0xffff_fffe;
const TIME_MAX = 0x7fff_ffff;
/** Few, so that names meet; some that differ in case, are long, or are no text. */
const NAMES = [
  ...'abcdefgh',
  'A',
  'é',
  'not\udcfftext',
  'n'.repeat(60),
  'm'.repeat(180),
  'l'.repeat(255),
  'with space',
  '.hidden',
];
const XATTRS = ['user.a', 'user.b', 'trusted.c', `user.${'long'.repeat(10)}`];

const PREFIXES = ['x', 'yy', `z${'-'.repeat(100)}`];
const MASS = /\/(x|yy|z-+)\d+$/;

type Place = { readonly path: string; readonly node: ModelNode };

export class Generator {
  readonly #rng: Rng;
  readonly #model: Model;
  readonly #around: Surroundings;
  readonly #kinds: StepOp[];
  #places: Place[] = [];
  /** Those that somebody chose a name for: the many are there to fill directories. */
  #named: Place[] = [];

  constructor(rng: Rng, model: Model, around: Surroundings) {
    this.#rng = rng;
    this.#model = model;
    this.#around = around;
    const can = (op: StepOp): boolean =>
      !(
        (op === 'link' && !around.traits.hardLinks) ||
        (op === 'symlink' && !around.traits.symlinks) ||
        (op === 'mknod' && !around.traits.devices) ||
        (op === 'rename' && !around.traits.rename) ||
        ((op === 'setxattr' || op === 'removexattr') && !around.traits.xattr) ||
        (op === 'chown' && !around.traits.owners)
      );
    const weights = Object.entries(around.weights) as [StepOp, number][];
    this.#kinds = weights.flatMap(([op, weight]) => (can(op) ? Array.from({ length: weight }, () => op) : []));
  }

  /** `isFull`: rather something that gives space back. */
  next({ isFull }: { readonly isFull: boolean }): Step {
    this.#places = [...this.#model.paths()].filter(({ path }) => !this.#around.reserved.has(path));
    this.#named = this.#places.filter(({ path }) => !MASS.test(path));
    const nameless = this.#nameless();
    if (nameless !== undefined && this.#around.weights.pread !== 0 && this.#rng.oneIn(4))
      return { op: 'pread', slot: nameless, offset: 0, length: 10_000 };
    const op =
      isFull && this.#rng.oneIn(2)
        ? this.#rng.pick<StepOp>(['unlink', 'truncate', 'fewer'])
        : this.#rng.pick(this.#kinds);
    return this.#step(op);
  }

  #step(op: StepOp): Step {
    const rng = this.#rng;
    const seed = rng.int(256);
    switch (op) {
      case 'create':
        return { op, path: this.#newPath(), mode: this.#mode(), exclusive: rng.oneIn(2) };
      case 'write': {
        const place = this.#file();
        return { op, path: place.path, offset: this.#offset(place.node), length: this.#length(), seed };
      }
      case 'append':
        return { op, path: this.#file().path, length: this.#length(), seed };
      case 'replace':
        return { op, path: rng.oneIn(2) ? this.#file().path : this.#newPath(), length: this.#length(), seed };
      case 'truncate': {
        const { path, node } = this.#file();
        return { op, path, size: this.#size(node) };
      }
      case 'punch':
      case 'allocate': {
        const { path, node } = this.#file();
        return { op, path, offset: this.#offset(node), length: 1 + rng.int(op === 'punch' ? 60_000 : 40_000) };
      }
      case 'mkdir':
        return { op, path: this.#newPath(), mode: this.#mode() };
      case 'rmdir':
        return { op, path: this.#any(({ node }) => node.type === 'dir' && (rng.oneIn(4) || node.entries?.size === 0)) };
      case 'unlink':
        return {
          op,
          path:
            (rng.oneIn(3) ? this.#open() : undefined) ?? this.#any(({ node }) => node.type !== 'dir' || rng.oneIn(30)),
        };
      case 'link':
        return { op, from: this.#any(({ node }) => node.type !== 'dir' || rng.oneIn(20)), path: this.#newPath() };
      case 'symlink':
        return { op, target: this.#target(), path: this.#newPath() };
      case 'rename':
        return this.#rename();
      case 'mknod': {
        const type = rng.pick<SpecialType>(['chr', 'blk', 'fifo', 'sock']);
        return { op, path: this.#newPath(), type, mode: this.#mode(), major: rng.int(200), minor: rng.int(256) };
      }
      case 'chmod':
        return { op, path: this.#any(), mode: this.#mode() };
      case 'chown': {
        const id = (): number => (rng.oneIn(3) ? rng.int(ID_MAX) : rng.oneIn(4) ? -1 : rng.int(70_000));
        return { op, path: this.#any(), uid: id(), gid: id() };
      }
      case 'utimens':
        return { op, path: this.#any(), atime: this.#seconds(), mtime: this.#seconds(), nsec: this.#nsec() };
      case 'setxattr': {
        const length = rng.int(rng.pick([10, 100, 500, this.#around.traits.xattrMaxBytes]));
        return { op, path: this.#attributed(), name: rng.pick(XATTRS), length, seed };
      }
      case 'removexattr':
        return { op, path: this.#attributed(), name: rng.pick(XATTRS) };
      case 'readdir':
        return { op, path: this.#any(({ node }) => node.type === 'dir' || rng.oneIn(10)), piece: 1 + rng.int(40) };
      case 'readlink':
        return { op, path: this.#any(({ node }) => node.type === 'lnk' || rng.oneIn(20)) };
      case 'read': {
        const { path, node } = this.#file();
        return { op, path, offset: this.#offset(node), length: rng.int(30_000) };
      }
      case 'many':
      case 'fewer': {
        const prefix = rng.pick(PREFIXES);
        return {
          op,
          path: this.#directory(),
          prefix,
          first: rng.int(8) * 40,
          count: 1 + rng.int(op === 'many' ? 60 : 150),
        };
      }
      case 'open':
        return { op, slot: rng.int(SLOTS), path: this.#file().path };
      case 'close':
        return { op, slot: rng.int(SLOTS) };
      case 'pwrite':
        return { op, slot: rng.int(SLOTS), offset: rng.int(50_000), length: this.#length(), seed };
      case 'pread':
        return { op, slot: rng.int(SLOTS), offset: rng.int(20_000), length: rng.int(40_000) };
      case 'ftruncate':
        return { op, slot: rng.int(SLOTS), size: rng.int(60_000) };
      case 'compare':
        return { op, judge: false };
      case 'commit':
      case 'discard':
      case 'savepoint':
      case 'rollback':
      case 'remount':
        return { op };
    }
  }

  // what there is

  /** One of those, rather with a name of its own. */
  #choose(which: (place: Place) => boolean): Place | undefined {
    const named = this.#rng.oneIn(5) ? [] : this.#named.filter(which);
    const places = named.length > 0 ? named : this.#places.filter(which);
    return places.length === 0 ? undefined : this.#rng.pick(places);
  }

  #any(which: (place: Place) => boolean = () => true): string {
    if (this.#rng.oneIn(25)) return this.#newPath();
    return this.#choose(which)?.path ?? this.#newPath();
  }

  #file(): Place {
    const rng = this.#rng;
    // Files with data are worth more than the empty ones.
    const filled = rng.oneIn(2);
    const file = this.#choose(({ node }) => node.content !== undefined && (!filled || node.content.size > 0));
    // Now and then what is no file, or reached through a link.
    const odd =
      file === undefined || rng.oneIn(15) ? this.#choose(({ node }) => node.content === undefined) : undefined;
    return odd ?? file ?? { path: '/', node: this.#model.root };
  }

  /** Where a file is open that has no name any more. */
  #nameless(): number | undefined {
    const names = new Set(this.#places.map(({ node }) => node.id));
    return [...this.#model.handles].find(([, id]) => !names.has(id))?.[0];
  }

  /** A file that is open, if it still has a name. */
  #open(): string | undefined {
    const ids = [...this.#model.handles.values()];
    return this.#places.find(({ node }) => ids.includes(node.id))?.path;
  }

  #directory(): string {
    return this.#choose(({ path, node }) => node.type === 'dir' && path.split('/').length < DEPTH_MAX)?.path ?? '/';
  }

  /** Attributes belong to files and directories. */
  #attributed(): string {
    const isFew = this.#rng.oneIn(2);
    return (
      this.#choose(({ node }) => (node.type === 'reg' || node.type === 'dir') && (!isFew || node.xattrs.size > 0))
        ?.path ?? '/'
    );
  }

  /** A name in a directory: often free. Sometimes the directory is no directory, or a link to one. */
  #newPath(): string {
    const rng = this.#rng;
    const dir = rng.oneIn(20) ? (this.#choose(() => true)?.path ?? '/') : this.#directory();
    const name = rng.oneIn(40) ? 'k'.repeat(256) : rng.oneIn(3) ? `u${rng.int(1000)}` : rng.pick(NAMES);
    return dir === '/' ? `/${name}` : `${dir}/${name}`;
  }

  #rename(): Step {
    const how = this.#rng.pick<RenameHow>(['plain', 'plain', 'plain', 'noreplace', 'exchange']);
    const onlyDirectories = this.#rng.oneIn(4);
    const from = this.#any(
      ({ path, node }) => (path !== '/' || this.#rng.oneIn(10)) && (!onlyDirectories || node.type === 'dir'),
    );
    const isDirectory = this.#model.at(from)?.type === 'dir';
    const open = isDirectory || !this.#rng.oneIn(4) ? undefined : this.#open();
    if (open !== undefined) return { op: 'rename', from, path: open, how };
    // Over what is there and fits, over anything, or to a new name.
    const path =
      how === 'exchange' || this.#rng.oneIn(isDirectory ? 2 : 3)
        ? this.#any(({ node }) => (node.type === 'dir') === isDirectory || this.#rng.oneIn(5))
        : this.#newPath();
    return { op: 'rename', from, path, how };
  }

  /** Relative, and downwards: what is outside the mount is nobody's business here. */
  #target(): string {
    const rng = this.#rng;
    if (rng.oneIn(4))
      return 'x/'.repeat(32 + rng.int(rng.oneIn(2) ? 2100 : 300)).slice(0, rng.oneIn(2) ? 59 + rng.int(3) : undefined);
    if (rng.oneIn(2)) return rng.pick(NAMES.slice(0, 8));
    return `${rng.pick(NAMES.slice(0, 8))}/${rng.pick(NAMES.slice(0, 8))}`;
  }

  // numbers

  #mode(): number {
    const mode = this.#rng.oneIn(3) ? this.#rng.int(0o10000) : this.#rng.pick([0o644, 0o755, 0o600, 0o4755, 0o1777]);
    return this.#around.tameModes === true ? mode & ~0o1000 : mode;
  }

  #seconds(): number {
    return this.#rng.between(-TIME_MAX, TIME_MAX);
  }

  #nsec(): number {
    return this.#around.traits.timeGranularityNs === 1 ? this.#rng.int(1_000_000_000) : 0;
  }

  #length(): number {
    const { pieceMax } = this.#around;
    return this.#rng.int(this.#rng.pick([1, 100, 5_000, 5_000, 50_000, pieceMax]) + 1);
  }

  #offset(node: ModelNode): number {
    const rng = this.#rng;
    const size = Math.min(node.content?.size ?? 0, this.#around.farMax);
    const { blockBytes } = this.#around.traits;
    const offset = rng.oneIn(4) ? rng.int(this.#around.farMax) : rng.int(size + 1);
    return rng.oneIn(3) ? offset - (offset % blockBytes) : offset;
  }

  #size(node: ModelNode): number {
    const rng = this.#rng;
    return rng.oneIn(4) ? 0 : rng.oneIn(30) ? 2 ** 30 + rng.int(2 ** 30) : this.#offset(node);
  }
}
