/**
 * Each host call of an operation and of its commit fails, on every disk: the error says what is on the disk, which is the
 * old image or the new one; and nothing is left of it: no pinned buffer, vnode, open file, held signal, lock or log.
 *
 * CI fails one call of so many, others with each operation; UKFS_FAULT=all every one.
 */
import { CommitError, FsError, type FileSystemType } from '@ukfs/kernel';
import type { HostOp, MemoryHost } from '@ukfs/kernel/host/memory';
import { afterAll, describe, expect, test } from 'vitest';
import { openStage } from '../../packages/kernel/src/dev/stage.ts';
import { vref, type Vnode } from '../../packages/kernel/src/vfs/vnode.ts';
import type { Disk } from '../support/adapters.ts';
import { diskOracles, disks } from '../support/file-systems.ts';
import { isPossible, operations, type Operation } from '../support/operations.ts';
import { lacksOracle } from '../support/oracle.ts';
import { withOps } from '../support/planted.ts';
import { diskState, heldBy, hostWith, IMAGE, openSession, prepare, treeOf, type Prepared } from '../support/session.ts';
import { hostFrom } from '../support/reorder-host.ts';

const EVERY = process.env['UKFS_FAULT'] === 'all' ? 1 : 11;
const LONG = 24 * 3600 * 1000;

const seen = { faults: 0, old: 0, now: 0 };
afterAll(() =>
  console.log(
    `fault, commit: ${seen.faults} failed host calls; ${seen.old} left the old image, ${seen.now} the new one`,
  ),
);

interface Fault {
  readonly memLimit: number;
  /** Number of the host call, from the operation's first on; 0: none. */
  readonly n: number;
}

interface Outcome {
  readonly host: MemoryHost;
  readonly error: unknown;
  /** How many host calls there were; was one of them failed? */
  readonly calls: number;
  readonly hit: boolean;
  readonly left: string;
}

/** One operation and its commit, by a program that gives up at the first error. */
function attempt(type: FileSystemType, image: Prepared, operation: Operation, { memLimit, n }: Fault): Outcome {
  const host = hostWith(image.bytes);
  const s = openSession(type, host, { write: true, memLimit });
  s.mp.bufs.dropAll();
  const from = host.operations;
  let hit = false;
  host.fault = (op: HostOp, path: string, count: number) => {
    if (hit || count !== from + n) return;
    hit = true;
    throw new FsError('EIO', { op, path });
  };
  let error: unknown;
  try {
    operation.run(s.sys, image);
    s.k.commit(s.stage);
  } catch (e) {
    error = e;
  }
  const calls = host.operations - from;
  host.fault = undefined;
  // An orphan's descriptor is the operation's own.
  const held = operation.leavesOrphan === true ? [] : heldBy(s);
  const pinned = s.mp.bufs.pinned === 0 ? [] : [`${s.mp.bufs.pinned} pinned buffers`];
  try {
    s.close();
  } catch (e) {
    // A commit that could not be applied says so once more.
    error ??= e;
  }
  const open = host.openFiles() === 0 ? [] : [`${host.openFiles()} open files`];
  const signals = host.signalsHeld ? ['signals are held'] : [];
  return { host, error, calls, hit, left: [...held, ...pinned, ...open, ...signals].join(', ') };
}

/** What may be on the disk, as the error says. */
function allowedAfter(error: unknown): readonly ('old' | 'new')[] {
  if (error === undefined) return ['new'];
  if (!(error instanceof CommitError)) return ['old'];
  if (error.outcome === 'discarded') return ['old'];
  return error.outcome === 'committed' ? ['new'] : ['old', 'new'];
}

const same = (a: Uint8Array, b: Uint8Array): boolean => Buffer.compare(a, b) === 0;

/** The bytes that a reader sees; a writer must get them onto the disk, alone. */
function settled(host: MemoryHost): { readonly read: Uint8Array; readonly problem: string | undefined } {
  const reader = openStage(host, IMAGE, { write: false });
  const read = new Uint8Array(reader.sizeBytes);
  reader.read(read, 0);
  reader.close();
  openStage(host, IMAGE, { write: true }).close();
  const others = host.list().filter((path) => path !== IMAGE);
  if (others.length > 0) return { read, problem: `left beside the image: ${others.join(', ')}` };
  return { read, problem: same(host.get(IMAGE), read) ? undefined : 'reader and writer differ' };
}

function treeIn(disk: Disk, bytes: Uint8Array): string {
  const s = openSession(disk.type, hostFrom(diskState(bytes), { time: { sec: 1_500_000_000, nsec: 5000 } }));
  try {
    return treeOf(s);
  } finally {
    s.close();
  }
}

/** The first problem of an operation with faults at `n`, `n + step` …; how many there were. */
function sweep(
  type: FileSystemType,
  image: Prepared,
  operation: Operation,
  first: number,
  step: number,
): string | undefined {
  const { disk } = image;
  for (const memLimit of [1 << 20, 0]) {
    const whole = attempt(disk.type, image, operation, { memLimit, n: 0 });
    if (whole.error !== undefined) throw whole.error;
    const versions = { old: image.bytes, new: whole.host.get(IMAGE) };
    for (let n = 1 + (first % step); n <= whole.calls; n += step) {
      const where = `${operation.name}, memory ${memLimit}, call ${n} of ${whole.calls}`;
      const { error, hit, host, left } = attempt(type, image, operation, { memLimit, n });
      if (!hit) continue;
      seen.faults++;
      if (error !== undefined && !(error instanceof FsError)) return `${where}: ${String(error)}`;
      if (left !== '') return `${where}: ${left} left after ${String(error)}`;
      const { read, problem } = settled(host);
      if (problem !== undefined) return `${where}: ${problem}`;
      const allowed = allowedAfter(error);
      let found = allowed.find((name) => same(versions[name], read));
      // Blocks that were free may hold what was to be in them.
      if (found === undefined) {
        const tree = treeIn(disk, read);
        found = allowed.find((name) => treeIn(disk, versions[name]) === tree);
      }
      if (found === undefined) return `${where}: a third image after ${String(error)}`;
      seen[found === 'old' ? 'old' : 'now']++;
    }
  }
  return undefined;
}

describe.skipIf(lacksOracle(...diskOracles))('a host call fails', () => {
  test.each(disks)('$name: in each operation and its commit', { timeout: LONG }, (disk) => {
    const image = prepare(disk);
    for (const [i, operation] of operations.entries()) {
      if (!isPossible(image, operation)) continue;
      expect(sweep(disk.type, image, operation, i * 3, EVERY)).toBeUndefined();
    }
  });

  /** mkdir that loses something. */
  const losing = (lose: (dvp: Vnode) => void): FileSystemType => {
    const [disk] = disks;
    if (disk === undefined) throw new Error('no disk');
    return withOps(disk.type, (ops) => ({
      mkdir(dvp, name, attr) {
        try {
          return ops.mkdir(dvp, name, attr);
        } finally {
          lose(dvp);
        }
      },
    }));
  };

  test.each([
    ['a vnode', losing((dvp) => void vref(dvp)), /inode \d+/],
    ['a buffer', losing((dvp) => void dvp.mount.bufs.bread(1)), /pinned|inode/],
  ] as const)('planted bug, a call that keeps %s: found', (_, type, what) => {
    const [disk] = disks;
    const mkdir = operations.find(({ name }) => name === 'mkdir');
    if (disk === undefined || mkdir === undefined) throw new Error('nothing to try');
    expect(sweep(type, prepare(disk), mkdir, 0, 1)).toMatch(what);
  });
});
