/**
 * What the first bytes of a file say it is. Only what a few bytes decide, as the formats' own specifications have them; the list
 * is for people who look around, not for tools.
 */
type Describe = (head: Uint8Array) => string | undefined;

interface Kind {
  readonly offset: number;
  /** Characters stand for bytes. */
  readonly magic: string;
  readonly what: string | Describe;
}

const byte = (head: Uint8Array, at: number): number => head[at] ?? 0;
const be16 = (head: Uint8Array, at: number): number => byte(head, at) * 256 + byte(head, at + 1);
const le16 = (head: Uint8Array, at: number): number => byte(head, at) + byte(head, at + 1) * 256;
const be32 = (head: Uint8Array, at: number): number => be16(head, at) * 65536 + be16(head, at + 2);
const le32 = (head: Uint8Array, at: number): number => le16(head, at) + le16(head, at + 2) * 65536;

const MACHINES: Readonly<Record<number, string>> = {
  3: 'i386',
  8: 'MIPS',
  20: 'PowerPC',
  40: 'ARM',
  62: 'x86-64',
  183: 'AArch64',
  243: 'RISC-V',
};
const OBJECTS: Readonly<Record<number, string>> = {
  1: 'relocatable',
  2: 'executable',
  3: 'shared object',
  4: 'core dump',
};

/** System V ABI, "ELF Header". */
function elf(head: Uint8Array): string {
  const bits = byte(head, 4) === 2 ? '64-bit' : '32-bit';
  const half = byte(head, 5) === 2 ? be16 : le16;
  const kind = OBJECTS[half(head, 16)] ?? 'object';
  return `ELF ${bits} ${byte(head, 5) === 2 ? 'big-endian' : 'little-endian'} ${kind}, ${MACHINES[half(head, 18)] ?? `machine ${half(head, 18)}`}`;
}

/** ITU-T T.81: the frame header (SOF) has the size; the segments before it are skipped. */
function jpeg(head: Uint8Array): string {
  for (let at = 2; at + 9 < head.length && byte(head, at) === 0xff; at += 2 + be16(head, at + 2)) {
    const marker = byte(head, at + 1);
    if (marker >= 0xc0 && marker <= 0xcf && ![0xc4, 0xc8, 0xcc].includes(marker))
      return `JPEG picture, ${be16(head, at + 7)} × ${be16(head, at + 5)} pixels`;
  }
  return 'JPEG picture';
}

const kinds: readonly Kind[] = [
  { offset: 0, magic: '\x7fELF', what: elf },
  {
    offset: 0,
    magic: '\x89PNG\r\n\x1a\n',
    what: (head) => `PNG picture, ${be32(head, 16)} × ${be32(head, 20)} pixels`,
  },
  { offset: 0, magic: 'GIF8', what: (head) => `GIF picture, ${le16(head, 6)} × ${le16(head, 8)} pixels` },
  { offset: 0, magic: '\xff\xd8\xff', what: jpeg },
  {
    offset: 0,
    magic: 'BM',
    what: (head) => (le32(head, 14) === 40 ? `BMP picture, ${le32(head, 18)} × ${le32(head, 22)} pixels` : undefined),
  },
  { offset: 8, magic: 'WEBP', what: 'WebP picture' },
  { offset: 0, magic: '\x1f\x8b', what: 'gzip compressed data' },
  { offset: 0, magic: 'BZh', what: 'bzip2 compressed data' },
  { offset: 0, magic: '\xfd7zXZ\0', what: 'xz compressed data' },
  { offset: 0, magic: '\x28\xb5\x2f\xfd', what: 'zstd compressed data' },
  { offset: 0, magic: '\x04\x22\x4d\x18', what: 'lz4 compressed data' },
  { offset: 0, magic: 'PK\x03\x04', what: 'zip archive' },
  { offset: 0, magic: '7z\xbc\xaf\x27\x1c', what: '7z archive' },
  { offset: 0, magic: '!<arch>\n', what: 'ar archive' },
  { offset: 257, magic: 'ustar', what: 'tar archive' },
  { offset: 0, magic: '070701', what: 'cpio archive' },
  { offset: 0, magic: '\xed\xab\xee\xdb', what: 'RPM package' },
  { offset: 0, magic: '%PDF-', what: 'PDF document' },
  { offset: 0, magic: 'SQLite format 3\0', what: 'SQLite database' },
  { offset: 0, magic: 'hsqs', what: 'squashfs file system' },
  { offset: 0, magic: 'MZ', what: 'DOS or Windows program' },
  { offset: 514, magic: 'HdrS', what: 'Linux kernel image' },
  { offset: 0, magic: '\xd0\x0d\xfe\xed', what: 'flattened device tree' },
  { offset: 0, magic: 'QFI\xfb', what: 'QCOW disk image' },
  { offset: 0x438, magic: '\x53\xef', what: 'ext2, ext3 or ext4 file system' },
  { offset: 0, magic: 'XFSB', what: 'XFS file system' },
  { offset: 512, magic: 'EFI PART', what: 'disk image with a GPT' },
  { offset: 54, magic: 'FAT1', what: 'FAT file system' },
  { offset: 82, magic: 'FAT32', what: 'FAT file system' },
  { offset: 0x8001, magic: 'CD001', what: 'ISO 9660 file system' },
  { offset: 510, magic: '\x55\xaa', what: 'boot sector, or disk image with an MBR' },
];

const matches = (head: Uint8Array, { offset, magic }: Kind): boolean =>
  [...magic].every((char, at) => head[offset + at] === char.charCodeAt(0));

/** undefined: nothing that is known here. */
export function kindOf(head: Uint8Array): string | undefined {
  if (byte(head, 0) === 0x23 && byte(head, 1) === 0x21) return 'script';
  for (const kind of kinds) {
    if (!matches(head, kind)) continue;
    const what = typeof kind.what === 'string' ? kind.what : kind.what(head);
    if (what !== undefined) return what;
  }
  return undefined;
}
