/** The transaction that a writer begins with on an image whose journal is dirty, cut short; and its recovery, three deep. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { dirtyVariants, makeDirtyImages } from '../support/dirty-images.ts';
import { diskState, LOG, removeScratch } from '../support/ext-session.ts';
import { lacksOracle } from '../support/oracle.ts';
import type { DiskState } from '../support/reorder-host.ts';
import { Rng } from '../support/rng.ts';
import { looked, problemOf, record, recoverThreeDeep, seen, some } from './ext-scenarios.ts';

afterAll(() => {
  console.log(`ext2fs recovery: ${looked.points} crash states, ${looked.checked} of them by e2fsck`);
  removeScratch();
});

describe.skipIf(lacksOracle('mke2fs', 'e2fsck', 'loop mount'))('an image with a dirty journal', () => {
  const names = ['ext3-1k', 'ext4-orphans'];
  const variants = dirtyVariants.filter(({ name }) => names.includes(name));

  test.each(variants)('$name: crash in the transaction that empties the journal', (variant) => {
    const dir = mkdtempSync(join(tmpdir(), 'ukfs-crash-dirty-'));
    try {
      const [dirty] = makeDirtyImages(variant, { outDir: dir });
      const base = diskState(new Uint8Array(readFileSync(dirty!.image)));
      const r = record(base, () => undefined);
      const reader = seen(base, false).tree;
      const noCounts = (tree: string): string => tree.slice(0, tree.lastIndexOf('\n'));
      expect(noCounts(reader)).toBe(noCounts(r.now));
      const rng = new Rng(5);
      const crashes = some(
        (keep) => r.rec.crashes({ rng: new Rng(6), perPoint: 8, alsoAt: [r.returned], keep }),
        15,
        rng,
      );
      const cuts = some((keep) => r.rec.cuts({ keep }), 8, rng);
      const withLog: DiskState[] = [];
      for (const { state, issued, description } of [...crashes, ...cuts]) {
        looked.points++;
        // Before the recovery a reader replays in memory, and frees no orphans.
        const problem = problemOf(state, issued >= r.returned ? [r.now] : [reader, r.now], rng, noCounts);
        expect(problem, description).toBeUndefined();
        if (state.names.has(LOG)) withLog.push(state);
      }
      expect(recoverThreeDeep(withLog, [reader, r.now])).toBeUndefined();
    } finally {
      rmSync(dir, { recursive: true, force: true });
    }
  });
});
