/**
 * What a new file system is like when nobody says otherwise: features by type, block and inode sizes by use.
 *
 * The values are those that mke2fs 1.47.0 has in Debian's /etc/mke2fs.conf, so that an image made here is one that people
 * know; ext4(5) and mke2fs.conf(5) describe them.
 */
import { FsError } from '../../../kern/errno.ts';
import { COMPAT, FEATURES, INCOMPAT, RO_COMPAT, type FeatureSet } from '../features.ts';

/** The three words of feature bits. */
export type FeatureBits = Readonly<Record<FeatureSet, number>>;

/** What a use of the disk changes (mke2fs -T). */
interface Usage {
  readonly blockSize?: number;
  /** Bytes of disk for each inode. */
  readonly inodeRatio?: number;
}

export const USAGES: Readonly<Record<string, Usage>> = {
  floppy: { blockSize: 1024, inodeRatio: 8192 },
  small: { blockSize: 1024, inodeRatio: 4096 },
  default: {},
  big: { inodeRatio: 32768 },
  huge: { inodeRatio: 65536 },
  news: { inodeRatio: 4096 },
  largefile: { inodeRatio: 1048576, blockSize: 4096 },
  largefile4: { inodeRatio: 4194304, blockSize: 4096 },
};

export const DEFAULT_BLOCK_SIZE = 4096;
export const DEFAULT_INODE_RATIO = 16384;
export const DEFAULT_INODE_SIZE = 256;
export const DEFAULT_RESERVED_PERCENT = 5;
export const DEFAULT_FLEX_GROUPS = 16;
/** Blocks per cluster with bigalloc. */
export const DEFAULT_CLUSTER_BLOCKS = 16;
/** Seconds between updates of the multi-mount block. */
export const DEFAULT_MMP_INTERVAL = 5;

const MIB = 1024 * 1024;

/** The use that a size suggests. */
export function usageOfSize(sizeBytes: number): string {
  if (sizeBytes < 3 * MIB) return 'floppy';
  if (sizeBytes < 512 * MIB) return 'small';
  if (sizeBytes < 4 * MIB * MIB) return 'default';
  return sizeBytes < 16 * MIB * MIB ? 'big' : 'huge';
}

const BASE = ['sparse_super', 'large_file', 'filetype', 'resize_inode', 'dir_index', 'ext_attr'];
const OF_TYPE = {
  ext2: [],
  ext3: ['has_journal'],
  ext4: ['has_journal', 'extent', 'huge_file', 'flex_bg', 'metadata_csum', '64bit', 'dir_nlink', 'extra_isize'],
} as const;
export type Ext2Type = keyof typeof OF_TYPE;

export const NO_FEATURES: FeatureBits = { compat: 0, incompat: 0, roCompat: 0 };

export const defaultFeatures = (type: Ext2Type): FeatureBits =>
  [...BASE, ...OF_TYPE[type]].reduce((bits, name) => withFeature(bits, name, true), NO_FEATURES);

/** Other spellings that mke2fs takes. */
const ALIASES: Readonly<Record<string, string>> = {
  extents: 'extent',
  largedir: 'large_dir',
  gdt_csum: 'uninit_bg',
  filetypes: 'filetype',
  sparse_super_2: 'sparse_super2',
};

/** Bits that a new file system may have; the others of the table are states, or were never Linux's. */
const MAKEABLE: FeatureBits = {
  compat:
    COMPAT.DIR_PREALLOC |
    COMPAT.HAS_JOURNAL |
    COMPAT.EXT_ATTR |
    COMPAT.RESIZE_INODE |
    COMPAT.DIR_INDEX |
    COMPAT.SPARSE_SUPER2 |
    COMPAT.FAST_COMMIT |
    COMPAT.STABLE_INODES |
    COMPAT.ORPHAN_FILE,
  incompat:
    INCOMPAT.FILETYPE |
    INCOMPAT.META_BG |
    INCOMPAT.EXTENTS |
    INCOMPAT.BIT64 |
    INCOMPAT.MMP |
    INCOMPAT.FLEX_BG |
    INCOMPAT.EA_INODE |
    INCOMPAT.CSUM_SEED |
    INCOMPAT.LARGEDIR |
    INCOMPAT.INLINE_DATA |
    INCOMPAT.ENCRYPT |
    INCOMPAT.CASEFOLD,
  roCompat:
    RO_COMPAT.SPARSE_SUPER |
    RO_COMPAT.LARGE_FILE |
    RO_COMPAT.HUGE_FILE |
    RO_COMPAT.GDT_CSUM |
    RO_COMPAT.DIR_NLINK |
    RO_COMPAT.EXTRA_ISIZE |
    RO_COMPAT.QUOTA |
    RO_COMPAT.BIGALLOC |
    RO_COMPAT.METADATA_CSUM |
    RO_COMPAT.PROJECT |
    RO_COMPAT.VERITY,
};

function withFeature(bits: FeatureBits, word: string, on: boolean): FeatureBits {
  const name = ALIASES[word] ?? word;
  const found = FEATURES.find((f) => f.name === name && (MAKEABLE[f.set] & f.bit) >>> 0 !== 0);
  if (found === undefined) throw new FsError('EINVAL', { op: 'mkfs', what: `features: '${word}' cannot be made` });
  const word32 = on ? bits[found.set] | found.bit : bits[found.set] & ~found.bit;
  return { ...bits, [found.set]: word32 >>> 0 };
}

/** Apply a list like `extent,^has_journal`; `none` takes all away. EINVAL. */
export function editFeatures(bits: FeatureBits, list: string): FeatureBits {
  let edited = bits;
  for (const word of list.split(/[ ,]+/).filter((w) => w !== '')) {
    if (word === 'none') edited = NO_FEATURES;
    else edited = /^[-^]/.test(word) ? withFeature(edited, word.slice(1), false) : withFeature(edited, word, true);
  }
  return edited;
}
