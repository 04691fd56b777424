/** Issue 5, item 3: images within images by address, `file=`. */
import { memoryHost } from '@ukfs/kernel/host/memory';
import { beforeEach, expect, test } from 'vitest';
import type { AddressLike, OpenOptions } from './handle.ts';
import { makeFs } from './makefs.ts';
import { transaction } from './transaction.ts';
import { check, inspect, open } from './ukfs.ts';

const MIB = 2 ** 20;
let host: ReturnType<typeof memoryHost>;

/** An image of the host with files in it. */
async function imageOf(path: string, files: Readonly<Record<string, Uint8Array | string>>, sizeBytes = 8 * MIB) {
  await makeFs(path, { type: 'ext4', size: sizeBytes, host, force: true });
  await transaction(path, (fs) => Object.entries(files).forEach(([name, data]) => fs.writeFile(name, data)), { host });
  return host.get(path);
}

beforeEach(async () => {
  host = memoryHost();
  const inner = await imageOf('/inner.img', { '/hello': 'from within\n' }, MIB);
  const middle = await imageOf('/middle.img', { '/in:ner.img': inner, '/plain': 'no image at all, but a text\n' });
  await imageOf('/disk.img', { '/vm.img': middle, '/other': 'x' }, 16 * MIB);
});

const codeOf = async (address: AddressLike, options: OpenOptions = {}) =>
  open(address, { host, ...options }).then(
    (fs) => fs.close(),
    (e: unknown) => e,
  );

test('a file of a file system opens by its address, as deep as images lie', async () => {
  const fs = await open('/disk.img:file=vm.img:file=in%3Aner.img/hello', { host });
  expect(fs.readFile('/hello', 'utf8')).toBe('from within\n');
  expect(fs.address).toEqual({
    image: '/disk.img',
    selectors: [
      { kind: 'file', path: '/vm.img' },
      { kind: 'file', path: '/in:ner.img' },
    ],
    path: '/hello',
  });
  expect(fs.readOnly).toBe(true);
  expect(() => fs.checkWritable()).toThrow(expect.objectContaining({ code: 'EROFS' }));
  expect(() => fs.unlink('/hello')).toThrow(expect.objectContaining({ code: 'EROFS' }));
  fs.close();
});

test('its handle closes what lies around, and shares the session of the image', async () => {
  const beside = await open('/disk.img', { host });
  const { session } = beside;
  const fs = await open('/disk.img:file=vm.img:file=in%3Aner.img', { session });
  expect(fs.session).toBe(session);
  expect(session.handles).toBe(2);
  fs.close();
  expect(session.handles).toBe(1);
  await expect(open('/disk.img:file=vm.img:file=none', { session })).rejects.toThrow();
  await expect(open('/disk.img:file=vm.img:file=plain', { session })).rejects.toThrow();
  expect(session.handles).toBe(1);
  beside.close();
});

test('what is staged around it is seen; a file that has changed since cannot be read', async () => {
  const outer = await open('/disk.img', { host, write: true });
  outer.rename('/vm.img', '/moved.img');
  const fs = await open('/disk.img:file=moved.img', { session: outer.session });
  expect(fs.readFile('/plain', 'utf8')).toMatch(/^no image/);
  outer.truncate('/moved.img', 5 * MIB);
  expect(() => fs.readFile('/in:ner.img')).toThrow(expect.objectContaining({ code: 'EIO', name: 'FsError' }));
  fs.close();
  outer.close();
});

test('inspect() and check() take it', async () => {
  const report = await inspect('/disk.img:file=vm.img', { host });
  expect(report).toMatchObject({ image: '/disk.img:file=vm.img', sizeBytes: 8 * MIB });
  expect(report.candidates.map(({ type }) => type)).toEqual(['ext2fs']);
  expect(await check('/disk.img:file=vm.img:file=in%3Aner.img', { host })).toMatchObject({ type: 'ext2fs', left: 0 });
  await expect(check('/disk.img:file=vm.img', { host, repair: 'all' })).rejects.toMatchObject({ code: 'EROFS' });
});

test.each([
  ['/disk.img:file=none', {}, 'ENOENT'],
  ['/disk.img:file=vm.img%2Fbelow', {}, 'ENOTDIR'],
  ['/disk.img:file=lost+found', {}, 'EFTYPE'],
  ['/disk.img:file=%2F', {}, 'EFTYPE'],
  ['/disk.img:file=other', {}, 'EFTYPE'],
  ['/disk.img:file=vm.img:3', {}, 'EINVAL'],
  ['/none.img:file=vm.img', {}, 'ENOENT'],
  ['/disk.img:file=vm.img', { write: true }, 'EROFS'],
  ['/disk.img:file=vm.img', { write: true, dryRun: true }, 'EROFS'],
  [`/disk.img${':file=vm.img'.repeat(9)}`, {}, 'ELOOP'],
  [{ image: '/disk.img', selectors: Array(9).fill('file=vm.img') }, {}, 'ELOOP'],
] satisfies readonly (readonly [AddressLike, OpenOptions, string])[])(
  'open(%j, %j) is %s',
  async (address, options, code) => {
    expect(await codeOf(address, options)).toMatchObject({ code });
  },
);

test('who may not read the file cannot look into it', async () => {
  await transaction('/disk.img', (fs) => fs.chmod('/vm.img', 0o600), { host });
  expect(await codeOf('/disk.img:file=vm.img', { uid: 1000, gid: 1000 })).toMatchObject({ code: 'EACCES' });
});

test('makeFs() makes none there', async () => {
  await expect(makeFs('/disk.img:file=other', { type: 'ext4', size: MIB, host })).rejects.toMatchObject({
    code: 'EROFS',
  });
});

test('an image that somebody writes meanwhile is told when the handle ends', async () => {
  const fs = await open('/disk.img:file=vm.img', { host });
  await transaction('/disk.img', (outer) => outer.writeFile('/new', 'x'), { host });
  expect(() => fs.close()).toThrow(expect.objectContaining({ name: 'ImageChangedError' }));
});
