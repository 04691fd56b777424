/** File systems to make: what mke2fs is told, and the same in our words. Sizes in MiB. */
export interface MkfsCase {
  readonly type: 'ext2' | 'ext3' | 'ext4';
  readonly mib: number;
  readonly args: readonly string[];
  readonly words: Readonly<Record<string, string>>;
  /** Not one of the names of hosts and times that mke2fs writes, but bytes that it leaves from making something else. */
  readonly leavings?: string;
}

const LETTERS: Readonly<Record<string, string>> = {
  '-b': 'block_size',
  '-C': 'cluster_size',
  '-G': 'flex_groups',
  '-I': 'inode_size',
  '-L': 'label',
  '-M': 'last_mounted',
  '-N': 'inodes',
  '-O': 'features',
  '-T': 'usage',
  '-e': 'errors',
  '-g': 'blocks_per_group',
  '-i': 'bytes_per_inode',
  '-m': 'reserved',
  '-r': 'revision',
};

function one(type: MkfsCase['type'], mib: number, line = '', leavings?: string): MkfsCase {
  const args = line.split(' ').filter((word) => word !== '');
  const words: Record<string, string> = {};
  for (let i = 0; i < args.length; i += 2) {
    const [option = '', value = ''] = args.slice(i, i + 2);
    const letter = LETTERS[option];
    if (letter !== undefined) words[letter] = value;
    else {
      for (const pair of value.split(',')) {
        const [key = '', text = ''] = pair.split('=');
        words[option === '-J' && key === 'size' ? 'journal_size' : key] = text;
      }
    }
  }
  return { type, mib, args, words, ...(leavings === undefined ? {} : { leavings }) };
}

export const mkfsCases: readonly MkfsCase[] = [
  // Types and sizes: each usage, one group and many, a last group that is too short.
  one('ext2', 1),
  one('ext2', 20),
  one('ext3', 20),
  one('ext4', 1),
  one('ext4', 4),
  one('ext4', 8.03125),
  one('ext4', 64),
  one('ext4', 139),
  one('ext4', 600),
  one('ext4', 2200),
  one('ext3', 1024),
  one('ext4', 200 * 1024),
  one('ext4', 5 * 1024 * 1024),
  one('ext3', 3 * 1024 * 1024),
  // Blocks, groups, inodes.
  one('ext4', 300, '-b 1024'),
  one('ext4', 100, '-b 65536'),
  one('ext4', 1000, '-b 8192'),
  one('ext3', 700, '-b 1024'),
  one('ext4', 40, '-G 2'),
  one('ext4', 4, '-G 64 -N 100'),
  one('ext4', 100, '-g 4096'),
  one('ext4', 100, '-N 200000'),
  one('ext4', 100, '-i 1024'),
  one('ext4', 100, '-T news'),
  one('ext4', 100, '-T largefile'),
  one('ext2', 100, '-I 128 -L hello -m 1.5 -M /mnt/x -e panic'),
  one('ext2', 100, '-r 0 -O none'),
  // Features.
  one('ext4', 100, '-O ^flex_bg'),
  one('ext4', 100, '-O ^flex_bg -E stride=16,stripe_width=64'),
  one('ext4', 100, '-b 2048 -O ^resize_inode,meta_bg'),
  one('ext4', 2200, '-b 1024 -O ^resize_inode,meta_bg'),
  one('ext4', 100, '-O bigalloc'),
  one('ext4', 700, '-O bigalloc -C 32768'),
  one('ext4', 100, '-O bigalloc,^flex_bg -b 1024 -C 16384'),
  one('ext4', 100, '-O sparse_super2'),
  one('ext4', 100, '-O sparse_super2,^resize_inode -E num_backup_sb=1'),
  one('ext4', 100, '-O sparse_super2,^resize_inode -E num_backup_sb=0'),
  one('ext2', 1024, '-O ^sparse_super,^resize_inode'),
  one('ext4', 100, '-O uninit_bg,^metadata_csum,^64bit'),
  one('ext4', 100, '-O ^has_journal,^extent,^64bit'),
  one('ext4', 500, '-E resize=1000000'),
  one('ext4', 100, '-E packed_meta_blocks=1'),
  one('ext4', 100, '-O metadata_csum_seed,large_dir,ea_inode,stable_inodes,verity,encrypt'),
  one('ext4', 32, '-O casefold -E encoding=utf8,encoding_flags=strict'),
  one('ext4', 32, '-O inline_data', 'of directories that were inline'),
  one('ext4', 32, '-O quota,project'),
  one('ext4', 600, '-O quota'),
  one('ext4', 32, '-O quota -E quotatype=usrquota'),
  one('ext3', 100, '-J size=8'),
  one('ext4', 100, '-O fast_commit -J size=8'),
  one('ext4', 32, '-O orphan_file,mmp,fast_commit', 'names of a host and a device'),
  one('ext4', 200 * 1024, '-O orphan_file -J size=4096'),
  one('ext2', 100, '-E root_owner=1000:100'),
  one('ext4', 32, '-O quota -E root_owner=1000:100', 'in the order in which a quota file came to be'),
];
