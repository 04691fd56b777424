/** Times, flags, maps and special files of an inode: what the kernel sees of what was written, and what nobody may change. */
import { lstatSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeEach, describe, expect, test } from 'vitest';
import { IFLAG } from '../../../packages/kernel/src/fs/ext2fs/format.ts';
import { FsError } from '../../../packages/kernel/src/kern/errno.ts';
import { assertClean, debugfs, mustRun, runProgram } from '../../support/e2fsprogs.ts';
import { withKernelMount } from '../../support/kernel-tree.ts';
import { requireOracle } from '../../support/oracle.ts';
import { newImage, Rig, scratchDir } from './rig.ts';

const scratch = scratchDir();
const image = join(scratch.path, 'image');
afterAll(() => scratch.remove());
beforeEach(() => {
  for (const oracle of ['mke2fs', 'e2fsck', 'debugfs', 'loop mount']) requireOracle(oracle);
});

const pattern = (length: number): Uint8Array => Uint8Array.from({ length }, (_, i) => (i * 31 + (i >>> 8)) & 0xff);
const stat = (path: string): string => debugfs(image, [`stat ${path}`])[0] ?? '';
const flagsOf = (path: string): number => Number.parseInt(/Flags: 0x([0-9a-f]+)/.exec(stat(path))?.[1] ?? '', 16);

describe('times', () => {
  /** Around every edge of 32 and of 34 bits, and beyond them. */
  const SECONDS = [
    -(2 ** 40),
    -(2 ** 31) - 1,
    -(2 ** 31),
    -(2 ** 31) + 1,
    -1,
    0,
    1,
    2 ** 31 - 1,
    2 ** 31,
    2 ** 32 - 1,
    2 ** 32,
    2 ** 33,
    3 * 2 ** 32 + 2 ** 31 - 2,
    3 * 2 ** 32 + 2 ** 31 - 1,
    3 * 2 ** 32 + 2 ** 31,
    2 ** 40,
  ];

  test.each(['-t ext4', '-t ext4 -I 128', '-t ext2 -b 1024 -I 128'])(
    '%s: the kernel reads those that were set as if it had set them itself',
    (words) => {
      newImage(image, words, '16M');
      const rig = new Rig(image);
      SECONDS.forEach((sec, i) => {
        rig.make(`/ours-${i}`, 'reg');
        rig.on(`/ours-${i}`, (vp) =>
          vp.ops.setattr(vp, { atime: { sec, nsec: 999_999_999 }, mtime: { sec, nsec: 123_456_789 } }),
        );
      });
      rig.close();
      assertClean(image);
      const script = `
import json, os, sys
seconds, top = json.loads(sys.argv[1]), sys.argv[2]
for i, sec in enumerate(seconds):
    path = os.path.join(top, 'theirs-%d' % i)
    open(path, 'w').close()
    os.utime(path, ns=(sec * 10**9 + 999999999, sec * 10**9 + 123456789))
for i in range(len(seconds)):
    for name in 'ours', 'theirs':
        s = os.stat(os.path.join(top, '%s-%d' % (name, i)))
        print(name, i, s.st_atime_ns, s.st_mtime_ns)
`;
      withKernelMount(image, { write: true }, (dir) => {
        const { status, output } = runProgram('python3', ['-c', script, JSON.stringify(SECONDS), dir]);
        expect(status).toBe(0);
        const lines = (who: string): string[] =>
          output.split('\n').flatMap((line) => (line.startsWith(`${who} `) ? [line.slice(who.length + 1)] : []));
        expect(lines('ours')).toHaveLength(SECONDS.length);
        expect(lines('ours')).toEqual(lines('theirs'));
      });
      assertClean(image);
      const again = new Rig(image);
      SECONDS.forEach((_, i) => {
        const times = (name: string): unknown =>
          again.on(`/${name}-${i}`, (vp) => {
            const { atime, mtime } = vp.ops.getattr(vp);
            return [atime, mtime];
          });
        expect(times('ours')).toEqual(times('theirs'));
      });
      again.close();
    },
  );
});

describe('flags', () => {
  const OTHERS = [0, 1, 2, 3, 6, 7, 8, 9, 10, 14, 15, 16, 17, 22, 25, 26, 27].map((bit) => 2 ** bit);

  test('that mean nothing to us stay as they are, whatever happens to the file', () => {
    newImage(image, '-t ext4 -b 1024', '16M');
    const rig = new Rig(image);
    for (const flag of OTHERS) for (const type of ['reg', 'dir'] as const) rig.make(`/${type}${flag}`, type);
    rig.close();
    const set = OTHERS.flatMap((flag) =>
      ['reg', 'dir'].map((type) => `set_inode_field /${type}${flag} flags 0x${(flag | IFLAG.EXTENTS).toString(16)}`),
    );
    debugfs(image, set, { write: true });
    const again = new Rig(image);
    for (const flag of OTHERS) {
      const [file, dir] = [`/reg${flag}`, `/dir${flag}`];
      again.write(file, pattern(3000));
      again.truncate(file, 1500);
      again.on(file, (vp) => vp.ops.allocate(vp, 5000, 2000, { keepSize: true }));
      again.on(file, (vp) => vp.ops.punch(vp, 0, 1024));
      for (const path of [file, dir]) {
        again.on(path, (vp) => vp.ops.setattr(vp, { mode: 0o700, uid: 5, mtime: { sec: 9, nsec: 9 } }));
        again.on(path, (vp) => vp.ops.setextattr(vp, 'user.x', pattern(200)));
        again.on(path, (vp) => vp.ops.setattr(vp, { flags: vp.ops.getattr(vp).flags }));
      }
      for (let i = 0; i < 40; i++) again.make(`${dir}/some-name-that-is-quite-long-${i}`, 'reg');
      again.link(file, `${dir}/link`);
      again.rename(file, `${file}-moved`);
      again.rename(dir, `${dir}-moved`);
    }
    again.close();
    for (const flag of OTHERS) {
      expect([flag, flagsOf(`/reg${flag}-moved`)]).toEqual([flag, flag | IFLAG.EXTENTS]);
      expect([flag, flagsOf(`/dir${flag}-moved`) & ~IFLAG.INDEX]).toEqual([flag, flag | IFLAG.EXTENTS]);
    }
    assertClean(image);
  });

  test('immutable and append-only are set and cleared where the kernel has them', () => {
    requireOracle('chattr');
    requireOracle('lsattr');
    newImage(image, '-t ext4', '16M');
    const rig = new Rig(image);
    for (const name of ['i', 'a', 'd', 'none']) rig.make(`/${name}`, 'reg');
    const { SF_IMMUTABLE, SF_APPEND, UF_NODUMP } = { SF_IMMUTABLE: 0x20000, SF_APPEND: 0x40000, UF_NODUMP: 1 };
    for (const [name, flags] of [
      ['i', SF_IMMUTABLE],
      ['a', SF_APPEND],
      ['d', UF_NODUMP],
      ['none', SF_IMMUTABLE | UF_NODUMP],
      ['none', 0],
    ] as const) {
      rig.on(`/${name}`, (vp) => vp.ops.setattr(vp, { flags }));
    }
    rig.close();
    withKernelMount(image, { write: true }, (dir) => {
      const shown = mustRun('lsattr', [dir])
        .split('\n')
        .map((line) => line.split(' '))
        .flatMap(([flags = '', path = '']) =>
          path.endsWith('lost+found') || path === ''
            ? []
            : [`${path.slice(-4).replace(/.*\//, '')} ${flags.replaceAll('-', '')}`],
        );
      expect(shown.sort()).toEqual(['a ae', 'd de', 'i ie', 'none e']);
      expect(() => writeFileSync(join(dir, 'i'), 'x')).toThrow('EPERM');
      mustRun('chattr', ['-i', join(dir, 'i')]);
      mustRun('chattr', ['+i', join(dir, 'none')]);
    });
    const again = new Rig(image);
    const flags = (name: string): number => again.on(`/${name}`, (vp) => vp.ops.getattr(vp).flags);
    expect(['i', 'a', 'd', 'none'].map(flags)).toEqual([0, SF_APPEND, UF_NODUMP, SF_IMMUTABLE]);
    again.close();
    assertClean(image);
  });

  test('a project that is inherited lets nothing of another in', () => {
    newImage(image, '-t ext4 -O project -I 256', '16M');
    const rig = new Rig(image);
    for (const dir of ['/p', '/q']) rig.make(dir, 'dir');
    for (const file of ['/f', '/q/g']) rig.make(file, 'reg');
    rig.close();
    debugfs(image, ['set_inode_field /p flags 0x20080000', 'set_inode_field /p projid 77'], { write: true });
    const again = new Rig(image);
    const code = (body: () => void): string => {
      try {
        body();
        return 'done';
      } catch (e) {
        return e instanceof FsError ? e.code : String(e);
      }
    };
    again.make('/p/own', 'reg');
    again.make('/p/sub', 'dir');
    expect(code(() => again.rename('/f', '/p/f'))).toBe('EXDEV');
    expect(code(() => again.link('/f', '/p/f'))).toBe('EXDEV');
    expect(code(() => again.rename('/q/g', '/p/own', { exchange: true }))).toBe('EXDEV');
    expect(code(() => again.rename('/p/own', '/q/g', { exchange: true }))).toBe('EXDEV');
    expect(code(() => again.rename('/p/own', '/p/sub/own'))).toBe('done');
    expect(code(() => again.rename('/p/sub/own', '/q/own'))).toBe('done');
    expect(code(() => again.rename('/q/own', '/p/own'))).toBe('done');
    again.close();
    assertClean(image);
  });
});

describe('files that are stored otherwise than new ones', () => {
  test('block maps on an image with extents stay block maps', () => {
    newImage(image, '-t ext3 -b 1024', '16M');
    const old = new Rig(image);
    for (const name of ['a', 'b', 'c', 'd']) {
      old.make(`/${name}`, 'reg');
      old.write(`/${name}`, pattern(50_000));
    }
    old.close();
    mustRun('tune2fs', ['-O', 'extents,uninit_bg', image]);
    mustRun('e2fsck', ['-fy', image], { allowed: [0, 1] });
    const rig = new Rig(image);
    const step = (change: () => void): void => {
      change();
      assertClean(image);
    };
    step(() => rig.write('/a', pattern(400_000), 20_000));
    step(() => rig.truncate('/b', 10_000));
    step(() => rig.on('/c', (vp) => vp.ops.punch(vp, 5000, 20_000)));
    expect(() => rig.on('/d', (vp) => vp.ops.allocate(vp, 0, 100_000, { keepSize: false }))).toThrow(FsError);
    step(() => rig.truncate('/d', 0));
    step(() => rig.write('/d', pattern(30_000)));
    step(() => rig.make('/new', 'reg'));
    step(() => rig.write('/new', pattern(30_000)));
    rig.close();
    for (const name of ['a', 'b', 'c', 'd']) expect(flagsOf(`/${name}`) & IFLAG.EXTENTS).toBe(0);
    expect(flagsOf('/new') & IFLAG.EXTENTS).not.toBe(0);
    const wanted = new Uint8Array(420_000);
    wanted.set(pattern(50_000));
    wanted.set(pattern(400_000), 20_000);
    const again = new Rig(image);
    expect(again.read('/a')).toEqual(wanted);
    expect(again.read('/d')).toEqual(pattern(30_000));
    for (const name of ['a', 'b', 'c', 'd', 'new']) again.unlink(`/${name}`);
    again.close();
    assertClean(image);
  });

  test('a file whose blocks are counted in blocks, not sectors, is counted on rightly', () => {
    newImage(image, '-t ext4 -b 4096', '16M');
    const rig = new Rig(image);
    rig.make('/huge', 'reg');
    rig.write('/huge', pattern(40_000));
    rig.close();
    debugfs(image, ['set_inode_field /huge flags 0xc0000', 'set_inode_field /huge blocks 10'], { write: true });
    assertClean(image);
    const again = new Rig(image);
    expect(again.on('/huge', (vp) => vp.ops.getattr(vp).bytes)).toBe(40_960);
    again.write('/huge', pattern(100_000));
    assertClean(image);
    expect(again.on('/huge', (vp) => vp.ops.getattr(vp).bytes)).toBe(102_400);
    again.truncate('/huge', 100);
    again.close();
    assertClean(image);
  });
});

test('devices, FIFOs and sockets are what the kernel sees', () => {
  const DEVICES = [
    [1, 3],
    [255, 255],
    [256, 0],
    [0, 256],
    [259, 70_000],
    [4095, 1_048_575],
  ] as const;
  newImage(image, '-t ext4 -O inline_data', '16M');
  const rig = new Rig(image);
  DEVICES.forEach(([major, minor], i) => {
    rig.make(`/c${i}`, 'chr', { rdev: { major, minor } });
    rig.make(`/b${i}`, 'blk', { rdev: { major, minor } });
  });
  rig.make('/fifo', 'fifo');
  rig.make('/sock', 'sock');
  rig.link('/sock', '/sock2');
  rig.rename('/fifo', '/sock2', { exchange: true });
  rig.close();
  assertClean(image);
  withKernelMount(image, {}, (dir) => {
    DEVICES.forEach(([major, minor], i) => {
      const wanted = (minor & 0xff) + major * 256 + (minor >>> 8) * 2 ** 20;
      const [c, b] = [lstatSync(join(dir, `c${i}`)), lstatSync(join(dir, `b${i}`))];
      expect([c.isCharacterDevice(), c.rdev, b.isBlockDevice(), b.rdev]).toEqual([true, wanted, true, wanted]);
    });
    expect(lstatSync(join(dir, 'sock2')).isFIFO()).toBe(true);
    expect([lstatSync(join(dir, 'sock')).isSocket(), lstatSync(join(dir, 'fifo')).nlink]).toEqual([true, 2]);
  });
});
