/**
 * Transactions on prepared disks to crash in, and what must hold of whatever a crash leaves.
 *
 * The images before and after are mounted, walked and judged once. A crash state is then judged by bytes, which is sharper
 * and quicker than by trees: what a reader sees of it through the stage, and what a writer leaves of it, must be the one
 * image or the other. What is neither (blocks that were fresh and free, a dirty mark) is mounted and compared as a tree;
 * so is a sample of all, down to the judges.
 */
import { asFsError } from '../../packages/kernel/src/kern/errno.ts';
import { openStage } from '../../packages/kernel/src/dev/stage.ts';
import type { Disk } from '../support/adapters.ts';
import {
  diskState,
  difference,
  IMAGE,
  IMAGE_INO,
  LOG,
  openSession,
  treeOf,
  type Prepared,
  type Session,
} from '../support/session.ts';
import { hostFrom, ReorderHost, type CrashState, type DiskState } from '../support/reorder-host.ts';
import { Rng } from '../support/rng.ts';

/** What was done so far, for the last line of a test file. */
export const looked = { points: 0, distinct: 0, mounted: 0, judged: 0 };
export const lookedText = ({ points, distinct, mounted, judged } = looked): string =>
  `${points} crash points, none with a third state (${distinct} different disks; ${mounted} mounted and walked, ` +
  `${judged} judged by the checkers)`;

const TIME = { sec: 1_500_000_000, nsec: 5000 };
/** Multiplies the samples: CRASH=20 for a long run. */
const EFFORT = Number(process.env['CRASH'] ?? 1);
/** One state of so many is mounted and walked, too; of those, one of so many judged. */
const MOUNT_ONE_OF = 25;
const JUDGE_ONE_OF = 4;

/** An image that is allowed: old or new. */
export interface Version {
  readonly bytes: Uint8Array;
  readonly tree: string;
}

export interface Recording {
  readonly disk: Disk;
  readonly rec: ReorderHost;
  readonly old: Version;
  readonly now: Version;
  /** Number of host events when commit was called, and when it had returned. */
  readonly called: number;
  readonly returned: number;
}

/** Run one operation and its commit on a host that notes everything. */
export function record(
  { disk, bytes }: Pick<Prepared, 'disk' | 'bytes'>,
  run: (s: Session) => void,
  options: { readonly memLimit?: number } = {},
): Recording {
  const rec = new ReorderHost(diskState(bytes), { time: TIME });
  const s = openSession(disk.type, rec.host, { write: true, memLimit: options.memLimit ?? 1 << 20 });
  const old = treeOf(s);
  run(s);
  const now = treeOf(s);
  const called = rec.events.length;
  s.k.commit(s.stage);
  const returned = rec.events.length;
  s.close();
  const version = { bytes: rec.host.get(IMAGE), tree: now };
  return { disk, rec, old: { bytes, tree: old }, now: version, called, returned };
}

/** What the judges say of an image once a writer has opened and left it (which removes orphans). */
export function settledComplaint(disk: Disk, bytes: Uint8Array): string | undefined {
  return disk.complaint(seen(disk, diskState(bytes), true).bytes);
}

/** The tree that our tools find in a state, and what is on the disk then. */
export function seen(disk: Disk, state: DiskState, write: boolean): Version & { readonly names: readonly string[] } {
  const host = hostFrom(state, { time: TIME });
  const s = openSession(disk.type, host, { write });
  try {
    const tree = treeOf(s);
    if (write && s.stage.isDirty()) s.k.commit(s.stage);
    return { tree, bytes: host.get(IMAGE), names: host.list() };
  } finally {
    s.close();
  }
}

const isSame = (a: Uint8Array, b: Uint8Array): boolean => Buffer.compare(a, b) === 0;

export interface Allowed {
  readonly versions: readonly Version[];
  /** What the image may be while its log lies beside it; absent: those. */
  readonly whole?: readonly Version[];
  /** What a writer does beyond recovery (it counts what it freed) is not compared: the last line of a tree. */
  readonly ignoreCounts?: boolean;
}

/** What is wrong with a state; undefined when readers and writers find an allowed version in it. */
export function problemOf(disk: Disk, state: DiskState, allowed: Allowed, rng: Rng): string | undefined {
  try {
    return (
      quickProblem(disk, state, allowed) ??
      (rng.oneIn(MOUNT_ONE_OF) ? wholeProblem(disk, state, allowed, rng) : undefined)
    );
  } catch (e) {
    return `refused: ${asFsError(e).message}`;
  }
}

/** Memory that each state in turn is read into: new arrays of this size are most of the time that a state takes. */
class Scratch {
  #read = new Uint8Array(0);
  #left = new Uint8Array(0);

  reader(length: number): Uint8Array {
    if (this.#read.length < length) this.#read = new Uint8Array(length);
    return this.#read.subarray(0, length);
  }

  writer(length: number): Uint8Array {
    if (this.#left.length < length) this.#left = new Uint8Array(length);
    return this.#left.subarray(0, length);
  }
}
const scratch = new Scratch();

/** By bytes, through the stage alone. */
function quickProblem(disk: Disk, state: DiskState, allowed: Allowed): string | undefined {
  const host = hostFrom(state, { time: TIME });
  const reader = openStage(host, IMAGE, { write: false });
  const read = scratch.reader(reader.sizeBytes);
  reader.read(read, 0);
  reader.close();
  openStage(host, IMAGE, { write: true }).close();
  const left = host.get(IMAGE, scratch.writer(read.length));
  if (host.list().join() !== IMAGE) return `the writer leaves ${host.list().join()}`;
  if (!isSame(read, left)) return 'reader and writer do not see the same bytes';
  const known = allowed.versions.some(({ bytes }) => isSame(bytes, read));
  // Fresh blocks, free in both: only a tree can tell.
  const wrong = known ? undefined : wholeProblem(disk, state, allowed, undefined);
  return wrong ?? aloneProblem(disk, state, allowed);
}

/** The image without its log: other tools must see that it is half done, or it is not. */
function aloneProblem(disk: Disk, state: DiskState, allowed: Allowed): string | undefined {
  const versions = allowed.whole ?? allowed.versions;
  const alone = state.files.get(IMAGE_INO)?.bytes ?? new Uint8Array(0);
  if (!state.names.has(LOG) || !disk.looksClean(alone) || versions.some(({ bytes }) => isSame(bytes, alone)))
    return undefined;
  const tree = aloneTree(disk, alone);
  if (tree === undefined || versions.some((version) => version.tree === tree)) return undefined;
  return `half done, and looks clean: ${difference(tree, versions.at(-1)?.tree ?? '')}`;
}

/** What an image shows by itself; undefined when everyone refuses it (half a superblock, by its checksum). */
function aloneTree(disk: Disk, bytes: Uint8Array): string | undefined {
  try {
    return seen(disk, diskState(bytes), false).tree;
  } catch {
    return undefined;
  }
}

/** Through the whole kernel: mounted, walked, compared as trees; with `rng` now and then judged. */
function wholeProblem(
  disk: Disk,
  state: DiskState,
  { versions, ignoreCounts = false }: Allowed,
  rng: Rng | undefined,
): string | undefined {
  looked.mounted++;
  const view = (tree: string): string => (ignoreCounts ? tree.slice(0, tree.lastIndexOf('\n')) : tree);
  const reader = seen(disk, state, false);
  if (!versions.some(({ tree }) => view(tree) === view(reader.tree)))
    return `reader: ${difference(reader.tree, versions.at(-1)?.tree ?? '')}`;
  const writer = seen(disk, state, true);
  if (view(writer.tree) !== view(reader.tree)) return `reader and writer: ${difference(reader.tree, writer.tree)}`;
  if (rng?.oneIn(JUDGE_ONE_OF) !== true) return undefined;
  looked.judged++;
  return disk.complaint(writer.bytes);
}

export interface Effort {
  readonly seed: number;
  /** States of a power cut, and of a kill. */
  readonly crashes: number;
  readonly cuts: number;
  /** The operation leaves an orphan, which writers remove. */
  readonly ignoreCounts?: boolean;
}

/** The first problem among a sample of the crash states of a recording. */
export function examine(r: Recording, { seed, crashes, cuts, ignoreCounts = false }: Effort): string | undefined {
  const rng = new Rng(seed);
  const judged = new Set<string>();
  const order = rng.next();
  const power = (keep: () => boolean): Generator<CrashState> =>
    r.rec.crashes({ rng: new Rng(order), perPoint: 8, alsoAt: [r.returned], keep });
  const kills = (keep: () => boolean): Generator<CrashState> => r.rec.cuts({ keep });
  for (const [states, most] of [
    [power, crashes],
    [kills, cuts],
  ] as const) {
    for (const crash of some(states, most * EFFORT, rng)) {
      looked.points++;
      const least = crash.issued >= r.returned ? 1 : 0;
      const most = crash.issued > r.called ? 2 : 1;
      const key = `${least} ${most} ${crash.key}`;
      if (judged.has(key)) continue;
      judged.add(key);
      looked.distinct++;
      const versions = [r.old, r.now].slice(least, most);
      const problem = problemOf(r.disk, crash.state, { versions, ignoreCounts }, rng);
      if (problem !== undefined) return `${crash.description}: ${problem}`;
    }
  }
  return undefined;
}

/** So many states, anywhere. */
export function* some(
  all: (keep: () => boolean) => Generator<CrashState>,
  most: number,
  rng: Rng,
): Generator<CrashState> {
  let count = 0;
  for (const _ of all(() => (count++, false)));
  const chosen = new Set<number>();
  if (most >= count) for (let i = 0; i < count; i++) chosen.add(i);
  else while (chosen.size < most) chosen.add(rng.int(count));
  let at = 0;
  yield* all(() => chosen.has(at++));
}

/** Recovery of each state is recorded and cut short, three times over; what a state shows stays what it was. */
export function recoverThreeDeep(
  disk: Disk,
  first: readonly DiskState[],
  { versions, ignoreCounts = false }: Allowed,
): string | undefined {
  const rng = new Rng(4);
  let level = first;
  for (let depth = 1; depth <= 3; depth++) {
    const next: DiskState[] = [];
    for (const state of rng.shuffle(level).slice(0, 3)) {
      const { tree } = seen(disk, state, false);
      const version = versions.find((one) => one.tree === tree);
      if (version === undefined) return `depth ${depth}: ${difference(tree, versions.at(-1)?.tree ?? '')}`;
      const rec = new ReorderHost(state, { time: TIME });
      openSession(disk.type, rec.host, { write: true }).close();
      const deeper = some((keep) => rec.crashes({ rng: new Rng(depth), perPoint: 8, keep }), 12 * EFFORT, rng);
      for (const crash of deeper) {
        looked.points++;
        looked.distinct++;
        const problem = problemOf(disk, crash.state, { versions: [version], whole: versions, ignoreCounts }, rng);
        if (problem !== undefined) return `depth ${depth}, ${crash.description}: ${problem}`;
        if (crash.state.names.has(LOG)) next.push(crash.state);
      }
    }
    level = next;
  }
  return undefined;
}
