/** Issue 5, item 3: the free map as a picture. */
import { makeFs, open } from 'ukfs';
import { memoryHost } from '@ukfs/kernel/host/memory';
import { expect, test } from 'vitest';
import { inspectionOf, spaceFacts } from './looks.ts';

test('the free space of a real file system is a picture, a sign for each group', async () => {
  const host = memoryHost();
  await makeFs('/image', { type: 'ext4', size: 256 * 2 ** 20, host });
  const fs = await open('/image', { host });
  const { space = [] } = fs.fsinfo();
  expect(space.reduce((sum, { freeBytes }) => sum + freeBytes, 0)).toBe(
    fs.statvfs().freeBlocks * fs.statvfs().fragmentSize,
  );
  const facts = inspectionOf(fs);
  const at = facts.findIndex(([name]) => name.startsWith('free space'));
  expect(facts[at + 1]?.[1]).toHaveLength(space.length);
  fs.close();
});

test('what is nearly free or nearly full is not shown as free or full', () => {
  const part = (freeBytes: number) => ({ sizeBytes: 1000, freeBytes });
  expect(spaceFacts([1000, 999, 500, 1, 0].map(part))[1]?.[1]).toBe('.:+*#');
  expect(spaceFacts([])).toEqual([]);
  expect(spaceFacts(Array.from({ length: 512 }, () => part(0)))).toHaveLength(9);
});
