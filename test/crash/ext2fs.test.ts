/**
 * Every operation on real ext images, cut short: on a disk that reorders and tears, at every moment of the commit and of
 * the recovery after it, our readers and our writers find the old tree or the new one, and e2fsck nothing.
 */
import { afterAll, describe, expect, test } from 'vitest';
import {
  diskState,
  isPossible,
  LOG,
  mixed,
  operations,
  prepare,
  removeScratch,
  smallExts,
} from '../support/ext-session.ts';
import { lacksOracle } from '../support/oracle.ts';
import { Rng } from '../support/rng.ts';
import { examine, looked, record, recoverThreeDeep, some } from './ext-scenarios.ts';

afterAll(() => {
  console.log(`ext2fs crash: ${looked.points} crash states, ${looked.checked} of them by e2fsck`);
  removeScratch();
});

describe.skipIf(lacksOracle('mke2fs', 'e2fsck')).each(smallExts)('$name', (ext) => {
  const image = prepare(ext);
  const base = diskState(image.bytes);
  const isLarge = ext.sizeBytes > 4 << 20;

  test('each operation: old tree or new tree', () => {
    for (const [i, operation] of operations.entries()) {
      if (!isPossible(image, operation)) continue;
      const r = record(base, ({ sys }) => void operation.run(sys, image));
      expect(r.now, operation.name).not.toBe(r.old);
      const problem = examine(r, { seed: i, crashes: isLarge ? 2 : 4, cuts: isLarge ? 1 : 2 });
      expect(problem, operation.name).toBeUndefined();
    }
  });

  test('twenty calls in memory, and without: old tree or new tree', () => {
    for (const memLimit of isLarge ? [0] : [0, 1 << 20]) {
      const r = record(base, ({ sys }) => void mixed.run(sys, image), { memLimit });
      const everywhere = ext.name === 'ext4 1k' ? {} : { cuts: 5 };
      expect(examine(r, { seed: memLimit, crashes: 12, ...everywhere }), `memLimit ${memLimit}`).toBeUndefined();
    }
  });

  test('crash during recovery, three deep', () => {
    const { rec, now, old } = record(base, ({ sys }) => void mixed.run(sys, image));
    const rng = new Rng(3);
    const first = [...some((keep) => rec.crashes({ rng: new Rng(9), perPoint: 8, keep }), 30, rng)];
    const withLog = first.map(({ state }) => state).filter(({ names }) => names.has(LOG));
    expect(withLog.length).toBeGreaterThan(0);
    expect(recoverThreeDeep(withLog, [old, now])).toBeUndefined();
  });
});
