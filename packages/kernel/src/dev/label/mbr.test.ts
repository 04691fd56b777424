import { expect, test } from 'vitest';
import type { Disk } from './label.ts';
import { isProtective, readMbr } from './mbr.ts';

interface Put {
  readonly type: number;
  readonly first: number;
  readonly sectors: number;
  readonly status?: number;
}

const SECTORS = 4096;

function disk(records: Readonly<Record<number, readonly Put[]>>): Disk {
  const image = new Uint8Array(SECTORS * 512);
  for (const [sector, entries] of Object.entries(records)) {
    const at = Number(sector) * 512;
    const view = new DataView(image.buffer, at, 512);
    view.setUint16(510, 0x55aa);
    view.setUint32(440, 0xdeadbeef, true);
    entries.forEach(({ type, first, sectors, status = 0 }, i) => {
      const entry = 446 + i * 16;
      view.setUint8(entry, status);
      view.setUint8(entry + 4, type);
      view.setUint32(entry + 8, first, true);
      view.setUint32(entry + 12, sectors, true);
    });
  }
  return { read: (offset, length) => image.subarray(offset, offset + length), sizeBytes: image.length };
}

const places = (d: Disk): unknown =>
  readMbr(d)?.partitions.map((p) => [p.number, p.offset / 512, p.sizeBytes / 512, p.type]);

test('primary partitions keep the number of their entry', () => {
  const d = disk({
    0: [
      { type: 0x83, first: 64, sectors: 100 },
      { type: 0, first: 0, sectors: 0 },
      { type: 0x0c, first: 200, sectors: 50, status: 0x80 },
    ],
  });
  expect(places(d)).toEqual([
    [1, 64, 100, 'linux'],
    [3, 200, 50, 'fat32'],
  ]);
  const table = readMbr(d);
  expect(table?.uuid).toBe('deadbeef');
  expect(table?.partitions[1]).toMatchObject({ bootable: true, uuid: 'deadbeef-03', typeId: '0x0c', container: false });
});

test('logical partitions count from 5 and from their own link', () => {
  const d = disk({
    0: [
      { type: 0x83, first: 64, sectors: 100 },
      { type: 0x05, first: 1000, sectors: 1000 },
    ],
    1000: [
      { type: 0x83, first: 10, sectors: 90 },
      { type: 0x05, first: 100, sectors: 100 },
    ],
    1100: [{ type: 0x82, first: 20, sectors: 80 }],
  });
  expect(places(d)).toEqual([
    [1, 64, 100, 'linux'],
    [2, 1000, 1000, 'extended'],
    [5, 1010, 90, 'linux'],
    [6, 1120, 80, 'swap'],
  ]);
  expect(readMbr(d)?.notes).toEqual([]);
});

test('a link without a partition is passed over and takes no number', () => {
  const d = disk({
    0: [{ type: 0x0f, first: 1000, sectors: 1000 }],
    1000: [
      { type: 0, first: 0, sectors: 0 },
      { type: 0x05, first: 100, sectors: 100 },
    ],
    1100: [{ type: 0x83, first: 20, sectors: 80 }],
  });
  expect(places(d)).toEqual([
    [1, 1000, 1000, 'extended'],
    [5, 1120, 80, 'linux'],
  ]);
});

test('a chain that loops ends, with a note', () => {
  const d = disk({
    0: [{ type: 0x05, first: 1000, sectors: 1000 }],
    1000: [
      { type: 0x83, first: 10, sectors: 90 },
      { type: 0x05, first: 100, sectors: 100 },
    ],
    1100: [
      { type: 0x83, first: 10, sectors: 90 },
      { type: 0x05, first: 0, sectors: 100 },
    ],
  });
  expect(places(d)).toHaveLength(3);
  expect(readMbr(d)?.notes).toEqual(['the chain of logical partitions loops after partition 6']);
});

test('a chain that leaves the extended partition, or points at no link, ends with a note', () => {
  const leaving = disk({
    0: [{ type: 0x05, first: 1000, sectors: 50 }],
    1000: [
      { type: 0x83, first: 1, sectors: 9 },
      { type: 0x05, first: 100, sectors: 9 },
    ],
    1100: [{ type: 0x83, first: 1, sectors: 9 }],
  });
  expect(places(leaving)).toHaveLength(2);
  expect(readMbr(leaving)?.notes[0]).toMatch(/leaves its extended partition/);
  const broken = disk({ 0: [{ type: 0x05, first: 1000, sectors: 50 }] });
  expect(places(broken)).toHaveLength(1);
  expect(readMbr(broken)?.notes[0]).toMatch(/broken after partition 4/);
});

test('boot code that ends in the signature is no table', () => {
  expect(readMbr(disk({}))).toBeUndefined();
  expect(readMbr(disk({ 0: [] }))).toBeUndefined();
  expect(readMbr(disk({ 0: [{ type: 0x83, first: 64, sectors: 10, status: 0x41 }] }))).toBeUndefined();
  expect(readMbr(disk({ 0: [{ type: 0x83, first: 0, sectors: 10 }] }))).toBeUndefined();
  expect(readMbr(disk({ 0: [{ type: 0x83, first: SECTORS, sectors: 10 }] }))).toBeUndefined();
});

test('a partition past the end of a cut image is told with a note', () => {
  const d = disk({ 0: [{ type: 0x83, first: 64, sectors: SECTORS }] });
  expect(readMbr(d)?.notes).toEqual(['partition 1 runs past the end of the image']);
});

test('isProtective() knows protective and hybrid tables', () => {
  expect(isProtective(disk({ 0: [{ type: 0xee, first: 1, sectors: 4095 }] }))).toBe(true);
  expect(
    isProtective(
      disk({
        0: [
          { type: 0x0c, first: 64, sectors: 9 },
          { type: 0xee, first: 1, sectors: 63 },
        ],
      }),
    ),
  ).toBe(true);
  expect(isProtective(disk({ 0: [{ type: 0x83, first: 1, sectors: 9 }] }))).toBe(false);
});

test('a first sector cut short, or any bytes at all, is no table and no crash', () => {
  const short = { read: () => new Uint8Array(100), sizeBytes: 100 };
  expect(readMbr(short)).toBeUndefined();
  let seed = 7;
  for (let round = 0; round < 200; round++) {
    const image = Uint8Array.from({ length: 8192 }, () => (seed = (seed * 1103515245 + 12345) >>> 0) >>> 24);
    for (let s = 0; s < 16; s++) image.set([0x55, 0xaa], s * 512 + 510);
    for (let i = 0; i < 4; i++) image[446 + i * 16] = 0;
    image[450] = 0x05;
    image.set([1, 0, 0, 0], 454);
    expect(() => readMbr({ read: (o, n) => image.subarray(o, o + n), sizeBytes: image.length })).not.toThrow();
  }
});
