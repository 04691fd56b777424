/** A failing sequence, made short, in words and as a list that can be run again. */
import type { Variant } from '../support/adapters.ts';
import { playRandom, replay, type Plan } from './play.ts';
import { shrink } from './shrink.ts';
import { stepText, type Step } from './steps.ts';

export interface Found {
  readonly problem: string;
  readonly steps: readonly Step[];
  /** How many steps it took before it was made shorter. */
  readonly length: number;
}

/** Play, and if anything is wrong, find a short sequence that shows it. */
export async function search(variant: Variant, plan: Plan, tries = 400): Promise<Found | undefined> {
  const { steps, failure } = await playRandom(variant, plan);
  if (failure === undefined) return undefined;
  const failing = steps.slice(0, failure.at + 1);
  const short = await shrink(failing, async (some) => (await replay(variant, some, plan)) !== undefined, {
    tries,
  });
  const again = await replay(variant, short, plan);
  return { problem: again?.problem ?? failure.problem, steps: short, length: failing.length };
}

/** The message of a failed test: what, where, and how to run it again. */
export function foundText(variant: Variant, seed: number, { problem, steps, length }: Found): string {
  return [
    `${variant.name}, seed ${seed}: ${problem}`,
    `${steps.length} of ${length} steps show it:`,
    ...steps.map((step) => `  ${stepText(step)}`),
    'Again: put the next line into a file and name it in UKFS_MODEL_REPLAY.',
    JSON.stringify({ variant: variant.name, steps }),
  ].join('\n');
}
