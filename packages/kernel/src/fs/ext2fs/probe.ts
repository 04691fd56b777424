/** Is it ext2, ext3 or ext4? By the superblock's magic and a few numbers that cannot be otherwise. */
import type { FileSystemModule } from '../../vfs/vfsops.ts';
import { EXT2_MAGIC, SUPERBLOCK_OFFSET, SUPERBLOCK_SIZE, Superblock } from './format.ts';
import { textField, uuidText, variantOf } from './variant.ts';

const MAX_LOG_BLOCK_SIZE = 6;

export const ext2fsModule: FileSystemModule = {
  name: 'ext2fs',
  aliases: ['ext2', 'ext3', 'ext4'],
  probe(read) {
    const raw = read(SUPERBLOCK_OFFSET, SUPERBLOCK_SIZE);
    if (raw.length < SUPERBLOCK_SIZE) return undefined;
    const sb = Superblock.at(raw, 0);
    if (sb.magic !== EXT2_MAGIC || sb.logBlockSize > MAX_LOG_BLOCK_SIZE) return undefined;
    const variant = variantOf(sb);
    const label = textField(sb.volumeName);
    return {
      description: variant === 'jbd' ? 'external journal of an ext3 or ext4 file system' : `${variant} file system`,
      // Two bytes of magic are little: what counts nothing is only maybe one.
      certainty: variant === 'jbd' || (sb.blocksPerGroup > 0 && sb.inodesPerGroup > 0) ? 'yes' : 'maybe',
      ...(label === '' ? {} : { label }),
      uuid: uuidText(sb.uuid),
    };
  },
  load: () => import('./index.ts').then((module) => module.ext2fs),
};
