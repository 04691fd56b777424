/** Values of debugfs's dx_hash (e2fsprogs 1.47.0), and SipHash's own test vector. */
import { expect, test } from 'vitest';
import { HASH } from './format.ts';
import { nameHash } from './hash.ts';

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const NO_SEED = [0, 0, 0, 0];
const SEED = [0xb4a2f1d3, 0x7f4ed6c5, 0xb3a29180, 0xf7e6d5c4];

test.each<[number, string, readonly number[], number, number]>([
  [0, 'hello', NO_SEED, 0x32252546, 0x0],
  [0, 'file-with-a-name-longer-than-32-bytes.txt', NO_SEED, 0x3280e432, 0x0],
  [0, 'éàü', NO_SEED, 0x305fbf6, 0x0],
  [1, 'hello', NO_SEED, 0x1746da32, 0x420013b5],
  [1, 'file-with-a-name-longer-than-32-bytes.txt', NO_SEED, 0x2cec28d6, 0x75482351],
  [1, 'éàü', NO_SEED, 0xf88daf2, 0x123521a9],
  [2, 'hello', NO_SEED, 0x6f5bb1a8, 0x231917c2],
  [2, 'file-with-a-name-longer-than-32-bytes.txt', NO_SEED, 0x44bcce4c, 0x4ab50e5e],
  [2, 'éàü', NO_SEED, 0x50ee7f70, 0x3a502f13],
  [3, 'hello', NO_SEED, 0x32252546, 0x0],
  [3, 'file-with-a-name-longer-than-32-bytes.txt', NO_SEED, 0x3280e432, 0x0],
  [3, 'éàü', NO_SEED, 0x5d5d3406, 0x0],
  [4, 'hello', NO_SEED, 0x1746da32, 0x420013b5],
  [4, 'file-with-a-name-longer-than-32-bytes.txt', NO_SEED, 0x2cec28d6, 0x75482351],
  [4, 'éàü', NO_SEED, 0xfd1f7c3a, 0x827fcf27],
  [5, 'hello', NO_SEED, 0x6f5bb1a8, 0x231917c2],
  [5, 'file-with-a-name-longer-than-32-bytes.txt', NO_SEED, 0x44bcce4c, 0x4ab50e5e],
  [5, 'éàü', NO_SEED, 0x98476ca2, 0xfc4fa09b],
  [0, 'hello', SEED, 0x32252546, 0x0],
  [0, 'file-with-a-name-longer-than-32-bytes.txt', SEED, 0x3280e432, 0x0],
  [0, 'éàü', SEED, 0x305fbf6, 0x0],
  [1, 'hello', SEED, 0xee1b2a, 0xb2580cc7],
  [1, 'file-with-a-name-longer-than-32-bytes.txt', SEED, 0x78037106, 0xec578480],
  [1, 'éàü', SEED, 0x60f301c0, 0x76392cc1],
  [2, 'hello', SEED, 0x8386aafa, 0x5a471a15],
  [2, 'file-with-a-name-longer-than-32-bytes.txt', SEED, 0xd6ac1a3c, 0x22371017],
  [2, 'éàü', SEED, 0x86682b4e, 0x8bf9c2c1],
  [3, 'hello', SEED, 0x32252546, 0x0],
  [3, 'file-with-a-name-longer-than-32-bytes.txt', SEED, 0x3280e432, 0x0],
  [3, 'éàü', SEED, 0x5d5d3406, 0x0],
  [4, 'hello', SEED, 0xee1b2a, 0xb2580cc7],
  [4, 'file-with-a-name-longer-than-32-bytes.txt', SEED, 0x78037106, 0xec578480],
  [4, 'éàü', SEED, 0xbaf23c80, 0xafe5ac28],
  [5, 'hello', SEED, 0x8386aafa, 0x5a471a15],
  [5, 'file-with-a-name-longer-than-32-bytes.txt', SEED, 0xd6ac1a3c, 0x22371017],
  [5, 'éàü', SEED, 0xbf343166, 0x14a0ad38],
])('version %i of %s', (version, name, seed, hash, minor) => {
  expect(nameHash(bytes(name), { version, seed })).toEqual({ hash, minor });
});

test('SipHash-2-4 gives the reference vector: key 00..0f, message 00..0e', () => {
  const message = Uint8Array.from({ length: 15 }, (_, i) => i);
  const key = [0x0706050403020100n, 0x0f0e0d0c0b0a0908n];
  // a129ca6149be45e5, the lowest bit of the upper half cleared.
  expect(nameHash(message, { version: HASH.SIPHASH, seed: NO_SEED, key })).toEqual({
    hash: 0xa129ca60,
    minor: 0x49be45e5,
  });
});

test('a version that does not exist has no hash', () => {
  expect(nameHash(bytes('x'), { version: 7, seed: NO_SEED })).toBeUndefined();
});
