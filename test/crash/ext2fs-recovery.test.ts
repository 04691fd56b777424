/** The transaction that a writer begins with on an image whose journal is dirty, cut short; and its recovery, three deep. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ext2fs } from '@ukfs/kernel/fs/ext2fs';
import { afterAll, describe, expect, test } from 'vitest';
import { dirtyVariants, makeDirtyImages } from '../support/dirty-images.ts';
import { extDisks } from '../support/ext-disks.ts';
import { diskState, LOG } from '../support/session.ts';
import { lacksOracle } from '../support/oracle.ts';
import type { DiskState } from '../support/reorder-host.ts';
import { Rng } from '../support/rng.ts';
import { looked, lookedText, problemOf, record, recoverThreeDeep, seen, some } from './disk-scenarios.ts';

afterAll(() => {
  console.log(`crash, ext2fs recovery: ${lookedText()}`);
});

describe.skipIf(lacksOracle('mke2fs', 'e2fsck', 'loop mount'))('an image with a dirty journal', () => {
  const names = ['ext3-1k', 'ext4-orphans'];
  const variants = dirtyVariants.filter(({ name }) => names.includes(name));

  test.each(variants)('$name: crash in the transaction that empties the journal', (variant) => {
    const dir = mkdtempSync(join(tmpdir(), 'ukfs-crash-dirty-'));
    try {
      const [dirty] = makeDirtyImages(variant, { outDir: dir });
      const bytes = new Uint8Array(readFileSync(dirty!.image));
      const [disk] = extDisks(ext2fs);
      if (disk === undefined) throw new Error('no disk');
      const r = record({ disk, bytes }, () => undefined);
      const reader = { bytes, tree: seen(disk, diskState(bytes), false).tree };
      const noCounts = (tree: string): string => tree.slice(0, tree.lastIndexOf('\n'));
      expect(noCounts(reader.tree)).toBe(noCounts(r.now.tree));
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
        const versions = issued >= r.returned ? [r.now] : [reader, r.now];
        const problem = problemOf(disk, state, { versions, ignoreCounts: true }, rng);
        expect(problem, description).toBeUndefined();
        if (state.names.has(LOG)) withLog.push(state);
      }
      expect(recoverThreeDeep(disk, withLog, { versions: [reader, r.now], ignoreCounts: true })).toBeUndefined();
    } finally {
      rmSync(dir, { recursive: true, force: true });
    }
  });
});
