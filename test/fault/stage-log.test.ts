/** Damaged, foreign and hostile logs: refused with nothing touched, or harmless. */
import { afterAll, describe, expect, test } from 'vitest';
import { LogHeader } from '../../packages/kernel/src/dev/log-format.ts';
import { Entries, finishLog, unitCrc } from '../../packages/kernel/src/dev/log.ts';
import type { LogContents } from '../../packages/kernel/src/dev/log.ts';
import { recover } from '../../packages/kernel/src/dev/stage-recover.ts';
import { openStage } from '../../packages/kernel/src/dev/stage.ts';
import type { MemoryHost } from '../../packages/kernel/src/hypercall/memory.ts';
import { CorruptError } from '../../packages/kernel/src/kern/errno.ts';
import { baseState, IMAGE, LOG, record, scenarios } from '../crash/scenarios.ts';
import type { DiskState } from '../support/reorder-host.ts';
import { hostFrom } from '../support/reorder-host.ts';
import { Rng } from '../support/rng.ts';
import { judge } from '../support/toyfs.ts';

let mutants = 0;
afterAll(() => console.log(`stage-log: ${mutants} damaged logs opened`));

const recording = record(scenarios[0]!);
const [before = '', after = ''] = recording.trees;

/** A crash with the log committed and the image as it was, half applied, or all new. */
function crashed(how: 'untouched' | 'half' | 'applied'): DiskState {
  const cuts = [...recording.rec.cuts()].map(({ state }) => state);
  const live = cuts.filter(
    (s) => LogHeader.at(s.files.get(s.names.get(LOG) ?? -1)?.bytes ?? new Uint8Array(512), 0).state === 1,
  );
  const at = { untouched: 0, half: Math.floor(live.length / 2), applied: live.length - 1 }[how];
  return live[at]!;
}

/** Refused without a trace, or the tree that is seen. */
function outcome(host: MemoryHost, write: boolean): string {
  const image = host.get(IMAGE);
  try {
    const stage = openStage(host, IMAGE, { write });
    const tree = judge(stage);
    stage.close();
    return tree;
  } catch (thrown) {
    if (!(thrown instanceof CorruptError)) throw thrown;
    expect(host.changes).toBe(0);
    expect(Buffer.compare(host.get(IMAGE), image)).toBe(0);
    return 'refused';
  } finally {
    expect(host.openFiles()).toBe(0);
  }
}

function mutate(state: DiskState, change: (log: Uint8Array) => Uint8Array): MemoryHost {
  mutants++;
  const ino = state.names.get(LOG)!;
  const file = state.files.get(ino)!;
  return hostFrom({
    ...state,
    files: new Map([...state.files, [ino, { ...file, bytes: change(file.bytes.slice()) }]]),
  });
}

test('the log of these tests is complete, and sound', () => {
  for (const how of ['untouched', 'half', 'applied'] as const) {
    expect(outcome(hostFrom(crashed(how)), false)).toBe(after);
    expect(outcome(hostFrom(crashed(how)), true)).toBe(after);
  }
});

test('any byte of the log flipped: refused, or it did not matter', () => {
  const state = crashed('half');
  const { length } = state.files.get(state.names.get(LOG)!)!.bytes;
  const rng = new Rng(1);
  let refusals = 0;
  for (let at = 0; at < length; at++) {
    const host = mutate(state, (log) => {
      log[at]! ^= 1 << rng.int(8);
      return log;
    });
    const reader = outcome(host, false);
    if (at < LogHeader.size || at >= 4096 || at % 64 === 0) expect(outcome(host, true)).toBe(reader);
    if (reader === 'refused') refusals++;
    else expect(reader, `byte ${at}`).toBe(after);
  }
  // Only the padding of the header is not covered by a checksum, and units that were superseded.
  expect(refusals).toBeGreaterThan(length - 4096);
});

test.each(['untouched', 'half', 'applied'] as const)('the log cut at any length (image %s): refused', (how) => {
  const state = crashed(how);
  const { length } = state.files.get(state.names.get(LOG)!)!.bytes;
  for (let size = 0; size < length; size += how === 'half' ? 1 : 97) {
    expect(
      outcome(
        mutate(state, (log) => log.slice(0, size)),
        false,
      ),
      `length ${size}`,
    ).toBe('refused');
  }
  expect(
    outcome(
      mutate(state, (log) => Uint8Array.from([...log, 0])),
      false,
    ),
  ).toBe('refused');
});

test('random bytes in place of a log, and runs of it overwritten: refused or harmless', () => {
  const state = crashed('half');
  const rng = new Rng(2);
  for (let n = 0; n < 300; n++) {
    const host = mutate(state, (log) => {
      if (n < 50) return rng.bytes(rng.int(20_000));
      log.set(rng.bytes(rng.between(1, 600)), rng.int(log.length - 600));
      return log;
    });
    expect(['refused', after]).toContain(outcome(host, n % 2 === 0));
  }
});

describe('sound checksums around nonsense', () => {
  const hostile: [string, (log: LogContents) => Partial<LogContents>][] = [
    ['a target beyond the image', () => ({ units: entry(1 << 30, 4096) })],
    ['a target that is not on a unit', () => ({ units: entry(513, 4096) })],
    ['data outside the log', () => ({ units: entry(512, 1 << 20) })],
    ['data that is the header', () => ({ units: entry(512, 0) })],
    ['targets out of order', () => ({ units: entry(1024, 4096, 512, 4096) })],
    ['a target twice', () => ({ units: entry(512, 4096, 512, 4096) })],
    ['a unit size of 3', () => ({ unitSize: 3 })],
    ['another image size', (log) => ({ oldSize: log.oldSize + 512, newSize: log.newSize + 512 })],
  ];
  test.each(hostile)('%s: refused', (_name, change) => {
    const host = hostFrom(baseState());
    const image = host.stat(IMAGE)!;
    const file = host.open(LOG, { write: true, create: 0o644 });
    const data = new Uint8Array(512).fill(7);
    file.write(data, 4096);
    const size = image.size;
    const sound: LogContents = {
      unitSize: 512,
      oldSize: size,
      newSize: size,
      marks: new Entries(),
      units: new Entries(),
      superblocks: new Entries(),
    };
    finishLog(file, { ...sound, ...change(sound) }, { dataEnd: 4608, image, host });
    file.close();
    host.changes = 0;
    mutants++;
    expect(outcome(host, false)).toBe('refused');
    expect(outcome(host, true)).toBe('refused');
  });

  function entry(...pairs: number[]): Entries {
    const entries = new Entries();
    const crc = unitCrc(new Uint8Array(512).fill(7), 0, 512);
    for (let i = 0; i < pairs.length; i += 2) entries.push(pairs[i]!, pairs[i + 1]!, { old: crc, new: crc });
    return entries;
  }
});

describe('logs that come back', () => {
  const two = record(scenarios[2]!);
  const final = two.rec.settled();

  /** The first transaction's log as it lay on the disk at a moment, put beside the image after the second one. */
  function putBack(pick: (states: number[]) => number): MemoryHost {
    const logs: Uint8Array[] = [];
    for (const { state, issued } of two.rec.cuts()) {
      if (issued >= two.returned[0]!) break;
      const ino = state.names.get(LOG);
      if (ino !== undefined) logs.push(state.files.get(ino)!.bytes);
    }
    const bytes = logs[pick(logs.map((log) => LogHeader.at(log, 0).state))]!;
    const host = hostFrom(final);
    host.put(LOG, bytes);
    return host;
  }

  test('a retired log is ignored by readers and removed by writers', () => {
    const host = putBack((states) => states.indexOf(2));
    expect(outcome(host, false)).toBe(two.trees[2]);
    expect(outcome(host, true)).toBe(two.trees[2]);
    expect(host.list()).toEqual([IMAGE]);
  });

  test('planted bug: without "done" in its header a log that comes back is not harmless', () => {
    expect(
      outcome(
        putBack((states) => states.indexOf(1)),
        false,
      ),
    ).toBe('refused');
  });
});

describe('recover', () => {
  test('report says what is there and changes nothing', () => {
    const host = hostFrom(crashed('half'));
    const report = recover(host, IMAGE, 'report');
    expect(report).toMatchObject({ state: 'committed', incomplete: false, done: 'nothing', log: LOG });
    expect(report.units!.new).toBeGreaterThan(0);
    expect(report.units!.old).toBeGreaterThan(0);
    expect(report.units!.foreign).toBe(0);
    expect(host.changes).toBe(0);
    expect(recover(hostFrom(baseState()), IMAGE, 'report')).toMatchObject({ state: 'none', done: 'nothing' });
  });

  test('an image edited by another tool is refused; apply forces the log in, discard leaves the image as it is', () => {
    const edited = (): MemoryHost => {
      const host = hostFrom(crashed('untouched'));
      const bytes = host.get(IMAGE);
      bytes[512 + 79] = 1;
      host.put(IMAGE, bytes, { ino: host.inoOf(IMAGE), birthtime: host.birthOf(IMAGE) });
      return host;
    };
    expect(outcome(edited(), false)).toBe('refused');
    expect(outcome(edited(), true)).toBe('refused');
    const ignoring = openStage(edited(), IMAGE, { write: false, ignoreLog: true });
    expect(judge(ignoring)).toMatch(/^BAD bitmap/);
    const applied = edited();
    expect(recover(applied, IMAGE, 'apply')).toMatchObject({ state: 'refused', done: 'applied' });
    expect(outcome(applied, true)).toBe(after);
    expect(applied.list()).toEqual([IMAGE]);
    const discarded = edited();
    const bytes = discarded.get(IMAGE);
    expect(recover(discarded, IMAGE, 'discard')).toMatchObject({ state: 'refused', done: 'discarded' });
    expect(Buffer.compare(discarded.get(IMAGE), bytes)).toBe(0);
    expect(discarded.list()).toEqual([IMAGE]);
  });

  test('a committed log can be discarded while nothing of it is applied: the old tree', () => {
    const host = hostFrom(crashed('untouched'));
    recover(host, IMAGE, 'discard');
    expect(outcome(host, true)).toBe(before);
  });

  test('a damaged log cannot be applied, only discarded; an incomplete one is removed', () => {
    const host = mutate(crashed('half'), (log) => log.slice(0, 5000));
    expect(() => recover(host, IMAGE, 'apply')).toThrow(CorruptError);
    expect(recover(host, IMAGE, 'discard').done).toBe('discarded');
    host.put(`${LOG}.new`, new Uint8Array(9));
    expect(recover(host, IMAGE, 'apply')).toMatchObject({ incomplete: true, state: 'none', done: 'removed' });
    expect(host.list()).toEqual([IMAGE]);
  });
});
