/** Who looks while a check or a commit runs: nothing changes under either, and afterwards all is as it would have been. */
import { FsError } from '@ukfs/kernel';
import { memoryHost } from '@ukfs/kernel/host/memory';
import { beforeEach, describe, expect, test } from 'vitest';
import type { Ukfs } from './handle.ts';
import { makeFs } from './makefs.ts';
import { open } from './ukfs.ts';

let fs: Ukfs;
beforeEach(async () => {
  const host = memoryHost();
  await makeFs('disk.img', { type: 'ext4', size: 4 * 1024 * 1024, host });
  fs = await open('disk.img', { write: true, host });
  fs.writeFile('/kept', 'kept');
  fs.writeFile('/gone', new Uint8Array(100_000).fill(7));
  fs.commit();
});

const code = (act: () => unknown): string => {
  try {
    act();
    return 'ok';
  } catch (thrown) {
    if (thrown instanceof FsError) return thrown.code;
    throw thrown;
  }
};

describe.each<[string, (meanwhile: () => void) => void]>([
  ['check', (meanwhile) => void fs.check({ pause: meanwhile })],
  ['commit, before its commit point', (meanwhile) => void fs.commit({ gathering: meanwhile })],
  ['commit, after it', (meanwhile) => void fs.commit({ applying: meanwhile })],
])('%s', (_, during) => {
  test('files are read, a change is EBUSY, and a file without a name goes when all is over', () => {
    const [kept, gone] = [fs.open('/kept'), fs.open('/gone')];
    fs.unlink('/gone');
    const before = fs.statvfs().freeBlocks;
    const seen: unknown[] = [];
    during(() => {
      if (seen.length > 0) return;
      fs.close(kept);
      fs.close(gone);
      seen.push(
        fs.readFile('/kept', 'utf8'),
        code(() => fs.writeFile('/kept', 'x')),
        code(() => fs.mkdir('/new')),
        fs.statvfs().freeBlocks,
      );
    });
    expect(seen).toEqual(['kept', 'EBUSY', 'EBUSY', before]);
    expect(fs.statvfs().freeBlocks).toBeGreaterThan(before);
    fs.commit();
    expect(fs.check().findings).toEqual([]);
    expect(fs.readFile('/kept', 'utf8')).toBe('kept');
  });
});

test('a commit that is given up leaves all staged', () => {
  fs.writeFile('/new', 'new');
  const enough = new Error('enough');
  const stop = (): never => {
    throw enough;
  };
  expect(() => fs.commit({ gathering: stop })).toThrow(enough);
  expect(fs.committed()?.exists('/new')).toBe(false);
  expect(fs.readFile('/new', 'utf8')).toBe('new');
  expect(fs.commit().changed).toBe(true);
  expect(fs.committed()?.exists('/new')).toBe(true);
  expect(fs.check().findings).toEqual([]);
});
