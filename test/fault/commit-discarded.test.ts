/** A commit that fails before its commit point leaves the old tree, in memory as well as on disk, and a usable mount. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { boot, CommitError, FsError, O, type Rump } from '@ukfs/kernel';
import { ext2fs } from '@ukfs/kernel/fs/ext2fs';
import { memoryHost } from '@ukfs/kernel/host/memory';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { lacksOracle } from '../support/oracle.ts';

let dir: string;
beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), 'ukfs-commit-'));
});
afterAll(() => rmSync(dir, { recursive: true, force: true }));

const outcomeOf = (commit: () => unknown): string => {
  try {
    commit();
  } catch (e) {
    return e instanceof CommitError ? e.outcome : String(e);
  }
  return 'nothing thrown';
};
const codeOf = (fn: () => unknown): string => {
  try {
    fn();
  } catch (e) {
    return e instanceof FsError ? e.code : String(e);
  }
  return 'nothing thrown';
};

it.skipIf(lacksOracle('mke2fs', 'e2fsck'))(
  'no step before the commit point can fail without the old tree coming back',
  () => {
    const image = join(dir, 'image');
    execFileSync('mke2fs', ['-q', '-t', 'ext4', '-b', '1024', image, '4M']);
    const original = readFileSync(image);
    let failed = 0;
    for (let nth = 1; ; nth++) {
      let count = 0;
      let armed = false;
      const host = memoryHost({
        fault(op) {
          if (!armed || !(op === 'create' || op === 'write' || op === 'fsync' || op === 'rename' || op === 'freeBytes'))
            return;
          if (++count === nth) throw new FsError('EIO', { what: `${op} failed on purpose` });
        },
      });
      host.put('/image', original);
      const k: Rump = boot({ host });
      k.attach(ext2fs);
      k.etfs.register('/disk', '/image', 'BLK', { stage: { write: true } });
      k.sys.mkdir('/mnt', 0o755);
      k.sys.mount('ext2fs', '/mnt', { from: '/disk' });
      const stage = k.etfs.stage('/disk');
      k.sys.close(k.sys.open('/mnt/new', O.CREAT | O.WRONLY, 0o644));
      armed = true;
      const outcome = outcomeOf(() => k.commit(stage));
      armed = false;
      if (outcome === 'nothing thrown') break;
      // Past the commit point the stage has ended; test/crash judges what is on the disk then.
      if (outcome === 'committed') continue;
      expect(outcome).toBe('discarded');
      failed++;
      expect(
        codeOf(() => k.sys.stat('/mnt/new')),
        `write ${nth}`,
      ).toBe('ENOENT');
      k.sys.mkdir('/mnt/again', 0o755);
      k.commit(stage);
      k.sys.unmount('/mnt');
      k.halt();
      writeFileSync(image, host.get('/image'));
      execFileSync('e2fsck', ['-fn', image], { stdio: 'pipe' });
    }
    expect(failed).toBeGreaterThan(3);
  },
);
