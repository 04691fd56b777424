/**
 * A host that crashes: records what happens to its files and enumerates what a disk could hold after a power cut.
 *
 * Data, sizes and names are kept apart, as file systems keep them. A write, in units of 512 bytes, or a truncate is safe
 * once its file was synced; a create, rename or unlink once its directory was; anything else may have reached the disk or
 * not, in any combination. A failed fsync makes nothing safe, then or later.
 */
import { crc32c } from '../../packages/kernel/src/kern/checksum/crc32c.ts';
import { MemoryHost } from '../../packages/kernel/src/hypercall/memory.ts';
import type { HostEvent, MemoryHostOptions } from '../../packages/kernel/src/hypercall/memory.ts';
import type { Timespec } from '../../packages/kernel/src/kern/time.ts';
import type { Rng } from './rng.ts';

const UNIT = 512;

interface DiskFile {
  bytes: Uint8Array;
  readonly birthtime: Timespec;
}

/** What is on the disk: files by inode number, and the names that lead to them. */
export interface DiskState {
  readonly files: ReadonlyMap<number, DiskFile>;
  readonly names: ReadonlyMap<string, number>;
}

/** A host after a reboot from `state`, with nothing open and nothing locked. */
export function hostFrom(state: DiskState, options: MemoryHostOptions = {}): MemoryHost {
  const host = new MemoryHost(options);
  for (const [path, ino] of state.names) {
    const file = state.files.get(ino);
    if (file !== undefined) host.put(path, file.bytes, { ino, birthtime: file.birthtime, lent: true });
  }
  return host;
}

export interface CrashState {
  /** Built when it is asked for. */
  readonly state: DiskState;
  /** Equal for moments and combinations that leave the same on the disk. */
  readonly key: string;
  /** Events that had been issued; some of them have reached the disk. */
  readonly issued: number;
  readonly description: string;
}

export interface CrashOptions {
  readonly rng: Rng;
  /** Combinations tried at each point, when there are more. */
  readonly perPoint: number;
  /** The fsync with this ordinal (from 0) is treated as never made. */
  readonly dropSync?: number;
  /** Further points, as numbers of events issued. */
  readonly alsoAt?: readonly number[];
  /** Asked of each state before it is built, which is what costs. */
  readonly keep?: () => boolean;
}

const isSync = (event: HostEvent): boolean => event.op === 'fsync' || event.op === 'fsyncDir';

export interface ReorderOptions extends MemoryHostOptions {
  /** Planted bug: writes that change nothing visible are not made. */
  readonly skipIdentical?: boolean;
}

export class ReorderHost {
  readonly host: MemoryHost;
  readonly events: HostEvent[] = [];
  readonly #base: DiskState;
  readonly #born = new Map<number, Timespec>();

  constructor(base: DiskState, options: ReorderOptions = {}) {
    this.#base = base;
    this.host = hostFrom(base, options);
    this.host.observe = (event) => {
      if (options.skipIdentical === true && event.op === 'write' && this.#isVisible(event)) return;
      this.events.push(event);
      if (event.op === 'create') this.#born.set(event.ino, this.host.birthOf(event.path));
    };
  }

  /** Is this what the file held before anyway? */
  #isVisible(event: HostEvent & { readonly op: 'write' }): boolean {
    const before = this.settled()
      .files.get(event.ino)
      ?.bytes.subarray(event.offset, event.offset + event.data.length);
    return before?.length === event.data.length && before.every((x, i) => x === event.data[i]);
  }

  /** How many fsyncs there were, of files and directories. */
  syncs(): number {
    return this.events.filter(isSync).length;
  }

  /** What the n-th fsync was, for messages. */
  syncName(n: number): string {
    const event = this.events.filter(isSync)[n];
    if (event?.op === 'fsyncDir') return 'fsync of the directory';
    if (event?.op !== 'fsync') return 'none';
    return this.#base.files.has(event.ino) ? 'fsync of the image' : 'fsync of the log';
  }

  /** Everything has reached the disk. */
  settled(): DiskState {
    return this.#build(this.events, () => true);
  }

  /**
   * States after a crash. Points right before each fsync and at the end suffice: what a crash in between leaves is one of
   * the combinations there.
   */
  *crashes({ rng, perPoint, dropSync, alsoAt = [], keep = () => true }: CrashOptions): Generator<CrashState> {
    let ordinal = -1;
    const dropped = this.events.findIndex((event) => isSync(event) && ++ordinal === dropSync);
    for (let issued = 0; issued <= this.events.length; issued++) {
      const next = this.events[issued];
      if (next !== undefined && !isSync(next) && !alsoAt.includes(issued)) continue;
      // Up to there nothing differs from a run with all of them.
      if (dropped >= issued) continue;
      const soFar: (HostEvent | undefined)[] = this.events.slice(0, issued);
      if (dropped >= 0 && dropped < issued) soFar[dropped] = undefined;
      const pending = pendingParts(soFar);
      const open = new Set(pending.map(({ event, part }) => `${event}.${part}`));
      for (const [n, combination] of combinations(pending, { rng, most: perPoint }).entries()) {
        if (!keep()) continue;
        const chosen = combination();
        const has = (event: number, part: number): boolean => {
          const key = `${event}.${part}`;
          return !open.has(key) || chosen.has(key);
        };
        const description = `after ${issued} events, combination ${n} of ${pending.length} pending`;
        yield this.#crash(soFar, has, { issued, description });
      }
    }
  }

  /** States after a kill: everything up to one unit of one write has reached the disk, nothing after it. */
  *cuts({ keep = () => true }: { readonly keep?: (part: number) => boolean } = {}): Generator<CrashState> {
    for (const [i, event] of this.events.entries()) {
      const parts = event.op === 'write' ? Math.ceil(event.data.length / UNIT) : 1;
      for (let done = 0; done < parts; done++) {
        if (!keep(done)) continue;
        const has = (e: number, part: number): boolean => e < i || part < done;
        const description = `in event ${i}, ${done} of ${parts} units`;
        yield this.#crash(this.events.slice(0, i + 1), has, { issued: i, description });
      }
    }
  }

  #crash(
    events: readonly (HostEvent | undefined)[],
    has: (event: number, part: number) => boolean,
    what: { readonly issued: number; readonly description: string },
  ): CrashState {
    const build = (): DiskState => this.#build(events, has);
    let state: DiskState | undefined;
    return {
      ...what,
      key: this.#key(events, has),
      get state() {
        return (state ??= build());
      },
    };
  }

  /** What differs from the base: units of files by their checksums, sizes, names. */
  #key(events: readonly (HostEvent | undefined)[], has: (event: number, part: number) => boolean): string {
    const units = new Map<string, number | string>();
    const rest = new Map<string, string | number>();
    events.forEach((event, i) => {
      if (event === undefined) return;
      if (event.op === 'write') {
        const sums = this.#sumsOf(event);
        sums.forEach((sum, part) => {
          if (!has(i, part)) return;
          const at = event.offset + part * UNIT;
          // A unit that lies across two others hides them, or they it: then it counts which write it was.
          units.set(`${event.ino}:${at}`, at % UNIT === 0 ? sum : `${i}`);
          rest.set(`size ${event.ino}`, Math.max(at, Number(rest.get(`size ${event.ino}`) ?? 0)));
        });
      } else if (!isSync(event) && !event.op.endsWith('Failed') && has(i, 0))
        rest.set(`${event.op} ${i}`, event.op === 'truncate' ? event.size : 0);
    });
    for (const [place, sum] of units) if (this.#baseSum(place) === sum) units.delete(place);
    const text = [...units, ...rest].map(([place, value]) => `${place}=${value}`);
    return text.sort().join(' ');
  }

  readonly #sums = new WeakMap<HostEvent, readonly number[]>();
  #sumsOf(event: HostEvent & { readonly op: 'write' }): readonly number[] {
    let sums = this.#sums.get(event);
    if (sums === undefined) {
      const { data } = event;
      const count = Math.ceil(data.length / UNIT);
      sums = Array.from({ length: count }, (_, part) => crc32c(0, data.subarray(part * UNIT, (part + 1) * UNIT)));
      this.#sums.set(event, sums);
    }
    return sums;
  }

  readonly #baseSums = new Map<string, number>();
  #baseSum(place: string): number {
    let sum = this.#baseSums.get(place);
    if (sum === undefined) {
      const [ino = 0, at = 0] = place.split(':').map(Number);
      const bytes = this.#base.files.get(ino)?.bytes.subarray(at, at + UNIT);
      sum = bytes === undefined ? -1 : crc32c(0, bytes);
      this.#baseSums.set(place, sum);
    }
    return sum;
  }

  #build(events: readonly (HostEvent | undefined)[], has: (event: number, part: number) => boolean): DiskState {
    const files = new Map<number, DiskFile>();
    for (const [ino, file] of this.#base.files) files.set(ino, { ...file });
    const owned = new Set<number>();
    const names = new Map(this.#base.names);
    const fileOf = (ino: number): DiskFile => {
      let file = files.get(ino);
      if (file === undefined) {
        files.set(ino, (file = { bytes: new Uint8Array(0), birthtime: this.#born.get(ino) ?? { sec: 0, nsec: 0 } }));
      }
      if (!owned.has(ino)) file.bytes = file.bytes.slice();
      owned.add(ino);
      return file;
    };
    events.forEach((event, i) => {
      if (event === undefined) return;
      if (event.op === 'write') {
        const file = fileOf(event.ino);
        for (let part = 0; part * UNIT < event.data.length; part++) {
          if (has(i, part))
            patch(file, event.data.subarray(part * UNIT, (part + 1) * UNIT), event.offset + part * UNIT);
        }
      } else if (has(i, 0)) {
        if (event.op === 'truncate') resize(fileOf(event.ino), event.size);
        else if (event.op === 'create') {
          fileOf(event.ino);
          names.set(event.path, event.ino);
        } else if (event.op === 'unlink') {
          if (names.get(event.path) === event.ino) names.delete(event.path);
        } else if (event.op === 'rename') {
          if (names.get(event.from) === event.ino) names.delete(event.from);
          fileOf(event.ino);
          names.set(event.to, event.ino);
        }
      }
    });
    return { files, names };
  }
}

function resize(file: DiskFile, size: number): void {
  const bytes = new Uint8Array(size);
  bytes.set(file.bytes.subarray(0, size));
  file.bytes = bytes;
}

function patch(file: DiskFile, data: Uint8Array, offset: number): void {
  if (offset + data.length > file.bytes.length) resize(file, offset + data.length);
  file.bytes.set(data, offset);
}

/** A part of an event that no fsync covers: one unit of a write, or all of anything else. */
interface Part {
  readonly event: number;
  readonly part: number;
}

const dirOf = (path: string): string => path.slice(0, Math.max(1, path.lastIndexOf('/')));

function pendingParts(events: readonly (HostEvent | undefined)[]): Part[] {
  const pending: Part[] = [];
  events.forEach((event, i) => {
    if (event === undefined || isSync(event) || event.op.endsWith('Failed')) return;
    if (isCovered(events, i)) return;
    const parts = event.op === 'write' ? Math.ceil(event.data.length / UNIT) : 1;
    for (let part = 0; part < parts; part++) pending.push({ event: i, part });
  });
  return pending;
}

/** Did the first fsync that concerns event `i` succeed? After one that failed, the next ones say nothing about it. */
function isCovered(events: readonly (HostEvent | undefined)[], i: number): boolean {
  const event = events[i];
  if (event === undefined) return false;
  for (const later of events.slice(i + 1)) {
    if (later === undefined) continue;
    if (event.op === 'write' || event.op === 'truncate') {
      if (later.op === 'fsync' && later.ino === event.ino) return true;
      if (later.op === 'fsyncFailed' && later.ino === event.ino) return false;
    } else if (later.op === 'fsyncDir' || later.op === 'fsyncDirFailed') {
      const dirs =
        event.op === 'rename' ? [dirOf(event.from), dirOf(event.to)] : 'path' in event ? [dirOf(event.path)] : [];
      if (dirs.includes(later.path)) return later.op === 'fsyncDir';
    }
  }
  return false;
}

/**
 * Sets of parts that reached the disk: all of them when few, else the telling ones and a seeded sample. As functions, since
 * most may not be wanted.
 */
function combinations(pending: readonly Part[], options: { rng: Rng; most: number }): (() => Set<string>)[] {
  const { rng, most } = options;
  const keys = pending.map(({ event, part }) => `${event}.${part}`);
  if (2 ** keys.length <= most) {
    return Array.from({ length: 2 ** keys.length }, (_, bits) => () => new Set(keys.filter((_, i) => bits & (1 << i))));
  }
  const sets = [() => new Set<string>(), () => new Set(keys)];
  const events = [...new Set(pending.map(({ event }) => event))];
  const ofEvents = (events: readonly number[]) => (): Set<string> => {
    const chosen = new Set(events);
    return new Set(keys.filter((_, i) => chosen.has(pending[i]?.event ?? -1)));
  };
  // Whole events: every prefix, all but one, one alone.
  events.forEach((event, i) => {
    sets.push(ofEvents(events.slice(0, i)), ofEvents(events.filter((e) => e !== event)), ofEvents([event]));
  });
  while (sets.length < most) {
    const odds = rng.between(1, 7);
    const whole = rng.oneIn(2);
    if (whole) sets.push(ofEvents(events.filter(() => rng.int(8) < odds)));
    else {
      const chosen = keys.filter(() => rng.int(8) < odds);
      sets.push(() => new Set(chosen));
    }
  }
  return sets;
}
