/** Small ext2, ext3 and ext4 disks for the crash and fault harnesses; mke2fs makes them on a disk that was full of 0xA5. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { FileSystemType } from '@ukfs/kernel';
import { STATE, Superblock, SUPERBLOCK_OFFSET } from '../../packages/kernel/src/fs/ext2fs/format.ts';
import type { Disk } from './adapters.ts';
import { extComplaint, withScratch } from './ext-adapter.ts';
import { mke2fs } from './ext-images.ts';

const MiB = 1024 * 1024;

interface Row {
  readonly name: string;
  readonly args: string;
  readonly sizeBytes: number;
  readonly percent?: number;
}

const rows: readonly Row[] = [
  { name: 'ext2 1k', args: '-t ext2 -b 1024 -N 192', sizeBytes: 2 * MiB },
  { name: 'ext3 1k', args: '-t ext3 -b 1024 -N 192', sizeBytes: 3 * MiB },
  { name: 'ext4 1k', args: '-t ext4 -b 1024 -N 192', sizeBytes: 3 * MiB },
  { name: 'ext4 4k', args: '-t ext4 -b 4096 -N 192 -J size=4', sizeBytes: 6 * MiB },
  { name: 'ext4 1k, 95 % full', args: '-t ext4 -b 1024 -N 192', sizeBytes: 3 * MiB, percent: 95 },
  {
    name: 'ext4 2k, no journal, no checksums',
    args: '-t ext4 -b 2048 -N 192 -O ^has_journal,^metadata_csum,^64bit,uninit_bg',
    sizeBytes: 3 * MiB,
  },
  {
    name: 'ext4 1k, inline data, orphan file',
    args: '-t ext4 -b 1024 -I 512 -N 192 -O inline_data,orphan_file',
    sizeBytes: 3 * MiB,
  },
  {
    name: 'ext4 1k, clusters of 4k',
    args: '-t ext4 -b 1024 -N 192 -O bigalloc,^has_journal -C 4096',
    sizeBytes: 4 * MiB,
  },
];

export const extDisks = (type: FileSystemType): Disk[] =>
  rows.map(({ name, args, sizeBytes, percent }) => ({
    name,
    type,
    ...(percent === undefined ? {} : { percent }),
    make: () =>
      withScratch((dir) => {
        const path = join(dir, 'made.img');
        writeFileSync(path, new Uint8Array(sizeBytes).fill(0xa5));
        mke2fs([...args.split(' '), '-E', 'lazy_itable_init=0,nodiscard', path]);
        return new Uint8Array(readFileSync(path));
      }),
    complaint: extComplaint,
    looksClean: (image) =>
      image.length >= SUPERBLOCK_OFFSET + Superblock.size &&
      (Superblock.at(image, SUPERBLOCK_OFFSET).state & STATE.VALID) !== 0,
  }));
