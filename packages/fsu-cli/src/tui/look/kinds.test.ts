/** Issue 5, item 3: pictures' sizes and type headers. */
import { describe, expect, test } from 'vitest';
import { kindOf } from './kinds.ts';

const bytesOf = (text: string): Uint8Array => Uint8Array.from(text, (char) => char.charCodeAt(0));

describe('type headers', () => {
  const at = (offset: number, text: string): Uint8Array => bytesOf('\0'.repeat(offset) + text);
  test.each([
    ['PNG picture, 640 × 480', bytesOf('\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\x02\x80\0\0\x01\xe0')],
    ['GIF picture, 16 × 8', bytesOf('GIF89a\x10\0\x08\0')],
    ['JPEG picture, 300 × 200', bytesOf('\xff\xd8\xff\xe0\0\x04ab\xff\xc0\0\x11\x08\0\xc8\x01\x2c')],
    ['BMP picture, 3 × 2', bytesOf('BM\0\0\0\0\0\0\0\0\x36\0\0\0\x28\0\0\0\x03\0\0\0\xfe\xff\xff\xff')],
    ['WebP picture, 4 × 3', bytesOf('RIFF\0\0\0\0WEBPVP8X\x0a\0\0\0\0\0\0\0\x03\0\0\x02\0\0')],
    ['gzip compressed, was a.txt', bytesOf('\x1f\x8b\x08\x08\0\0\0\0\0\x03a.txt\0')],
    ['xz-compressed data', bytesOf('\xfd7zXZ\0')],
    ['zstd-compressed data', bytesOf('\x28\xb5\x2f\xfd')],
    ['bzip2-compressed data', bytesOf('BZh91AY&SY')],
    ['script for /bin/sh -e', bytesOf('#!/bin/sh -e\ntrue\n')],
    ['ELF 64-bit LSB, executable, x86-64', bytesOf(`\x7fELF\x02\x01\x01${'\0'.repeat(9)}\x02\0\x3e\0`)],
    ['squashfs file system', bytesOf('hsqs')],
    ['tar archive', at(257, 'ustar\0')],
    ['disk image with a GPT', at(512, 'EFI PART')],
    ['btrfs file system', at(0x10040, '_BHRfS_M')],
  ])('%s', (says, bytes) => expect(kindOf(bytes)).toBe(says));

  test('two bytes that fit, and nothing else, say nothing', () => {
    expect(kindOf(bytesOf('BM or else'))).toBeUndefined();
    expect(kindOf(bytesOf('BZhello'))).toBeUndefined();
    expect(kindOf(at(0x438, '\x53\xef'))).toBeUndefined();
  });

  test('no number of a header makes it throw', () => {
    for (const start of ['\x7fELF', '\xff\xd8\xff', 'RIFF\0\0\0\0WEBPVP8L', 'PK\x03\x04', '\x1f\x8b\x08\xff', 'MZ'])
      for (const byte of [0, 255]) {
        const bytes = new Uint8Array(600).fill(byte);
        bytes.set(bytesOf(start));
        expect(kindOf(bytes)).toEqual(expect.any(String));
      }
  });
});
