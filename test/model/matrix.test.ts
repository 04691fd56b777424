/** The same on many more variants, shorter, and the image judged after each step that changed something. */
import { afterAll, describe, expect, test } from 'vitest';
import { fileSystems } from '../support/file-systems.ts';
import { lacksOracle } from '../support/oracle.ts';
import { EFFORT, isAll, LONG, Played, wanted } from './effort.ts';

const played = new Played();
afterAll(() => console.log(`model, matrix: ${played.summary()}`));

for (const { type, oracles, matrix } of fileSystems) {
  const variants = wanted(matrix(type));
  if (variants.length === 0) continue;
  describe.skipIf(lacksOracle(...oracles))(type.name, () => {
    test.each(variants)('$name', { timeout: LONG }, async (variant) => {
      await played.play(variant, { steps: 40 * EFFORT, compareEvery: 20, judgeEvery: 40, judgeEach: true });
    });

    test.runIf(isAll)('at least thirty were written', () => expect(played.variants).toBeGreaterThanOrEqual(30));
  });
}
