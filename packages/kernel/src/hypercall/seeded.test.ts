import { expect, test } from 'vitest';
import { MemoryHost } from './memory.ts';
import { seededHost } from './seeded.ts';

const drawn = (seed: string, sizes: readonly number[]): string => {
  const host = seededHost(new MemoryHost(), seed);
  return sizes
    .map((size) => {
      const bytes = new Uint8Array(size);
      host.random(bytes);
      return Array.from(bytes, (x) => x.toString(16).padStart(2, '0')).join('');
    })
    .join('');
};

test('one seed gives the same bytes, however they are asked for; another seed gives others', () => {
  expect(drawn('a', [16, 16, 100])).toBe(drawn('a', [132]));
  expect(drawn('a', [64])).not.toBe(drawn('b', [64]));
  expect(new Set(drawn('a', [64]).match(/.{32}/g)).size).toBe(4);
});
