/** Issue 5, item 3: an image within an image, and one within that. */
import { memoryHost } from '@ukfs/kernel/host/memory';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { Ukfs } from './handle.ts';
import { makeFs } from './makefs.ts';
import { nestedHost } from './nestedhost.ts';
import { inspect, open } from './ukfs.ts';

const host = memoryHost();
let outer: Ukfs;

/** The bytes of an image with one file in it. */
async function imageWith(name: string, data: Uint8Array | string, sizeBytes: number): Promise<Uint8Array> {
  const memory = memoryHost();
  await makeFs('/image', { type: 'ext4', size: sizeBytes, host: memory });
  const fs = await open('/image', { host: memory, write: true });
  fs.writeFile(name, data);
  fs.commit();
  fs.close();
  return memory.get('/image');
}

beforeEach(async () => {
  outer = await open('memory', { type: 'tmpfs', write: true, host });
  const inner = await imageWith('/hello', 'from within\n', 2 ** 20);
  outer.writeFile('/middle.img', await imageWith('/inner.img', inner, 8 * 2 ** 20));
});
afterEach(() => outer.close());

test('images open as deep as they lie', async () => {
  const inMiddle = nestedHost(outer, host);
  const report = await inspect('/middle.img', { host: inMiddle });
  expect(report.candidates.map(({ type }) => type)).toEqual(['ext2fs']);
  const middle = await open('/middle.img', { host: inMiddle });
  const inner = await open('/inner.img', { host: nestedHost(middle, host) });
  expect(inner.readFile('/hello', 'utf8')).toBe('from within\n');
  inner.close();
  middle.close();
});

test('nothing is written through it', async () => {
  const nested = nestedHost(outer, host);
  await expect(open('/middle.img', { host: nested, write: true })).rejects.toThrow();
  expect(() => nested.open('/new', { write: true, create: 0o644 })).toThrow(expect.objectContaining({ code: 'EROFS' }));
  expect(outer.exists('/new')).toBe(false);
});

test.each([
  ['removed', (fs: Ukfs) => fs.unlink('/middle.img')],
  ['replaced', (fs: Ukfs) => fs.rename('/other', '/middle.img')],
  ['cut', (fs: Ukfs) => fs.truncate('/middle.img', 1000)],
])('a file that was %s gives EIO', (_, change) => {
  outer.writeFile('/other', 'x');
  const file = nestedHost(outer, host).open('/middle.img', { write: false });
  expect(file.read(new Uint8Array(100), 0)).toBe(100);
  change(outer);
  expect(() => file.read(new Uint8Array(100), 0)).toThrow(expect.objectContaining({ code: 'EIO' }));
  expect(() => file.stat()).toThrow(expect.objectContaining({ code: 'EIO' }));
  file.close();
});

test('what is no regular file is none to open, and what is not there is absent', () => {
  const nested = nestedHost(outer, host);
  outer.mkdir('/dir');
  expect(() => nested.open('/dir', { write: false })).toThrow(expect.objectContaining({ code: 'EFTYPE' }));
  expect(nested.stat('/none')).toBeUndefined();
  expect(nested.stat('/middle.img/below')).toBeUndefined();
  expect(nested.stat('/middle.img')).toMatchObject({ type: 'reg', size: 8 * 2 ** 20 });
});
