/** Issue 5, item 3: the free map as a picture. */
import { makeFs, open } from 'ukfs';
import { memoryHost } from '@ukfs/kernel/host/memory';
import { expect, test } from 'vitest';
import { belowOf, COUNTED, inspectionOf, spaceFacts } from './looks.ts';

test('the free space of a real file system is a picture, a sign for each group', async () => {
  const host = memoryHost();
  await makeFs('/image', { type: 'ext4', size: 256 * 2 ** 20, host });
  const fs = await open('/image', { host });
  const { space = [] } = fs.fsinfo();
  expect(space.reduce((sum, { freeBytes }) => sum + freeBytes, 0)).toBe(
    fs.statvfs().freeBlocks * fs.statvfs().fragmentSize,
  );
  const facts = inspectionOf(fs);
  // A name alone would be a heading.
  expect(facts).toContainEqual(['label', '(none)']);
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

/** The value that a generator returns. */
function ended<T>(steps: Generator<unknown, T>): T {
  for (;;) {
    const { done, value } = steps.next();
    if (done === true) return value;
  }
}

test('what is below a directory is counted up to a bound', async () => {
  const host = memoryHost();
  await makeFs('/image', { type: 'ext4', size: 32 * 2 ** 20, host });
  const fs = await open('/image', { host, write: true, dryRun: true });
  fs.mkdir('/few');
  fs.mkdir('/few/dir');
  fs.writeFile('/few/dir/file', new Uint8Array(5));
  expect(ended(belowOf(fs, ['/few']))).toEqual({ entries: 2, bytes: 5, isMore: false });
  expect(ended(belowOf(fs, ['/few', '/few/dir/file']))).toMatchObject({ isMore: false });
  fs.mkdir('/many');
  fs.writeFile('/many/0', new Uint8Array());
  // Names of one file: quicker than as many files.
  for (let n = 0; n <= COUNTED; n++) {
    if (n % 5000 === 0) fs.writeFile(`/many/file${n}`, new Uint8Array());
    fs.link(`/many/file${n - (n % 5000)}`, `/many/link${n}`);
  }
  expect(ended(belowOf(fs, ['/many']))).toEqual({ entries: COUNTED, bytes: 0, isMore: true });
  fs.close();
});
