/** Declares every case of every theme for one variant as vitest tests. */
import { describe, test } from 'vitest';
import type { Variant } from '../support/adapters.ts';
import { themes } from './cases/index.ts';
import { runCase } from './harness.ts';

export function declareSuite(variant: Variant): void {
  describe(variant.name, () => {
    for (const [theme, cases] of Object.entries(themes)) {
      const applicable = cases.filter((item) => item.needs === undefined || item.needs(variant.traits));
      if (applicable.length === 0) continue;
      describe(theme, () => {
        for (const item of applicable) {
          test(item.name, () => runCase(variant, item));
        }
      });
    }
  });
}
