/** What tools/fuzz.mjs does once the targets are compiled: it fuzzes some, one line for each, and shows what it found. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fuzz, type FuzzOptions, type Target } from './engine.ts';

export interface MainOptions extends Omit<FuzzOptions, 'moreSeeds'> {
  readonly targets: readonly Target[];
  /** Where files lie that once broke a rule: `fuzz--TARGET--WHAT.bin`, with `-` for the colon of a name. */
  readonly corpusDirectory: string;
  readonly print: (line: string) => void;
}

/** The seconds are shared out among the targets. True: nothing was found. */
export function main({ targets, corpusDirectory, print, ...options }: MainOptions): boolean {
  const seconds = options.seconds / targets.length;
  let good = true;
  for (const target of targets) {
    const moreSeeds = standing(corpusDirectory, target.name);
    const { runs, corpus, characters, find } = fuzz(target, { ...options, seconds, moreSeeds });
    print(`${target.name}: ${runs} executions, ${characters} characters of code, corpus ${corpus}`);
    if (find === undefined) continue;
    good = false;
    print(`${target.name}: FOUND with seed ${options.seed}: ${find.problem}`);
    print(`${target.name}: input ${Buffer.from(find.input).toString('hex')}`);
  }
  return good;
}

function standing(directory: string, name: string): Uint8Array[] {
  const prefix = `fuzz--${name.replaceAll(':', '-')}--`;
  const files = readdirSync(directory).filter((file) => file.startsWith(prefix));
  return files.sort().map((file) => new Uint8Array(readFileSync(join(directory, file))));
}
