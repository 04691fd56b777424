import { expect, test } from 'vitest';
import { boot } from '@ukfs/kernel';
import { tmpfs } from '@ukfs/kernel/fs/tmpfs';
import { memoryHost } from '@ukfs/kernel/host/memory';
import { rumpCases } from './cases/rump.ts';

for (const item of rumpCases) {
  test(item.name, async () => {
    const host = memoryHost();
    const k = boot({ host });
    await item.run({ k, host, tmpfs });
    expect(k.lwproc.curlwp).toBeUndefined();
    expect(k.lwproc.pids).toEqual([1]);
    k.halt();
    expect(host.openFiles(), 'host files left open').toBe(0);
  });
}
