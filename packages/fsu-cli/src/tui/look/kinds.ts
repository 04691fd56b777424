/**
 * What a file is by its first bytes: what a person may want to know that is no image (images, volumes, archives are ukfs' to know), each
 * from its own specification (ELF gABI, RFC 1952, PNG, GIF89a,
 * JFIF/ITU-T T.81, RIFF, PKWARE APPNOTE, Linux Documentation/arch/x86/boot.rst …).
 */
import { describeHead } from 'ukfs';
import { be16, be32, cString, latin1, le16, le32, u8 } from './bytes.ts';

/** Bytes that are enough for every row of the table: btrfs has its number at 64 KiB. */
export const MAGIC_BYTES = 0x11000;

interface Magic {
  readonly at: number;
  /** Characters are bytes. */
  readonly is: string;
  readonly says: string | ((bytes: Uint8Array) => string | undefined);
}

/** The first that fits says it: longer and surer ones first. */
const magics: readonly Magic[] = [
  { at: 0, is: '\x7fELF', says: elf },
  { at: 0, is: '\x89PNG\r\n\x1a\n', says: (b) => `PNG picture, ${be32(b, 16)} × ${be32(b, 20)}` },
  { at: 0, is: 'GIF8', says: (b) => `GIF picture, ${le16(b, 6)} × ${le16(b, 8)}` },
  { at: 0, is: '\xff\xd8\xff', says: jpeg },
  { at: 0, is: 'RIFF', says: riff },
  { at: 0, is: 'SQLite format 3\0', says: (b) => `SQLite database, pages of ${le1or16(be16(b, 16))} bytes` },
  { at: 0, is: 'PK\x03\x04', says: zip },
  { at: 0, is: 'PK\x05\x06', says: 'zip archive, empty' },
  { at: 0, is: '!<arch>\n', says: (b) => (latin1(b, 8, 13) === 'debian-binary' ? 'Debian package' : 'ar archive') },
  { at: 0, is: '\xed\xab\xee\xdb', says: 'RPM package' },
  { at: 0, is: '%PDF-', says: (b) => `PDF document, version ${latin1(b, 5, 3).replace(/[^0-9.]/g, '?')}` },
  { at: 0, is: '\xd0\x0d\xfe\xed', says: 'device tree blob' },
  { at: 0, is: '\0asm', says: 'WebAssembly module' },
  { at: 0x202, is: 'HdrS', says: kernel },
  { at: 0x38, is: 'ARM\x64', says: 'Linux kernel image, arm64' },
  { at: 0x438, is: '\x53\xef', says: ext },
  { at: 0x200, is: 'EFI PART', says: 'disk image with a GPT' },
  { at: 0, is: 'MZ', says: (b) => (latin1(b, le32(b, 0x3c), 4) === 'PE\0\0' ? 'PE executable' : 'DOS executable') },
  { at: 0, is: '\x1f\x8b\x08', says: gzip },
  { at: 0, is: 'BM', says: bmp },
  { at: 0, is: '#!', says: script },
];

/** `bytes`: of the beginning of a file of `sizeBytes`. undefined: nobody knows it. Text from the file may be in it: escape it. */
export function kindOf(bytes: Uint8Array, sizeBytes = bytes.length): string | undefined {
  for (const { at, is, says } of magics) {
    if (!isAt(bytes, at, is)) continue;
    const said = typeof says === 'string' ? says : says(bytes);
    if (said !== undefined) return said;
  }
  const image = describeHead(bytes, sizeBytes);
  // FAT and others have it as well.
  return image ?? (isAt(bytes, 0x1fe, '\x55\xaa') ? 'boot sector, or disk image with an MBR' : undefined);
}

function isAt(bytes: Uint8Array, at: number, is: string): boolean {
  if (at + is.length > bytes.length) return false;
  for (let i = 0; i < is.length; i++) if (bytes[at + i] !== is.charCodeAt(i)) return false;
  return true;
}

const elfTypes: Readonly<Record<number, string>> = {
  1: 'object file',
  2: 'executable',
  3: 'shared object',
  4: 'core dump',
};
const machines: Readonly<Record<number, string>> = {
  3: 'x86',
  8: 'MIPS',
  20: 'PowerPC',
  21: 'PowerPC64',
  22: 'S390',
  40: 'ARM',
  43: 'SPARC V9',
  50: 'IA-64',
  62: 'x86-64',
  183: 'AArch64',
  243: 'RISC-V',
  258: 'LoongArch',
};

function elf(bytes: Uint8Array): string {
  const isLittle = u8(bytes, 5) === 1;
  const word = isLittle ? le16 : be16;
  const machine = word(bytes, 18);
  return [
    `ELF ${u8(bytes, 4) === 2 ? '64' : '32'}-bit ${isLittle ? 'LSB' : 'MSB'}`,
    elfTypes[word(bytes, 16)] ?? 'file',
    machines[machine] ?? `machine ${machine}`,
  ].join(', ');
}

/** Segments until the one that begins a frame. */
function jpeg(bytes: Uint8Array): string {
  for (let at = 2; at + 8 < bytes.length && u8(bytes, at) === 0xff;) {
    const marker = u8(bytes, at + 1);
    const isFrame = marker >= 0xc0 && marker <= 0xcf && marker !== 0xc4 && marker !== 0xc8 && marker !== 0xcc;
    if (isFrame) return `JPEG picture, ${be16(bytes, at + 7)} × ${be16(bytes, at + 5)}`;
    at += 2 + Math.max(2, be16(bytes, at + 2));
  }
  return 'JPEG picture';
}

function riff(bytes: Uint8Array): string {
  const kind = latin1(bytes, 8, 4);
  if (kind === 'WAVE') return 'WAVE sound';
  if (kind === 'AVI ') return 'AVI film';
  return kind === 'WEBP' ? `WebP picture${webpSize(bytes)}` : 'RIFF file';
}

function webpSize(bytes: Uint8Array): string {
  switch (latin1(bytes, 12, 4)) {
    case 'VP8 ':
      return `, ${le16(bytes, 26) & 0x3fff} × ${le16(bytes, 28) & 0x3fff}`;
    case 'VP8L': {
      const bits = le32(bytes, 21);
      return `, ${(bits & 0x3fff) + 1} × ${((bits >>> 14) & 0x3fff) + 1}`;
    }
    case 'VP8X': {
      const le24 = (at: number): number => le16(bytes, at) + 0x10000 * u8(bytes, at + 2);
      return `, ${le24(24) + 1} × ${le24(27) + 1}`;
    }
    default:
      return '';
  }
}

function bmp(bytes: Uint8Array): string | undefined {
  // The reserved words are zero, and the header that follows has one of a few sizes.
  if (le32(bytes, 6) !== 0 || ![12, 40, 52, 56, 108, 124].includes(le32(bytes, 14))) return undefined;
  if (le32(bytes, 14) === 12) return `BMP picture, ${le16(bytes, 18)} × ${le16(bytes, 20)}`;
  // Negative: from top to bottom.
  return `BMP picture, ${le32(bytes, 18) | 0} × ${Math.abs(le32(bytes, 22) | 0)}`;
}

function zip(bytes: Uint8Array): string {
  const name = latin1(bytes, 30, Math.min(64, le16(bytes, 26)));
  if (name === 'mimetype') return 'zip archive (a document)';
  return name.startsWith('META-INF/') ? 'Java archive' : `zip archive, first ${name}`;
}

function gzip(bytes: Uint8Array): string {
  const [extra, hasName] = [(u8(bytes, 3) & 4) !== 0, (u8(bytes, 3) & 8) !== 0];
  const at = 10 + (extra ? 2 + le16(bytes, 10) : 0);
  return hasName ? `gzip compressed, was ${cString(bytes, at, 255)}` : 'gzip compressed';
}

function script(bytes: Uint8Array): string {
  const line = latin1(bytes, 2, 126).split('\n', 1)[0] ?? '';
  return `script for ${line.trim()}`;
}

function kernel(bytes: Uint8Array): string {
  const at = le16(bytes, 0x20e);
  const version = at === 0 ? '' : cString(bytes, at + 0x200, 80);
  return `Linux kernel image, x86${version === '' ? '' : `, ${version.split(' ', 1)[0] ?? ''}`}`;
}

function ext(bytes: Uint8Array): string | undefined {
  const [compat, incompat] = [le32(bytes, 0x45c), le32(bytes, 0x460)];
  // Blocks of 1 KiB to 64 KiB, at least one inode: two bytes alone do not decide.
  if (le32(bytes, 0x418) > 6 || le32(bytes, 0x400) === 0) return undefined;
  return `${(incompat & 0x40) !== 0 ? 'ext4' : (compat & 4) !== 0 ? 'ext3' : 'ext2'} file system`;
}

/** SQLite: 1 stands for 65536. */
const le1or16 = (size: number): number => (size === 1 ? 65536 : size);
