/**
 * What we know by name only: one table of formats, each with the bytes that give it away and what helps.
 *
 * Asked only where no file system of ours and no partition table was found, so order matters among these rows alone: the
 * first that fits is the answer; outer layers and exact signatures come first, weak ones last. Sources: the formats'
 * own headers as libblkid (util-linux 2.38) and file(1) 5.44 know them.
 */
import type { ProbeRead } from '@ukfs/kernel';

/** `fs` counts as a candidate when a disk holds several; the others never do. */
export type Kind = 'fs' | 'container' | 'compressed' | 'archive' | 'volume' | 'table' | 'swap' | 'other';

/** Description of what is not even something. */
export const BLANK = 'blank image';
export const EMPTY = 'empty file';

/** Bytes (a character each) at a place; negative places count from the end. */
export type Magic = readonly [at: number, bytes: string];

interface Signature {
  readonly name: string;
  readonly kind: Kind;
  /** Any of these fits; all parts of one must be there. */
  readonly magic: readonly (readonly Magic[])[];
  readonly advice: string;
  /** Beyond the magic, for weak ones. */
  readonly check?: (read: ProbeRead, sizeBytes: number) => boolean;
  /** Where the label lies: offset and length of its text. */
  readonly label?: readonly [at: number, length: number];
  /** Where 16 bytes of UUID lie. */
  readonly uuid?: number;
}

type More = Partial<Pick<Signature, 'check' | 'label' | 'uuid' | 'advice'>>;

const NO_IMAGE = 'not a file-system image';
const CLOSED = 'open the volume first and use the device inside';
const PIECE = 'not supported yet; off= opens a part of the image';

/** One place, several possible contents. */
const at = (place: number, ...contents: string[]): Magic[][] => contents.map((bytes) => [[place, bytes]]);
/** One content, several possible places. */
const places = (bytes: string, ...where: number[]): Magic[][] => where.map((place) => [[place, bytes]]);

const row = (kind: Kind, name: string, advice: string, magic: Magic[][], more: More = {}): Signature => ({
  kind,
  name,
  advice,
  magic,
  ...more,
});
const fs = (name: string, magic: Magic[][], more: More = {}): Signature =>
  row('fs', `${name} file system`, 'this file system is not supported yet', magic, more);
const container = (name: string, format: string, magic: Magic[][]): Signature =>
  row('container', name, `convert it first: qemu-img convert -f ${format} -O raw IMAGE disk.img`, magic);
const compressed = (name: string, tool: string, magic: Magic[][]): Signature =>
  row('compressed', `${name}-compressed data`, `unpack it first: ${tool} IMAGE`, magic);
const archive = (name: string, tool: string, magic: Magic[][]): Signature =>
  row('archive', `${name} archive`, `not a file-system image; ${tool} unpacks it`, magic);

const byteAt = (read: ProbeRead, place: number): number => read(place, 1)[0] ?? -1;
const le16At = (read: ProbeRead, place: number): number => byteAt(read, place) + byteAt(read, place + 1) * 256;

/** FAT has no magic of its own: its parameter block must make sense (the questions of Linux fat_read_bpb). */
function isFat(read: ProbeRead): boolean {
  const perCluster = byteAt(read, 13);
  const [jump, fats, media] = [byteAt(read, 0), byteAt(read, 16), byteAt(read, 21)];
  return (
    [512, 1024, 2048, 4096].includes(le16At(read, 11)) &&
    perCluster > 0 &&
    Number.isInteger(Math.log2(perCluster)) &&
    le16At(read, 14) > 0 &&
    fats >= 1 &&
    fats <= 4 &&
    (media === 0xf0 || media >= 0xf8) &&
    (jump === 0xeb || jump === 0xe9 || jump === 0)
  );
}
/** FAT32 keeps the length of its FATs elsewhere than the older ones; those differ by their number of clusters. */
const fatLength = (read: ProbeRead): number => le16At(read, 22);
function fatClusters(read: ProbeRead): number {
  const total = le16At(read, 19) || le16At(read, 32) + le16At(read, 34) * 65536;
  const rootSectors = Math.ceil((le16At(read, 17) * 32) / le16At(read, 11));
  return (total - le16At(read, 14) - byteAt(read, 16) * fatLength(read) - rootSectors) / byteAt(read, 13);
}
const fat = (bits: number, label: number, check: (read: ProbeRead) => boolean): Signature =>
  fs(`FAT${bits}`, [[]], { label: [label, 11], check: (read) => isFat(read) && check(read) });

/** UFS superblocks lie at one of four places, in either byte order; the magic is at 1372, the volume's name at 680. */
const ufs = (name: string, magic: string): Signature[] =>
  [65536, 8192, 0, 262144].flatMap((place) =>
    [name, `big-endian ${name}`].map((title, i) =>
      fs(title, at(place + 1372, i === 0 ? magic : [...magic].reverse().join('')), { label: [place + 680, 32] }),
    ),
  );

const pages = [4096, 8192, 16384, 65536];
const endOfPage = (...words: string[]): Magic[][] => words.flatMap((word) => places(word, ...pages.map((p) => p - 10)));
const sectors = (n: number): number[] => Array.from({ length: n }, (_, i) => i * 512);

const BCACHE = '\xc6\x85\x73\xf6\x4e\x1a\x45\xca\x82\x65\xf5\x7f\x48\xba\x6d\x81';
const BCACHEFS = '\xc6\x85\x73\xf6\x66\xce\x90\xa9\xd9\x6a\x60\xcf\x80\x3d\xf7\xef';
const CRAMFS = '\x45\x3d\xcd\x28';
const reversed = (bytes: string): string => [...bytes].reverse().join('');
const MD = '\xfc\x4e\x2b\xa9';
const ZFS = '\x0c\xb1\xba\0\0\0\0\0';
const DISKLABEL = '\x57\x45\x56\x82';

/** Nothing but text in the first kilobyte. In any language there is a space or the end of a line: erased flash has neither. */
function isText(read: ProbeRead): boolean {
  const head = read(0, 1024);
  return (
    head.some((byte) => byte < 0x80) &&
    head.every((byte) => (byte >= 9 && byte <= 13) || byte === 27 || (byte >= 32 && byte !== 127))
  );
}

const isBlank = (read: ProbeRead, sizeBytes: number): boolean =>
  [0, 4096, 32768, 65536, Math.max(0, sizeBytes - 4096)].every((place) =>
    read(place, 4096).every((byte) => byte === 0),
  );

export const signatures: readonly Signature[] = [
  // disk images in a container
  container('QCOW2 disk image', 'qcow2', at(0, 'QFI\xfb\0\0\0\x02', 'QFI\xfb\0\0\0\x03')),
  container('QCOW disk image', 'qcow', at(0, 'QFI\xfb')),
  container('QED disk image', 'qed', at(0, 'QED\0')),
  container('VMDK sparse disk image', 'vmdk', at(0, 'KDMV', 'COWD')),
  row(
    'container',
    'VMDK descriptor file',
    'open the flat extent that it names, or convert it: qemu-img convert -f vmdk',
    at(0, '# Disk DescriptorFile'),
  ),
  container('VirtualBox disk image (VDI)', 'vdi', at(64, '\x7f\x10\xda\xbe')),
  container('VHDX disk image', 'vhdx', at(0, 'vhdxfile')),
  container('dynamic VHD disk image', 'vpc', at(0, 'conectix')),
  container('Parallels disk image', 'parallels', at(0, 'WithoutFreeSpace', 'WithouFreSpacExt')),
  container('Apple disk image (DMG)', 'dmg', at(-512, 'koly')),
  row('container', 'Android sparse image', 'unpack it first: simg2img IMAGE disk.img', at(0, '\x3a\xff\x26\xed')),
  row('container', 'EnCase evidence file (EWF)', 'export a raw image first: ewfexport', at(0, 'EVF\x09\x0d\x0a\xff\0')),
  // compressed
  compressed('gzip', 'gzip -dk', at(0, '\x1f\x8b')),
  compressed('xz', 'xz -dk', at(0, '\xfd7zXZ\0')),
  compressed('zstd', 'zstd -d', at(0, '\x28\xb5\x2f\xfd')),
  compressed('bzip2', 'bzip2 -dk', [
    [
      [0, 'BZh'],
      [4, '1AY&SY'],
    ],
    [
      [0, 'BZh'],
      [4, '\x17\x72\x45\x38\x50\x90'],
    ],
  ]),
  compressed('lz4', 'lz4 -d', at(0, '\x04\x22\x4d\x18', '\x02\x21\x4c\x18')),
  compressed('lzip', 'lzip -dk', at(0, 'LZIP')),
  compressed('lzop', 'lzop -d', at(0, '\x89LZO\0\x0d\x0a\x1a')),
  compressed('compress', 'uncompress', at(0, '\x1f\x9d')),
  // archives
  archive('ZIP', 'unzip', at(0, 'PK\x03\x04', 'PK\x05\x06')),
  archive('7-Zip', '7z', at(0, '7z\xbc\xaf\x27\x1c')),
  archive('RAR', 'unrar', at(0, 'Rar!\x1a\x07')),
  archive('tar', 'tar', at(257, 'ustar')),
  archive('cpio', 'cpio', at(0, '070701', '070702', '070707', '\xc7\x71', '\x71\xc7')),
  archive('Windows image (WIM)', 'wimlib-imagex', at(0, 'MSWIM\0\0\0')),
  archive('ar', 'ar', at(0, '!<arch>\n')),
  // volumes of several layers
  row('volume', 'LUKS1 encrypted volume', CLOSED, at(0, 'LUKS\xba\xbe\0\x01')),
  row('volume', 'LUKS2 encrypted volume', CLOSED, at(0, 'LUKS\xba\xbe\0\x02'), { label: [24, 48] }),
  row('volume', 'BitLocker encrypted volume', CLOSED, at(3, '-FVE-FS-')),
  row(
    'volume',
    'LVM2 physical volume',
    CLOSED,
    sectors(4).map((place): Magic[] => [
      [place, 'LABELONE'],
      [place + 24, 'LVM2 001'],
    ]),
  ),
  row('volume', 'Linux software RAID member', CLOSED, places(MD, 4096, 0, -8192, -12288, -65536, -131072)),
  row('volume', 'bcache device', CLOSED, [
    [
      [4096 + 8, '\x08\0\0\0\0\0\0\0'],
      [4096 + 24, BCACHE],
    ],
  ]),
  row('volume', 'dm-verity hash device', 'the file system lies on the data device beside it', at(0, 'verity\0\0')),
  row(
    'volume',
    'ZFS pool member',
    'this file system is not supported yet',
    [128, 132, 136, 144, 160, 192, 384, 388, 400].flatMap((kib) => at(kib * 1024, ZFS, reversed(ZFS))),
  ),
  row('volume', 'UBI flash image', 'not supported yet', at(0, 'UBI#')),
  // file systems
  fs('XFS', at(0, 'XFSB'), { label: [108, 12], uuid: 32 }),
  fs('squashfs', at(0, 'hsqs', 'sqsh', 'shsq', 'qshs'), { advice: 'not supported yet; unsquashfs unpacks it' }),
  fs('cramfs', [...at(0, CRAMFS, reversed(CRAMFS)), ...at(512, CRAMFS, reversed(CRAMFS))], { label: [48, 16] }),
  fs('romfs', at(0, '-rom1fs-'), { label: [16, 16] }),
  fs('exFAT', at(3, 'EXFAT   ')),
  fs('NTFS', at(3, 'NTFS    ')),
  fs('ReFS', at(3, 'ReFS\0\0\0\0')),
  fs('HPFS', at(8192, '\x49\xe8\x95\xf9')),
  fs('APFS', at(32, 'NXSB')),
  fs('HFS+', at(1024, 'H+\0\x04')),
  fs('HFSX', at(1024, 'HX\0\x05')),
  fs('HFS', at(1024, 'BD'), { check: (read) => byteAt(read, 1024 + 36) > 0 && byteAt(read, 1024 + 36) <= 27 }),
  fs('EROFS', at(1024, '\xe2\xe1\xf5\xe0'), { uuid: 1024 + 48, label: [1024 + 64, 16] }),
  fs('F2FS', at(1024, '\x10\x20\xf5\xf2'), { uuid: 1024 + 108 }),
  fs(
    'NILFS2',
    [
      [
        [1024, '\x02'],
        [1024 + 6, '\x34\x34'],
      ],
    ],
    { uuid: 1024 + 152, label: [1024 + 168, 80] },
  ),
  fs('btrfs', at(65536 + 64, '_BHRfS_M'), { uuid: 65536 + 32, label: [65536 + 299, 256] }),
  fs('bcachefs', at(4096 + 24, BCACHEFS, BCACHE), { uuid: 4096 + 56, label: [4096 + 72, 32] }),
  fs('JFS', at(32768, 'JFS1'), { uuid: 32768 + 136, label: [32768 + 152, 16] }),
  fs('ReiserFS', [...at(65536 + 52, 'ReIsErFs', 'ReIsEr2Fs', 'ReIsEr3Fs'), ...at(8192 + 52, 'ReIsErFs')], {
    uuid: 65536 + 84,
    label: [65536 + 100, 16],
  }),
  fs('Reiser4', at(65536, 'ReIsEr4'), { uuid: 65536 + 20, label: [65536 + 36, 16] }),
  fs('GFS2', at(65536, '\x01\x16\x19\x70\0\0\0\x01')),
  fs('OCFS2', places('OCFSV2', 1024, 2048, 4096, 8192)),
  fs(
    'UDF',
    [34816, 36864, 38912].flatMap((place) => at(place + 1, 'NSR02', 'NSR03')),
  ),
  fs('ISO 9660', at(32768 + 1, 'CD001'), { label: [32768 + 40, 32] }),
  fs('High Sierra', at(32768 + 9, 'CDROM'), { label: [32768 + 48, 32] }),
  ...ufs('UFS2', '\x19\x01\x54\x19'),
  ...ufs('UFS1', '\x54\x19\x01\0'),
  fs('LFS', places('\x62\x61\x07\0', 8192, 512, 0)),
  fs('BeFS', [...at(512 + 32, '1SFB', 'BFS1'), ...at(32, '1SFB')], { label: [512, 32] }),
  fs('VxFS', [...at(1024, '\xf5\xfc\x01\xa5'), ...at(8192, '\xa5\x01\xfc\xf5')]),
  fs('VMFS', [...at(0x100000, '\x0d\xd0\x01\xc0'), ...at(0x200000, '\x5e\xf1\xab\x2f')]),
  fs('zonefs', at(0, 'SFOZ')),
  fs('NSS', at(4096, 'SPB5')),
  fs('UBIFS', at(0, '\x31\x18\x10\x06')),
  fs(
    'JFFS2',
    at(0, '\x85\x19\x03\x20', '\x85\x19\x01\xe0', '\x85\x19\x02\xe0', '\x19\x85\x20\x03', '\x19\x85\xe0\x01'),
  ),
  fs('Minix v3', at(1024 + 24, '\x5a\x4d', '\x4d\x5a')),
  fs('Minix v1', at(1024 + 16, '\x7f\x13', '\x8f\x13', '\x13\x7f', '\x13\x8f')),
  fs('Minix v2', at(1024 + 16, '\x68\x24', '\x78\x24', '\x24\x68', '\x24\x78')),
  fat(32, 71, (read) => fatLength(read) === 0),
  fat(12, 43, (read) => fatLength(read) > 0 && fatClusters(read) < 4085),
  fat(16, 43, (read) => fatLength(read) > 0),
  // swap and its like
  row('swap', 'Linux swap area', 'it holds no files', endOfPage('SWAPSPACE2', 'SWAP-SPACE'), {
    uuid: 1036,
    label: [1052, 16],
  }),
  row('swap', 'hibernation image', 'it holds no files', endOfPage('S1SUSPEND\0', 'S2SUSPEND\0', 'LINHIB0001')),
  container('fixed VHD disk image', 'vpc', at(-512, 'conectix')),
  // partition tables that we do not read yet, or could not
  row('table', 'damaged GUID partition table', 'gdisk may repair it; off= opens a part of the image without it', [
    ...at(512, 'EFI PART'),
    ...at(4096, 'EFI PART'),
  ]),
  row('table', 'Apple partition map', PIECE, [
    [
      [0, 'ER'],
      [512, 'PM'],
    ],
    [[512, 'PM\0\0']],
    [[2048, 'PM\0\0']],
  ]),
  row('table', 'Amiga rigid disk block', PIECE, places('RDSK', ...sectors(16))),
  row('table', 'Sun disk label', PIECE, at(508, '\xda\xbe')),
  row('table', 'SGI disk label', PIECE, at(0, '\x0b\xe5\xa9\x41')),
  row(
    'table',
    'BSD disklabel',
    PIECE,
    [512, 64, 0, 128].map((place): Magic[] => [
      [place, DISKLABEL],
      [place + 132, DISKLABEL],
    ]),
  ),
  row('table', 'boot sector without partitions', 'off= opens a part of the image', at(510, '\x55\xaa')),
  // other files
  row('other', 'Android boot image', NO_IMAGE, at(0, 'ANDROID!')),
  row('other', 'U-Boot image', NO_IMAGE, at(0, '\x27\x05\x19\x56')),
  row('other', 'device tree or FIT image', NO_IMAGE, at(0, '\xd0\x0d\xfe\xed')),
  row('other', 'ELF executable', NO_IMAGE, at(0, '\x7fELF')),
  row('other', 'Windows executable', NO_IMAGE, at(0, 'MZ')),
  row('other', 'PDF document', NO_IMAGE, at(0, '%PDF-')),
  row('other', 'text file', NO_IMAGE, [[]], { check: isText }),
  row('other', BLANK, 'it holds only zeros where a file system would start', [[]], { check: isBlank }),
];
