/**
 * Every operation on every disk, cut short: on a disk that reorders and tears, at every moment of the commit and of the
 * recovery after it, our readers and our writers find the old image or the new one, and the judges nothing.
 */
import { afterAll, describe, expect, test } from 'vitest';
import { diskOracles, disks } from '../support/file-systems.ts';
import { isPossible, mixed, operations } from '../support/operations.ts';
import { lacksOracle } from '../support/oracle.ts';
import { Rng } from '../support/rng.ts';
import { LOG, prepare } from '../support/session.ts';
import { examine, looked, lookedText, record, recoverThreeDeep, settledComplaint, some } from './disk-scenarios.ts';

const LONG = 24 * 3600 * 1000;
/** So many points are what CI looks at, at least, when the whole file runs. */
const POINTS = 10_000;

let operated = 0;
afterAll(() => console.log(`crash: ${lookedText()}, over ${operated} operations on ${disks.length} disks`));

describe.skipIf(lacksOracle(...diskOracles))('operations', () => {
  describe.each(disks)('$name', (disk) => {
    test('each operation: old image or new image', { timeout: LONG }, () => {
      const image = prepare(disk);
      for (const [i, operation] of operations.entries()) {
        if (!isPossible(image, operation)) continue;
        operated++;
        const r = record(image, ({ sys }) => void operation.run(sys, image));
        expect(r.now.tree, operation.name).not.toBe(r.old.tree);
        expect(settledComplaint(disk, r.now.bytes), operation.name).toBeUndefined();
        const { leavesOrphan = false } = operation;
        const problem = examine(r, { seed: i, crashes: 20, cuts: 6, ignoreCounts: leavesOrphan });
        expect(problem, operation.name).toBeUndefined();
      }
    });

    test('twenty calls in memory, and without: old image or new image', { timeout: LONG }, () => {
      const image = prepare(disk);
      for (const memLimit of [0, 1 << 20]) {
        const r = record(image, ({ sys }) => void mixed.run(sys, image), { memLimit });
        expect(settledComplaint(disk, r.now.bytes)).toBeUndefined();
        expect(examine(r, { seed: memLimit, crashes: 12, cuts: 12 }), `memLimit ${memLimit}`).toBeUndefined();
      }
    });

    test('crash during recovery, three deep', { timeout: LONG }, () => {
      const { rec, now, old } = record(prepare(disk), ({ sys }) => void mixed.run(sys, prepare(disk)));
      const first = [...some((keep) => rec.crashes({ rng: new Rng(9), perPoint: 8, keep }), 30, new Rng(3))];
      const withLog = first.map(({ state }) => state).filter(({ names }) => names.has(LOG));
      expect(withLog.length).toBeGreaterThan(0);
      expect(recoverThreeDeep(disk, withLog, { versions: [old, now] })).toBeUndefined();
    });
  });

  test(`that were at least ${POINTS} crash points`, () => expect(looked.points).toBeGreaterThanOrEqual(POINTS));
});
