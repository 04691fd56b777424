/** What a failure printed, again: UKFS_MODEL_REPLAY names a file that holds its last line. */
import { readFileSync } from 'node:fs';
import { tmpfs } from '@ukfs/kernel/fs/tmpfs';
import { expect, test } from 'vitest';
import { tmpfsVariant } from '../support/adapters.ts';
import { fileSystems } from '../support/file-systems.ts';
import { LONG } from './effort.ts';
import { playRandom, replay } from './play.ts';
import type { Step } from './steps.ts';

const file = process.env['UKFS_MODEL_REPLAY'];

if (file === undefined) {
  test('a sequence is the same from the same seed, also when it is read back from its text', async () => {
    const variant = tmpfsVariant(tmpfs);
    const plan = { seed: 5, steps: 200, compareEvery: 50, judgeEvery: 100 };
    const { steps, failure } = await playRandom(variant, plan);
    expect(failure).toBeUndefined();
    expect((await playRandom(variant, plan)).steps).toEqual(steps);
    const text = JSON.parse(JSON.stringify(steps)) as Step[];
    expect(text).toEqual(steps);
    expect(await replay(variant, text)).toBeUndefined();
  });
} else {
  test('the sequence of the file finds nothing wrong', { timeout: LONG }, async () => {
    const given = JSON.parse(readFileSync(file, 'utf8')) as { variant: string; steps: Step[] };
    const variant = fileSystems
      .flatMap(({ type, variants, matrix }) => [...variants(type), ...matrix(type)])
      .find(({ name }) => name === given.variant);
    if (variant === undefined) throw new Error(`no variant ${given.variant}`);
    expect(await replay(variant, given.steps, { judgeEach: true })).toBeUndefined();
  });
}
