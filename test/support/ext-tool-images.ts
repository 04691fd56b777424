/** ext2, ext3 and ext4 images for the tools: the formats that people have, at a size that is made in no time. */
import { truncateSync, writeFileSync } from 'node:fs';
import { extComplaint } from './ext-adapter.ts';
import { mke2fs } from './ext-images.ts';
import type { ToolImage } from './file-systems.ts';

const rows = [
  ['ext2', '-t ext2 -b 1024 -I 256'],
  ['ext3', '-t ext3 -b 2048 -I 256'],
  ['ext4', '-t ext4'],
  ['ext4, inline data, no journal', '-t ext4 -b 1024 -I 512 -O inline_data,^has_journal'],
] as const;

export const extToolImages: readonly ToolImage[] = rows.map(([name, args]) => ({
  name,
  make(path) {
    writeFileSync(path, '');
    truncateSync(path, 48 * 1024 * 1024);
    mke2fs([...args.split(' '), '-N', '8192', path]);
  },
  complaint: extComplaint,
}));
