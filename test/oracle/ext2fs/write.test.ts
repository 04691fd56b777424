/**
 * ext2, ext3 and ext4, written, case by case; every kind of image with seeded operations is write-matrix.test.ts. e2fsck -fn
 * judges, the kernel reads.
 *
 * Most tests drive VOPs on an image file (rig.ts); the last ones go through the system calls and a transaction.
 */
import {
  closeSync,
  openSync,
  readdirSync,
  readSync,
  readFileSync,
  readlinkSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeEach, describe, expect, test } from 'vitest';
import type { Ext2Mount } from '../../../packages/kernel/src/fs/ext2fs/ext2mount.ts';
import { DX_ROOT_INFO_OFFSET, DxRootInfo } from '../../../packages/kernel/src/fs/ext2fs/format.ts';
import { nameHash } from '../../../packages/kernel/src/fs/ext2fs/hash.ts';
import { FsError } from '../../../packages/kernel/src/kern/errno.ts';
import { vrele, type Vnode } from '../../../packages/kernel/src/vfs/vnode.ts';
import { assertClean, debugfs, e2fsck, mustRun } from '../../support/e2fsprogs.ts';
import { withKernelMount } from '../../support/kernel-tree.ts';
import { requireOracle } from '../../support/oracle.ts';
import { newImage, Rig, scratchDir } from './rig.ts';

const scratch = scratchDir();
const image = join(scratch.path, 'image');
afterAll(() => scratch.remove());
beforeEach(() => {
  requireOracle('mke2fs');
  requireOracle('e2fsck');
});

/** A mounted new image, closed and judged a last time when `body` is done. */
function withImage(words: string, size: string, body: (rig: Rig) => void): void {
  newImage(image, words, size);
  const rig = new Rig(image);
  body(rig);
  rig.close();
  assertClean(image);
}

const pattern = (length: number, first = 1): Uint8Array =>
  Uint8Array.from({ length }, (_, i) => (first + i * 31 + (i >>> 8)) & 0xff);

test('e2fsck does notice a free count that is one off (the judge is awake)', () => {
  newImage(image, '-t ext4 -b 1024', '8M');
  const rig = new Rig(image);
  rig.make('/a', 'reg');
  rig.write('/a', pattern(5000));
  rig.op(() => rig.on('/a', (vp) => vp.ops.setattr(vp, { uid: 1 })));
  rig.close();
  mustRun('debugfs', ['-w', '-R', 'set_block_group 0 free_blocks_count 17', image]);
  expect(e2fsck(image).status).not.toBe(0);
});

describe('directories', () => {
  test.each([
    ['-t ext4 -b 1024', 20_000],
    ['-t ext4 -b 4096', 20_000],
    ['-t ext2 -b 1024', 20_000],
    ['-t ext4 -b 1024 -O large_dir', 4_000],
  ])('%s: %i names go in, half go out and come back; the kernel finds them', (words, count) => {
    requireOracle('loop mount');
    withImage(`${words} -N ${count + 1000}`, '100M', (rig) => {
      const name = (i: number): string => `file-number-${i}`;
      rig.make('/d', 'dir');
      for (let i = 0; i < count; i++) rig.make(`/d/${name(i)}`, 'reg');
      assertClean(image);
      for (let i = 0; i < count; i += 2) rig.unlink(`/d/${name(i)}`);
      assertClean(image);
      for (let i = 0; i < count; i += 2) rig.make(`/d/${name(i)}`, 'reg');
      rig.remount();
      const wanted = Array.from({ length: count }, (_, i) => name(i)).sort();
      expect(rig.names('/d').filter((n) => !n.startsWith('.'))).toEqual(wanted);
      withKernelMount(image, {}, (dir) => expect(readdirSync(join(dir, 'd')).sort()).toEqual(wanted));
    });
  });

  test('removing all names leaves a directory that can go', () => {
    withImage('-t ext4 -b 1024', '16M', (rig) => {
      rig.make('/d', 'dir');
      for (let i = 0; i < 500; i++) rig.make(`/d/${i}`, 'reg');
      expect(() => rig.unlink('/d')).toThrow(FsError);
      for (let i = 0; i < 500; i++) rig.unlink(`/d/${i}`);
      rig.unlink('/d');
    });
  });

  test.each([
    ['-t ext4 -b 1024 -O ^dir_index', 1],
    ['-t ext2 -b 1024 -O ^dir_index,^filetype', 1],
    ['-t ext4 -b 1024 -O ^dir_index,bigalloc -C 4096', 1],
  ])('%s: a linear directory gives the blocks at its end back, down to %i', (words, least) => {
    requireOracle('loop mount');
    withImage(words, '16M', (rig) => {
      rig.make('/d', 'dir');
      const free = rig.mp.type.statvfs(rig.mp).freeBlocks;
      const sizeOf = (): number => rig.on('/d', (vp) => vp.ops.getattr(vp).size);
      const path = (i: number): string => `/d/${'n'.repeat(100)}${i}`;
      for (let i = 0; i < 300; i++) rig.make(path(i), 'reg');
      const full = sizeOf();
      expect(full).toBeGreaterThan(30 * 1024);
      // From the front nothing is at the end; then the rest goes with its last name.
      for (let i = 0; i < 200; i++) rig.unlink(path(i));
      expect(sizeOf()).toBe(full);
      assertClean(image);
      for (let i = 299; i > 220; i--) rig.unlink(path(i));
      expect(sizeOf()).toBeLessThan(full);
      assertClean(image);
      rig.make(path(500), 'reg');
      for (let i = 220; i >= 200; i--) rig.unlink(path(i));
      rig.unlink(path(500));
      assertClean(image);
      expect(sizeOf()).toBe(least * 1024);
      expect(rig.mp.type.statvfs(rig.mp).freeBlocks).toBe(free);
      for (let i = 0; i < 50; i++) rig.make(path(i), 'reg');
      rig.remount();
      withKernelMount(image, {}, (dir) => expect(readdirSync(join(dir, 'd')).length).toBe(50));
    });
  });

  test.each([
    ['-t ext4 -b 1024', 1, 1000],
    ['-t ext4 -b 1024 -O large_dir', 2, 34_000],
  ])(
    '%s: an index grows to %i levels below its root with %i long names, and is used again once emptied',
    (words, levels, count) => {
      requireOracle('loop mount');
      withImage(words, '64M', (rig) => {
        rig.make('/d', 'dir');
        rig.make('/f', 'reg');
        // In ascending order of hashes every split leaves a half-empty block behind: the index is as large as it can be.
        const { hashSeed, defHashVersion } = (rig.mp.data as Ext2Mount).geo;
        const names = Array.from({ length: count }, (_, i) => `${'long name '.repeat(24)}${i}`)
          .map((name) => ({
            name,
            ...nameHash(new TextEncoder().encode(name), { version: defHashVersion, seed: hashSeed })!,
          }))
          .sort((a, b) => a.hash - b.hash)
          .map(({ name }) => name);
        const inDirectory = (change: (dvp: Vnode, vp: Vnode, name: string) => void, some: readonly string[]): void => {
          const [dvp, vp] = [rig.file('/d'), rig.file('/f')];
          rig.op(() => some.forEach((name) => change(dvp, vp, name)));
          vrele(vp);
          vrele(dvp);
        };
        const link = (some: readonly string[]): void =>
          inDirectory((dvp, vp, name) => dvp.ops.link(dvp, vp, name), some);
        link(names);
        assertClean(image);
        const root = rig.on('/d', (vp) => vp.ops.bmap(vp, 0, 1).block) ?? 0;
        const info = new Uint8Array(8);
        rig.device.read(info, root * 1024 + DX_ROOT_INFO_OFFSET);
        expect(DxRootInfo.at(info, 0).indirectLevels).toBe(levels);
        const full = rig.on('/d', (vp) => vp.ops.getattr(vp).size);
        inDirectory((dvp, _, name) => {
          const found = dvp.ops.lookup(dvp, name)!;
          dvp.ops.remove(dvp, found.vp, name, found.slot);
          vrele(found.vp);
        }, names.slice(1));
        assertClean(image);
        link(names.slice(1, 1000));
        expect(rig.on('/d', (vp) => vp.ops.getattr(vp).size)).toBe(full);
        rig.remount();
        withKernelMount(image, { write: true }, (dir) => {
          expect(readdirSync(join(dir, 'd')).sort()).toEqual(names.slice(0, 1000).sort());
          writeFileSync(join(dir, 'd', 'from the kernel'), '');
        });
      });
    },
  );

  test('beyond 65000 subdirectories the link count of an indexed directory says "many"', () => {
    newImage(image, '-t ext4 -b 1024', '8M');
    const rig = new Rig(image);
    rig.make('/d', 'dir');
    for (let i = 0; i < 100; i++) rig.make(`/d/file-${i}`, 'reg');
    rig.close();
    debugfs(image, ['set_inode_field /d links_count 64998'], { write: true });
    const again = new Rig(image);
    const links = (): number => again.on('/d', (vp) => vp.ops.getattr(vp).nlink);
    again.make('/d/a', 'dir');
    expect(links()).toBe(64_999);
    again.make('/d/b', 'dir');
    expect(links()).toBe(1);
    again.unlink('/d/a');
    expect(links()).toBe(1);
    again.device.close();
  });
});

describe('data', () => {
  test.each([
    ['-t ext4 -b 4096', 4],
    ['-t ext4 -b 1024', 12],
  ])('%s: 64 MiB written in order lie in at most %i runs, and fresh', (words, most) => {
    withImage(words, '100M', (rig) => {
      rig.make('/big', 'reg');
      const piece = pattern(128 * 1024);
      rig.device.freshBytes = 0;
      for (let at = 0; at < 64 << 20; at += piece.length) rig.write('/big', piece, at);
      const { blockSize } = rig.mp;
      let runs = 0;
      rig.on('/big', (vp) => {
        for (let block = 0, end = (64 << 20) / blockSize; block < end; runs++)
          block += vp.ops.bmap(vp, block, end - block).count;
      });
      expect(runs).toBeLessThanOrEqual(most);
      expect(rig.device.freshBytes).toBeGreaterThanOrEqual(64 << 20);
    });
  });

  test.each(['-t ext4 -b 1024', '-t ext4 -b 4096 -O ^metadata_csum', '-t ext2 -b 1024'])(
    '%s: a file in three thousand pieces grows and shrinks its map',
    (words) => {
      withImage(words, '32M', (rig) => {
        const { blockSize } = rig.mp;
        const block = pattern(blockSize);
        rig.make('/x', 'reg');
        rig.make('/y', 'reg');
        for (let i = 0; i < 3000; i++) rig.write('/x', block, i * 2 * blockSize);
        assertClean(image);
        for (let i = 3000; i-- > 0;) rig.write('/y', block, i * 2 * blockSize);
        assertClean(image);
        if (words.includes('1024')) for (let i = 0; i < 3000; i++) rig.write('/x', block, (i * 2 + 1) * blockSize);
        assertClean(image);
        rig.on('/y', (vp) => vp.ops.punch(vp, 100 * blockSize, 4000 * blockSize));
        assertClean(image);
        for (const size of [4000, 1500, 700, 300, 20, 5, 1, 0]) {
          rig.truncate('/x', size * blockSize);
          assertClean(image);
        }
        rig.unlink('/y');
      });
    },
  );

  test.each(['-t ext2 -b 1024', '-t ext4 -b 1024', '-t ext4 -b 1024 -O bigalloc -C 8192'])(
    '%s: pieces all over a large file, unwritten ones too, come and go with all that maps them',
    (words) => {
      requireOracle('loop mount');
      withImage(words, '16M', (rig) => {
        const KiB = 1024;
        const free = (): number => rig.mp.type.statvfs(rig.mp).freeBlocks;
        rig.make('/x', 'reg');
        const before = free();
        // Behind the direct blocks, behind one, two and three levels of pointer blocks.
        const places = [0, 11, 12, 267, 268, 65_803, 65_804, 65_804 + 65_536, 16_000_000].map((at) => at * KiB);
        for (const at of places) rig.write('/x', pattern(3 * KiB, at & 0xff), at);
        assertClean(image);
        if (!words.includes('ext2')) {
          rig.on('/x', (vp) => vp.ops.allocate(vp, 500 * KiB, 3000 * KiB, { keepSize: true }));
          // Written in the middle, at both ends, then a hole across all three.
          for (const at of [2000, 500, 3490]) rig.write('/x', pattern(10 * KiB, at & 0xff), at * KiB);
          assertClean(image);
          rig.on('/x', (vp) => vp.ops.punch(vp, 505 * KiB + 3, 2990 * KiB));
          assertClean(image);
        }
        rig.on('/x', (vp) => vp.ops.punch(vp, 266 * KiB, 65_540 * KiB));
        assertClean(image);
        const size = 16_000_003 * KiB;
        expect(rig.on('/x', (vp) => vp.ops.getattr(vp).size)).toBe(size);
        const wanted = rig.on('/x', (vp) => {
          const bytes = new Uint8Array(300 * KiB);
          vp.ops.read(vp, bytes, 0);
          return bytes;
        });
        rig.remount();
        withKernelMount(image, {}, (dir) => {
          const fd = openSync(join(dir, 'x'), 'r');
          const bytes = Buffer.alloc(300 * KiB);
          readSync(fd, bytes, 0, bytes.length, 0);
          expect(bytes.equals(wanted)).toBe(true);
          readSync(fd, bytes, 0, 3 * KiB, 16_000_000 * KiB);
          expect(bytes.subarray(0, 3 * KiB).equals(pattern(3 * KiB, (16_000_000 * KiB) & 0xff))).toBe(true);
          closeSync(fd);
        });
        rig.on('/x', (vp) => vp.ops.punch(vp, 0, size));
        expect(free()).toBe(before);
        rig.write('/x', pattern(KiB), 70_000 * KiB);
        rig.truncate('/x', 5);
        expect(free()).toBe(before);
      });
    },
  );

  test('the kernel reads what was written: holes, unwritten space, long links, times, owners, devices', () => {
    requireOracle('loop mount');
    withImage('-t ext4 -b 1024', '16M', (rig) => {
      rig.make('/a', 'reg', { mode: 0o640, uid: 70_000, gid: 100_000 });
      rig.write('/a', pattern(3000), 100_000);
      rig.on('/a', (vp) => vp.ops.allocate(vp, 200_000, 50_000, { keepSize: false }));
      rig.write('/a', pattern(10, 9), 220_005);
      rig.on('/a', (vp) => vp.ops.setattr(vp, { mtime: { sec: 5_000_000_000, nsec: 987_654_321 } }));
      rig.make('/s', 'lnk', { target: 'y'.repeat(200) });
      rig.make('/null', 'chr', { rdev: { major: 259, minor: 70_000 } });
      const wanted = new Uint8Array(250_000);
      wanted.set(pattern(3000), 100_000);
      wanted.set(pattern(10, 9), 220_005);
      rig.remount();
      withKernelMount(image, {}, (dir) => {
        expect(readFileSync(join(dir, 'a')).equals(wanted)).toBe(true);
        const { mode, uid, gid, mtimeNs } = statSync(join(dir, 'a'), { bigint: true });
        expect([Number(mode) & 0o7777, Number(uid), Number(gid)]).toEqual([0o640, 70_000, 100_000]);
        expect(mtimeNs).toBe(5_000_000_000_987_654_321n);
        expect(readlinkSync(join(dir, 's'))).toBe('y'.repeat(200));
        // Linux packs st_rdev as minor's low byte, major, minor's rest.
        expect(statSync(join(dir, 'null')).rdev).toBe((70_000 & 0xff) | (259 << 8) | ((70_000 & ~0xff) << 12));
      });
    });
  });

  test('a full disk gives a short write, then ENOSPC, and stays sound; freed space comes last and is never fresh', () => {
    withImage('-t ext4 -b 1024', '16M', (rig) => {
      const data = pattern(300_000);
      let files = 0;
      const fill = (): void => {
        for (;;) {
          rig.make(`/f${files}`, 'reg');
          rig.write(`/f${files++}`, data);
        }
      };
      expect(fill).toThrow('No space left');
      rig.mp.bufs.flush();
      assertClean(image);
      expect(rig.mp.type.statvfs(rig.mp).freeBlocks).toBe(0);
      rig.unlink('/f3');
      const fresh = rig.device.freshBytes;
      expect(rig.write('/f1', pattern(100_000), 300_000)).toBe(100_000);
      expect(rig.device.freshBytes).toBe(fresh);
    });
  });

  test('a file beyond 2 GiB sets large_file, in the copies of the superblock too', () => {
    withImage('-t ext2 -b 4096 -O ^large_file,^resize_inode', '300M', (rig) => {
      rig.make('/a', 'reg');
      rig.write('/a', pattern(10), 0x8000_0000);
      assertClean(image);
      for (const place of [[], ['-o', 'superblock=32768', '-o', 'blocksize=4096']]) {
        expect(mustRun('dumpe2fs', ['-h', ...place, image])).toContain('large_file');
      }
    });
  });
});

describe('attributes and access control lists', () => {
  const acl = (...entries: readonly (readonly [tag: number, perm: number, id?: number])[]): Uint8Array => {
    const value = new Uint8Array(4 + entries.length * 8);
    const view = new DataView(value.buffer);
    view.setUint32(0, 2, true);
    entries.forEach(([tag, perm, id = 0xffffffff], i) => {
      view.setUint16(4 + i * 8, tag, true);
      view.setUint16(6 + i * 8, perm, true);
      view.setUint32(8 + i * 8, id, true);
    });
    return value;
  };
  const [OWNER, USER, GROUP, MASK, OTHER] = [1, 2, 4, 0x10, 0x20];

  test.each(['-t ext4 -b 1024', '-t ext2 -b 1024 -I 128'])(
    '%s: the kernel sees those that were set and inherited',
    (words) => {
      requireOracle('loop mount');
      requireOracle('getfacl');
      requireOracle('getfattr');
      withImage(words, '8M', (rig) => {
        rig.make('/d', 'dir');
        const value = acl([OWNER, 7], [USER, 5, 1000], [GROUP, 5], [MASK, 7], [OTHER, 1]);
        rig.on('/d', (vp) => vp.ops.setextattr(vp, 'system.posix_acl_default', value));
        rig.on('/d', (vp) => vp.ops.setextattr(vp, 'user.long', pattern(300)));
        rig.make('/d/f', 'reg', { mode: 0o640 });
        rig.make('/d/e', 'dir', { mode: 0o755 });
        rig.make('/g', 'reg');
        rig.on('/g', (vp) => vp.ops.setextattr(vp, 'system.posix_acl_access', acl([OWNER, 6], [GROUP, 4], [OTHER, 0])));
        expect(rig.on('/g', (vp) => [vp.ops.getattr(vp).mode, vp.ops.listextattr(vp).length])).toEqual([0o640, 0]);
        rig.on('/d/f', (vp) => vp.ops.setattr(vp, { mode: 0o600 }));
        rig.remount();
        withKernelMount(image, {}, (dir) => {
          const facl = (name: string): string =>
            mustRun('getfacl', ['-cnp', join(dir, name)]).replaceAll(/\s*#.*/g, '');
          expect(facl('d/f').trim().split('\n')).toEqual([
            'user::rw-',
            'user:1000:r-x',
            'group::r-x',
            'mask::---',
            'other::---',
          ]);
          expect(facl('d/e')).toContain('default:user:1000:r-x');
          expect(facl('d/e')).toContain('other::--x');
          const shown = mustRun('getfattr', ['-n', 'user.long', '--only-values', '--absolute-names', join(dir, 'd')]);
          expect(Uint8Array.from(shown, (c) => c.charCodeAt(0))).toEqual(pattern(300));
        });
      });
    },
  );

  test('a block that several files share is copied before it changes', () => {
    requireOracle('loop mount');
    requireOracle('setfattr');
    newImage(image, '-t ext4 -b 1024 -I 128', '8M');
    withKernelMount(image, { write: true }, (dir) => {
      for (const name of ['a', 'b', 'c']) {
        writeFileSync(join(dir, name), '');
        mustRun('setfattr', ['-n', 'user.x', '-v', 'shared', join(dir, name)]);
      }
    });
    const rig = new Rig(image);
    rig.on('/a', (vp) => vp.ops.setextattr(vp, 'user.y', pattern(5)));
    assertClean(image);
    rig.unlink('/b');
    assertClean(image);
    rig.on('/c', (vp) => vp.ops.deleteextattr(vp, 'user.x'));
    expect(rig.on('/a', (vp) => vp.ops.listextattr(vp).sort())).toEqual(['user.x', 'user.y']);
    rig.close();
    assertClean(image);
  });
});

describe('what is not supported yet', () => {
  test.each(['shared_blocks'])('%s: the mount is read-only and says why', (feature) => {
    newImage(image, '-t ext4 -b 4096', '32M');
    debugfs(image, [`feature ${feature}`], { write: true });
    const rig = new Rig(image);
    expect(rig.mp.readOnly).toBe(true);
    expect(rig.mp.notes.join()).toContain(feature);
    expect(() => rig.mp.type.update?.(rig.mp, { readOnly: false })).toThrow(feature);
    rig.device.close();
  });
});
