import { FsError } from '@ukfs/kernel';
import { filesystems, loadLabels } from '@ukfs/kernel/all';
import { describe, expect, test } from 'vitest';
import { identify, wholeImage } from './identify.ts';
import { cachedMedium } from './medium.ts';
import type { Medium } from './medium.ts';
import { recognise } from './recognise.ts';
import { signatures, type Magic } from './signatures.ts';

/** An image of `sizeBytes` that holds these bytes and else 0xA5, without taking that much memory. */
function planted(magic: readonly Magic[], sizeBytes: number): Medium {
  return cachedMedium((dst, offset) => {
    dst.fill(0xa5);
    for (const [place, bytes] of magic) {
      const start = (place < 0 ? sizeBytes + place : place) - offset;
      for (let i = 0; i < bytes.length; i++)
        if (start + i >= 0 && start + i < dst.length) dst[start + i] = bytes.charCodeAt(i);
    }
  }, sizeBytes);
}

const rows = signatures.flatMap(({ name, magic, check }) =>
  check === undefined ? magic.map((parts, i) => ({ name, parts, title: `${name}, place ${i + 1}` })) : [],
);

describe('recognise()', () => {
  test.each(rows)('$title', ({ name, parts }) => {
    const { read, sizeBytes } = planted(parts, 8 * 1024 * 1024);
    expect(recognise(read, sizeBytes)?.name).toBe(name);
  });

  test.each(rows)('$title, cut off within its magic, is not taken for it', ({ name, parts }) => {
    const end = Math.max(...parts.map(([place, bytes]) => place + bytes.length));
    if (end <= 1) return;
    const { read, sizeBytes } = planted(parts, end - 1);
    expect(recognise(read, sizeBytes)?.name).not.toBe(name);
  });

  test('labels and UUIDs are read where the format has them', () => {
    const { read, sizeBytes } = planted(
      [
        [0, 'XFSB'],
        [32, '\x01'.repeat(16)],
        [108, 'data\0\0\0\0\0\0\0\0'],
      ],
      1024 * 1024,
    );
    expect(recognise(read, sizeBytes)).toMatchObject({ label: 'data', uuid: '01010101-0101-0101-0101-010101010101' });
  });

  test('text, zeros, nothing, noise', () => {
    const of = (bytes: Uint8Array) => recognise((at, n) => bytes.subarray(at, at + n), bytes.length)?.name;
    expect(of(new TextEncoder().encode('#!/bin/sh\nécho\n'))).toBe('text file');
    expect(of(new Uint8Array(100_000))).toBe('blank image');
    expect(of(new Uint8Array(0))).toBe('empty file');
    expect(of(new Uint8Array(5000).fill(0xff))).toBeUndefined();
    expect(of(Uint8Array.from({ length: 5000 }, (_, i) => (i * 7) & 0xff))).toBeUndefined();
  });

  test('every row says what helps', () => {
    for (const { name, advice } of signatures) expect(advice, name).toMatch(/\w{4}/);
  });
});

describe('cachedMedium()', () => {
  const bytes = Uint8Array.from({ length: 10_000 }, (_, i) => i & 0xff);
  let reads = 0;
  const medium = cachedMedium((dst, offset) => {
    reads++;
    dst.set(bytes.subarray(offset, offset + dst.length));
  }, bytes.length);

  test.each([
    [0, 10],
    [4090, 20],
    [8192, 5000],
    [9990, 10],
    [9999, 5],
    [10_000, 1],
    [-1, 4],
    [5, 0],
    [0, 10_000],
  ])('read(%i, %i)', (offset, length) => {
    const expected = offset < 0 ? [] : [...bytes.subarray(offset, offset + length)];
    expect([...medium.read(offset, length)]).toEqual(expected);
  });

  test('asks once for what lies together', () => {
    reads = 0;
    for (let i = 0; i < 100; i++) medium.read(i * 10, 8);
    expect(reads).toBeLessThan(2);
  });
});

test('identify() takes any bytes: an answer or an FsError, in bounded time', async () => {
  let seed = 12345;
  const random = (n: number): number => (seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0) % n;
  const magics = signatures.flatMap(({ magic }) => magic.flat());
  for (let round = 0; round < 300; round++) {
    const image = new Uint8Array(70_000 + random(10_000));
    const noise = random(3) === 0 ? image.length : random(4000);
    for (let i = 0; i < noise; i++) image[random(image.length)] = random(256);
    for (let i = random(4); i > 0; i--) {
      const [place, bytes] = magics[random(magics.length)] ?? [0, ''];
      const at = place < 0 ? image.length + place : place;
      if (at + bytes.length <= image.length)
        image.set(
          [...bytes].map((c) => c.charCodeAt(0)),
          at,
        );
    }
    // Partition tables and an ext superblock with wild numbers.
    image.set([0x55, 0xaa], 510);
    for (let i = 0; i < 4; i++) image[446 + 16 * i] = 0x80 * random(2);
    if (random(2) === 0)
      image.set(
        [...'EFI PART'].map((c) => c.charCodeAt(0)),
        512,
      );
    if (random(2) === 0) image.set([0x53, 0xef], 1024 + 56);
    const medium = cachedMedium((dst, offset) => dst.set(image.subarray(offset, offset + dst.length)), image.length);
    try {
      const { partitions } = await identify(wholeImage(medium), { modules: filesystems, loadLabels });
      expect(partitions.length).toBeLessThan(300);
    } catch (e) {
      expect(e).toBeInstanceOf(FsError);
    }
  }
});
