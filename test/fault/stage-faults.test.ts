/**
 * The host fails: at each call, with each kind of error, once or from then on; and an fsync that fails once and then
 * "succeeds". Whatever happens, the next opening finds the old tree or the new one, and what commit() said is true.
 */
import { afterAll, describe, expect, test } from 'vitest';
import { CommitError, openStage } from '../../packages/kernel/src/dev/stage.ts';
import type { Stage } from '../../packages/kernel/src/dev/stage.ts';
import { FsError } from '../../packages/kernel/src/kern/errno.ts';
import type { ErrnoName } from '../../packages/kernel/src/kern/errno.ts';
import type { HostOp, MemoryHost } from '../../packages/kernel/src/hypercall/memory.ts';
import { baseState, IMAGE, problemOfState, record, scenarios } from '../crash/scenarios.ts';
import type { Scenario } from '../crash/scenarios.ts';
import { hostFrom, ReorderHost } from '../support/reorder-host.ts';
import { Rng } from '../support/rng.ts';
import { judge, ToyFs } from '../support/toyfs.ts';

let faults = 0;
let points = 0;
afterAll(() => console.log(`stage-faults: ${faults} host failures, ${points} crash states after them`));

interface Run {
  /** Commits that returned. */
  readonly committed: number;
  readonly error: unknown;
}

/** Run a scenario as a program does that gives up at the first error: what it had not committed is discarded. */
function run(host: MemoryHost, scenario: Scenario): Run {
  let committed = 0;
  let stage: Stage | undefined;
  let error: unknown;
  try {
    stage = openStage(host, IMAGE, { write: true, memLimit: scenario.memLimit });
    const opened = stage;
    scenario.run(new ToyFs(opened), opened, () => {
      opened.commit();
      committed++;
    });
  } catch (thrown) {
    error = thrown;
  }
  try {
    stage?.close();
  } catch (thrown) {
    error ??= thrown;
  }
  return { committed, error };
}

/** Trees that may be found after a run: what commit said decides, when it said something. */
function allowedAfter({ committed, error }: Run, trees: readonly string[]): readonly string[] {
  if (error === undefined || !(error instanceof CommitError)) return [trees[committed] ?? ''];
  if (error.outcome === 'discarded') return [trees[committed] ?? ''];
  if (error.outcome === 'committed') return [trees[committed + 1] ?? ''];
  return trees.slice(committed, committed + 2);
}

function treeAfter(host: MemoryHost, write: boolean): string {
  const stage = openStage(host, IMAGE, { write });
  try {
    return judge(stage);
  } finally {
    stage.close();
  }
}

const failures: readonly [ErrnoName, boolean][] = [
  ['EIO', false],
  ['EIO', true],
  ['ENOSPC', true],
];

describe.each(scenarios)('$name', (scenario) => {
  const { trees } = record(scenario);

  test.each(failures)('%s at each host call, for good: %s', (code, forGood) => {
    for (let n = 1; ; n++) {
      let hit = false;
      const host = hostFrom(baseState(), {
        fault(op: HostOp, path: string, count: number) {
          // A full disk fails what needs room, nothing else.
          if (code === 'ENOSPC' && op !== 'write' && op !== 'create' && op !== 'rename') return;
          if (count < n || (!forGood && hit)) return;
          hit = true;
          throw new FsError(code, { op, path });
        },
      });
      const result = run(host, scenario);
      if (!hit) {
        expect(result.error).toBeUndefined();
        return;
      }
      faults++;
      host.fault = undefined;
      const where = `fault at call ${n}: ${String(result.error)}`;
      expect(host.openFiles(), where).toBe(0);
      expect(host.signalsHeld, where).toBe(false);
      const allowed = allowedAfter(result, trees);
      expect(allowed, where).toContain(treeAfter(host, false));
      expect(allowed, where).toContain(treeAfter(host, true));
      expect(host.list(), where).toEqual([IMAGE]);
    }
  });
});

test('after a discarded commit the same stage goes on working', () => {
  for (let n = 1; ; n++) {
    const host = hostFrom(baseState());
    const stage = openStage(host, IMAGE, { write: true, memLimit: 4096 });
    let fs = new ToyFs(stage);
    fs.write('n', new Uint8Array(9000).fill(1));
    const from = host.operations;
    let hit = false;
    host.fault = (op, path, count) => {
      if (hit || count < from + n) return;
      hit = true;
      throw new FsError('EIO', { op, path });
    };
    let failed: unknown;
    try {
      stage.commit();
    } catch (thrown) {
      failed = thrown;
    }
    host.fault = undefined;
    if (!hit) return;
    faults++;
    expect(failed).toBeInstanceOf(CommitError);
    if (failed instanceof CommitError && failed.outcome !== 'discarded') {
      expect(() => stage.read(new Uint8Array(1), 0)).toThrow(failed);
      stage.close();
      continue;
    }
    fs = new ToyFs(stage);
    expect(fs.tree().has('n')).toBe(false);
    fs.write('m', new Uint8Array(3000).fill(2));
    stage.commit();
    stage.close();
    expect(host.list()).toEqual([IMAGE]);
    expect(treeAfter(host, true)).toMatch(/ m:3000:/);
  }
});

describe('an fsync fails once and then "succeeds"', () => {
  /** Fail the k-th fsync, then start again and settle; what is on the disk after that is what was seen. */
  function failSync(
    scenario: Scenario,
    k: number,
    skipIdentical: boolean,
  ): { hit: boolean; problem: string | undefined } {
    const { trees } = record(scenario);
    let syncs = 0;
    const rec = new ReorderHost(baseState(), {
      skipIdentical,
      fault(op, path) {
        if ((op === 'fsync' || op === 'fsyncDir') && syncs++ === k) throw new FsError('EIO', { op, path });
      },
    });
    const result = run(rec.host, scenario);
    const allowed = allowedAfter(result, trees);
    const failedAt = rec.events.length;
    const settled = treeAfter(rec.host, true);
    if (syncs <= k) return { hit: false, problem: undefined };
    if (!allowed.includes(settled)) return { hit: true, problem: `settles to ${settled}` };
    for (const crash of rec.crashes({ rng: new Rng(k), perPoint: 40, alsoAt: [failedAt] })) {
      if (crash.issued < failedAt) continue;
      points++;
      const old = trees.slice(result.committed, result.committed + 2);
      const now = crash.issued === rec.events.length ? [settled] : old;
      const problem = problemOfState(crash.state, { allowed: now, whole: trees });
      if (problem !== undefined) return { hit: true, problem: `fsync ${k}, ${crash.description}: ${problem}` };
    }
    return { hit: true, problem: undefined };
  }

  test.each(scenarios)('$name: old or new, and what was settled stays', (scenario) => {
    for (let k = 0; ; k++) {
      const { hit, problem } = failSync(scenario, k, false);
      expect(problem).toBeUndefined();
      if (!hit) return;
      faults++;
    }
  });

  test('planted bug: recovery that skips units which look right already is found', () => {
    const found = scenarios.some((scenario) => {
      for (let k = 0; ; k++) {
        const { hit, problem } = failSync(scenario, k, true);
        if (problem !== undefined) return true;
        if (!hit) return false;
      }
    });
    expect(found).toBe(true);
  });
});

describe('no room', () => {
  test.each(scenarios)('$name: whatever space is left, old or new, and nothing stays behind', (scenario) => {
    const { trees } = record(scenario);
    let done = false;
    for (let pages = 0; !done; pages++) {
      const host = hostFrom(baseState(), { freeBytes: pages * 4096 });
      const result = run(host, scenario);
      done = result.error === undefined;
      faults++;
      host.freeSpace = Number.MAX_SAFE_INTEGER;
      expect(allowedAfter(result, trees)).toContain(treeAfter(host, true));
      expect(host.list()).toEqual([IMAGE]);
    }
  });

  test('the holes that the apply will fill are counted before the commit', () => {
    const host = hostFrom(baseState(), { freeBytes: 1 << 20 });
    host.putSparse('/d/sparse.img', 64 * 1024 * 1024);
    const stage = openStage(host, '/d/sparse.img', { write: true });
    for (let at = 0; at < 400 * 1024; at += 4096) stage.write(new Uint8Array(4096).fill(1), at * 64);
    host.freeSpace = 700 * 1024;
    expect(() => stage.commit()).toThrow(/no room/);
    expect(host.get('/d/sparse.img').every((x) => x === 0)).toBe(true);
    stage.close();
  });
});
