/**
 * inline_data, written: what lies in the inode is what the kernel expects there, and the kernel goes on where we stopped.
 */
import {
  appendFileSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmdirSync,
  truncateSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeEach, describe, expect, test } from 'vitest';
import { IFLAG } from '../../../packages/kernel/src/fs/ext2fs/format.ts';
import { assertClean, debugfs, mustRun } from '../../support/e2fsprogs.ts';
import { withKernelMount } from '../../support/kernel-tree.ts';
import { requireOracle } from '../../support/oracle.ts';
import { newImage, Rig, scratchDir } from './rig.ts';

const scratch = scratchDir();
const image = join(scratch.path, 'image');
afterAll(() => scratch.remove());
beforeEach(() => {
  requireOracle('mke2fs');
  requireOracle('e2fsck');
  requireOracle('loop mount');
});

const pattern = (length: number, first = 1): Uint8Array =>
  Uint8Array.from({ length }, (_, i) => (first + i * 31 + (i >>> 8)) & 0xff);
const isInline = (path: string): boolean => {
  const [answer = ''] = debugfs(image, [`stat ${path}`]);
  return (Number.parseInt(/Flags: 0x([0-9a-f]+)/.exec(answer)?.[1] ?? '0', 16) & IFLAG.INLINE_DATA) !== 0;
};

/** Each step on a fresh image of the words, judged after each operation. */
function withImage(words: string, body: (rig: Rig, step: (change: () => void) => void) => void): void {
  newImage(image, words, '16M');
  const rig = new Rig(image);
  body(rig, (change) => {
    change();
    assertClean(image);
  });
  rig.close();
  assertClean(image);
}

describe.each(['-t ext4 -b 4096 -O inline_data', '-t ext4 -b 1024 -I 1024 -O inline_data,^metadata_csum'])(
  '%s',
  (words) => {
    test('a file stays in its inode as long as it fits, and the kernel reads it and goes on', () => {
      // 256-byte inodes: 60 + 256 - 128 - 32 - 4 (magic) - 20 (entry and name) - 4 (end of list).
      const limit = words.includes('1024') ? 60 + 836 : 60 + 68;
      withImage(words, (rig, step) => {
        step(() => rig.make('/f', 'reg'));
        for (const end of [1, 59, 60, 61, limit]) step(() => rig.write('/f', pattern(end)));
        expect(isInline('/f')).toBe(true);
        step(() => rig.truncate('/f', 61));
        step(() => rig.truncate('/f', 60));
        step(() => rig.truncate('/f', 7));
        step(() => rig.truncate('/f', limit));
        expect(isInline('/f')).toBe(true);
        step(() => rig.on('/f', (vp) => vp.ops.punch(vp, 3, 2)));
        step(() => rig.write('/f', pattern(1, 77), limit - 1));
        for (const [name, size] of [
          ['over', limit + 1],
          ['exact', limit],
        ] as const) {
          step(() => rig.make(`/${name}`, 'reg'));
          step(() => rig.write(`/${name}`, pattern(size)));
        }
        expect([isInline('/over'), isInline('/exact')]).toEqual([false, true]);
        step(() => rig.make('/grown', 'reg'));
        step(() => rig.write('/grown', pattern(100)));
        step(() => rig.write('/grown', pattern(10), limit));
        expect(isInline('/grown')).toBe(false);
        // Emptied, it may begin again in the inode.
        step(() => rig.truncate('/grown', 0));
        step(() => rig.write('/grown', pattern(9)));
        expect(isInline('/grown')).toBe(true);
        step(() => rig.make('/far', 'reg'));
        step(() => rig.write('/far', pattern(50)));
        step(() => rig.truncate('/far', 1_000_000));
        step(() => rig.make('/reserved', 'reg'));
        step(() => rig.write('/reserved', pattern(50)));
        step(() => rig.on('/reserved', (vp) => vp.ops.allocate(vp, 0, 20_000, { keepSize: true })));
        expect(isInline('/reserved')).toBe(false);
      });
      const wanted = new Uint8Array(limit);
      wanted.set([1, 32, 63, 0, 0, 156, 187]);
      wanted[limit - 1] = 77;
      withKernelMount(image, { write: true }, (dir) => {
        expect(readFileSync(join(dir, 'f')).equals(wanted)).toBe(true);
        expect(readFileSync(join(dir, 'exact')).equals(pattern(limit))).toBe(true);
        expect(readFileSync(join(dir, 'over')).equals(pattern(limit + 1))).toBe(true);
        expect(readFileSync(join(dir, 'reserved')).equals(pattern(50))).toBe(true);
        const far = readFileSync(join(dir, 'far'));
        expect([far.length, far.subarray(0, 50).equals(pattern(50)), far.subarray(50).every((x) => x === 0)]).toEqual([
          1_000_000,
          true,
          true,
        ]);
        appendFileSync(join(dir, 'grown'), 'kernel');
        appendFileSync(join(dir, 'exact'), 'kernel');
        truncateSync(join(dir, 'f'), 30);
        unlinkSync(join(dir, 'far'));
      });
      assertClean(image);
      const again = new Rig(image);
      expect(again.read('/grown')).toEqual(Uint8Array.from([...pattern(9), ...Buffer.from('kernel')]));
      expect(again.read('/exact')).toEqual(Uint8Array.from([...pattern(limit), ...Buffer.from('kernel')]));
      expect(again.read('/f')).toEqual(wanted.subarray(0, 30));
      again.close();
    });

    test('a directory takes names in its inode, becomes a block when it is full, and the kernel goes on in it', () => {
      const names = Array.from({ length: 60 }, (_, i) => `name-${i}-${'x'.repeat(i % 20)}`);
      withImage(words, (rig, step) => {
        step(() => rig.make('/d', 'dir'));
        step(() => rig.make('/d/sub', 'dir'));
        step(() => rig.make('/e', 'dir'));
        step(() => rig.rename('/d/sub', '/e/sub'));
        let inline = 0;
        for (const name of names) {
          step(() => rig.make(`/d/${name}`, 'reg'));
          if (isInline('/d')) inline++;
          expect(rig.names('/d')).toHaveLength(2 + names.indexOf(name) + 1);
        }
        expect(inline).toBeGreaterThan(2);
        expect(inline).toBeLessThan(names.length);
        for (const name of names.slice(0, 3)) step(() => rig.make(`/e/${name}`, 'fifo'));
        step(() => rig.unlink(`/e/${names[0]}`));
        step(() => rig.rename(`/e/${names[1]}`, `/e/${names[2]}`));
        step(() => rig.rename(`/e/${names[2]}`, '/d', { exchange: true }));
        step(() => rig.rename('/d', `/e/${names[2]}`, { exchange: true }));
        expect(isInline('/e')).toBe(true);
        expect(() => rig.unlink('/e')).toThrow();
        step(() => rig.make('/empty', 'dir'));
        step(() => rig.make('/empty/x', 'reg'));
        step(() => rig.unlink('/empty/x'));
        step(() => rig.unlink('/empty'));
      });
      withKernelMount(image, { write: true }, (dir) => {
        expect(readdirSync(join(dir, 'd')).sort()).toEqual([...names].sort());
        expect(readdirSync(join(dir, 'e')).sort()).toEqual([names[2], 'sub'].sort());
        expect(readdirSync(join(dir, 'e/sub/..')).sort()).toEqual([names[2], 'sub'].sort());
        writeFileSync(join(dir, 'e/new'), 'kernel');
        mkdirSync(join(dir, 'e/sub/deeper'));
        renameSync(join(dir, 'e/sub/deeper'), join(dir, 'deeper'));
        rmdirSync(join(dir, 'e/sub'));
        for (let i = 0; i < 100; i++) writeFileSync(join(dir, `e/more-${i}`), '');
      });
      assertClean(image);
      const again = new Rig(image);
      expect(again.names('/e')).toHaveLength(2 + 102);
      again.unlink('/deeper');
      again.close();
      assertClean(image);
    });

    test('attributes and data share the room: what comes later goes elsewhere, nothing is lost', () => {
      requireOracle('getfattr');
      withImage(words, (rig, step) => {
        for (const file of ['/a', '/b']) step(() => rig.make(file, 'reg'));
        step(() => rig.make('/dir', 'dir'));
        step(() => rig.write('/a', pattern(100)));
        step(() => rig.on('/a', (vp) => vp.ops.setextattr(vp, 'user.small', pattern(8))));
        step(() => rig.on('/a', (vp) => vp.ops.setextattr(vp, 'user.large', pattern(600))));
        step(() => rig.write('/a', pattern(20), 100));
        step(() => rig.on('/b', (vp) => vp.ops.setextattr(vp, 'user.full', pattern(40))));
        step(() => rig.write('/b', pattern(70)));
        step(() => rig.on('/b', (vp) => vp.ops.deleteextattr(vp, 'user.full')));
        step(() => rig.on('/dir', (vp) => vp.ops.setextattr(vp, 'user.dir', pattern(20))));
        for (let i = 0; i < 6; i++) step(() => rig.make(`/dir/some-name-${i}`, 'reg'));
        step(() => rig.on('/dir', (vp) => vp.ops.setextattr(vp, 'user.dir', pattern(300))));
        step(() => rig.on('/dir', (vp) => vp.ops.deleteextattr(vp, 'user.dir')));
      });
      withKernelMount(image, {}, (dir) => {
        expect(readFileSync(join(dir, 'a')).equals(Buffer.from([...pattern(100), ...pattern(20)]))).toBe(true);
        expect(readFileSync(join(dir, 'b')).equals(pattern(70))).toBe(true);
        expect(readdirSync(join(dir, 'dir'))).toHaveLength(6);
        const shown = mustRun('getfattr', ['-d', '-ehex', '--absolute-names', join(dir, 'a')]);
        expect(shown).toContain(`user.small=0x${Buffer.from(pattern(8)).toString('hex')}`);
        expect(shown).toContain(`user.large=0x${Buffer.from(pattern(600)).toString('hex')}`);
      });
    });

    test('long link targets lie in the inode where they fit', () => {
      const targets = [59, 60, 100, 128, 400, 1000].map((length) => 't'.repeat(length));
      withImage(words, (rig, step) => {
        targets.forEach((target, i) => step(() => rig.make(`/l${i}`, 'lnk', { target })));
        expect(isInline('/l2')).toBe(true);
        rig.remount();
        targets.forEach((target, i) => expect(rig.on(`/l${i}`, (vp) => vp.ops.readlink(vp))).toBe(target));
      });
      withKernelMount(image, { write: true }, (dir) => {
        targets.forEach((target, i) => expect(readlinkSync(join(dir, `l${i}`))).toBe(target));
        unlinkSync(join(dir, 'l2'));
      });
      assertClean(image);
      const again = new Rig(image);
      for (const i of [0, 1, 3, 4, 5]) again.unlink(`/l${i}`);
      again.close();
      assertClean(image);
    });
  },
);

test('contents that no longer fit on a full disk are refused and stay as they were', () => {
  withImage('-t ext4 -b 1024 -O inline_data', (rig) => {
    rig.make('/small', 'reg');
    rig.write('/small', pattern(100));
    const fill = (): void => {
      rig.make('/fill', 'reg');
      for (let at = 0; ; at += 1 << 20) if (rig.write('/fill', pattern(1 << 20), at) < 1 << 20) break;
    };
    fill();
    expect(() => rig.write('/small', pattern(2000))).toThrow('No space left');
    expect(rig.read('/small')).toEqual(pattern(100));
    expect(() => rig.truncate('/small', 5000)).toThrow('No space left');
  });
});

test('a file that the kernel made larger without storing more is grown, cut and spilt rightly', () => {
  newImage(image, '-t ext4 -b 4096 -O inline_data', '16M');
  withKernelMount(image, { write: true }, (dir) => {
    for (const name of ['grow', 'cut', 'write']) {
      writeFileSync(join(dir, name), 'hello');
      truncateSync(join(dir, name), 9000);
    }
    writeFileSync(join(dir, 'near'), 'hello');
    truncateSync(join(dir, 'near'), 80);
  });
  const rig = new Rig(image);
  rig.truncate('/grow', 20_000);
  rig.truncate('/cut', 3);
  rig.write('/write', pattern(4), 8996);
  rig.write('/near', pattern(4), 76);
  const hello = (size: number): Uint8Array => {
    const data = new Uint8Array(size);
    data.set(Buffer.from('hello').subarray(0, size));
    return data;
  };
  const [write, near] = [hello(9000), hello(80)];
  write.set(pattern(4), 8996);
  near.set(pattern(4), 76);
  rig.close();
  assertClean(image);
  withKernelMount(image, {}, (dir) => {
    expect(readFileSync(join(dir, 'grow')).equals(hello(20_000))).toBe(true);
    expect(readFileSync(join(dir, 'cut')).equals(hello(3))).toBe(true);
    expect(readFileSync(join(dir, 'write')).equals(write)).toBe(true);
    expect(readFileSync(join(dir, 'near')).equals(near)).toBe(true);
  });
});
