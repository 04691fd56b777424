/**
 * What images are, as the tools that make them and libblkid's own collection have it.
 *
 * Tools that are not installed are left out: the table is data, and each row of it stands alone. UKFS_CORPORA names a
 * folder with util-linux' tests/ts/blkid/images-fs and -pt (xz-compressed) in it; without it those tests are left out.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { inspect, open } from 'ukfs';
import { corpora } from '../../support/corpora.ts';
import { requireOracle } from '../../support/oracle.ts';

let dir = '';
beforeAll(() => void (dir = mkdtempSync(join(tmpdir(), 'ukfs-recognise-'))));
afterAll(() => rmSync(dir, { recursive: true, force: true }));

const path = process.env['PATH'] ?? '';
const env = { ...process.env, PATH: `${path}:/usr/sbin:/sbin` };
const has = (tool: string): boolean => spawnSync('which', [tool], { env }).status === 0;

/** [tool, its arguments (IMAGE is the image, FILE a file of text), size in MiB or 0 for none, what it makes] */
const makers: readonly (readonly [string, readonly string[], number, RegExp])[] = [
  ['mkfs.vfat', ['-F', '12', '-n', 'TINY', 'IMAGE'], 1, /^FAT12 file system "TINY"/],
  ['mkfs.vfat', ['-F', '16', '-n', 'SMALL', 'IMAGE'], 16, /^FAT16 file system "SMALL"/],
  ['mkfs.vfat', ['-F', '32', '-n', 'LARGE', 'IMAGE'], 64, /^FAT32 file system "LARGE"/],
  ['mkfs.vfat', ['-F', '32', '-S', '4096', 'IMAGE'], 300, /^FAT32 file system ""/],
  ['mkfs.exfat', ['IMAGE'], 16, /^exFAT file system/],
  ['mkfs.ntfs', ['-F', '-Q', 'IMAGE'], 16, /^NTFS file system/],
  ['mkfs.btrfs', ['-L', 'butter', 'IMAGE'], 128, /^btrfs file system "butter"/],
  ['mkfs.xfs', ['-L', 'fast', 'IMAGE'], 320, /^XFS file system "fast"/],
  ['mkfs.f2fs', ['IMAGE'], 128, /^F2FS file system/],
  ['mkfs.nilfs2', ['-L', 'log', 'IMAGE'], 140, /^NILFS2 file system "log"/],
  ['mkfs.jfs', ['-q', '-L', 'old', 'IMAGE'], 32, /^JFS file system "old"/],
  ['mkreiserfs', ['-q', '-f', '-f', '-l', 'tails', 'IMAGE'], 64, /^ReiserFS file system "tails"/],
  ['mkfs.minix', ['-1', 'IMAGE'], 4, /^Minix v1 file system/],
  ['mkfs.minix', ['-2', 'IMAGE'], 4, /^Minix v2 file system/],
  ['mkfs.minix', ['-3', 'IMAGE'], 4, /^Minix v3 file system/],
  ['mkfs.cramfs', ['-n', 'cram', 'DIR', 'IMAGE'], 0, /^cramfs file system "cram"/],
  ['mkswap', ['-L', 'pages', 'IMAGE'], 1, /^Linux swap area "pages"/],
  ['mksquashfs', ['DIR', 'IMAGE', '-quiet', '-noappend'], 0, /^squashfs file system/],
  ['mkfs.erofs', ['IMAGE', 'DIR'], 0, /^EROFS file system/],
  ['genromfs', ['-f', 'IMAGE', '-d', 'DIR', '-V', 'rom'], 0, /^romfs file system "rom"/],
  [
    'xorriso',
    ['-as', 'mkisofs', '-quiet', '-V', 'DISC', '-o', 'IMAGE', 'DIR'],
    0,
    /^(ISO 9660|cd9660) file system "DISC"/,
  ],
  [
    'cryptsetup',
    ['luksFormat', '-q', '--type', 'luks1', '--pbkdf-force-iterations', '1000', 'IMAGE', 'FILE'],
    4,
    /^LUKS1 encrypted volume/,
  ],
  [
    'cryptsetup',
    ['luksFormat', '-q', '--type', 'luks2', '--pbkdf', 'pbkdf2', '--pbkdf-force-iterations', '1000', 'IMAGE', 'FILE'],
    32,
    /^LUKS2 encrypted volume/,
  ],
  ['qemu-img', ['create', '-q', '-f', 'qcow2', 'IMAGE', '1M'], 0, /^QCOW2 disk image/],
  ['qemu-img', ['create', '-q', '-f', 'qcow', 'IMAGE', '1M'], 0, /^QCOW disk image/],
  ['qemu-img', ['create', '-q', '-f', 'qed', 'IMAGE', '1M'], 0, /^QED disk image/],
  ['qemu-img', ['create', '-q', '-f', 'vmdk', 'IMAGE', '1M'], 0, /^VMDK sparse/],
  ['qemu-img', ['create', '-q', '-f', 'vmdk', '-o', 'subformat=monolithicFlat', 'IMAGE', '1M'], 0, /^VMDK descriptor/],
  ['qemu-img', ['create', '-q', '-f', 'vdi', 'IMAGE', '1M'], 0, /^VirtualBox/],
  ['qemu-img', ['create', '-q', '-f', 'vhdx', 'IMAGE', '1M'], 0, /^VHDX/],
  ['qemu-img', ['create', '-q', '-f', 'vpc', 'IMAGE', '1M'], 0, /^dynamic VHD/],
  ['qemu-img', ['create', '-q', '-f', 'vpc', '-o', 'subformat=fixed', 'IMAGE', '1M'], 0, /^fixed VHD/],
  ['qemu-img', ['create', '-q', '-f', 'parallels', 'IMAGE', '1M'], 0, /^Parallels/],
  ['sh', ['-c', 'gzip < FILE > IMAGE'], 0, /^gzip-compressed/],
  ['sh', ['-c', 'bzip2 < FILE > IMAGE'], 0, /^bzip2-compressed/],
  ['xz', ['-kS', '.image', 'FILE'], 0, /^xz-compressed/],
  ['zstd', ['-q', 'FILE', '-o', 'IMAGE'], 0, /^zstd-compressed/],
  ['lz4', ['-q', 'FILE', 'IMAGE'], 0, /^lz4-compressed/],
  ['zip', ['-q', 'IMAGE', 'FILE'], 0, /^ZIP archive/],
  ['7z', ['a', '-bd', 'IMAGE', 'FILE'], 0, /^7-Zip archive/],
  ['tar', ['-cf', 'IMAGE', 'DIR'], 0, /^tar archive/],
  ['cpio', ['--quiet', '-o', '-H', 'newc', '-F', 'IMAGE'], 0, /^cpio archive/],
  ['cp', ['/bin/true', 'IMAGE'], 0, /^ELF executable/],
  ['cp', ['FILE', 'IMAGE'], 0, /^text file/],
  ['truncate', ['-s', '1M', 'IMAGE'], 0, /^blank image/],
  ['truncate', ['-s', '0', 'IMAGE'], 0, /^empty file/],
  ['sgdisk', ['-o', '-n', '1:0:0', '-t', '1:8e00', 'IMAGE'], 4, /^blank image at :1/],
];

describe('images made by the tools of this machine', () => {
  test.for(makers)('%s %j', async ([tool, args, size, expected], { skip }) => {
    if (!has(tool)) return skip(`${tool} is not installed`);
    const file = join(dir, 'file');
    writeFileSync(file, 'some text, for want of anything better\n'.repeat(200));
    const image = tool === 'xz' ? `${file}.image` : join(dir, `made.${tool === 'zip' || tool === '7z' ? tool : 'img'}`);
    rmSync(image, { force: true });
    if (size > 0) {
      writeFileSync(image, '');
      truncateSync(image, size * 1024 * 1024);
    }
    const tree = join(dir, 'tree');
    execFileSync('mkdir', ['-p', tree]);
    writeFileSync(join(tree, 'a'), 'a');
    const real = args.map((a) => a.replace('IMAGE', image).replace('FILE', file).replace('DIR', tree));
    const made = spawnSync(tool, real, { env, input: 'tree\n', encoding: 'utf8', cwd: dir });
    if (made.status !== 0 && !existsSync(image)) return skip(made.stderr);
    if (tool === '7z' || tool === 'lz4' || tool === 'cpio') expect(existsSync(image)).toBe(true);
    const { candidates } = await inspect({ image });
    const whole = candidates.find(({ selector }) => selector === '');
    const failure = await open({ image }).then(
      (fs) => fs.close(),
      (e: unknown) => e,
    );
    const said = whole === undefined ? String((failure as Error).message) : `${whole.description} "${whole.label}"`;
    expect(said).toMatch(expected);
    if (whole?.type === undefined) expect(failure).toMatchObject({ code: 'EFTYPE' });
  });
});

/** blkid's name of a type → ours. What is missing in the table must at least not be taken for something else. */
const words: Readonly<Record<string, RegExp>> = {
  bcache: /^bcache device/,
  bcachefs: /^bcachefs/,
  befs: /^BeFS/,
  BitLocker: /^BitLocker/,
  btrfs: /^btrfs/,
  cramfs: /^cramfs/,
  crypto_LUKS: /^LUKS/,
  erofs: /^EROFS/,
  exfat: /^exFAT/,
  ext2: /ext2/,
  ext3: /ext3/,
  ext4: /ext4/,
  f2fs: /^F2FS/,
  hfs: /^HFS/,
  hfsplus: /^HFS[+X]/,
  jbd: /external journal/,
  hpfs: /^HPFS/,
  iso9660: /^(ISO 9660|cd9660)/,
  LVM2_member: /^LVM2/,
  linux_raid_member: /RAID/,
  minix: /^Minix/,
  nss: /^NSS/,
  ntfs: /^NTFS/,
  ocfs2: /^OCFS2/,
  reiserfs: /^ReiserFS/,
  romfs: /^romfs/,
  squashfs: /^squashfs/,
  swap: /swap/,
  ubi: /^UBI/,
  udf: /^(UDF|ISO 9660)/,
  ufs: /UFS|ffs/i,
  vfat: /^(FAT|msdos)/,
  VMFS: /^VMFS/,
  vxfs: /^VxFS/,
  xfs: /^XFS/,
  zonefs: /^zonefs/,
  zfs_member: /^ZFS/,
};

const images = join(corpora, 'util-linux/images-fs');
const names = existsSync(images) ? readdirSync(images).filter((n) => n.endsWith('.xz')) : [];

describe.runIf(names.length > 0)("libblkid's collection", () => {
  test.for(names)('%s', async (name) => {
    const image = join(dir, basename(name, '.xz'));
    writeFileSync(image, execFileSync(requireOracle('xz'), ['-dc', join(images, name)], { maxBuffer: 2 ** 31 }));
    try {
      const expected = join(corpora, 'util-linux/expected', `low-probe-${basename(name, '.img.xz')}`);
      const type = existsSync(expected) ? (/^ID_FS_TYPE=(.*)$/m.exec(readFileSync(expected, 'utf8'))?.[1] ?? '') : '';
      const { candidates } = await inspect({ image });
      const said = candidates[0]?.description ?? '';
      const word = words[type];
      if (word !== undefined) expect(said).toMatch(word);
      else if (type !== '') expect(said).toMatch(/^(|blank image|boot sector.*)$/);
    } finally {
      rmSync(image);
    }
  });
});
