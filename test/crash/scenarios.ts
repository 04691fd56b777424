/** Transactions to crash in, and what must hold of whatever a crash leaves. */
import { LOG_DONE, LogHeader } from '../../packages/kernel/src/dev/log-format.ts';
import { ramDisk } from '../../packages/kernel/src/dev/ramdisk.ts';
import { openStage } from '../../packages/kernel/src/dev/stage.ts';
import type { Stage } from '../../packages/kernel/src/dev/stage.ts';
import { crc32c } from '../../packages/kernel/src/kern/checksum/crc32c.ts';
import { asFsError } from '../../packages/kernel/src/kern/errno.ts';
import type { BlockDevice } from '../../packages/kernel/src/dev/blockdev.ts';
import type { CrashState, DiskState } from '../support/reorder-host.ts';
import { hostFrom, ReorderHost } from '../support/reorder-host.ts';
import { Rng } from '../support/rng.ts';
import { ToyFs, judge } from '../support/toyfs.ts';

export const IMAGE = '/d/disk.img';
export const LOG = `${IMAGE}.fsu-log`;
const SIZE = 40 * 1024;
const INO = 7;

export interface Scenario {
  readonly name: string;
  readonly memLimit: number;
  run(fs: ToyFs, stage: Stage, commit: () => void): void;
}

const data = (seed: number, length: number): Uint8Array => new Rng(seed).bytes(length);

/** An image with three files and old bytes in its free space. */
export function baseState(): DiskState {
  const disk = ramDisk(new Rng(5).bytes(SIZE));
  ToyFs.format(disk);
  const fs = new ToyFs(disk);
  fs.write('a', data(1, 3000));
  fs.write('b', data(2, 8000));
  fs.write('c', data(3, 1000));
  return {
    files: new Map([[INO, { bytes: disk.bytes, birthtime: { sec: 1, nsec: 2 } }]]),
    names: new Map([[IMAGE, INO]]),
  };
}

function edit(fs: ToyFs): void {
  fs.write('a', data(11, 3000));
  fs.remove('b');
  fs.write('d', data(12, 1800));
}

const MEMORY = 1 << 20;
export const scenarios: readonly Scenario[] = [
  {
    name: 'all through the log',
    memLimit: MEMORY,
    run(fs, _stage, commit) {
      edit(fs);
      commit();
    },
  },
  {
    name: 'no memory: fresh data in place, the rest spilled',
    memLimit: 0,
    run(fs, _stage, commit) {
      edit(fs);
      fs.write('e', data(13, 6000));
      fs.remove('e');
      fs.write('big', data(14, 9000));
      commit();
    },
  },
  {
    name: 'two transactions',
    memLimit: 8192,
    run(fs, _stage, commit) {
      edit(fs);
      commit();
      fs.write('c', data(15, 2000));
      fs.remove('d');
      commit();
    },
  },
  {
    name: 'the image grows',
    memLimit: 8192,
    run(fs, stage, commit) {
      stage.resize(SIZE + 16 * 1024);
      fs.resized();
      edit(fs);
      fs.write('new', data(16, 9000));
      commit();
    },
  },
  {
    name: 'the image shrinks',
    memLimit: MEMORY,
    run(fs, stage, commit) {
      edit(fs);
      stage.resize(SIZE - 8 * 1024);
      fs.resized();
      commit();
    },
  },
  {
    name: 'savepoints, rollback, a discarded transaction, then one that counts',
    memLimit: 4096,
    run(fs, stage, commit) {
      fs.write('lost', data(17, 5000));
      stage.discard();
      fs.reload();
      fs.write('x', data(18, 3000));
      const undo = stage.savepoint('explicit');
      fs.remove('a');
      fs.write('y', data(19, 4000));
      stage.rollback(undo);
      fs.reload();
      fs.write('z', data(20, 2000));
      commit();
    },
  },
  {
    name: 'a commit that is given up, then one that counts',
    memLimit: 4096,
    run(fs, stage, commit) {
      edit(fs);
      fs.write('e', data(21, 6000));
      giveUpCommit(stage);
      fs.remove('e');
      fs.write('big', data(22, 9000));
      commit();
    },
  },
];

/** When all of it is in the log that has no name yet. */
function giveUpCommit(stage: Stage): void {
  const enough = new Error('enough');
  try {
    stage.commit({
      gathering({ doneBytes, totalBytes }) {
        if (doneBytes === totalBytes) throw enough;
      },
    });
  } catch (thrown) {
    if (thrown !== enough) throw thrown;
  }
}

export interface Recording {
  readonly rec: ReorderHost;
  /** Trees: before, after the first commit, after the second … */
  readonly trees: readonly string[];
  /** Number of host events when commit i was called, and when it had returned. */
  readonly called: readonly number[];
  readonly returned: readonly number[];
}

/** Run a scenario to its end; `device` may put something with a bug between the file system and the stage. */
export function record(scenario: Scenario, device: (stage: Stage) => BlockDevice = (stage) => stage): Recording {
  const rec = new ReorderHost(baseState());
  const stage = openStage(rec.host, IMAGE, { write: true, memLimit: scenario.memLimit });
  const trees = [judge(stage)];
  const called: number[] = [];
  const returned: number[] = [];
  const fs = new ToyFs(device(stage));
  scenario.run(fs, stage, () => {
    trees.push(judge(stage));
    called.push(rec.events.length);
    stage.commit();
    returned.push(rec.events.length);
  });
  stage.close();
  return { rec, trees, called, returned };
}

/** What our own tools see of a state: a reader, or a writer once it has settled what was left. */
function seen(state: DiskState, write: boolean): { tree: string; image: Uint8Array; names: string[] } {
  const host = hostFrom(state);
  const stage = openStage(host, IMAGE, { write });
  try {
    return { tree: judge(stage), image: host.get(IMAGE), names: host.list() };
  } finally {
    stage.close();
  }
}

const imageAlone = (bytes: Uint8Array): { tree: string; dirty: boolean } => {
  const disk = ramDisk(bytes, { readOnly: true });
  try {
    return { tree: judge(disk), dirty: new ToyFs(disk).isDirty() };
  } catch (thrown) {
    return { tree: `BAD ${asFsError(thrown).message}`, dirty: false };
  }
};

/** Everything the design promises of a crash state; undefined when it holds. */
export function problemOf({ rec, trees, called, returned }: Recording, crash: CrashState): string | undefined {
  const least = returned.filter((at) => at <= crash.issued).length;
  const most = called.filter((at) => at < crash.issued).length;
  const allowed = trees.slice(least, most + 1);
  try {
    const problem = problemOfState(crash.state, { allowed, whole: trees });
    if (problem !== undefined) return problem;
    if (returned.includes(crash.issued) && crash.state.names.size > 1) return 'a log is left after success';
    const names = rec.events
      .slice(0, crash.issued)
      .filter((e) => e.op === 'rename' || (e.op === 'unlink' && e.path === LOG));
    const ino = crash.state.names.get(LOG);
    if (names.at(-1)?.op === 'unlink' && ino !== undefined && stateOf(crash.state, ino) !== LOG_DONE)
      return 'a retired log is live';
  } catch (thrown) {
    return `refused: ${asFsError(thrown).message}`;
  }
  return undefined;
}

const stateOf = (state: DiskState, ino: number): number =>
  LogHeader.at(state.files.get(ino)?.bytes ?? new Uint8Array(512), 0).state;

/** Old or new for readers and writers alike, and an image that alone is neither carries its dirty mark. */
export function problemOfState(
  state: DiskState,
  { allowed, whole }: { readonly allowed: readonly string[]; readonly whole: readonly string[] },
): string | undefined {
  const reader = seen(state, false);
  if (!allowed.includes(reader.tree)) return `reader sees ${reader.tree}`;
  const writer = seen(state, true);
  if (writer.tree !== reader.tree) return `reader sees ${reader.tree}, writer ${writer.tree}`;
  if (writer.names.join() !== IMAGE) return `writer leaves ${writer.names.join()}`;
  const settled = imageAlone(writer.image);
  if (settled.tree !== reader.tree) return `image alone after recovery: ${settled.tree}`;
  const ino = state.names.get(IMAGE) ?? 0;
  const alone = imageAlone(state.files.get(ino)?.bytes ?? new Uint8Array(0));
  if (!whole.includes(alone.tree) && !alone.dirty) return `image alone is half done and looks clean: ${alone.tree}`;
  return undefined;
}

/** First problem among a recording's crash states, and how many states were looked at. */
export function examine(
  recording: Recording,
  options: { readonly seed: number; readonly perPoint: number; readonly dropSync?: number },
): { problem: string | undefined; points: number } {
  let points = 0;
  const judged = new Set<string>();
  const drop = options.dropSync === undefined ? {} : { dropSync: options.dropSync };
  const how = { rng: new Rng(options.seed), perPoint: options.perPoint, alsoAt: recording.returned, ...drop };
  for (const crash of recording.rec.crashes(how)) {
    points++;
    const key = keyOf(crash);
    if (judged.has(key)) continue;
    judged.add(key);
    const problem = problemOf(recording, crash);
    if (problem !== undefined) return { problem: `${crash.description}: ${problem}`, points };
  }
  return { problem: undefined, points };
}

/** Different combinations often leave the same disk, which needs to be judged only once for each point. */
export function keyOf({ state, issued }: CrashState): string {
  const files = [...state.names].map(([path, ino]) => {
    const bytes = state.files.get(ino)?.bytes ?? new Uint8Array(0);
    return `${path}:${ino}:${bytes.length}:${crc32c(1, bytes)}`;
  });
  return `${issued} ${files.sort().join(' ')}`;
}
