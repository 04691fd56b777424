/**
 * How long the sequences are and which are played: UKFS_MODEL=20 plays twenty times as long, UKFS_MODEL_SEED begins
 * elsewhere, UKFS_MODEL_ONLY takes the variants whose names contain it.
 */
import { expect } from 'vitest';
import type { Variant } from '../support/adapters.ts';
import type { Plan } from './play.ts';
import { foundText, search } from './report.ts';

export const EFFORT = Number(process.env['UKFS_MODEL'] ?? 1);
export const SEED = Number(process.env['UKFS_MODEL_SEED'] ?? 1);
/** For tests that take as long as they are asked to. */
export const LONG = 24 * 3600 * 1000;
const ONLY = process.env['UKFS_MODEL_ONLY'] ?? '';

export const isAll = ONLY === '';
export const wanted = (variants: readonly Variant[]): Variant[] => variants.filter(({ name }) => name.includes(ONLY));

/** What was played in this file, for its last line. */
export class Played {
  steps = 0;
  variants = 0;
  readonly #onlyRead: string[] = [];

  /** Fails the test with a short sequence when anything is wrong. A variant that is mounted read-only is only counted. */
  async play(variant: Variant, plan: Omit<Plan, 'seed'>): Promise<void> {
    if (!(await isWritable(variant))) {
      this.#onlyRead.push(variant.name);
      return;
    }
    const found = await search(variant, { ...plan, seed: SEED });
    this.variants++;
    this.steps += plan.steps;
    if (found !== undefined) expect.fail(foundText(variant, SEED, found));
  }

  summary(): string {
    const more = this.#onlyRead.length > 0 ? `; mounted read-only, so not played: ${this.#onlyRead.join('; ')}` : '';
    return `${this.steps} steps on ${this.variants} variants, seed ${SEED}${more}`;
  }
}

async function isWritable(variant: Variant): Promise<boolean> {
  const instance = await variant.newfs();
  try {
    instance.mount();
    return !instance.k.sys.statvfs(instance.mnt).readOnly;
  } finally {
    instance.k.halt();
  }
}
