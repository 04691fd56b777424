/**
 * The suite's own proof: tmpfs with one rule broken must be found, by the cases that claim to test that rule.
 * That the same cases pass on the sound tmpfs is tmpfs.test.ts.
 */
import { expect, test } from 'vitest';
import { tmpfs } from '@ukfs/kernel/fs/tmpfs';
import { tmpfsVariant } from '../support/adapters.ts';
import { breakSys, breakType, brokenRules } from '../support/broken.ts';
import { allCases } from './cases/index.ts';
import { runCase } from './harness.ts';
import type { Case } from './suite.ts';

function caseNamed(start: string): Case {
  const found = allCases.filter((c) => c.name.startsWith(start));
  if (found.length !== 1) throw new Error(`${found.length} cases begin with "${start}"`);
  return found[0]!;
}

test('at least 20 rules are broken, each under its own name', () => {
  expect(new Set(brokenRules.map((r) => r.rule)).size).toBe(brokenRules.length);
  expect(brokenRules.length).toBeGreaterThanOrEqual(20);
});

for (const rule of brokenRules) {
  test(`is found: ${rule.rule}`, async () => {
    expect(rule.foundBy.length).toBeGreaterThan(0);
    // The sound type's traits decide what runs: a broken type must not talk itself out of a case.
    const variant = { ...tmpfsVariant(breakType(tmpfs, rule)), traits: tmpfsVariant(tmpfs).traits };
    for (const start of rule.foundBy) {
      const item = caseNamed(start);
      let problem: unknown;
      try {
        await runCase(variant, item, { wrapSys: (sys) => breakSys(sys, rule) });
      } catch (e) {
        problem = e;
      }
      expect(problem, `"${item.name}" did not notice`).toBeInstanceOf(Error);
      // It must have been a case's verdict or an errno, not a slip of the broken code itself.
      const slip = problem instanceof TypeError || problem instanceof ReferenceError || problem instanceof RangeError;
      expect(slip, `"${item.name}" met ${String(problem)}`).toBe(false);
    }
  });
}
