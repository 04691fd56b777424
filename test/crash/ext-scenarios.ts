/** Transactions on ext images to crash in, and what must hold of whatever a crash leaves. */
import { asFsError } from '../../packages/kernel/src/kern/errno.ts';
import {
  complaint,
  difference,
  IMAGE,
  IMAGE_INO,
  LOG,
  openSession,
  treeOf,
  type Session,
} from '../support/ext-session.ts';
import { hostFrom, ReorderHost, type CrashState, type DiskState } from '../support/reorder-host.ts';
import { Rng } from '../support/rng.ts';

/** What was done so far, for the last line of a test file. */
export const looked = { points: 0, checked: 0 };

const TIME = { sec: 1_500_000_000, nsec: 5000 };
/** Multiplies the samples: EXT_CRASH=20 for a long run. */
const EFFORT = Number(process.env['EXT_CRASH'] ?? 1);
/** One recovered image of so many is judged by e2fsck too: it takes longer than all the rest. */
const CHECK_ONE_OF = 12;

export interface Recording {
  readonly rec: ReorderHost;
  readonly old: string;
  readonly now: string;
  /** Number of host events when commit was called, and when it had returned. */
  readonly called: number;
  readonly returned: number;
}

/** Run one operation and its commit on a host that notes everything. */
export function record(
  base: DiskState,
  run: (s: Session) => void,
  options: { readonly memLimit?: number } = {},
): Recording {
  const rec = new ReorderHost(base, { time: TIME });
  const s = openSession(rec.host, { write: true, memLimit: options.memLimit ?? 1 << 20 });
  const old = treeOf(s);
  run(s);
  const now = treeOf(s);
  const called = rec.events.length;
  s.k.commit(s.stage);
  const returned = rec.events.length;
  s.close();
  return { rec, old, now, called, returned };
}

/** The tree that our tools find in a state, and what is on the disk then. */
export function seen(state: DiskState, write: boolean): { tree: string; bytes: Uint8Array; names: string[] } {
  const host = hostFrom(state, { time: TIME });
  const s = openSession(host, { write });
  try {
    const tree = treeOf(s);
    if (write && s.stage.isDirty()) s.k.commit(s.stage);
    return { tree, bytes: host.get(IMAGE), names: host.list() };
  } finally {
    s.close();
  }
}

const VALID = 1;
const STATE_AT = 1024 + 58;

/** What is wrong with a state; undefined when readers and writers find one of the trees in it, and e2fsck no fault. */
export function problemOf(
  state: DiskState,
  allowed: readonly string[],
  rng: Rng,
  view: (tree: string) => string = (tree) => tree,
): string | undefined {
  try {
    const reader = seen(state, false);
    if (!allowed.includes(reader.tree)) return `reader: ${difference(reader.tree, allowed.at(-1) ?? '')}`;
    const writer = seen(state, true);
    if (view(writer.tree) !== view(reader.tree)) return `reader and writer: ${difference(reader.tree, writer.tree)}`;
    if (writer.names.join() !== IMAGE) return `the writer leaves ${writer.names.join()}`;
    if (rng.oneIn(CHECK_ONE_OF)) {
      looked.checked++;
      const wrong = complaint(writer.bytes);
      if (wrong !== undefined) return wrong;
    }
    // The image without its log: other tools must see that it is half done, or it is not.
    const alone = state.files.get(IMAGE_INO)?.bytes ?? new Uint8Array(0);
    if (state.names.has(LOG) && ((alone[STATE_AT] ?? 0) & VALID) !== 0) {
      const tree = aloneTree(state);
      if (tree !== undefined && !allowed.includes(tree))
        return `half done, and looks clean: ${difference(tree, allowed.at(-1) ?? '')}`;
    }
    return undefined;
  } catch (e) {
    return `refused: ${asFsError(e).message}`;
  }
}

/** What the image without its log shows; undefined when everyone refuses it (half a superblock, by its checksum). */
function aloneTree(state: DiskState): string | undefined {
  try {
    return seen({ files: state.files, names: new Map([[IMAGE, IMAGE_INO]]) }, false).tree;
  } catch {
    return undefined;
  }
}

/** The first problem among a sample of the crash states of a recording. */
export function examine(r: Recording, options: Effort): string | undefined {
  const rng = new Rng(options.seed);
  for (const crash of sample(r, rng, options)) {
    looked.points++;
    const least = crash.issued >= r.returned ? 1 : 0;
    const most = crash.issued > r.called ? 2 : 1;
    const problem = problemOf(crash.state, [r.old, r.now].slice(least, most), rng);
    if (problem !== undefined) return `${crash.description}: ${problem}`;
  }
  return undefined;
}

export interface Effort {
  readonly seed: number;
  /** States of a power cut, and of a kill. */
  readonly crashes: number;
  /** Undefined: at every second call to the host, and within some. */
  readonly cuts?: number;
}

function* sample({ rec, returned }: Recording, rng: Rng, { crashes, cuts }: Effort): Generator<CrashState> {
  const seed = rng.next();
  const crash = (keep: () => boolean): Generator<CrashState> =>
    rec.crashes({ rng: new Rng(seed), perPoint: 8, alsoAt: [returned], keep });
  yield* some(crash, crashes * EFFORT, rng);
  if (cuts === undefined) yield* rec.cuts({ keep: (part) => (part === 0 ? rng.oneIn(2) : rng.oneIn(30)) });
  else yield* some((keep) => rec.cuts({ keep }), cuts * EFFORT, rng);
}

/** So many states, anywhere. */
export function* some(
  all: (keep: () => boolean) => Generator<CrashState>,
  most: number,
  rng: Rng,
): Generator<CrashState> {
  let count = 0;
  for (const _ of all(() => (count++, false)));
  const chosen = new Set(Array.from({ length: most }, () => rng.int(count)));
  let at = 0;
  yield* all(() => chosen.has(at++));
}

/** Recovery of each state is recorded and cut short, three times over; the tree of a state stays what it was. */
export function recoverThreeDeep(first: readonly DiskState[], allowed: readonly string[]): string | undefined {
  const rng = new Rng(4);
  let level = first;
  for (let depth = 1; depth <= 3; depth++) {
    const next: DiskState[] = [];
    for (const state of rng.shuffle(level).slice(0, 3)) {
      const { tree } = seen(state, false);
      if (!allowed.includes(tree)) return `depth ${depth}: ${tree}`;
      const rec = new ReorderHost(state, { time: TIME });
      openSession(rec.host, { write: true }).close();
      const deeper = some((keep) => rec.crashes({ rng: new Rng(depth), perPoint: 8, keep }), 6, rng);
      for (const crash of deeper) {
        looked.points++;
        const problem = problemOf(crash.state, [tree], rng);
        if (problem !== undefined) return `depth ${depth}, ${crash.description}: ${problem}`;
        if (crash.state.names.has(LOG)) next.push(crash.state);
      }
    }
    level = next;
  }
  return undefined;
}
