/** Offsets and sizes against the specification's numbers, written here by hand, and a superblock as mke2fs made it. */
import { expect, test } from 'vitest';
import { FEATURES } from './features.ts';
import * as f from './format.ts';
import * as j from './journal-format.ts';
import * as q from './quota-format.ts';

test.each([
  [f.Superblock, 1024],
  [f.GroupDesc, 32],
  [f.GroupDescHigh, 32],
  [f.InodeCore, 128],
  [f.InodeExtra, 32],
  [f.ExtentHeader, 12],
  [f.ExtentIndex, 12],
  [f.Extent, 12],
  [f.DirEntry, 8],
  [f.DirTail, 12],
  [f.XattrHeader, 32],
  [f.XattrEntry, 16],
  [f.MmpBlock, 1024],
  [j.JournalSuperblock, 1024],
  [j.BlockTag3, 16],
  [q.QuotaHeader, 8],
  [q.QuotaInfo, 24],
  [q.QuotaLeaf, 16],
  [q.QuotaEntry, 72],
])('$structName has the specified size', (type, size) => {
  expect(type.size).toBe(size);
});

test('fields lie where the specification says', () => {
  const sb = (name: Parameters<typeof f.Superblock.offsetOf>[0]) => f.Superblock.offsetOf(name);
  expect([sb('magic'), sb('featureIncompat'), sb('uuid'), sb('journalInum'), sb('hashSeed'), sb('descSize')]).toEqual([
    0x38, 0x60, 0x68, 0xe0, 0xec, 0xfe,
  ]);
  expect([
    sb('blocksCountHi'),
    sb('mmpBlock'),
    sb('backupBgs'),
    sb('checksumSeed'),
    sb('orphanFileInum'),
    sb('checksum'),
  ]).toEqual([0x150, 0x168, 0x24c, 0x270, 0x280, 0x3fc]);
  expect(f.InodeCore.offsetOf('block')).toBe(40);
  expect(f.InodeCore.offsetOf('checksumLo')).toBe(0x7c);
  expect(f.InodeExtra.offsetOf('projid')).toBe(0x1c);
  expect(f.GroupDesc.offsetOf('checksum')).toBe(0x1e);
  expect(j.JournalSuperblock.offsetOf('checksum')).toBe(0xfc);
  expect(j.CommitHeader.offsetOf('commitSec')).toBe(0x30);
});

test('every feature bit has one name and one row', () => {
  const keys = FEATURES.map(({ set, bit }) => `${set} ${bit}`);
  expect(new Set(keys).size).toBe(keys.length);
  expect(new Set(FEATURES.map(({ name }) => name)).size).toBe(FEATURES.length);
  for (const { bit } of FEATURES) expect(Math.log2(bit) % 1).toBe(0);
});

/** The superblock of `mke2fs -t ext4 -b 1024 -N 64 x 1M` (1.47.0) up to its UUID. */
const GOLDEN =
  '400000000004000033000000d60300003500000001000000000000000000000000200000002000004000000000000000' +
  '7f76036b0000ffff53ef0100010000007f76036b000000000000000001000000000000000b0000000001000038000000' +
  'c20200006b040000';

test('a superblock made by mke2fs reads as dumpe2fs prints it', () => {
  const raw = new Uint8Array(1024);
  raw.set(GOLDEN.match(/../g)?.map((hex) => Number.parseInt(hex, 16)) ?? []);
  const sb = f.Superblock.at(raw, 0);
  expect(sb).toMatchObject({
    inodesCount: 64,
    blocksCountLo: 1024,
    rBlocksCountLo: 51,
    firstDataBlock: 1,
    logBlockSize: 0,
    blocksPerGroup: 8192,
    inodesPerGroup: 64,
    magic: f.EXT2_MAGIC,
    revLevel: 1,
    firstIno: 11,
    inodeSize: 256,
    freeBlocksCountLo: 982,
    featureCompat: 0x38,
    featureIncompat: 0x2c2,
    featureRoCompat: 0x46b,
  });
});

test.each([f.Superblock, f.InodeCore, f.InodeExtra, f.GroupDesc, f.Extent, f.DirEntry])(
  '$structName: what is written is read again',
  (type) => {
    const raw = Uint8Array.from({ length: type.size }, (_, i) => (i % 8 < 6 ? (i * 37 + 11) & 0xff : 0));
    const copy = new Uint8Array(type.size);
    const [from, to] = [type.at(raw, 0) as Record<string, unknown>, type.at(copy, 0) as Record<string, unknown>];
    for (const [, name] of type.rows) to[name] = from[name];
    expect(copy).toEqual(raw);
  },
);
