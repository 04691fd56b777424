import { describe, expect, it } from 'vitest';
import { memoryHost } from '../hypercall/memory.ts';
import { FsError } from '../kern/errno.ts';
import { boot } from '../rump.ts';
import { O } from '../vfs/sys.ts';

const codeOf = (fn: () => unknown): string => {
  try {
    fn();
  } catch (e) {
    return e instanceof FsError ? e.code : String(e);
  }
  return 'fine';
};

/** Results of `count` reads of 512 bytes from a disk that fails as the parameters say. */
function reads(params: Record<string, string>, count: number): string[] {
  const host = memoryHost({ params });
  host.put('/disk', new Uint8Array(4096));
  const k = boot({ host, etfs: [{ key: '/dk', path: '/disk', type: 'BLK' }] });
  const fd = k.sys.open('/dk', O.RDONLY);
  const results = Array.from({ length: count }, () => codeOf(() => k.sys.pread(fd, new Uint8Array(512), 0)));
  k.halt();
  return results;
}

describe('RUMP_BLKFAIL', () => {
  it('fails about so many of 10,000 requests, the same ones with the same seed', () => {
    const first = reads({ RUMP_BLKFAIL: '2000', RUMP_BLKFAIL_SEED: '7' }, 2000);
    const failed = first.filter((r) => r === 'EIO').length;
    expect(failed).toBeGreaterThan(300);
    expect(failed).toBeLessThan(500);
    expect(reads({ RUMP_BLKFAIL: '2000', RUMP_BLKFAIL_SEED: '7' }, 2000)).toEqual(first);
    expect(reads({ RUMP_BLKFAIL: '2000', RUMP_BLKFAIL_SEED: '8' }, 2000)).not.toEqual(first);
  });

  it('fails all with 10000, none when unset, and refuses what is no number', () => {
    expect(new Set(reads({ RUMP_BLKFAIL: '10000' }, 50))).toEqual(new Set(['EIO']));
    expect(new Set(reads({}, 50))).toEqual(new Set(['fine']));
    expect(codeOf(() => boot({ host: memoryHost({ params: { RUMP_BLKFAIL: '-1' } }) }))).toBe('EINVAL');
    expect(codeOf(() => boot({ host: memoryHost({ params: { RUMP_BLKFAIL: '10001' } }) }))).toBe('EINVAL');
  });
});

describe('etfs at boot', () => {
  it('registers what it can and tells the rest by key', () => {
    const host = memoryHost();
    host.put('/file', new Uint8Array([1, 2, 3]));
    const k = boot({
      host,
      etfs: [
        { key: '/ok', path: '/file', type: 'REG' },
        { key: '/gone', path: '/nothing', type: 'REG' },
        { key: 'no-slash', path: '/file', type: 'REG' },
      ],
    });
    expect(k.sys.stat('/ok').size).toBe(3);
    expect([...k.etfsFailures].map(([key, e]) => [key, e.code])).toEqual([
      ['/gone', 'ENOENT'],
      ['no-slash', 'EINVAL'],
    ]);
    k.halt();
  });
});
