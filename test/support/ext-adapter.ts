/**
 * ext2, ext3 and ext4 as the conformance suite sees them: images by mke2fs on a disk that was full of 0xA5, mounted
 * through the staging device, committed, and judged by e2fsck -fn.
 */
import { closeSync, existsSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { FileSystemType } from '@ukfs/kernel';
import { ext2fs } from '@ukfs/kernel/fs/ext2fs';
import type { Traits } from '../conformance/suite.ts';
import { bootWith, mounter, MOUNT_POINT, type Variant } from './adapters.ts';
import { assertClean } from './e2fsprogs.ts';
import { mke2fs } from './ext-images.ts';
import { ourComplaint } from './judges.ts';

const MiB = 1024 * 1024;
const IMAGE = '/disk.img';
const DEVICE = '/dev/disk';

export interface ExtRow {
  readonly name: string;
  readonly adapter: 'ext2' | 'ext3' | 'ext4';
  /** For mke2fs: type, block size, features. */
  readonly args: string;
  readonly sizeBytes: number;
  readonly blockSize: number;
  readonly inodeSize?: number;
  /** Bytes that one extended attribute may hold. */
  readonly xattrMaxBytes: number;
  readonly maxFileBytes?: number;
  /** Inodes, where the conformance suite's 3200 are too many. */
  readonly inodes?: number;
  /** Block-mapped files cannot reserve unwritten blocks. */
  readonly extents: boolean;
  /** One variant of each link limit tries it. */
  readonly slowLimits?: boolean;
  readonly readOnlyFor?: string;
  readonly known?: Readonly<Record<string, string>>;
}

/** 12 direct blocks and three levels of 256 pointers, 1 KiB each. */
const MAPPED_1K = (12 + 256 + 256 ** 2 + 256 ** 3) * 1024;
const large = { maxFileBytes: Number.MAX_SAFE_INTEGER };

/** NetBSD's image is 10000 sectors; a 4 KiB journal needs 4 MiB by itself. */
const SMALL = 10_000 * 512;
const MEDIUM = 16 * MiB;

const rows: readonly ExtRow[] = [
  {
    name: 'ext2 1k, 128-byte inodes',
    adapter: 'ext2',
    args: '-t ext2 -b 1024 -I 128',
    sizeBytes: SMALL,
    blockSize: 1024,
    inodeSize: 128,
    xattrMaxBytes: 800,
    maxFileBytes: MAPPED_1K,
    extents: false,

    slowLimits: true,
  },
  {
    name: 'ext2 4k',
    adapter: 'ext2',
    args: '-t ext2 -b 4096',
    sizeBytes: MEDIUM,
    blockSize: 4096,
    xattrMaxBytes: 3000,
    extents: false,
  },
  {
    name: 'ext2 1k without filetype and dir_index',
    adapter: 'ext2',
    args: '-t ext2 -b 1024 -O ^filetype,^dir_index,^sparse_super,^resize_inode',
    sizeBytes: SMALL,
    blockSize: 1024,
    xattrMaxBytes: 800,
    maxFileBytes: MAPPED_1K,
    extents: false,
  },
  {
    name: 'ext3 1k',
    adapter: 'ext3',
    args: '-t ext3 -b 1024',
    sizeBytes: SMALL,
    blockSize: 1024,
    xattrMaxBytes: 800,
    maxFileBytes: MAPPED_1K,
    extents: false,
  },
  {
    name: 'ext3 4k',
    adapter: 'ext3',
    args: '-t ext3 -b 4096',
    sizeBytes: MEDIUM,
    blockSize: 4096,
    xattrMaxBytes: 3000,
    extents: false,
  },
  {
    name: 'ext4 1k',
    adapter: 'ext4',
    args: '-t ext4 -b 1024',
    sizeBytes: SMALL,
    blockSize: 1024,
    xattrMaxBytes: 800,
    extents: true,
  },
  {
    name: 'ext4 4k',
    adapter: 'ext4',
    args: '-t ext4 -b 4096',
    sizeBytes: MEDIUM,
    blockSize: 4096,
    xattrMaxBytes: 3000,
    extents: true,
    slowLimits: true,
  },
  {
    name: 'ext4 4k, inode tables not zeroed',
    adapter: 'ext4',
    args: '-t ext4 -b 4096 -E lazy_itable_init=1',
    sizeBytes: MEDIUM,
    blockSize: 4096,
    xattrMaxBytes: 3000,
    extents: true,
  },
  {
    name: 'ext4 2k without checksums, 64bit and journal',
    adapter: 'ext4',
    args: '-t ext4 -b 2048 -O ^metadata_csum,^64bit,^has_journal,uninit_bg',
    sizeBytes: SMALL,
    blockSize: 2048,
    xattrMaxBytes: 1500,
    extents: true,
  },
  {
    name: 'ext4 4k, inline data',
    adapter: 'ext4',
    args: '-t ext4 -b 4096 -O inline_data',
    sizeBytes: MEDIUM,
    blockSize: 4096,
    xattrMaxBytes: 3000,
    extents: true,
  },
  {
    name: 'ext4 4k, inline data in 1024-byte inodes, large xattrs in inodes',
    adapter: 'ext4',
    args: '-t ext4 -b 4096 -I 1024 -O inline_data,ea_inode,large_dir',
    sizeBytes: MEDIUM,
    blockSize: 4096,
    inodeSize: 1024,
    xattrMaxBytes: 60_000,
    extents: true,
  },
  {
    name: 'ext4 4k, clusters of 16k',
    adapter: 'ext4',
    args: '-t ext4 -b 4096 -O bigalloc -C 16384',
    sizeBytes: 32 * MiB,
    blockSize: 4096,
    xattrMaxBytes: 3000,
    extents: true,
  },
];

function traitsOf(row: ExtRow, type: FileSystemType): Traits {
  const { inodeSize = 256, blockSize, maxFileBytes = large.maxFileBytes } = row;
  return {
    ...type.traits,
    timeGranularityNs: inodeSize === 128 ? 1_000_000_000 : 1,
    symlinkMaxBytes: blockSize - 1,
    linkMax: row.extents ? 65_000 : 32_000,
    persistent: true,
    mounted: true,
    rename: true,
    handles: type.vptofh !== undefined,
    allocate: row.extents,
    punch: true,
    birthtime: inodeSize > 128,
    countsFiles: true,
    capacityBytes: row.sizeBytes,
    manyFiles: 2324,
    maxFileBytes,
    dots: true,
    blockBytes: row.args.includes('bigalloc') ? 16_384 : blockSize,
    readOnlyMount: true,
    slowLimits: row.slowLimits === true,
    xattrMaxBytes: row.xattrMaxBytes,
  };
}

/** A directory in memory where the machine has one: e2fsck then costs milliseconds. */
export function withScratch<T>(use: (dir: string) => T): T {
  const dir = mkdtempSync(join(existsSync('/dev/shm') ? '/dev/shm' : tmpdir(), 'ukfs-conformance-'));
  try {
    return use(dir);
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}

/** The images that tests of the variants begin with, those used last: tests go variant by variant, so mke2fs runs once. */
const pristine = new Map<string, Uint8Array>();
const KEPT = 4;

function image(row: ExtRow): Uint8Array {
  const known = pristine.get(row.name);
  if (known !== undefined) return known;
  const bytes = withScratch((dir) => {
    const path = join(dir, 'image');
    const fd = openSync(path, 'wx', 0o600);
    for (let at = 0; at < row.sizeBytes; at += MiB)
      writeSync(fd, Buffer.alloc(Math.min(MiB, row.sizeBytes - at), 0xa5));
    closeSync(fd);
    const lazy = row.args.includes('lazy_itable_init') ? [] : ['-E', 'lazy_itable_init=0,nodiscard'];
    mke2fs([...row.args.split(' '), ...lazy, '-N', String(row.inodes ?? 3200), path]);
    return new Uint8Array(readFileSync(path));
  });
  for (const name of [...pristine.keys()].slice(0, 1 - KEPT)) pristine.delete(name);
  pristine.set(row.name, bytes);
  return bytes;
}

/** What e2fsck -fn has against an image, or our own check; undefined when it is clean. */
export const extComplaint = (bytes: Uint8Array): string | undefined =>
  withScratch((dir) => {
    const path = join(dir, 'image');
    writeFileSync(path, bytes);
    try {
      assertClean(path);
    } catch (e) {
      return e instanceof Error ? e.message : String(e);
    }
    return ourComplaint(ext2fs, bytes);
  });

export const extVariants = (type: FileSystemType, adapter: ExtRow['adapter']): Variant[] =>
  rows.filter((row) => row.adapter === adapter).map((row) => extVariant(type, row));

export function extVariant(type: FileSystemType, row: ExtRow): Variant {
  return {
    name: row.name,
    adapter: row.adapter,
    traits: traitsOf(row, type),
    known: { ...row.known },
    ...(row.readOnlyFor === undefined ? {} : { readOnlyFor: row.readOnlyFor }),
    async newfs(bytes = image(row)) {
      const { k, host } = await bootWith(type);
      host.put(IMAGE, bytes);
      k.etfs.register(DEVICE, IMAGE, 'BLK', { stage: { write: true } });
      return {
        k,
        host,
        mnt: MOUNT_POINT,
        ...mounter(k, type.name, { from: DEVICE }),
        disk: {
          stage: () => k.etfs.stage(DEVICE),
          bytes: () => host.get(IMAGE),
          complaint: extComplaint,
        },
        check() {
          const stage = k.etfs.stage(DEVICE);
          if (stage.isDirty()) k.commit(stage);
          const complaint = extComplaint(host.get(IMAGE));
          if (complaint !== undefined) throw new Error(complaint);
        },
      };
    },
  };
}
