/** The proof: mistakes in a file system are found, and the sequence that shows one becomes short. */
import { tmpfs } from '@ukfs/kernel/fs/tmpfs';
import { describe, expect, test } from 'vitest';
import { tmpfsVariant } from '../support/adapters.ts';
import { breakSys, breakType, brokenRules } from '../support/broken.ts';
import { fileSystems } from '../support/file-systems.ts';
import { lacksOracle } from '../support/oracle.ts';
import { plantedBugs } from '../support/planted.ts';
import { LONG } from './effort.ts';
import { playRandom, type Plan } from './play.ts';
import { search } from './report.ts';

const plan: Plan = { seed: 1, steps: 2000, compareEvery: 25, judgeEvery: 50 };

/** Rules of the conformance suite that random sequences do not touch: they act as root, and do not move the mount. */
const unseen: readonly string[] = [
  'readdir counts entries and skips after a removal',
  'statvfs tells a name length of 0',
  'statvfs never changes',
  'there is always space',
  'a failed creation changes the directory',
  'the space of an unlinked file is never freed',
  'a handle of a removed file leads to another file',
  'a read-only mount can be written',
  'everybody may do everything',
  "the owner is judged by the others' bits",
  'set-id bits survive a write by somebody else',
  'SEEK_HOLE sees no holes',
  'a hole takes space',
  'a removed directory still takes new files',
  'flags are forgotten',
  'a path with `/./../` stats the wrong file',
  'an empty link target becomes another',
  'a directory opens for writing',
  'unmounting what is no mount point succeeds',
  'unmounting a busy file system is always forced',
  'an unlock does not unlock',
];

describe('tmpfs with a broken rule', () => {
  const seen = brokenRules.filter(({ rule }) => !unseen.includes(rule));

  test('the rules that are not looked for exist', () => {
    expect(unseen.filter((name) => !brokenRules.some(({ rule }) => rule === name))).toEqual([]);
  });

  test.each(seen)('is found: $rule', { timeout: LONG }, async (rule) => {
    const variant = { ...tmpfsVariant(breakType(tmpfs, rule)), traits: tmpfsVariant(tmpfs).traits };
    const { failure } = await playRandom(variant, { ...plan, wrapSys: (sys) => breakSys(sys, rule) });
    expect(failure).toBeDefined();
    // A verdict, not a slip of the broken code itself.
    expect(failure?.problem).not.toMatch(/TypeError|ReferenceError/);
  });
});

for (const { type, oracles, variants } of fileSystems.filter(({ type }) => type.traits.needsDevice)) {
  describe.skipIf(lacksOracle(...oracles))(`${type.name} with a mistake`, () => {
    const [first] = variants(type).slice(5);

    test.each(plantedBugs)('is found, and shown by few steps: $name', { timeout: LONG }, async ({ plant }) => {
      const variant = variants(plant(type)).find(({ name }) => name === first?.name);
      if (variant === undefined) throw new Error('no variant');
      const found = await search(variant, plan, 120);
      expect(found).toBeDefined();
      expect(found?.steps.length).toBeLessThan(Math.min(60, found?.length ?? 0));
    });
  });
}
