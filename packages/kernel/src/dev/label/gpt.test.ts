import { expect, test } from 'vitest';
import { crc32 } from '../../kern/checksum/crc32.ts';
import type { Disk } from './label.ts';
import { guid, readGpt } from './gpt.ts';

const LINUX = [0xaf, 0x3d, 0xc6, 0x0f, 0x83, 0x84, 0x72, 0x47, 0x8e, 0x79, 0x3d, 0x69, 0xd8, 0x47, 0x7d, 0xe4];

/** A disk of 256 sectors with one partition (entry 2), both copies good. */
function makeDisk(sectorSize: number): Uint8Array {
  const sectors = 256;
  const image = new Uint8Array(sectors * sectorSize);
  image[446 + 4] = 0xee;
  image.set([1, 0, 0, 0, 255, 0, 0, 0], 446 + 8);
  image.set([0x55, 0xaa], 510);
  const entries = new Uint8Array(128 * 8);
  entries.set(LINUX, 128);
  entries.set(
    LINUX.map((b) => b ^ 0xff),
    128 + 16,
  );
  const view = new DataView(entries.buffer);
  view.setUint32(128 + 32, 40, true);
  view.setUint32(128 + 40, 99, true);
  view.setUint32(128 + 48, 4, true);
  [...'röot'].forEach((char, i) => view.setUint16(128 + 56 + 2 * i, char.charCodeAt(0), true));
  for (const [mine, other, table] of [
    [1, sectors - 1, 2],
    [sectors - 1, 1, sectors - 3],
  ] as const) {
    image.set(entries, table * sectorSize);
    const header = new DataView(image.buffer, mine * sectorSize, 92);
    [...'EFI PART'].forEach((char, i) => header.setUint8(i, char.charCodeAt(0)));
    header.setUint32(8, 0x10000, true);
    header.setUint32(12, 92, true);
    header.setUint32(24, mine, true);
    header.setUint32(32, other, true);
    header.setUint32(40, 6, true);
    header.setUint32(48, sectors - 6, true);
    header.setUint32(72, table, true);
    header.setUint32(80, 8, true);
    header.setUint32(84, 128, true);
    header.setUint32(88, crc32(entries), true);
    header.setUint32(16, crc32(image.subarray(mine * sectorSize, mine * sectorSize + 92)), true);
  }
  return image;
}

const diskOf = (image: Uint8Array): Disk => ({
  read: (offset, length) => image.subarray(offset, offset + length),
  sizeBytes: image.length,
});
const damaged = (image: Uint8Array, ...places: number[]): Disk => {
  const copy = image.slice();
  for (const place of places) copy[place] = (copy[place] as number) ^ 1;
  return diskOf(copy);
};

test.each([512, 4096])('readGpt() reads a disk with sectors of %i bytes', (sectorSize) => {
  const table = readGpt(diskOf(makeDisk(sectorSize)));
  expect(table).toMatchObject({ kind: 'gpt', sectorSize, notes: [] });
  expect(table?.partitions).toEqual([
    {
      table: 'gpt',
      number: 2,
      offset: 40 * sectorSize,
      sizeBytes: 60 * sectorSize,
      name: 'röot',
      uuid: 'f039c250-7b7c-b88d-7186-c29627b8821b',
      typeId: '0fc63daf-8483-4772-8e79-3d69d8477de4',
      type: 'linux',
      bootable: true,
      container: false,
    },
  ]);
});

test.each([512, 4096])(
  'any damaged byte of the primary makes readGpt() use the backup (sectors of %i)',
  (sectorSize) => {
    const image = makeDisk(sectorSize);
    const header = Array.from({ length: 92 }, (_, i) => sectorSize + i);
    for (const place of [...header, 2 * sectorSize, 2 * sectorSize + 1000]) {
      const table = readGpt(damaged(image, place));
      expect(table?.notes).toEqual(['the primary GPT is damaged; its backup is used']);
      expect(table?.partitions).toHaveLength(1);
    }
  },
);

test('with both copies damaged there is no table', () => {
  const image = makeDisk(512);
  expect(readGpt(damaged(image, 512 + 40, 255 * 512 + 40))).toBeUndefined();
});

test('a lone backup counts only behind a protective MBR', () => {
  const image = makeDisk(512);
  image.fill(0, 512, 2048);
  expect(readGpt(diskOf(image))?.partitions).toHaveLength(1);
  image.fill(0, 0, 512);
  expect(readGpt(diskOf(image))).toBeUndefined();
});

test('a missing protective MBR is told', () => {
  const image = makeDisk(512);
  image.fill(0, 0, 512);
  expect(readGpt(diskOf(image))?.notes).toEqual(['the protective MBR is missing']);
});

test('hostile counts, sizes and places are refused, not believed', () => {
  const image = makeDisk(512);
  const forge = (change: (header: DataView) => void): Disk => {
    const copy = image.slice();
    copy.fill(0, 255 * 512);
    const header = new DataView(copy.buffer, 512, 92);
    change(header);
    header.setUint32(16, 0, true);
    header.setUint32(16, crc32(copy.subarray(512, 512 + 92)), true);
    return diskOf(copy);
  };
  expect(readGpt(forge(() => undefined))?.partitions).toHaveLength(1);
  expect(readGpt(forge((h) => h.setUint32(80, 0xffffffff, true)))).toBeUndefined();
  expect(readGpt(forge((h) => h.setUint32(84, 64, true)))).toBeUndefined();
  expect(readGpt(forge((h) => h.setUint32(76, 0xffffffff, true)))).toBeUndefined();
  expect(readGpt(forge((h) => h.setUint32(72, 0xfffffff0, true)))).toBeUndefined();
  expect(readGpt(forge((h) => h.setUint32(12, 0xffff, true)))).toBeUndefined();
  expect(readGpt(forge((h) => h.setUint32(24, 2, true)))).toBeUndefined();
});

test('guid() swaps the first three groups', () => {
  expect(guid(Uint8Array.from(LINUX))).toBe('0fc63daf-8483-4772-8e79-3d69d8477de4');
});
