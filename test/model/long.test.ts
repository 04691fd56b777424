/**
 * Seeded random sequences on every file system, on the variants of the conformance suite, against a model in memory: every
 * errno and every attribute after each step; every byte, and the judges of the image, after some.
 */
import { afterAll, describe, test } from 'vitest';
import { fileSystems } from '../support/file-systems.ts';
import { lacksOracle } from '../support/oracle.ts';
import { EFFORT, LONG, Played, wanted } from './effort.ts';

const played = new Played();
afterAll(() => console.log(`model, long: ${played.summary()}`));

for (const { type, oracles, variants } of fileSystems) {
  describe.skipIf(lacksOracle(...oracles))(type.name, () => {
    test.each(wanted(variants(type)))('$name', { timeout: LONG }, async (variant) => {
      await played.play(variant, { steps: 400 * EFFORT, compareEvery: 50, judgeEvery: 100 });
    });
  });
}
