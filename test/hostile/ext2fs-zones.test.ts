/**
 * File maps that lead to what is no file's: bitmaps, inode tables, superblock, descriptors and their room to grow, the
 * journal. Nobody may write through such a map or free what it names; reading stays possible.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeEach, describe, expect, test } from 'vitest';
import { CorruptError } from '../../packages/kernel/src/kern/errno.ts';
import { newImage, Rig, scratchDir } from '../oracle/ext2fs/rig.ts';
import { debugfs, mustRun } from '../support/e2fsprogs.ts';
import { requireOracle } from '../support/oracle.ts';

const scratch = scratchDir();
const image = join(scratch.path, 'image');
afterAll(() => scratch.remove());
beforeEach(() => requireOracle('mke2fs'));

/** Where the system's blocks are, from dumpe2fs and debugfs. */
function systemBlocks(): Record<string, number> {
  const groups = mustRun('dumpe2fs', [image]);
  const number = (pattern: RegExp): number => Number(pattern.exec(groups)?.[1]);
  const found: Record<string, number> = {
    'block bitmap': number(/Block bitmap at (\d+)/),
    'inode bitmap': number(/Inode bitmap at (\d+)/),
    'inode table': number(/Inode table at (\d+)/),
    descriptors: number(/Group descriptors at (\d+)/),
    'room of the descriptors': number(/Reserved GDT blocks at (\d+)/),
    'backup superblock': number(/Backup superblock at (\d+)/),
  };
  const journal = /\d+/.exec(debugfs(image, ['bmap <8> 100'])[0] ?? '')?.[0];
  if (journal !== undefined && journal !== '0') found['journal'] = Number(journal);
  return found;
}

const ways: Readonly<Record<string, (rig: Rig) => void>> = {
  'a write': (rig) => rig.write('/f', Uint8Array.of(1, 2, 3), 5),
  'a truncation': (rig) => rig.truncate('/f', 0),
  'cutting a block in two': (rig) => rig.truncate('/f', 100),
  'a punched hole': (rig) => rig.on('/f', (vp) => vp.ops.punch(vp, 0, 4096)),
  'a removal': (rig) => rig.unlink('/f'),
  'a name in it': (rig) => rig.make('/d/x', 'reg'),
};

describe.each([
  ['-t ext4 -b 1024', 5],
  ['-t ext4 -b 1024 -O bigalloc -C 8192', 5],
  ['-t ext3 -b 1024', 0],
  ['-t ext4 -b 1024 -O ^flex_bg,^metadata_csum,uninit_bg', 5],
] as const)('%s', (words, pointer) => {
  test('a map into the file system itself is damage for every change, and nothing is written', () => {
    newImage(image, words, '12M');
    const first = new Rig(image);
    first.make('/f', 'reg');
    first.write('/f', new Uint8Array(4096).fill(7));
    first.make('/d', 'dir');
    first.close();
    const places = Object.entries(systemBlocks()).filter(([, block]) => !Number.isNaN(block));
    expect(places.length).toBeGreaterThanOrEqual(6);
    const clean = readFileSync(image);
    for (const [place, block] of places) {
      debugfs(image, [`set_inode_field /f block[${pointer}] ${block}`], { write: true });
      debugfs(image, [`set_inode_field /d block[${pointer}] ${block}`], { write: true });
      const before = readFileSync(image);
      expect(before.equals(clean)).toBe(false);
      for (const [way, change] of Object.entries(ways)) {
        const rig = new Rig(image);
        let problem: unknown;
        try {
          change(rig);
        } catch (e) {
          problem = e;
        }
        rig.device.close();
        expect(problem, `${way}, ${place}`).toBeInstanceOf(CorruptError);
        expect(readFileSync(image).equals(before), `${way}, ${place}: unchanged`).toBe(true);
      }
    }
  });
});
