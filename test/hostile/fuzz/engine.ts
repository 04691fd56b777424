/**
 * Coverage-guided fuzzing in this process: inputs are changed at random, and those that make code run that has not run
 * before are kept, to be changed further. Whatever a target throws, or a run that does not end, is a find.
 *
 * It is a script of its own beside the targets', so that its own blocks are not taken for theirs.
 */
import { Script } from 'node:vm';
import { Rng } from '../../support/rng.ts';
import { Coverage, type ReadCounts } from './coverage.ts';
import { mutate } from './mutate.ts';

export interface Target {
  readonly name: string;
  /** Valid inputs to begin with. */
  seeds(): readonly Uint8Array[];
  /** Largest input that is tried. */
  readonly maxBytes: number;
  /** Use the input as its parser would be used. It throws when a rule is broken: an FsError is an answer. */
  run(input: Uint8Array): void;
}

export interface FuzzOptions {
  readonly seed: number;
  /** It ends with whichever comes first; the seeds are always tried. */
  readonly seconds: number;
  readonly runs: number;
  /** A run that goes on longer hangs. Wall clock: a busy machine must not be taken for a loop. */
  readonly hangMs: number;
  readonly read: ReadCounts;
  /** True: count nothing and keep nothing, as a control. */
  readonly blind: boolean;
  /** Tried first, and changed further, like the target's own. */
  readonly moreSeeds: readonly Uint8Array[];
}

export interface FuzzResult {
  readonly runs: number;
  /** Inputs at hand in the end, and the length of all code that ran. */
  readonly corpus: number;
  readonly characters: number;
  readonly find: Find | undefined;
}

export interface Find {
  readonly problem: string;
  readonly input: Uint8Array;
}

const SHRINK_MS = 3000;
const bounded = new Script('globalThis.__fuzzRun()');

export function fuzz(target: Target, options: FuzzOptions): FuzzResult {
  const { seed, hangMs, blind } = options;
  const rng = new Rng(seed);
  const corpus = [...options.moreSeeds, ...target.seeds()];
  const coverage = new Coverage(options.read);
  const end = performance.now() + options.seconds * 1000;
  let runs = 0;
  const done = (find?: Find): FuzzResult => ({ runs, corpus: corpus.length, characters: coverage.characters, find });
  for (const input of corpus) {
    runs++;
    const problem = attempt(target, input, hangMs);
    if (problem !== undefined) return done({ problem, input });
    if (!blind) coverage.take();
  }
  while (runs < options.runs && performance.now() < end) {
    // What was found last leads on: half of the time one of the younger ones is changed.
    const young = rng.oneIn(2) ? Math.floor(corpus.length / 2) : 0;
    const from = corpus[rng.between(young, corpus.length - 1)] ?? new Uint8Array(0);
    const input = mutate(rng, from, { corpus, maxBytes: target.maxBytes });
    runs++;
    const problem = attempt(target, input, hangMs);
    if (problem !== undefined) return done({ problem, input: smaller(target, input, hangMs) });
    if (!blind && coverage.take()) corpus.push(input);
  }
  return done();
}

/** What is wrong with how the target takes an input. */
function attempt(target: Target, input: Uint8Array, hangMs: number): string | undefined {
  let problem: string | undefined;
  Object.assign(globalThis, {
    __fuzzRun: () => {
      try {
        target.run(input.slice());
      } catch (e) {
        problem = e instanceof Error ? (e.stack ?? e.message) : String(e);
      }
    },
  });
  try {
    bounded.runInThisContext({ timeout: hangMs });
  } catch (e) {
    problem ??= `still going on after ${hangMs} ms (${String(e)})`;
  }
  return problem;
}

/** Zero what need not be there, as long as it fails in any way: what is left says more. */
function smaller(target: Target, input: Uint8Array, hangMs: number): Uint8Array {
  let best = input;
  const end = performance.now() + SHRINK_MS;
  for (let size = Math.ceil(best.length / 2); size >= 1; size = size === 1 ? 0 : Math.ceil(size / 2)) {
    for (let at = 0; at < best.length && performance.now() < end; at += size) {
      if (best.subarray(at, at + size).every((byte) => byte === 0)) continue;
      const candidate = best.slice().fill(0, at, at + size);
      if (attempt(target, candidate, hangMs) !== undefined) best = candidate;
    }
  }
  return best;
}
