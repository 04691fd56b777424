/**
 * Hostile images: one field of one structure set to a value that it should not have, then everything that a user could
 * do. What comes out must be success or an FsError, soon, and in bounded memory; and the image must be as it was.
 *
 * This file knows no format: where the structures of an image lie is told by a list of places (ext-hostile.ts).
 */
import { Script } from 'node:vm';
import { boot, CorruptError, FsError, MNT, O, SEEK, type FileSystemType, type Rump } from '@ukfs/kernel';
import { memoryHost, type MemoryHost } from '@ukfs/kernel/host/memory';
import { be64, le64, type Row, type StructType } from '../../packages/kernel/src/kern/struct.ts';
import { ramDisk } from '../../packages/kernel/src/dev/ramdisk.ts';
import { VFS } from '../../packages/kernel/src/vfs/vfs.ts';
import type { Mount } from '../../packages/kernel/src/vfs/mount.ts';
import type { Rng } from './rng.ts';

/** One structure at one place of an image. */
export interface Place {
  /** For people: "inode 14 /dir: ext4 extent 0". */
  readonly label: string;
  readonly table: StructType<readonly Row[]>;
  readonly offset: number;
  /** Numbers that would lead back to where the structure is: its own block, its own inode. */
  readonly self: readonly number[];
  /** Put the checksums that cover the place right again. */
  readonly seal: (image: Uint8Array) => void;
}

/** A damaged image: what was done to it, and how. */
export interface Mutation {
  readonly label: string;
  /** "ext4 inode.mode", for taking some of each. */
  readonly field: string;
  apply(image: Uint8Array): void;
}

/** First numbers that are out of range on this image: blocks, inodes. */
export interface Limits {
  readonly outOfRange: readonly number[];
}

/** What is where in an image. */
export interface Survey {
  readonly places: readonly Place[];
  /** Where metadata is, as byte ranges. */
  readonly hot: readonly { readonly start: number; readonly end: number }[];
  readonly limits: Limits;
}

/** What hostile images of a type are made of. */
export interface HostileFormat {
  readonly type: FileSystemType;
  readonly oracles: readonly string[];
  /** Small images that have, together, one of everything. */
  readonly images: readonly HostileImage[];
  survey(image: Uint8Array): Survey;
  /** Names of every struct table of the format; and of those that no image here holds. */
  readonly tables: readonly string[];
  readonly excused: readonly string[];
}

export interface HostileImage {
  readonly name: string;
  make(): Uint8Array;
  /** Damage that no single field is: maps, logs and indexes that lead into themselves. */
  traps?(image: Uint8Array): readonly Mutation[];
}

type ViewValue = number | Uint8Array | readonly number[];

/** Every field of the structure at `place`, with every value that is worth a try. */
export function* fieldMutations(image: Uint8Array, place: Place, limits: Limits): Generator<Mutation> {
  for (const [offset, name, field] of place.table.rows) {
    const at = place.offset + offset;
    const isWide = (field as unknown) === le64 || (field as unknown) === be64;
    const read = (bytes: Uint8Array): ViewValue =>
      isWide ? 0 : ((place.table.at(bytes, place.offset) as Record<string, ViewValue>)[name] ?? 0);
    const old = read(image);
    const put = (what: string, change: (bytes: Uint8Array) => void): Mutation => ({
      label: `${place.label}: ${name} = ${what}`,
      field: `${place.table.structName}.${name}`,
      apply(bytes) {
        change(bytes);
        place.seal(bytes);
      },
    });
    const set = (bytes: Uint8Array, value: ViewValue): void => {
      (place.table.at(bytes, place.offset) as Record<string, ViewValue>)[name] = value;
    };
    if (typeof old === 'number' && isWide) {
      for (const fill of [0, 0x01, 0x7f, 0xff]) {
        yield put(`0x${fill.toString(16)} × 8`, (bytes) => bytes.fill(fill, at, at + field.size));
      }
      for (const value of [...limits.outOfRange, ...place.self]) yield put(`${value}`, (bytes) => set(bytes, value));
    } else if (typeof old === 'number') {
      for (const value of valuesOf(old, field.size, [...place.self, ...limits.outOfRange])) {
        yield put(`0x${value.toString(16)}`, (bytes) => set(bytes, value));
      }
    } else if (old instanceof Uint8Array) {
      for (const fill of [0, 0xff])
        yield put(`0x${fill.toString(16)} × ${field.size}`, (b) => b.fill(fill, at, at + field.size));
    } else {
      for (const index of new Set([0, 1, old.length - 1])) {
        for (const value of valuesOf(old[index] ?? 0, field.size / old.length, [...place.self, ...limits.outOfRange])) {
          yield put(`[${index}] 0x${value.toString(16)}`, (bytes) =>
            set(
              bytes,
              old.map((x, i) => (i === index ? value : x)),
            ),
          );
        }
      }
    }
  }
}

/** 0, 1, the largest and the one before, neighbours of the old value, where the sign turns, and what the caller names. */
function valuesOf(old: number, size: number, special: readonly number[]): number[] {
  const max = 2 ** (8 * size) - 1;
  const all = [0, 1, max, max - 1, old + 1, old - 1, (max + 1) / 2, ...special];
  return [...new Set(all)].filter((value) => value >= 0 && value <= max && value !== old);
}

/** Some random bytes of the image, most of them where metadata is (`hot`); the generator's seed repeats it. */
export function randomMutation(
  rng: Rng,
  hot: readonly { readonly start: number; readonly end: number }[],
  label: string,
): Mutation {
  const seed = rng.next();
  return {
    label: `${label}, seed 0x${seed.toString(16)}`,
    field: 'random',
    apply(image) {
      let state = seed;
      const next = (bound: number): number => {
        state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
        return Math.floor((state / 0x1_0000_0000) * bound);
      };
      const count = 1 + next(12);
      for (let i = 0; i < count; i++) {
        const area = next(8) === 0 ? undefined : hot[next(hot.length)];
        const at = area === undefined ? next(image.length) : area.start + next(area.end - area.start);
        const how = next(3);
        image[at] = how === 0 ? next(256) : how === 1 ? (image[at] ?? 0) ^ (1 << next(8)) : (next(2) - 1) & 255;
      }
    },
  };
}

// running

/** A rule was broken: the message says which mutation does it. */
export class Misbehaviour extends Error {
  override readonly name = 'Misbehaviour';
}

export interface Bounds {
  /** Processor time of one run. */
  readonly cpuMs: number;
  /** Longest single array of bytes, and all of them together, in one run. */
  readonly allocationBytes: number;
  readonly totalBytes: number;
}

export const bounds: Bounds = { cpuMs: 2000, allocationBytes: 20 << 20, totalBytes: 512 << 20 };
/** A run that is still going on by then is cut off: it hangs. Wall clock, so that a busy machine is not blamed. */
const HANG_MS = 15_000;

const IMAGE = '/disk.img';
const DEVICE = '/dev/disk';
const MNT_POINT = '/mnt';
const MAX_PATHS = 400;

/** Counts what is allocated for bytes while a run lasts. */
class Allocations {
  largest = 0;
  total = 0;
  readonly #saved = { Uint8Array, ArrayBuffer, Float64Array, Uint32Array };

  start(): void {
    const note = (bytes: unknown): void => {
      if (typeof bytes !== 'number') return;
      this.total += bytes;
      if (bytes > this.largest) this.largest = bytes;
      // Refuse what would bring the test itself down.
      if (bytes > 1 << 30) throw new RangeError(`allocation of ${bytes} bytes`);
    };
    const watched = <T extends object>(type: T, unit: number): T =>
      new Proxy(type, {
        construct(target, args: unknown[], newTarget) {
          note(typeof args[0] === 'number' ? args[0] * unit : undefined);
          return Reflect.construct(
            target as never,
            args,
            newTarget === proxyOf.get(target) ? (target as never) : newTarget,
          ) as object;
        },
      });
    const proxyOf = new Map<object, object>();
    for (const [name, type, unit] of [
      ['Uint8Array', this.#saved.Uint8Array, 1],
      ['ArrayBuffer', this.#saved.ArrayBuffer, 1],
      ['Float64Array', this.#saved.Float64Array, 8],
      ['Uint32Array', this.#saved.Uint32Array, 4],
    ] as const) {
      const proxy = watched(type as object, unit);
      proxyOf.set(type, proxy);
      Object.assign(globalThis, { [name]: proxy });
    }
  }

  stop(): void {
    Object.assign(globalThis, this.#saved);
  }
}

/** Runs sync code and cuts it off when it hangs. */
const bounded = new Script('globalThis.__hostileRun()');

/** What is done to an image: it is walked; edited, and the edits thrown away or committed; checked; checked and repaired. */
export type Mode = 'read' | 'write' | 'commit' | 'check' | 'repair';
export const MODES: readonly Mode[] = ['read', 'write', 'commit', 'check', 'repair'];

/** Findings of one check: more than a sane checker has on a small image, few enough to end soon. */
const MOST_FINDINGS = 1_000_000;

export interface RunResult {
  readonly cpuMs: number;
  readonly calls: number;
  readonly errors: number;
  /** Did it mount at all, and for writing if that was asked? */
  readonly mounted: boolean;
  readonly writable: boolean;
  readonly corrupt: number;
}

/**
 * Mount `image` and do everything to it. Throws Misbehaviour when a rule is broken.
 */
export function runHostile(
  type: FileSystemType,
  image: Uint8Array,
  mode: Mode,
  {
    limits = bounds,
    options = {},
    hangMs = HANG_MS,
  }: { readonly limits?: Bounds; readonly options?: Record<string, string | true>; readonly hangMs?: number } = {},
): RunResult {
  const run = new Run(type, image, mode, options);
  const allocations = new Allocations();
  let failure: unknown;
  const before = process.cpuUsage();
  Object.assign(globalThis, {
    __hostileRun: () => {
      try {
        run.everything();
      } catch (e) {
        failure = e;
      }
    },
  });
  allocations.start();
  try {
    bounded.runInThisContext({ timeout: hangMs });
  } catch (e) {
    failure ??= new Misbehaviour(`${run.doing}: still going on after ${hangMs} ms`, { cause: e });
  } finally {
    allocations.stop();
  }
  const { user, system } = process.cpuUsage(before);
  const cpuMs = (user + system) / 1000;
  if (failure !== undefined) throw failure;
  if (cpuMs > limits.cpuMs) throw new Misbehaviour(`took ${Math.round(cpuMs)} ms, longest ${run.longest()}`);
  if (allocations.largest > Math.max(limits.allocationBytes, image.length)) {
    throw new Misbehaviour(`allocated ${allocations.largest} bytes at once`);
  }
  if (allocations.total > limits.totalBytes) throw new Misbehaviour(`allocated ${allocations.total} bytes`);
  const { calls, errors, corrupt, wasMounted: mounted, wasWritable: writable } = run;
  return { cpuMs, calls, errors, corrupt, mounted, writable };
}

/** Something that an expected error may wrap: ours must have no foreign cause. */
function isExpected(e: unknown): e is FsError {
  return e instanceof FsError && (e.cause === undefined || isExpected(e.cause));
}

class Run {
  calls = 0;
  errors = 0;
  corrupt = 0;
  wasMounted = false;
  wasWritable = false;
  mounted = false;
  doing = 'boot';
  #refused = '';
  readonly #slow: { what: string; ms: number } = { what: '', ms: 0 };
  readonly #image: Uint8Array;
  readonly #mode: Mode;
  readonly #type: FileSystemType;
  readonly #host: MemoryHost;
  readonly #k: Rump;
  readonly #options: Record<string, string | true>;

  constructor(type: FileSystemType, image: Uint8Array, mode: Mode, options: Record<string, string | true>) {
    this.#image = image;
    this.#mode = mode;
    this.#type = type;
    this.#options = options;
    this.#host = memoryHost({ seed: 1, time: { sec: 1_700_000_000, nsec: 1 } });
    this.#host.put(IMAGE, image);
    this.#k = boot({ host: this.#host });
    this.#k.attach(type);
    this.#k.sys.mkdir(MNT_POINT, 0o755);
  }

  longest = (): string => `${this.#slow.what}: ${Math.round(this.#slow.ms)} ms`;

  everything(): void {
    if (this.#mode === 'check' || this.#mode === 'repair') this.#check();
    else this.#use();
  }

  /** Our own checker, on a disk in memory: as it is, or repairing all it can, and then what it has made of it again. */
  #check(): void {
    const { check } = this.#type;
    if (check === undefined) return;
    const bytes = this.#image.slice();
    const repair = this.#mode === 'repair';
    const run = (how: 'none' | 'all'): boolean => {
      let findings = 0;
      const report = (): void => {
        if (++findings > MOST_FINDINGS) throw new Misbehaviour(`check: ${findings} findings`);
      };
      const now = () => ({ sec: 1_700_000_000, nsec: 1 });
      const random = (dst: Uint8Array): void => void dst.fill(1);
      const disk = ramDisk(bytes, { readOnly: how === 'none' });
      return this.#try(`check, repair ${how}`, () => check(disk, { repair: how, report, now, random })) !== undefined;
    };
    this.wasMounted = run(repair ? 'all' : 'none');
    this.wasWritable = repair && this.wasMounted;
    if (repair) run('none');
    else if (Buffer.compare(bytes, this.#image) !== 0) throw new Misbehaviour('a check without repairs wrote');
  }

  #use(): void {
    const k = this.#k;
    const write = this.#mode !== 'read';
    k.etfs.register(DEVICE, IMAGE, 'BLK', { stage: { write } });
    this.#mount({ readOnly: !write });
    this.wasMounted = this.mounted;
    this.wasWritable = this.#mounts().some((mp) => !mp.readOnly);
    if (this.mounted) {
      if (write) this.#edit();
      else this.#walk();
      if (this.#mode === 'commit') {
        this.#try('commit', () => k.commit(k.etfs.stage(DEVICE)));
        this.#unmount();
        this.#mount({ readOnly: true });
        if (this.mounted) this.#walk();
      } else if (write) k.discard(k.etfs.stage(DEVICE));
      this.#unmount();
    }
    this.doing = 'purity';
    k.etfs.remove(DEVICE);
    if (this.#mode !== 'commit') this.#checkPure();
  }

  #mount({ readOnly }: { readOnly: boolean }): void {
    const options = readOnly ? this.#options : { force: true as const, ...this.#options };
    this.mounted =
      this.#try('mount', () => {
        this.#k.sys.mount(this.#type.name, MNT_POINT, { from: DEVICE, flags: readOnly ? MNT.RDONLY : 0, options });
        return true;
      }) ?? false;
  }

  /** EBUSY here means that somebody kept a vnode: an error path that lost its reference. */
  #unmount(): void {
    if (!this.mounted) return;
    this.mounted = false;
    try {
      this.#k.sys.unmount(MNT_POINT);
    } catch (e) {
      if (!isExpected(e) || e.code === 'EBUSY') {
        const held = [...this.#mounts().flatMap((mp) => [...mp.vnodes.values()])].filter((vp) => vp.usecount > 0);
        const who = held.map((vp) => `inode ${vp.ino} (${vp.usecount})`).join(', ');
        throw new Misbehaviour(`unmount: ${describe(e)}\n    held: ${who}; last refused: ${this.#refused}`, {
          cause: e,
        });
      }
      this.#k.sys.unmount(MNT_POINT, MNT.FORCE);
    }
    this.mounted = false;
  }

  /** The image has the bytes that it had, and nobody lies beside it. */
  #checkPure(): void {
    const now = this.#host.get(IMAGE);
    if (Buffer.compare(now, this.#image) !== 0) throw new Misbehaviour('the image changed without a commit');
    const others = this.#host.list().filter((path) => path !== IMAGE);
    if (others.length > 0) throw new Misbehaviour(`left behind: ${others.join(', ')}`);
  }

  /** The result, or undefined after an error that is allowed to happen. */
  #try<T>(what: string, action: () => T): T | undefined {
    this.calls++;
    this.doing = what;
    const start = performance.now();
    try {
      return action();
    } catch (e) {
      this.errors++;
      if (!isExpected(e)) throw new Misbehaviour(`${what}: ${describe(e)}`, { cause: e });
      if (e instanceof CorruptError) {
        this.corrupt++;
        this.#refused = `${what}: ${describe(e)}`;
      }
      // A corrupt structure met while writing ends the transaction: begin another, so that what follows is seen too.
      if (e instanceof CorruptError && this.#mode !== 'read' && this.mounted) this.#discard(what);
      return undefined;
    } finally {
      const ms = performance.now() - start;
      if (ms > this.#slow.ms) Object.assign(this.#slow, { what, ms });
      this.#checkPins(what);
    }
  }

  #discard(what: string): void {
    try {
      this.#k.discard(this.#k.etfs.stage(DEVICE));
    } catch (e) {
      if (!isExpected(e)) throw new Misbehaviour(`discard after ${what}: ${describe(e)}`, { cause: e });
    }
  }

  #mounts = (): Mount[] => this.#k.service(VFS).mounts.filter((mp) => mp.type === this.#type);

  #checkPins(what: string): void {
    for (const mp of this.#mounts()) {
      if (mp.hasBufs && mp.bufs.pinned > 0) throw new Misbehaviour(`${what}: ${mp.bufs.pinned} buffers stay pinned`);
    }
  }

  // reading

  #walk(): string[] {
    const { sys } = this.#k;
    const seen = new Set<number>();
    const paths = [MNT_POINT];
    const files: string[] = [];
    this.#try('statvfs', () => sys.statvfs(MNT_POINT));
    this.#try('fsinfo', () => sys.fsinfo(MNT_POINT));
    for (let i = 0; i < paths.length && i < MAX_PATHS; i++) {
      const path = paths[i] ?? MNT_POINT;
      files.push(path);
      const stat = this.#try(`lstat ${path}`, () => sys.lstat(path));
      if (stat === undefined) continue;
      const again = seen.has(stat.ino);
      seen.add(stat.ino);
      if (stat.type === 'lnk') this.#try(`readlink ${path}`, () => sys.readlink(path));
      if (stat.type === 'reg') this.#readFile(path, stat.size);
      if (stat.type === 'dir' && !again) for (const name of this.#list(path)) paths.push(`${path}/${name}`);
      if (!again) this.#readAttributes(path);
    }
    return files;
  }

  #list(path: string): string[] {
    const { sys } = this.#k;
    const names: string[] = [];
    const fd = this.#try(`open ${path}`, () => sys.open(path, O.RDONLY));
    if (fd === undefined) return names;
    // No directory has more entries than fit on the disk.
    const most = this.#image.length / 8 + 1000;
    let plus = true;
    for (let total = 0; ;) {
      const entries = this.#try(`getdents ${path}`, () => (plus ? sys.getdentsplus(fd, 50) : sys.getdents(fd, 500)));
      plus = false;
      if (entries === undefined || entries.length === 0) break;
      total += entries.length;
      if (total > most) throw new Misbehaviour(`${path} lists ${total} entries`);
      for (const entry of entries) {
        if ('error' in entry && entry.error !== undefined && !isExpected(entry.error)) {
          throw new Misbehaviour(`stat of ${entry.name} in ${path}: ${describe(entry.error)}`, { cause: entry.error });
        }
        if (names.length < MAX_PATHS && entry.name !== '.' && entry.name !== '..' && !/[/\0]/.test(entry.name)) {
          names.push(entry.name);
        }
      }
    }
    this.#try('close', () => sys.close(fd));
    for (const name of ['absent', 'n'.repeat(255), '..', 'LOST+FOUND', '\udcff\udcfe']) {
      this.#try(`lookup ${name}`, () => sys.lstat(`${path}/${name}`));
    }
    return names;
  }

  #readFile(path: string, size: number): void {
    const { sys } = this.#k;
    this.#try(`bmap ${path}`, () => sys.bmap(path));
    const fd = this.#try(`open ${path}`, () => sys.open(path, O.RDONLY));
    if (fd === undefined) return;
    const piece = new Uint8Array(20_000);
    const offsets = [
      0,
      7,
      60_000,
      270 * 1024,
      4 << 20,
      70 * 2 ** 20,
      size - 10,
      size - 19_000,
      size / 2,
      2 ** 32 - 1,
      2 ** 42,
    ];
    for (const offset of new Set(offsets.map(Math.floor))) {
      if (offset >= 0 && offset <= size) this.#try(`read ${path} at ${offset}`, () => sys.pread(fd, piece, offset));
    }
    this.#try(`seek ${path} for data`, () => sys.lseek(fd, 1, SEEK.DATA));
    this.#try(`seek ${path} for a hole`, () => sys.lseek(fd, 1, SEEK.HOLE));
    this.#try('close', () => sys.close(fd));
  }

  #readAttributes(path: string): void {
    const { sys } = this.#k;
    const nofollow = { nofollow: true };
    const names = this.#try(`listxattr ${path}`, () => sys.listxattr(path, nofollow)) ?? [];
    for (const name of names) this.#try(`getxattr ${path} ${name}`, () => sys.getxattr(path, name, nofollow));
    this.#try(`getxattr ${path}`, () => sys.getxattr(path, 'user.absent', nofollow));
  }

  // writing

  #edit(): void {
    const { sys } = this.#k;
    const at = (name: string): string => `${MNT_POINT}/${name}`;
    const names = this.#list(MNT_POINT).slice(0, 60);
    const inDir = this.#list(at('dir'));
    const inBig = this.#list(at('big')).slice(0, 8);
    const withFd = (path: string, flags: number, use: (fd: number) => void): void => {
      const fd = this.#try(`open ${path}`, () => sys.open(path, flags, 0o644));
      if (fd === undefined) return;
      use(fd);
      this.#try(`close ${path}`, () => sys.close(fd));
    };
    const data = new Uint8Array(9_000).fill(0x5a);
    // Names
    this.#try('mkdir', () => sys.mkdir(at('new-dir'), 0o755));
    withFd(at('new-dir/file'), O.CREAT | O.RDWR, (fd) => {
      this.#try('write new', () => sys.pwrite(fd, data, 0));
      this.#try('write new far', () => sys.pwrite(fd, data, 300 * 1024));
      this.#try('truncate new', () => sys.ftruncate(fd, 5000));
    });
    this.#try('symlink', () => sys.symlink('t'.repeat(40), at('new-short')));
    this.#try('symlink long', () => sys.symlink('t'.repeat(200), at('new-long')));
    for (let i = 0; i < 12; i++) {
      const path = at(`big/${`new-${i}-`.padEnd(200, 'x')}`);
      this.#try('create in big', () => sys.close(sys.open(path, O.CREAT | O.RDWR, 0o600)));
    }
    for (const name of inBig) this.#try(`unlink big/${name}`, () => sys.unlink(at(`big/${name}`)));
    for (const dir of ['dir', 'inline-dir', 'dir/sub']) {
      this.#try(`create in ${dir}`, () => sys.close(sys.open(at(`${dir}/made`), O.CREAT | O.RDWR, 0o600)));
      this.#try(`mkdir in ${dir}`, () => sys.mkdir(at(`${dir}/made-dir`), 0o700));
    }
    // Contents of every file that was there
    for (const name of names) {
      const path = at(name);
      const stat = this.#try(`lstat ${name}`, () => sys.lstat(path));
      if (stat?.type !== 'reg') continue;
      withFd(path, O.RDWR, (fd) => {
        this.#try(`write ${name}`, () => sys.pwrite(fd, data, 100));
        this.#try(`append ${name}`, () => sys.pwrite(fd, data, Math.min(stat.size, 2 ** 40)));
        this.#try(`fill ${name}`, () => sys.pwrite(fd, data, 30_000));
        this.#try(`punch ${name}`, () => sys.fdiscard(fd, 1024, 40_000));
        this.#try(`fallocate ${name}`, () => sys.posix_fallocate(fd, 0, 90_000));
        this.#try(`write ${name}`, () => sys.pwrite(fd, data, 5_000));
        this.#try(`cut ${name}`, () => sys.ftruncate(fd, Math.floor(stat.size / 2)));
      });
      this.#try(`setxattr ${name}`, () => sys.setxattr(path, 'user.new', data.subarray(0, 100)));
      this.#try(`setxattr ${name} large`, () => sys.setxattr(path, 'user.large', data.subarray(0, 700)));
      this.#try(`removexattr ${name}`, () => sys.removexattr(path, 'user.small'));
      this.#try(`chmod ${name}`, () => sys.chmod(path, 0o600));
      this.#try(`link ${name}`, () => sys.link(path, `${path}-link`));
    }
    // Moving
    this.#try('rename dir', () => sys.rename(at('dir/sub'), at('new-dir/sub')));
    this.#try('rename file', () => sys.rename(at('file'), at('dir/moved')));
    this.#try('rename over', () => sys.rename(at('new-short'), at('dir/moved')));
    this.#try('exchange', () => sys.rename(at('dir'), at('new-dir'), { exchange: true }));
    this.#try('exchange back', () => sys.rename(at('dir'), at('new-dir'), { exchange: true }));
    this.#try('sync', () => sys.sync());
    // Away with all of it
    for (const name of inDir) this.#try(`unlink dir/${name}`, () => sys.unlink(at(`dir/${name}`)));
    for (const name of names) {
      const path = at(name);
      const stat = this.#try(`lstat ${name}`, () => sys.lstat(path));
      if (stat === undefined) continue;
      if (stat.type === 'dir') this.#try(`rmdir ${name}`, () => sys.rmdir(path));
      else this.#try(`unlink ${name}`, () => sys.unlink(path));
    }
    this.#try('rmdir new', () => sys.rmdir(at('new-dir/sub')));
    this.#try('unlink new', () => sys.unlink(at('new-dir/file')));
    this.#try('rmdir new', () => sys.rmdir(at('new-dir')));
    this.#try('statvfs', () => sys.statvfs(MNT_POINT));
  }
}

function describe(e: unknown): string {
  if (!(e instanceof Error)) return String(e);
  const cause = e.cause instanceof Error ? `; cause ${describe(e.cause)}` : '';
  const stack = (e.stack ?? '')
    .split('\n')
    .slice(1, 6)
    .map((line) => line.trim().replace(/\(.*packages/, '(packages'));
  return `${e.name}: ${e.message}${cause}\n    ${stack.join('\n    ')}`;
}
