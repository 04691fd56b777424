/**
 * Images that hold encrypted or sealed (verity) files are written; those files are not, except as the kernel itself would
 * without the key.
 */
import { execFileSync } from 'node:child_process';
import { copyFileSync, mkdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeEach, describe, expect, test } from 'vitest';
import { FsError, UnsupportedError } from '../../../packages/kernel/src/kern/errno.ts';
import { assertClean, debugfs, mustRun } from '../../support/e2fsprogs.ts';
import { withKernelMount } from '../../support/kernel-tree.ts';
import { requireOracle } from '../../support/oracle.ts';
import { runPython } from '../../support/sample-tree.ts';
import { newImage, Rig, scratchDir } from './rig.ts';

const scratch = scratchDir();
const image = join(scratch.path, 'image');
const script = fileURLToPath(new URL('encrypt.py', import.meta.url));
afterAll(() => scratch.remove());
beforeEach(() => {
  for (const oracle of ['mke2fs', 'e2fsck', 'debugfs', 'loop mount']) requireOracle(oracle);
});

/** `operation` throws `error` and leaves no byte of the image otherwise than it was. */
function refused(rig: Rig, operation: () => void, error: (e: unknown) => boolean): void {
  rig.mp.bufs.flush();
  const before = readFileSync(image);
  let thrown: unknown;
  try {
    operation();
  } catch (e) {
    thrown = e;
  }
  rig.mp.bufs.flush();
  if (!error(thrown)) throw new Error(`not refused as it should be: ${String(thrown)}`);
  expect(readFileSync(image).equals(before)).toBe(true);
}

describe('an image with an encrypted directory', () => {
  const noKey = (e: unknown): boolean => e instanceof UnsupportedError && e.message.includes('encrypted');

  test.each([20, 400])('of %i names: nothing is added, moved or written in it, entries can go', (count) => {
    newImage(image, '-t ext4 -O encrypt', '16M');
    withKernelMount(image, { write: true }, (top) => {
      runPython(script, [top, String(count)]);
      writeFileSync(join(top, 'plain'), 'plain\n');
    });
    const rig = new Rig(image);
    expect(rig.mp.readOnly).toBe(false);
    const names = rig.names('/secret').filter((name) => !name.startsWith('.'));
    expect(names).toHaveLength(count + 2);
    const typeOf = (name: string): string => rig.on(`/secret/${name}`, (vp) => vp.type);
    const files = names.filter((name) => typeOf(name) === 'reg');
    const [file = '', other = ''] = files;
    const directory = names.find((name) => typeOf(name) === 'dir') ?? '';

    for (const operation of [
      () => rig.make('/secret/new', 'reg'),
      () => rig.make('/secret/new', 'dir'),
      () => rig.make('/secret/new', 'fifo'),
      () => rig.make('/secret/new', 'lnk', { target: 'x' }),
      () => rig.make(`/secret/${directory}/new`, 'reg'),
      () => rig.link('/plain', '/secret/new'),
      () => rig.rename('/plain', '/secret/new'),
      () => rig.rename(`/secret/${file}`, '/out'),
      () => rig.rename(`/secret/${file}`, '/secret/new'),
      () => rig.rename(`/secret/${file}`, `/secret/${other}`),
      () => rig.rename(`/secret/${file}`, '/plain'),
      () => rig.rename(`/secret/${file}`, '/plain', { exchange: true }),
      () => rig.write(`/secret/${file}`, Uint8Array.of(1)),
      () => rig.truncate(`/secret/${file}`, 0),
      () => rig.on(`/secret/${file}`, (vp) => vp.ops.allocate(vp, 0, 10_000, { keepSize: true })),
      () => rig.on(`/secret/${file}`, (vp) => vp.ops.punch(vp, 0, 10)),
    ]) {
      refused(rig, operation, noKey);
    }
    // What was refused left references: only the system-call layer drops those.
    rig.remount();

    rig.on(`/secret/${file}`, (vp) => vp.ops.setattr(vp, { mode: 0o600, uid: 7, mtime: { sec: 5, nsec: 0 } }));
    rig.on(`/secret/${file}`, (vp) => vp.ops.setextattr(vp, 'user.label', Uint8Array.of(1, 2, 3)));
    assertClean(image);
    rig.link(`/secret/${file}`, '/linked');
    assertClean(image);
    const gone = files.filter((_, i) => i % 2 === 1);
    for (const name of gone) rig.unlink(`/secret/${name}`);
    assertClean(image);
    rig.unlink(`/secret/${directory}`);
    assertClean(image);
    rig.rename('/secret', '/moved');
    rig.make('/new', 'reg');
    rig.write('/new', Uint8Array.of(9, 8, 7));
    rig.close();
    assertClean(image);

    withKernelMount(image, {}, (top) => {
      const seen = runPython(script, [top, 'open', 'moved']).trim().split('\n');
      expect(seen).toHaveLength(count - gone.length + 1);
      for (const line of seen) expect(line).toMatch(/^(name-\d+\S* secret|link target of the link)$/);
      const { mode, uid, mtimeMs } = statSync(join(top, 'linked'));
      expect([mode & 0o7777, uid, mtimeMs]).toEqual([0o600, 7, 5000]);
      expect(readFileSync(join(top, 'linked'), 'utf8')).toBe('secret\n');
      expect(readFileSync(join(top, 'new'))).toEqual(Buffer.from([9, 8, 7]));
    });
  });
});

describe('an image with a verity file', () => {
  const sealed = (e: unknown): boolean => e instanceof FsError && e.code === 'EPERM' && e.message.includes('verity');

  test('its contents are kept to the last block behind its end; its name, owner and attributes may change', () => {
    newImage(image, '-t ext4 -O verity', '16M');
    const rig = new Rig(image);
    rig.make('/sealed', 'reg');
    rig.write('/sealed', new Uint8Array(10_000).fill(7));
    // Where the hashes would be: blocks behind the end of the file.
    rig.on('/sealed', (vp) => vp.ops.allocate(vp, 65_536, 20_000, { keepSize: true }));
    rig.make('/other', 'reg');
    rig.close();
    debugfs(image, ['set_inode_field /sealed flags 0x180000'], { write: true });
    assertClean(image);
    const again = new Rig(image);
    expect(again.mp.readOnly).toBe(false);
    for (const operation of [
      () => again.write('/sealed', Uint8Array.of(1)),
      () => again.write('/sealed', Uint8Array.of(1), 20_000),
      () => again.truncate('/sealed', 10_000),
      () => again.truncate('/sealed', 0),
      () => again.on('/sealed', (vp) => vp.ops.allocate(vp, 0, 10_000, { keepSize: true })),
      () => again.on('/sealed', (vp) => vp.ops.punch(vp, 0, 10)),
    ]) {
      refused(again, operation, sealed);
    }
    const blocks = (): number => again.on('/renamed', (vp) => vp.ops.getattr(vp).bytes);
    again.rename('/sealed', '/renamed');
    const before = blocks();
    again.on('/renamed', (vp) => vp.ops.setattr(vp, { mode: 0o400, uid: 3 }));
    again.on('/renamed', (vp) => vp.ops.setextattr(vp, 'user.x', Uint8Array.of(1)));
    again.link('/renamed', '/second');
    expect(blocks()).toBe(before);
    expect(again.read('/second')).toEqual(new Uint8Array(10_000).fill(7));
    again.write('/other', new Uint8Array(5000));
    again.remount();
    assertClean(image);
    again.unlink('/renamed');
    again.unlink('/second');
    again.close();
    assertClean(image);
  });
});

describe('flags that a new file takes from its directory', () => {
  const FLAGS = [
    0x1, 0x2, 0x4, 0x8, 0x40, 0x80, 0x400, 0x4000, 0x8000, 0x10000, 0x20000, 0x2000000, 0x20000000,
  ] as const;
  const flagsOf = (path: string): number => {
    const [answer = ''] = debugfs(image, [`stat ${path}`]);
    return Number.parseInt(/Flags: 0x([0-9a-f]+)/.exec(answer)?.[1] ?? '', 16);
  };

  test('are those that the kernel gives it', () => {
    newImage(image, '-t ext4 -O project -I 256', '16M');
    const rig = new Rig(image);
    FLAGS.forEach((_, i) => rig.make(`/d${i}`, 'dir'));
    rig.close();
    debugfs(
      image,
      FLAGS.flatMap((flag, i) => [
        `set_inode_field /d${i} flags 0x${(flag | 0x80000).toString(16)}`,
        `set_inode_field /d${i} projid ${1000 + i}`,
      ]),
      { write: true },
    );
    assertClean(image);
    const theirs = join(scratch.path, 'theirs');
    copyFileSync(image, theirs);
    const again = new Rig(image);
    FLAGS.forEach((_, i) => {
      again.make(`/d${i}/reg`, 'reg');
      again.make(`/d${i}/dir`, 'dir');
      again.make(`/d${i}/fifo`, 'fifo');
      again.make(`/d${i}/lnk`, 'lnk', { target: 'x' });
    });
    again.close();
    assertClean(image);
    // Without the project feature, which this kernel only mounts read-only.
    const all = FLAGS.flatMap((_, i) => ['reg', 'dir', 'fifo', 'lnk'].map((type) => `/d${i}/${type}`));
    const ours = all.map((path) => `${path} ${flagsOf(path).toString(16)}`);
    const project = (path: string): string =>
      /Project: +(\d+)/.exec(debugfs(image, [`stat ${path}`])[0] ?? '')?.[1] ?? '';
    FLAGS.forEach((flag, i) => {
      for (const type of ['reg', 'dir', 'fifo', 'lnk'])
        expect(project(`/d${i}/${type}`)).toBe(flag === 0x20000000 ? String(1000 + i) : '0');
    });
    copyFileSync(theirs, image);
    mustRun('tune2fs', ['-O', '^project', image]);
    withKernelMount(image, { write: true }, (top) => {
      FLAGS.forEach((_, i) => {
        writeFileSync(join(top, `d${i}/reg`), '');
        mkdirSync(join(top, `d${i}/dir`));
        execFileSync('mkfifo', [join(top, `d${i}/fifo`)]);
        symlinkSync('x', join(top, `d${i}/lnk`));
      });
    });
    expect(ours).toEqual(all.map((path) => `${path} ${flagsOf(path).toString(16)}`));
  });
});
