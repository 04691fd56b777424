/**
 * Feature by feature and size by size: ext2, ext3 and ext4 as mke2fs makes them, more than the conformance suite has time
 * for. A row is mke2fs's words; what follows from them for the tests is worked out here.
 */
import type { FileSystemType } from '@ukfs/kernel';
import type { Variant } from './adapters.ts';
import { extVariant, type ExtRow } from './ext-adapter.ts';

const MiB = 1024 * 1024;

const words: readonly string[] = [
  // The plain ones, by block size
  '-t ext2 -b 1024 -I 128',
  '-t ext2 -b 2048',
  '-t ext2 -b 4096',
  '-t ext3 -b 1024',
  '-t ext3 -b 2048 -I 128',
  '-t ext3 -b 4096',
  '-t ext4 -b 1024',
  '-t ext4 -b 2048',
  '-t ext4 -b 4096',
  // One feature more or less
  '-t ext2 -b 1024 -r 0',
  '-t ext2 -b 1024 -O ^dir_index,^filetype',
  '-t ext2 -b 1024 -I 512',
  '-t ext2 -b 1024 -O ^sparse_super,^resize_inode',
  '-t ext3 -b 1024 -T legacy',
  '-t ext3 -b 1024 -T tea',
  '-t ext4 -b 1024 -O orphan_file,metadata_csum_seed',
  '-t ext4 -b 1024 -O ^metadata_csum,uninit_bg',
  '-t ext4 -b 1024 -O ^metadata_csum,^uninit_bg',
  '-t ext4 -b 1024 -O ^64bit',
  '-t ext4 -b 1024 -O ^flex_bg,meta_bg,^resize_inode -g 1024',
  '-t ext4 -b 1024 -O ^has_journal -E lazy_itable_init=1',
  '-t ext4 -b 1024 -O sparse_super2,^sparse_super,^resize_inode',
  '-t ext4 -b 1024 -g 1024',
  '-t ext4 -b 1024 -G 4 -g 512',
  '-t ext4 -b 1024 -O ^resize_inode -E packed_meta_blocks=1',
  '-t ext4 -b 1024 -O large_dir,project -I 512',
  '-t ext4 -b 4096 -I 128',
  '-t ext4 -b 4096 -I 1024',
  '-t ext4 -b 4096 -O ^extent,^64bit',
  '-t ext4 -b 4096 -O ^dir_index',
  '-t ext4 -b 4096 -O ^filetype',
  '-t ext4 -b 4096 -O ^huge_file,^dir_nlink,^extra_isize',
  '-t ext4 -b 4096 -O mmp',
  '-t ext4 -b 4096 -O stable_inodes',
  '-t ext4 -b 4096 -O inline_data',
  '-t ext4 -b 1024 -I 1024 -O inline_data,^metadata_csum',
  '-t ext4 -b 1024 -O inline_data,^extent,^64bit,^metadata_csum -I 512',
  '-t ext4 -b 1024 -O bigalloc -C 8192',
  '-t ext4 -b 4096 -O bigalloc -C 65536',
  '-t ext4 -b 2048 -O bigalloc,^has_journal,^metadata_csum,uninit_bg -C 4096',
  '-t ext4 -b 4096 -O ea_inode',
  '-t ext4 -b 1024 -O ea_inode,inline_data',
  '-t ext4 -b 4096 -O quota',
  '-t ext4 -b 4096 -O quota,project',
  '-t ext4 -b 4096 -O casefold -E encoding=utf8',
  '-t ext4 -b 4096 -O verity',
  '-t ext4 -b 4096 -O encrypt',
];

/** 12 direct blocks and three levels of pointers, 4 bytes each; i_blocks ends at 2^32 sectors. */
function mappedBytes(blockSize: number): number {
  const pointers = blockSize / 4;
  return Math.min((12 + pointers + pointers ** 2 + pointers ** 3) * blockSize, 2 ** 41);
}

function rowOf(text: string): ExtRow {
  const adapter = (['ext2', 'ext3', 'ext4'] as const).find((name) => text.startsWith(`-t ${name} `));
  if (adapter === undefined) throw new Error(`no type in "${text}"`);
  const number = (option: string): number | undefined => {
    const match = new RegExp(` -${option} (\\d+)`).exec(text)?.[1];
    return match === undefined ? undefined : Number(match);
  };
  const blockSize = number('b') ?? 4096;
  const isRevision0 = number('r') === 0;
  const extents = adapter === 'ext4' && !text.includes('^extent,');
  const small = blockSize === 1024 && !text.includes('bigalloc');
  return {
    name: text.slice('-t '.length),
    adapter,
    args: text,
    sizeBytes: small ? 6 * MiB : 10 * MiB,
    inodes: 1000,
    blockSize,
    inodeSize: isRevision0 ? 128 : (number('I') ?? 256),
    xattrMaxBytes: isRevision0 ? 0 : Math.floor(blockSize * 0.7),
    extents,
    maxFileBytes: isRevision0 ? 0x7fff_ffff : extents ? 2 ** 43 : mappedBytes(blockSize),
  };
}

export const extMatrix = (type: FileSystemType): Variant[] =>
  words.map(rowOf).map((row) => {
    const variant = extVariant(type, row);
    return row.xattrMaxBytes > 0 ? variant : { ...variant, traits: { ...variant.traits, xattr: false } };
  });
