/**
 * Extended attributes, written, where they are shared: blocks that several inodes have, values in inodes of their own
 * (ea_inode); and access control lists that new files inherit, as the kernel has it.
 */
import { copyFileSync, mkdirSync, readdirSync, readFileSync, readlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeEach, describe, expect, test } from 'vitest';
import { FsError } from '../../../packages/kernel/src/kern/errno.ts';
import { MOUNT_POINT } from '../../support/adapters.ts';
import { assertClean, debugfs, dumpe2fs, mustRun, runProgram } from '../../support/e2fsprogs.ts';
import { withKernelMount } from '../../support/kernel-tree.ts';
import { requireOracle } from '../../support/oracle.ts';
import { newImage, Rig, scratchDir, withSystemCalls } from './rig.ts';

const scratch = scratchDir();
const image = join(scratch.path, 'image');
afterAll(() => scratch.remove());
beforeEach(() => {
  for (const oracle of ['mke2fs', 'e2fsck', 'debugfs', 'loop mount', 'setfattr', 'getfattr', 'setfacl', 'getfacl'])
    requireOracle(oracle);
});

const pattern = (length: number, first = 1): Uint8Array =>
  Uint8Array.from({ length }, (_, i) => (first + i * 31 + (i >>> 8)) & 0xff);
const hex = (value: Uint8Array): string => Buffer.from(value).toString('hex');
const usedInodes = (): number => {
  const fields = dumpe2fs(image);
  return Number(fields.get('Inode count')) - Number(fields.get('Free inodes'));
};
const kernelValue = (dir: string, name: string, attribute: string): string =>
  mustRun('getfattr', ['-n', attribute, '-ehex', '--absolute-names', join(dir, name)])
    .split('=0x')[1]
    ?.trim() ?? '';

describe.each(['-t ext4 -b 1024 -O ea_inode', '-t ext4 -b 4096 -I 128 -O ea_inode,^metadata_csum'])('%s', (words) => {
  test('equal values share one inode, which goes with its last owner; the kernel reads and goes on', () => {
    newImage(image, words, '16M');
    const empty = usedInodes();
    const rig = new Rig(image);
    const step = (change: () => void): void => {
      change();
      assertClean(image);
    };
    const set = (file: string, name: string, value: Uint8Array): void =>
      rig.on(file, (vp) => vp.ops.setextattr(vp, name, value));
    const files = Array.from({ length: 5 }, (_, i) => `/f${i}`);
    for (const file of files) step(() => rig.make(file, 'reg'));
    for (const file of files) step(() => set(file, 'user.big', pattern(30_000)));
    expect(usedInodes()).toBe(empty + 5 + 1);
    step(() => set('/f0', 'user.big', pattern(30_000, 2)));
    expect(usedInodes()).toBe(empty + 5 + 2);
    step(() => set('/f0', 'user.big', pattern(10)));
    expect(usedInodes()).toBe(empty + 5 + 1);
    step(() => set('/f0', 'user.huge', pattern(65_536)));
    expect(() => set('/f1', 'user.huge', pattern(65_537))).toThrow('Argument list too long');
    step(() => set('/f0', 'user.second', pattern(30_000)));
    step(() => rig.on('/f0', (vp) => vp.ops.deleteextattr(vp, 'user.second')));
    step(() => rig.unlink('/f4'));
    // After a mount nothing is remembered but what was read.
    rig.remount();
    expect(rig.on('/f3', (vp) => vp.ops.getextattr(vp, 'user.big'))).toEqual(pattern(30_000));
    step(() => set('/f0', 'user.big', pattern(30_000)));
    expect(usedInodes()).toBe(empty + 4 + 2);
    // A short link whose attribute's value counts among its blocks is still a short link.
    step(() => rig.make('/link', 'lnk', { target: 'short' }));
    step(() => set('/link', 'trusted.big', pattern(30_000)));
    rig.close();

    withKernelMount(image, { write: true }, (dir) => {
      for (const name of ['f0', 'f1', 'f2', 'f3'])
        expect(kernelValue(dir, name, 'user.big')).toBe(hex(pattern(30_000)));
      expect(kernelValue(dir, 'f0', 'user.huge')).toBe(hex(pattern(65_536)));
      expect(readlinkSync(join(dir, 'link'))).toBe('short');
      mustRun('setfattr', ['-x', 'user.big', join(dir, 'f1')]);
      mustRun('setfattr', ['-n', 'user.big', '-v', `0x${hex(pattern(20_000))}`, join(dir, 'f2')]);
    });
    assertClean(image);
    const again = new Rig(image);
    for (const file of ['/f0', '/f1', '/f2', '/f3', '/link']) {
      again.unlink(file);
      assertClean(image);
    }
    again.close();
    expect(usedInodes()).toBe(empty);
  });
});

test('a shared block is copied with the values it refers to, and each owner lets go of its own', () => {
  newImage(image, '-t ext4 -b 4096 -I 128 -O ea_inode', '16M');
  const empty = usedInodes();
  const names = Array.from({ length: 6 }, (_, i) => `f${i}`);
  withKernelMount(image, { write: true }, (dir) => {
    for (const name of names) {
      writeFileSync(join(dir, name), '');
      mustRun('setfattr', ['-n', 'user.big', '-v', `0x${hex(pattern(10_000))}`, join(dir, name)]);
      mustRun('setfattr', ['-n', 'user.small', '-v', 'same', join(dir, name)]);
    }
  });
  const blockOf = (name: string): string =>
    /File ACL: (\d+)/.exec(debugfs(image, [`stat /${name}`])[0] ?? '')?.[1] ?? '';
  expect(new Set(names.map(blockOf)).size).toBe(1);
  const rig = new Rig(image);
  const step = (change: () => void): void => {
    change();
    assertClean(image);
  };
  step(() => rig.on('/f0', (vp) => vp.ops.setextattr(vp, 'user.small', pattern(5))));
  step(() => rig.on('/f1', (vp) => vp.ops.deleteextattr(vp, 'user.big')));
  step(() => rig.on('/f2', (vp) => vp.ops.setextattr(vp, 'user.big', pattern(9_000))));
  step(() => rig.unlink('/f3'));
  expect(new Set(names.filter((name) => name !== 'f3').map(blockOf)).size).toBe(4);
  for (const name of ['user.big', 'user.small']) step(() => rig.on('/f4', (vp) => vp.ops.deleteextattr(vp, name)));
  expect(blockOf('f4')).toBe('0');
  rig.remount();
  expect(rig.on('/f5', (vp) => vp.ops.getextattr(vp, 'user.big'))).toEqual(pattern(10_000));
  withKernelMount(image, {}, (dir) => {
    expect(kernelValue(dir, 'f0', 'user.big')).toBe(hex(pattern(10_000)));
    expect(kernelValue(dir, 'f2', 'user.big')).toBe(hex(pattern(9_000)));
  });
  for (const name of ['f0', 'f1', 'f2', 'f4', 'f5']) step(() => rig.unlink(`/${name}`));
  rig.close();
  expect(usedInodes()).toBe(empty);
});

test('files with the same attributes share a block, up to 1,024 of them, and leave it one by one', () => {
  newImage(image, '-t ext4 -b 1024 -I 128 -N 1500', '16M');
  const blocksUsed = (): number => {
    const fields = dumpe2fs(image);
    return Number(fields.get('Block count')) - Number(fields.get('Free blocks'));
  };
  const rig = new Rig(image);
  const COUNT = 1100;
  for (let i = 0; i < COUNT; i++) rig.make(`/f${i}`, 'reg');
  const before = blocksUsed();
  for (let i = 0; i < COUNT; i++) {
    rig.on(`/f${i}`, (vp) => vp.ops.setextattr(vp, 'user.a', pattern(20)));
    rig.on(`/f${i}`, (vp) => vp.ops.setextattr(vp, 'user.b', pattern(50, 7)));
  }
  assertClean(image);
  expect(blocksUsed()).toBe(before + 2);
  // One list less of `a`: a block that those share.
  for (let i = 0; i < COUNT; i += 3) rig.on(`/f${i}`, (vp) => vp.ops.deleteextattr(vp, 'user.a'));
  for (let i = 1; i < COUNT; i += 3) rig.unlink(`/f${i}`);
  assertClean(image);
  expect(blocksUsed()).toBe(before + 3);
  rig.on('/f2', (vp) => vp.ops.setextattr(vp, 'user.c', pattern(5)));
  rig.remount();
  // Read, and therefore known again.
  expect(rig.on('/f5', (vp) => vp.ops.getextattr(vp, 'user.b'))).toEqual(pattern(50, 7));
  rig.on('/f2', (vp) => vp.ops.deleteextattr(vp, 'user.c'));
  assertClean(image);
  expect(blocksUsed()).toBe(before + 3);
  withKernelMount(image, {}, (dir) => {
    expect(kernelValue(dir, 'f2', 'user.a')).toBe(hex(pattern(20)));
    expect(kernelValue(dir, 'f3', 'user.b')).toBe(hex(pattern(50, 7)));
  });
  for (let i = 0; i < COUNT; i++) if (i % 3 !== 1) rig.unlink(`/f${i}`);
  rig.close();
  assertClean(image);
  expect(blocksUsed()).toBe(before);
});

test('what was taken back is not remembered', () => {
  newImage(image, '-t ext4 -b 1024 -I 128 -O ea_inode', '8M');
  const rig = new Rig(image);
  for (const name of ['/a', '/b']) rig.make(name, 'reg');
  rig.mp.type.sync(rig.mp);
  const before = readFileSync(image);
  const set = (file: string): void => {
    rig.on(file, (vp) => vp.ops.setextattr(vp, 'user.small', pattern(30)));
    rig.on(file, (vp) => vp.ops.setextattr(vp, 'user.big', pattern(20_000)));
  };
  set('/a');
  writeFileSync(image, before);
  rig.mp.bufs.dropAll();
  rig.mp.type.reload(rig.mp);
  set('/b');
  assertClean(image);
  set('/a');
  rig.close();
  assertClean(image);
});

test('a value that finds no space is refused', () => {
  newImage(image, '-t ext4 -b 1024 -O ea_inode', '8M');
  const rig = new Rig(image);
  rig.make('/f', 'reg');
  rig.write('/f', pattern(10));
  let last: unknown;
  for (let i = 0; last === undefined && i < 500; i++) {
    try {
      rig.on('/f', (vp) => vp.ops.setextattr(vp, `user.n${i}`, pattern(60_000, i)));
    } catch (e) {
      last = e;
    }
  }
  expect(last instanceof FsError && last.code).toBe('ENOSPC');
  rig.device.close();
});

describe('access control lists that new files inherit', () => {
  const LISTS: readonly string[] = [
    'd:u::rwx,d:g::rx,d:o::-',
    'd:u::rw,d:g::rwx,d:o::rx',
    'd:u::rwx,d:u:1000:rwx,d:g::rx,d:m::rwx,d:o::rx',
    'd:u::rwx,d:g::rwx,d:g:7:rwx,d:m::rx,d:o::-',
    'd:u::-,d:u:5:r,d:g::-,d:m::r,d:o::-',
    'd:u::rwx,d:g::rwx,d:m::rx,d:o::rwx',
  ];
  const MODES = [0o666, 0o640, 0o4755, 0o000];
  const UMASKS = [0o000, 0o022, 0o077];

  test('are cut as the kernel cuts them, whatever the umask', async () => {
    newImage(image, '-t ext4 -b 1024', '16M');
    withKernelMount(image, { write: true }, (dir) => {
      LISTS.forEach((list, i) => {
        mkdirSync(join(dir, `d${i}`));
        mustRun('setfacl', ['-m', list, join(dir, `d${i}`)]);
      });
      mkdirSync(join(dir, 'none'));
    });
    const theirs = join(scratch.path, 'theirs');
    copyFileSync(image, theirs);
    const dirs = [...LISTS.map((_, i) => `d${i}`), 'none'];
    const cases = dirs.flatMap((dir) => UMASKS.flatMap((mask) => MODES.map((mode) => ({ dir, mask, mode }))));
    await withSystemCalls(image, (sys) => {
      for (const { dir, mask, mode } of cases) {
        sys.umask(mask);
        const path = `${MOUNT_POINT}/${dir}/${mask.toString(8)}-${mode.toString(8)}`;
        sys.close(sys.open(`${path}-reg`, 0x0200 | 2, mode));
        sys.mkdir(`${path}-dir`, mode);
        sys.mkfifo(`${path}-fifo`, mode);
        sys.symlink('x', `${path}-lnk`);
      }
    });
    assertClean(image);
    const shown = (path: string): string =>
      withKernelMount(path, {}, (dir) =>
        dirs
          .flatMap((name) => readdirSync(join(dir, name)).map((file) => join(name, file)))
          .filter((file) => !file.endsWith('-lnk'))
          .sort()
          .map((file) => `${file}: ${mustRun('getfacl', ['-np', '--omit-header', '-E', join(dir, file)]).trim()}`)
          .join('\n'),
      );
    withKernelMount(theirs, { write: true }, (dir) => {
      const script = `
import json, os, sys
for c in json.load(sys.stdin):
    os.umask(c['mask'])
    path = '%s/%s/%o-%o' % (sys.argv[1], c['dir'], c['mask'], c['mode'])
    os.close(os.open(path + '-reg', os.O_CREAT | os.O_RDWR, c['mode']))
    os.mkdir(path + '-dir', c['mode'])
    os.mkfifo(path + '-fifo', c['mode'])
    os.symlink('x', path + '-lnk')
`;
      const { status, output } = runProgram('python3', ['-c', script, dir], { input: JSON.stringify(cases) });
      if (status !== 0) throw new Error(output);
    });
    expect(shown(image)).toBe(shown(theirs));
  });
});
