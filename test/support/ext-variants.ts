/**
 * The kinds of ext2, ext3 and ext4 images that our reader is judged on: one row each, made by ext-images.ts.
 *
 * Two ways to fill them. `mke2fs -d` knows 32-bit times, no sockets, and makes linear directories (e2fsck -D then builds
 * the hash trees); the kernel writes all that it knows: its own htree, inline data, EA inodes, unwritten extents,
 * nanoseconds. Casefolded and large-block images can only be made by mke2fs here.
 */
import type { TreeOptions } from './sample-tree.ts';

export type Populate = 'mke2fs' | 'kernel';

/** What happens to an image after it has been made and filled. */
export type Step =
  | { readonly tool: 'tune2fs' | 'resize2fs' | 'e2fsck'; readonly args: readonly string[] }
  | { readonly tool: 'debugfs'; readonly commands: readonly string[] }
  | { readonly tool: 'kernel'; readonly into: string; readonly tree?: Partial<TreeOptions> };

export interface ExtVariant {
  readonly name: string;
  /** For mke2fs, besides the block size, the UUIDs and the image. Features are those of `mke2fsConfig` and these. */
  readonly mke2fsArgs: readonly string[];
  readonly blockSize: number;
  readonly sizeBytes: number;
  readonly populate: Populate;
  /** `small`: about 1,800 entries; `full`: about 9,400; and what differs from sample-tree.ts's numbers. */
  readonly size: 'small' | 'full';
  readonly tree?: Partial<TreeOptions>;
  readonly after?: readonly Step[];
  /** Feature names, as dumpe2fs spells them, that the image must have, and must not have. */
  readonly features: readonly string[];
  readonly without?: readonly string[];
  /** This kernel mounts it read-only; read-write. Where it refuses, debugfs is the judge. */
  readonly kernelMounts: boolean;
  readonly kernelWrites: boolean;
  readonly notes: string;
}

const MiB = 1024 * 1024;
const GiB = 1024 * MiB;
const TiB = 1024 * GiB;

/** mke2fs.conf of every variant: features do not depend on the distribution's file. */
export const mke2fsConfig = `
[defaults]
  base_features = sparse_super,large_file,filetype,resize_inode,dir_index,ext_attr
  default_mntopts = acl,user_xattr
  enable_periodic_fsck = 0
  blocksize = 4096
  inode_size = 256
  inode_ratio = 8192
  hash_alg = half_md4
[fs_types]
  ext3 = {
    features = has_journal
  }
  ext4 = {
    features = has_journal,extent,huge_file,flex_bg,metadata_csum,64bit,dir_nlink,extra_isize
  }
  default = {
  }
  tea = {
    hash_alg = tea
  }
  legacy = {
    hash_alg = legacy
  }
`;

/** Build hash trees in the directories that mke2fs left linear. */
const optimize: Step = { tool: 'e2fsck', args: ['-fyD'] };

type Given = Pick<ExtVariant, 'name' | 'mke2fsArgs' | 'notes'> & Partial<ExtVariant>;

/** Block-mapped files end where the triple-indirect block does, and i_blocks at 2^32 sectors. */
const farMapped: Readonly<Record<number, readonly number[]>> = {
  1024: [5_000_000_000, 15_000_000_000],
  2048: [5_000_000_000, 100_000_000_000],
  4096: [5_000_000_000, 2_000_000_000_000],
};
const farExtents: Readonly<Record<number, readonly number[]>> = {
  1024: [5_000_000_000, 2_100_000_000_000],
  2048: [5_000_000_000, 4_300_000_000_000],
  4096: [5_000_000_000, 15_000_000_000_000],
};

function variant(given: Given): ExtVariant {
  const { blockSize = 4096, size = 'small', populate = 'kernel', tree = {} } = given;
  const kernel = populate === 'kernel';
  const isExt4 = given.mke2fsArgs.join(' ').startsWith('-t ext4');
  const extents = isExt4 && !given.mke2fsArgs.some((arg) => arg.includes('^extent'));
  return {
    features: [],
    kernelMounts: true,
    kernelWrites: true,
    sizeBytes: size === 'full' ? 192 * MiB : 64 * MiB,
    ...given,
    blockSize,
    size,
    populate,
    tree: {
      symlinkMax: Math.min(4095, blockSize - 1),
      farOffsets: (extents ? farExtents : farMapped)[blockSize] ?? [],
      age: kernel,
      flags: kernel,
      fallocate: kernel && extents,
      ...tree,
    },
  };
}

const ext2 = (args: readonly string[] = []): readonly string[] => ['-t', 'ext2', ...args];
const ext3 = (args: readonly string[] = []): readonly string[] => ['-t', 'ext3', ...args];
const ext4 = (features?: string, args: readonly string[] = []): readonly string[] => [
  ...['-t', 'ext4'],
  ...(features === undefined ? [] : ['-O', features]),
  ...args,
];

export const extVariants: readonly ExtVariant[] = [
  // ext2: no journal, block maps
  variant({
    name: 'ext2-1k',
    mke2fsArgs: ext2(['-I', '128']),
    blockSize: 1024,
    without: ['has_journal', 'extent'],
    notes: 'the plain old format in 128-byte inodes; hash trees with an index level for long names',
  }),
  variant({ name: 'ext2-2k', mke2fsArgs: ext2(), blockSize: 2048, notes: 'the middle block size' }),
  variant({
    name: 'ext2-4k-mke2fs',
    mke2fsArgs: ext2(),
    size: 'full',
    populate: 'mke2fs',
    notes: 'linear directories of 3,000 entries; double-indirect blocks',
  }),
  variant({
    name: 'ext2-rev0',
    mke2fsArgs: ext2(['-r', '0']),
    blockSize: 1024,
    populate: 'mke2fs',
    tree: { farOffsets: [], xattrs: 'none', acls: false },
    notes: 'revision 0: no features, no inode size, no names in the superblock',
  }),
  variant({
    name: 'ext2-no-filetype',
    mke2fsArgs: ext2(['-O', '^filetype,^dir_index']),
    blockSize: 1024,
    without: ['filetype', 'dir_index'],
    notes: 'records have a 16-bit name length and no type',
  }),
  variant({
    name: 'ext2-no-sparse-super',
    mke2fsArgs: ext2(['-O', '^sparse_super,^resize_inode']),
    blockSize: 1024,
    populate: 'mke2fs',
    without: ['sparse_super'],
    notes: 'a superblock backup in every group',
  }),
  variant({
    name: 'ext2-hurd',
    mke2fsArgs: ext2(['-o', 'hurd']),
    populate: 'mke2fs',
    tree: { xattrs: 'none', acls: false, farOffsets: [] },
    notes: 'made for GNU/Hurd: inode fields of the other system',
  }),
  variant({
    name: 'ext2-large-inode',
    mke2fsArgs: ext2(['-I', '512']),
    blockSize: 1024,
    notes: 'ext2 with the extra inode fields: nanoseconds and xattrs in the inode',
  }),

  // ext3: ext2 with a journal
  variant({
    name: 'ext3-1k',
    mke2fsArgs: ext3(['-T', 'legacy']),
    blockSize: 1024,
    features: ['has_journal'],
    without: ['extent'],
    notes: 'legacy directory hash',
  }),
  variant({
    name: 'ext3-4k',
    mke2fsArgs: ext3(['-T', 'tea']),
    size: 'full',
    features: ['has_journal', 'dir_index'],
    notes: 'TEA directory hash; the large tree on block maps',
  }),
  variant({
    name: 'ext3-1k-mke2fs',
    mke2fsArgs: ext3(),
    blockSize: 1024,
    populate: 'mke2fs',
    after: [optimize],
    notes: 'hash trees as e2fsck -D builds them',
  }),
  variant({
    name: 'ext3-128-byte-inodes',
    mke2fsArgs: ext3(['-I', '128']),
    notes: 'whole seconds that end in 2038; all xattrs in blocks',
  }),
  variant({
    name: 'ext3-upgraded',
    mke2fsArgs: ext3(),
    blockSize: 2048,
    after: [
      { tool: 'tune2fs', args: ['-O', 'extents,uninit_bg,dir_nlink,extra_isize,huge_file,flex_bg'] },
      { tool: 'e2fsck', args: ['-fy'] },
      { tool: 'kernel', into: 'after-upgrade', tree: { copyFiles: 50, bigDirEntries: 0, longNameEntries: 0 } },
    ],
    features: ['extent', 'uninit_bg'],
    notes: 'an ext3 that became ext4: block maps and extents side by side',
  }),

  // ext4: the usual set, by block size and by who filled it
  variant({ name: 'ext4-1k', mke2fsArgs: ext4(), blockSize: 1024, features: ['metadata_csum'], notes: 'deep extents' }),
  variant({ name: 'ext4-2k', mke2fsArgs: ext4(), blockSize: 2048, notes: 'the middle block size' }),
  variant({
    name: 'ext4-4k',
    mke2fsArgs: ext4(),
    size: 'full',
    features: ['has_journal', 'extent', '64bit', 'flex_bg', 'metadata_csum', 'dir_index', 'huge_file', 'extra_isize'],
    notes: 'what people have, filled by the kernel',
  }),
  variant({
    name: 'ext4-4k-mke2fs',
    mke2fsArgs: ext4(),
    size: 'full',
    populate: 'mke2fs',
    after: [optimize],
    notes: 'what people have, filled by mke2fs, directories optimized',
  }),
  variant({ name: 'ext4-linear', mke2fsArgs: ext4(), populate: 'mke2fs', notes: 'dir_index set, linear directories' }),

  // ext4: one feature more or less
  variant({ name: 'ext4-no-64bit', mke2fsArgs: ext4('^64bit'), without: ['64bit'], notes: '32-byte descriptors' }),
  variant({
    name: 'ext4-meta-bg',
    mke2fsArgs: ext4('meta_bg,^resize_inode', ['-g', '512']),
    blockSize: 1024,
    features: ['meta_bg'],
    notes: 'descriptors spread over 128 small groups',
  }),
  variant({
    name: 'ext4-meta-bg-32bit',
    mke2fsArgs: ext4('meta_bg,^resize_inode,^64bit,^flex_bg', ['-g', '512']),
    blockSize: 1024,
    populate: 'mke2fs',
    features: ['meta_bg'],
    without: ['64bit', 'flex_bg'],
    notes: '32-byte descriptors, 32 in a block, spread',
  }),
  variant({
    name: 'ext4-sparse-super2',
    mke2fsArgs: ext4('sparse_super2,^sparse_super,^resize_inode'),
    blockSize: 1024,
    features: ['sparse_super2'],
    without: ['sparse_super'],
    notes: 'two backups, named in the superblock',
  }),
  variant({
    name: 'ext4-no-flex-bg',
    mke2fsArgs: ext4('^flex_bg'),
    blockSize: 1024,
    populate: 'mke2fs',
    without: ['flex_bg'],
    notes: 'bitmaps and tables in their own group',
  }),
  variant({
    name: 'ext4-flex-bg-4',
    mke2fsArgs: ext4(undefined, ['-G', '4']),
    blockSize: 1024,
    populate: 'mke2fs',
    notes: 'flex groups of four',
  }),
  variant({
    name: 'ext4-packed-meta',
    mke2fsArgs: ext4('^resize_inode', ['-E', 'packed_meta_blocks=1']),
    blockSize: 1024,
    notes: 'all bitmaps and tables at the front',
  }),
  variant({
    name: 'ext4-gdt-csum',
    mke2fsArgs: ext4('^metadata_csum,uninit_bg', ['-E', 'lazy_itable_init=1']),
    blockSize: 1024,
    features: ['uninit_bg'],
    without: ['metadata_csum'],
    notes: 'CRC-16 of descriptors; inode tables that were never written',
  }),
  variant({
    name: 'ext4-no-csum',
    mke2fsArgs: ext4('^metadata_csum,^uninit_bg'),
    populate: 'mke2fs',
    without: ['metadata_csum', 'uninit_bg'],
    notes: 'no checksums anywhere',
  }),
  variant({
    name: 'ext4-csum-seed',
    mke2fsArgs: ext4('metadata_csum_seed'),
    populate: 'mke2fs',
    after: [{ tool: 'tune2fs', args: ['-U', '6f1ad3a6-2f4c-4f0e-9df5-4f2c3d6a9b01'] }],
    features: ['metadata_csum_seed'],
    notes: 'the UUID was changed afterwards: checksums hold only with the stored seed',
  }),
  variant({ name: 'ext4-orphan-file', mke2fsArgs: ext4('orphan_file'), features: ['orphan_file'], notes: 'empty one' }),
  variant({
    name: 'ext4-inline-data',
    mke2fsArgs: ext4('inline_data'),
    features: ['inline_data'],
    notes: 'small files, directories and symlinks in the inode, by the kernel',
  }),
  variant({
    name: 'ext4-inline-data-mke2fs',
    mke2fsArgs: ext4('inline_data', ['-I', '1024']),
    blockSize: 1024,
    populate: 'mke2fs',
    features: ['inline_data'],
    notes: 'the same by mke2fs, in inodes as large as a block',
  }),
  variant({
    name: 'ext4-ea-inode',
    mke2fsArgs: ext4('ea_inode'),
    tree: { xattrs: 'large' },
    features: ['ea_inode'],
    notes: 'xattr values up to 64 KiB in inodes of their own, some shared',
  }),
  variant({
    name: 'ext4-ea-inode-inline-1k',
    mke2fsArgs: ext4('ea_inode,inline_data', ['-I', '512']),
    blockSize: 1024,
    tree: { xattrs: 'large' },
    features: ['ea_inode', 'inline_data'],
    notes: 'both, in 1 KiB blocks',
  }),
  variant({
    name: 'ext4-large-dir',
    mke2fsArgs: ext4('large_dir'),
    blockSize: 1024,
    tree: { longNameEntries: 2000 },
    features: ['large_dir'],
    notes: 'hash trees of two levels; three are in the heavy list',
  }),
  variant({
    name: 'ext4-bigalloc-1k',
    mke2fsArgs: ext4('bigalloc', ['-C', '16384']),
    blockSize: 1024,
    sizeBytes: 128 * MiB,
    features: ['bigalloc'],
    notes: 'clusters of 16 blocks',
  }),
  variant({
    name: 'ext4-bigalloc-4k',
    mke2fsArgs: ext4('bigalloc', ['-C', '65536']),
    populate: 'mke2fs',
    sizeBytes: 256 * MiB,
    features: ['bigalloc'],
    notes: 'clusters of 64 KiB',
  }),
  variant({
    name: 'ext4-128-byte-inodes',
    mke2fsArgs: ext4(undefined, ['-I', '128']),
    populate: 'mke2fs',
    notes: 'half of every inode checksum has no room',
  }),
  variant({ name: 'ext4-512-byte-inodes', mke2fsArgs: ext4(undefined, ['-I', '512']), notes: 'room for xattrs' }),
  variant({ name: 'ext4-1024-byte-inodes', mke2fsArgs: ext4(undefined, ['-I', '1024']), notes: 'more room' }),
  variant({
    name: 'ext4-casefold',
    mke2fsArgs: ext4('casefold', ['-E', 'encoding=utf8']),
    populate: 'mke2fs',
    tree: { farOffsets: [] },
    after: [
      // EXT4_CASEFOLD_FL and EXT4_EXTENTS_FL; e2fsck -D then hashes the folded names.
      { tool: 'debugfs', commands: ['set_inode_field /big-dir flags 0x40080000', 'sif /names flags 0x40080000'] },
      optimize,
    ],
    features: ['casefold'],
    kernelMounts: false,
    kernelWrites: false,
    notes: 'two directories are casefolded; kernels without CONFIG_UNICODE refuse the image',
  }),
  variant({
    name: 'ext4-project',
    mke2fsArgs: ext4('project'),
    populate: 'mke2fs',
    features: ['project'],
    kernelWrites: false,
    notes: 'project ids; kernels without quota formats mount it read-only',
  }),
  variant({
    name: 'ext4-quota',
    mke2fsArgs: ext4('quota,project', ['-E', 'quotatype=usrquota:grpquota:prjquota']),
    populate: 'mke2fs',
    after: [{ tool: 'e2fsck', args: ['-fy'] }],
    features: ['quota', 'project'],
    kernelWrites: false,
    notes: 'hidden quota inodes; mke2fs -d counts them wrong, so e2fsck puts that right',
  }),
  variant({
    name: 'ext4-encrypt',
    mke2fsArgs: ext4('encrypt'),
    features: ['encrypt'],
    notes: 'the bit; nothing uses it',
  }),
  variant({
    name: 'ext4-verity',
    mke2fsArgs: ext4('verity'),
    populate: 'mke2fs',
    features: ['verity'],
    notes: 'the bit; nothing uses it',
  }),
  variant({
    name: 'ext4-stable-inodes',
    mke2fsArgs: ext4('stable_inodes'),
    populate: 'mke2fs',
    features: ['stable_inodes'],
    notes: 'inode numbers may not change',
  }),
  variant({
    name: 'ext4-no-huge-file',
    mke2fsArgs: ext4('^huge_file'),
    without: ['huge_file'],
    tree: { farOffsets: farMapped[4096] ?? [] },
    notes: 'i_blocks in sectors, 32 bits',
  }),
  variant({
    name: 'ext4-no-extent',
    mke2fsArgs: ext4('^extent,^64bit'),
    without: ['extent', '64bit'],
    features: ['metadata_csum'],
    notes: 'block maps with metadata checksums',
  }),
  variant({
    name: 'ext4-no-dir-index',
    mke2fsArgs: ext4('^dir_index'),
    without: ['dir_index'],
    notes: 'linear directories with checksum tails',
  }),
  variant({
    name: 'ext4-no-filetype',
    mke2fsArgs: ext4('^filetype'),
    populate: 'mke2fs',
    without: ['filetype'],
    notes: 'an ext4 without types in directories',
  }),
  variant({ name: 'ext4-mmp', mke2fsArgs: ext4('mmp'), features: ['mmp'], notes: 'multiple mount protection block' }),
  variant({
    name: 'ext4-no-resize-inode',
    mke2fsArgs: ext4('^resize_inode'),
    populate: 'mke2fs',
    without: ['resize_inode'],
    notes: 'no reserved descriptor blocks',
  }),
  variant({
    name: 'ext4-stride',
    mke2fsArgs: ext4(undefined, ['-E', 'stride=16,stripe_width=64']),
    blockSize: 1024,
    populate: 'mke2fs',
    notes: 'bitmaps moved about for RAID',
  }),
  variant({
    name: 'ext4-no-journal',
    mke2fsArgs: ext4('^has_journal'),
    without: ['has_journal'],
    notes: 'ext4 as some phones and data centres use it',
  }),
  variant({
    name: 'ext4-fast-commit',
    mke2fsArgs: ext4('fast_commit'),
    features: ['fast_commit'],
    notes: 'clean: the dirty one is in dirty-images.ts',
  }),
  variant({
    name: 'ext4-unsigned-hash',
    mke2fsArgs: ext4(),
    blockSize: 1024,
    populate: 'mke2fs',
    after: [{ tool: 'debugfs', commands: ['set_super_value flags 2'] }, optimize],
    notes: 'directory hashes of unsigned characters, as on ARM: differs for names beyond ASCII',
  }),
  variant({
    name: 'ext4-resized',
    mke2fsArgs: ext4('^64bit'),
    blockSize: 1024,
    sizeBytes: 48 * MiB,
    after: [
      { tool: 'e2fsck', args: ['-f', '-y'] },
      { tool: 'resize2fs', args: ['IMAGE', '100M'] },
      { tool: 'resize2fs', args: ['-b', 'IMAGE'] },
      { tool: 'kernel', into: 'after-resize', tree: { copyFiles: 50, bigDirEntries: 0, longNameEntries: 0 } },
    ],
    features: ['64bit'],
    notes: 'grown and converted to 64bit after it was filled: nothing lies where mke2fs would put it',
  }),
  variant({
    name: 'ext4-8k',
    mke2fsArgs: ext4(),
    blockSize: 8192,
    populate: 'mke2fs',
    sizeBytes: 128 * MiB,
    tree: { farOffsets: [] },
    after: [optimize],
    kernelMounts: false,
    kernelWrites: false,
    notes: 'blocks larger than this kernel’s pages',
  }),
  variant({
    name: 'ext4-64k',
    mke2fsArgs: ext4(),
    blockSize: 65536,
    populate: 'mke2fs',
    sizeBytes: 512 * MiB,
    tree: { farOffsets: [] },
    after: [optimize],
    kernelMounts: false,
    kernelWrites: false,
    notes: 'record length 65,536 does not fit in its 16 bits',
  }),
  variant({
    name: 'ext4-beyond-32-bits',
    mke2fsArgs: ext4('bigalloc,^resize_inode,^has_journal', ['-C', '65536', '-N', '100000']),
    blockSize: 1024,
    sizeBytes: 5 * TiB,
    features: ['64bit', 'bigalloc'],
    notes: 'block numbers above 2^32: the kernel spreads directories over 5 TiB (the file is sparse)',
  }),
];

/** Seconds each, and gigabytes of sparse file: for a run of their own. */
export const heavyExtVariants: readonly ExtVariant[] = [
  variant({
    name: 'ext4-16t',
    mke2fsArgs: ext4('^has_journal', ['-N', '200000', '-E', 'lazy_itable_init=1']),
    sizeBytes: 16_000 * GiB,
    features: ['64bit'],
    notes: '128,000 groups, almost the largest sparse file that ext4 holds',
  }),
  variant({
    name: 'ext4-large-dir-3-levels',
    mke2fsArgs: ext4('large_dir', ['-N', '40000']),
    blockSize: 1024,
    sizeBytes: 256 * MiB,
    tree: { longNameEntries: 60_000 },
    features: ['large_dir'],
    notes: 'a hash tree of three levels, which only large_dir allows',
  }),
];
