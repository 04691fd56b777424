/** An image that has a partitioned image in it, which has another one: made by mke2fs and sfdisk. */
import { mkdirSync, readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { mustRun } from './e2fsprogs.ts';

const SECTOR = 512;
const PARTS = [2048, 18432] as const;

/**
 * In the directory: origin.img with /plain, which is no image, and /boot/vm.img; that as a file of its own, and what is in its two
 * partitions as one.img, with /etc/motd and /deep.img, and two.img, with the label "second".
 */
export function makeNestedImages(dir: string): void {
  const at = (name: string): string => join(dir, name);
  const make = (
    image: string,
    files: Readonly<Record<string, string | Uint8Array>>,
    words: readonly string[],
  ): void => {
    const tree = at(`${image}.d`);
    for (const [name, data] of Object.entries(files)) {
      mkdirSync(dirname(join(tree, name)), { recursive: true });
      writeFileSync(join(tree, name), data);
    }
    mustRun('mke2fs', ['-q', '-F', '-t', 'ext4', '-d', tree, at(image), ...words]);
  };
  make('deep.img', { bottom: 'as deep as it goes\n' }, ['2M']);
  make('one.img', { 'etc/motd': 'hello from within\n', 'deep.img': readFileSync(at('deep.img')) }, ['8M']);
  make('two.img', { 'etc/second': 'two\n' }, ['8M', '-L', 'second']);
  writeFileSync(at('vm.img'), '');
  truncateSync(at('vm.img'), 20 << 20);
  const table = PARTS.map((start) => `start=${start},size=16384\n`).join('');
  mustRun('sfdisk', ['-q', at('vm.img')], { input: `label: gpt\n${table}` });
  const disk = readFileSync(at('vm.img'));
  for (const [n, image] of ['one.img', 'two.img'].entries())
    disk.set(readFileSync(at(image)), (PARTS[n] ?? 0) * SECTOR);
  writeFileSync(at('vm.img'), disk);
  make('origin.img', { plain: 'no image\n', 'boot/vm.img': disk }, ['64M']);
}
