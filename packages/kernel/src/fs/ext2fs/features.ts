/**
 * The feature bits of the superblock: what each is called, and what we do with it.
 *
 * `read: false` refuses the mount, a reason in `write` makes it read-only. Names are those of mke2fs and blkid.
 * Source: Linux Documentation/filesystems/ext4 "Super Block"; ext4(5) for the names.
 */
export const COMPAT = {
  DIR_PREALLOC: 0x1,
  IMAGIC_INODES: 0x2,
  HAS_JOURNAL: 0x4,
  EXT_ATTR: 0x8,
  RESIZE_INODE: 0x10,
  DIR_INDEX: 0x20,
  LAZY_BG: 0x40,
  EXCLUDE_INODE: 0x80,
  EXCLUDE_BITMAP: 0x100,
  SPARSE_SUPER2: 0x200,
  FAST_COMMIT: 0x400,
  STABLE_INODES: 0x800,
  ORPHAN_FILE: 0x1000,
} as const;

export const INCOMPAT = {
  COMPRESSION: 0x1,
  FILETYPE: 0x2,
  RECOVER: 0x4,
  JOURNAL_DEV: 0x8,
  META_BG: 0x10,
  EXTENTS: 0x40,
  BIT64: 0x80,
  MMP: 0x100,
  FLEX_BG: 0x200,
  EA_INODE: 0x400,
  DIRDATA: 0x1000,
  CSUM_SEED: 0x2000,
  LARGEDIR: 0x4000,
  INLINE_DATA: 0x8000,
  ENCRYPT: 0x10000,
  CASEFOLD: 0x20000,
} as const;

export const RO_COMPAT = {
  SPARSE_SUPER: 0x1,
  LARGE_FILE: 0x2,
  BTREE_DIR: 0x4,
  HUGE_FILE: 0x8,
  GDT_CSUM: 0x10,
  DIR_NLINK: 0x20,
  EXTRA_ISIZE: 0x40,
  HAS_SNAPSHOT: 0x80,
  QUOTA: 0x100,
  BIGALLOC: 0x200,
  METADATA_CSUM: 0x400,
  REPLICA: 0x800,
  READONLY: 0x1000,
  PROJECT: 0x2000,
  SHARED_BLOCKS: 0x4000,
  VERITY: 0x8000,
  ORPHAN_PRESENT: 0x10000,
} as const;

export type FeatureSet = 'compat' | 'incompat' | 'roCompat';

interface Feature {
  readonly name: string;
  readonly set: FeatureSet;
  readonly bit: number;
  /** false: the mount is refused. */
  readonly read: boolean;
  /** true, or why the mount is read-only. */
  readonly write: true | string;
}

const row = (set: FeatureSet, bit: number, name: string, write: true | string = true, read = true): Feature => ({
  name,
  set,
  bit,
  read,
  write,
});

export const FEATURES: readonly Feature[] = [
  row('compat', COMPAT.DIR_PREALLOC, 'dir_prealloc'),
  row('compat', COMPAT.IMAGIC_INODES, 'imagic_inodes'),
  row('compat', COMPAT.HAS_JOURNAL, 'has_journal'),
  row('compat', COMPAT.EXT_ATTR, 'ext_attr'),
  row('compat', COMPAT.RESIZE_INODE, 'resize_inode'),
  row('compat', COMPAT.DIR_INDEX, 'dir_index'),
  row('compat', COMPAT.LAZY_BG, 'lazy_bg'),
  row('compat', COMPAT.EXCLUDE_INODE, 'exclude_inode'),
  row('compat', COMPAT.EXCLUDE_BITMAP, 'exclude_bitmap'),
  row('compat', COMPAT.SPARSE_SUPER2, 'sparse_super2'),
  row('compat', COMPAT.FAST_COMMIT, 'fast_commit'),
  row('compat', COMPAT.STABLE_INODES, 'stable_inodes'),
  row('compat', COMPAT.ORPHAN_FILE, 'orphan_file'),

  row('incompat', INCOMPAT.COMPRESSION, 'compression', 'compressed files were never part of Linux', false),
  row('incompat', INCOMPAT.FILETYPE, 'filetype'),
  row('incompat', INCOMPAT.RECOVER, 'needs_recovery'),
  row('incompat', INCOMPAT.JOURNAL_DEV, 'journal_dev', 'this is an external journal, not a file system', false),
  row('incompat', INCOMPAT.META_BG, 'meta_bg'),
  row('incompat', INCOMPAT.EXTENTS, 'extent'),
  row('incompat', INCOMPAT.BIT64, '64bit'),
  row('incompat', INCOMPAT.MMP, 'mmp'),
  row('incompat', INCOMPAT.FLEX_BG, 'flex_bg'),
  row('incompat', INCOMPAT.EA_INODE, 'ea_inode'),
  row('incompat', INCOMPAT.DIRDATA, 'dirdata', 'data in directory entries is not part of Linux', false),
  row('incompat', INCOMPAT.CSUM_SEED, 'metadata_csum_seed'),
  row('incompat', INCOMPAT.LARGEDIR, 'large_dir'),
  row('incompat', INCOMPAT.INLINE_DATA, 'inline_data'),
  row('incompat', INCOMPAT.ENCRYPT, 'encrypt'),
  row('incompat', INCOMPAT.CASEFOLD, 'casefold'),

  row('roCompat', RO_COMPAT.SPARSE_SUPER, 'sparse_super'),
  row('roCompat', RO_COMPAT.LARGE_FILE, 'large_file'),
  row('roCompat', RO_COMPAT.BTREE_DIR, 'btree_dir', 'never part of Linux'),
  row('roCompat', RO_COMPAT.HUGE_FILE, 'huge_file'),
  row('roCompat', RO_COMPAT.GDT_CSUM, 'uninit_bg'),
  row('roCompat', RO_COMPAT.DIR_NLINK, 'dir_nlink'),
  row('roCompat', RO_COMPAT.EXTRA_ISIZE, 'extra_isize'),
  row('roCompat', RO_COMPAT.HAS_SNAPSHOT, 'has_snapshot', 'a snapshot shares its blocks'),
  row('roCompat', RO_COMPAT.QUOTA, 'quota'),
  row('roCompat', RO_COMPAT.BIGALLOC, 'bigalloc'),
  row('roCompat', RO_COMPAT.METADATA_CSUM, 'metadata_csum'),
  row('roCompat', RO_COMPAT.REPLICA, 'replica', 'never part of Linux'),
  row('roCompat', RO_COMPAT.READONLY, 'read-only', 'the image asks never to be written'),
  row('roCompat', RO_COMPAT.PROJECT, 'project'),
  row('roCompat', RO_COMPAT.SHARED_BLOCKS, 'shared_blocks', 'files share blocks'),
  row('roCompat', RO_COMPAT.VERITY, 'verity'),
  row('roCompat', RO_COMPAT.ORPHAN_PRESENT, 'orphan_present'),
];
