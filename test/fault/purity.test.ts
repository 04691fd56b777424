/** Reading, dry runs and discarded edits write nothing; how much memory there is decides no byte. */
import { MNT as MOUNT } from '@ukfs/kernel';
import type { MemoryHost } from '@ukfs/kernel/host/memory';
import { afterAll, describe, expect, test } from 'vitest';
import { diskOracles, disks } from '../support/file-systems.ts';
import { isPossible, mixed, operations } from '../support/operations.ts';
import {
  diskState,
  hostWith,
  IMAGE,
  IMAGE_INO,
  MNT,
  openSession,
  prepare,
  treeOf,
  type Prepared,
  type Session,
} from '../support/session.ts';
import { lacksOracle } from '../support/oracle.ts';
import { ReorderHost } from '../support/reorder-host.ts';

let runs = 0;
afterAll(() => {
  console.log(`purity: ${runs} runs`);
});

const same = (a: Uint8Array, b: Uint8Array): boolean => Buffer.compare(a, b) === 0;

/** Run `use` on a host that notes what is written; the events. */
function watch(image: Prepared, use: (host: MemoryHost) => void): ReorderHost {
  const rec = new ReorderHost(diskState(image.bytes), { time: { sec: 1_500_000_000, nsec: 0 } });
  use(rec.host);
  runs++;
  return rec;
}

function all(s: Session, image: Prepared): void {
  for (const operation of operations) {
    try {
      operation.run(s.sys, image);
    } catch {
      // What an operation before it has taken away, or has no room any more: part of the script.
    }
  }
}

describe.skipIf(lacksOracle(...diskOracles)).each(disks)('$name', (disk) => {
  const image = prepare(disk);

  test('reading makes no writing call', () => {
    const { events, host } = watch(image, (h) => {
      const s = openSession(disk.type, h);
      treeOf(s);
      s.sys.statvfs(MNT);
      s.sys.fsinfo(MNT);
      s.close();
    });
    expect(events).toEqual([]);
    expect(host.changes).toBe(0);
  });

  test('a writer who changes nothing makes none either, commit, unmount and remount included', () => {
    const { events, host } = watch(image, (h) => {
      const s = openSession(disk.type, h, { write: true });
      treeOf(s);
      s.k.commit(s.stage);
      s.sys.mount(disk.type.name, MNT, { from: '/dev/disk', flags: MOUNT.UPDATE | MOUNT.RDONLY });
      s.sys.mount(disk.type.name, MNT, { from: '/dev/disk', flags: MOUNT.UPDATE });
      s.sys.unmount(MNT);
      s.k.commit(s.stage);
      s.close();
    });
    expect(events).toEqual([]);
    expect(same(host.get(IMAGE), image.bytes)).toBe(true);
  });

  test('dry runs and discarded edits make none', () => {
    for (const options of [{ dryRun: true, write: false }, { write: true }]) {
      const { events, host } = watch(image, (h) => {
        const s = openSession(disk.type, h, options);
        const old = treeOf(s);
        all(s, image);
        expect(treeOf(s)).not.toBe(old);
        s.k.discard(s.stage);
        expect(treeOf(s)).toBe(old);
        mixed.run(s.sys, image);
        s.close();
      });
      expect(events).toEqual([]);
      expect(host.list()).toEqual([IMAGE]);
    }
  });

  test('without memory they write beside the image, and nothing of it stays', () => {
    const { events, host } = watch(image, (h) => {
      const s = openSession(disk.type, h, { dryRun: true, memLimit: 0 });
      mixed.run(s.sys, image);
      s.close();
    });
    expect(events.filter((event) => 'ino' in event && event.ino === IMAGE_INO)).toEqual([]);
    expect(host.list()).toEqual([IMAGE]);
    expect(same(host.get(IMAGE), image.bytes)).toBe(true);
  });

  test('a script leaves the same bytes whatever the memory limit', () => {
    const results = [0, 4096, 32 * 1024, 256 * 1024, 64 << 20].map((memLimit) => {
      const host = hostWith(image.bytes);
      const s = openSession(disk.type, host, { write: true, memLimit });
      all(s, image);
      s.k.commit(s.stage);
      if (isPossible(image, mixed)) s.sys.mkdir(`${MNT}/second`, 0o755);
      s.k.commit(s.stage);
      s.close();
      runs++;
      return host.get(IMAGE);
    });
    for (const [i, bytes] of results.entries()) expect(same(bytes, results[0]!), `limit number ${i}`).toBe(true);
    expect(same(results[0]!, image.bytes)).toBe(false);
  });

  test('planted bug, one stamp in the superblock before a commit: seen', () => {
    const { events } = watch(image, (h) => {
      const s = openSession(disk.type, h, { write: true });
      s.stage.write(image.bytes.slice(1024, 2048).fill(1, 44, 48), 1024);
      s.k.commit(s.stage);
      s.close();
    });
    expect(events.length).toBeGreaterThan(0);
  });
});
