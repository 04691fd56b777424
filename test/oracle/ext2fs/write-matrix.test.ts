/**
 * Every kind of image that we write: seeded operations on it and on a model, e2fsck -fn after each, then every name, byte and
 * attribute as the kernel reads them, and a change by the kernel on top.
 *
 * CI does a few operations on each; UKFS_WRITE_OPS=20 does twenty times as many, UKFS_WRITE_SEED begins elsewhere.
 */
import { mkdirSync, readdirSync, unlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeEach, describe, expect, test } from 'vitest';
import { assertClean, e2fsck } from '../../support/e2fsprogs.ts';
import { withKernelMount } from '../../support/kernel-tree.ts';
import { requireOracle } from '../../support/oracle.ts';
import { Rng } from '../../support/rng.ts';
import { newImage, Rig, scratchDir } from './rig.ts';
import { WriteModel } from './write-model.ts';

const scratch = scratchDir();
const image = join(scratch.path, 'image');
afterAll(() => scratch.remove());
beforeEach(() => {
  requireOracle('mke2fs');
  requireOracle('e2fsck');
});

const factor = Number(process.env['UKFS_WRITE_OPS'] ?? 1);
const firstSeed = Number(process.env['UKFS_WRITE_SEED'] ?? 0);
const LONG = 24 * 3600 * 1000;

interface Row {
  /** For mke2fs. */
  readonly words: string;
  readonly operations: number;
  /** This kernel only reads it, or not even that: e2fsck alone is the judge then. */
  readonly kernel?: 'reads' | 'refuses';
}

const MANY = 120;
const FEW = 40;
const rows: readonly Row[] = [
  // By block size and by the three names.
  { words: '-t ext4 -b 4096', operations: MANY },
  { words: '-t ext4 -b 1024 -O orphan_file,metadata_csum_seed', operations: MANY },
  { words: '-t ext3 -b 1024', operations: MANY },
  { words: '-t ext2 -b 1024 -I 128', operations: MANY },
  { words: '-t ext4 -b 2048', operations: FEW },
  { words: '-t ext3 -b 4096', operations: FEW },
  { words: '-t ext2 -b 4096', operations: FEW },
  { words: '-t ext4 -b 8192', operations: FEW, kernel: 'refuses' },
  { words: '-t ext4 -b 65536 -O ^has_journal', operations: FEW, kernel: 'refuses' },
  // Old forms.
  { words: '-t ext2 -b 1024 -r 0', operations: FEW },
  { words: '-t ext2 -b 1024 -O ^dir_index,^filetype', operations: FEW },
  { words: '-t ext2 -b 1024 -O ^sparse_super,^resize_inode -I 512', operations: FEW },
  { words: '-t ext3 -b 2048 -I 128 -T tea', operations: FEW },
  // Checksums and descriptors.
  { words: '-t ext4 -b 1024 -O ^metadata_csum,uninit_bg', operations: FEW },
  { words: '-t ext4 -b 1024 -O ^metadata_csum,^uninit_bg', operations: FEW },
  { words: '-t ext4 -b 1024 -O ^64bit', operations: FEW },
  // Layouts.
  { words: '-t ext4 -b 1024 -O ^flex_bg,meta_bg,^resize_inode', operations: FEW },
  { words: '-t ext4 -b 1024 -O ^has_journal -E lazy_itable_init=1', operations: FEW },
  { words: '-t ext4 -b 1024 -O sparse_super2', operations: FEW },
  { words: '-t ext4 -b 1024 -g 1024', operations: FEW },
  { words: '-t ext4 -b 1024 -G 2 -E packed_meta_blocks=1 -O ^resize_inode', operations: FEW },
  { words: '-t ext4 -b 1024 -E stride=16,stripe_width=64', operations: FEW },
  // Maps and directories.
  { words: '-t ext4 -b 1024 -O ^extent,^64bit,^huge_file', operations: FEW },
  { words: '-t ext4 -b 1024 -O ^dir_index,^dir_nlink', operations: FEW },
  { words: '-t ext4 -b 1024 -O large_dir -I 512 -T legacy', operations: FEW },
  // Clusters.
  { words: '-t ext4 -b 1024 -O bigalloc -C 8192', operations: MANY },
  { words: '-t ext4 -b 4096 -O bigalloc -C 65536', operations: FEW },
  { words: '-t ext4 -b 2048 -O bigalloc,^has_journal,^metadata_csum,uninit_bg -C 4096', operations: FEW },
  // Data and attributes in inodes.
  { words: '-t ext4 -b 4096 -O inline_data', operations: MANY },
  { words: '-t ext4 -b 1024 -O inline_data -I 1024', operations: FEW },
  { words: '-t ext4 -b 1024 -O inline_data,^extent,^64bit,^metadata_csum -I 512', operations: FEW },
  { words: '-t ext4 -b 1024 -O ea_inode', operations: MANY },
  { words: '-t ext4 -b 1024 -O ea_inode,bigalloc -C 4096 -I 128', operations: FEW },
  // Quotas and projects, which this kernel can read only.
  {
    words: '-t ext4 -b 1024 -O quota,project -E quotatype=usrquota:grpquota:prjquota',
    operations: MANY,
    kernel: 'reads',
  },
  { words: '-t ext4 -b 4096 -O quota,bigalloc,inline_data -C 16384', operations: FEW, kernel: 'reads' },
  { words: '-t ext4 -b 1024 -O ea_inode,quota', operations: FEW, kernel: 'reads' },
  { words: '-t ext3 -b 1024 -O quota', operations: FEW, kernel: 'reads' },
  { words: '-t ext4 -b 1024 -O project', operations: FEW, kernel: 'reads' },
  // Bits that leave ordinary files as they are.
  { words: '-t ext4 -b 1024 -O fast_commit,stable_inodes', operations: FEW },
  { words: '-t ext4 -b 1024 -O verity,encrypt', operations: FEW },
  { words: '-t ext4 -b 1024 -O casefold', operations: FEW, kernel: 'refuses' },
];

test('at least 30 kinds of image are written', () => {
  expect(new Set(rows.map(({ words }) => words)).size).toBeGreaterThanOrEqual(30);
});

describe('seeded operations keep e2fsck content after each of them', () => {
  test.each(rows)('$words', { timeout: LONG }, ({ words, operations, kernel }) => {
    if (kernel !== 'refuses') requireOracle('loop mount');
    requireOracle('getfattr');
    newImage(image, words, '40M');
    const rig = new Rig(image);
    expect(rig.mp.readOnly).toBe(false);
    const model = new WriteModel(rig, new Rng(words.length * 7919 + operations + firstSeed));
    for (let i = 0; i < operations * factor; i++) {
      const what = model.step();
      const { status, output } = e2fsck(image);
      if (status !== 0) throw new Error(`operation ${i}, ${what}: ${output}`);
      if (i % 20 === 19) model.compare();
    }
    rig.remount();
    model.compare();
    rig.close();
    assertClean(image);
    if (kernel !== 'refuses') withKernelMount(image, {}, (dir) => model.compareMounted(dir));
    if (kernel !== undefined) return;
    withKernelMount(image, { write: true }, (dir) => {
      mkdirSync(join(dir, 'kernel'));
      for (let i = 0; i < 30; i++) writeFileSync(join(dir, 'kernel', `file ${i}`), 'k'.repeat(i * 300));
      for (const name of readdirSync(dir)) if (name.startsWith('n1')) removeIfFile(join(dir, name));
    });
    assertClean(image);
  });
});

function removeIfFile(path: string): void {
  try {
    unlinkSync(path);
  } catch (e) {
    // A directory, or a file that must not change.
    if (!(e instanceof Error && 'code' in e && (e.code === 'EISDIR' || e.code === 'EPERM'))) throw e;
  }
}
