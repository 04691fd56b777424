import { createHash } from 'node:crypto';
import { expect, test } from 'vitest';
import { sha256 } from './sha256.ts';

test('sha256() agrees with the platform at every length around the padding', () => {
  for (const length of [0, 1, 3, 54, 55, 56, 57, 63, 64, 65, 119, 120, 127, 128, 1000]) {
    const bytes = Uint8Array.from({ length }, (_, i) => (i * 131 + length) & 0xff);
    expect(Uint8Array.from(createHash('sha256').update(bytes).digest())).toEqual(sha256(bytes));
  }
});
