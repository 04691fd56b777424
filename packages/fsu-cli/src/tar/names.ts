/** Which entries are meant: patterns to leave out, members asked for, leading directories to strip. */
import { FsError } from 'ukfs';
import type { Context } from '../context.ts';
import { globTest } from '../format/glob.ts';
import { linesOf } from '../lists.ts';
import type { TarOptions } from './options.ts';

/** Without a leading slash or `./`, and none at the end: how names are compared. */
const plainName = (name: string): string => name.replace(/^(?:\.?\/+)+/, '').replace(/\/+$/, '');

/**
 * --exclude: a pattern matches a name from any of its components on, and then all that is below it; `*` matches slashes
 * too, as GNU tar has it.
 */
export function excludes(patterns: readonly string[]): (name: string) => boolean {
  if (patterns.length === 0) return () => false;
  const tests = patterns.map((pattern) => globTest(pattern.replace(/(?<=.)\/+$/, '')));
  const matches = (name: string): boolean => tests.some((test) => test(name));
  return (name) => {
    const path = name.replace(/\/+$/, '');
    const starts = [0, ...[...path.matchAll(/\//g)].map(({ index }) => index + 1)];
    const ends = [...starts.slice(1).map((start) => start - 1), path.length];
    return ends.some((end) => starts.some((start) => start < end && matches(path.slice(start, end))));
  };
}

/** The members of an archive that operands name, with what is below them. */
export class Members {
  readonly #wanted: readonly { readonly text: string; readonly test: (name: string) => boolean; seen: boolean }[];

  constructor(operands: readonly string[]) {
    this.#wanted = operands.map((text) => {
      const name = plainName(text);
      const isPattern = /[*?[]/.test(name);
      return { text, test: isPattern ? globTest(name) : (other: string): boolean => other === name, seen: false };
    });
  }

  has(name: string): boolean {
    if (this.#wanted.length === 0) return true;
    const plain = plainName(name);
    const ends = [...[...plain.matchAll(/\//g)].map(({ index }) => index), plain.length];
    let found = false;
    for (const wanted of this.#wanted) {
      if (!ends.some((end) => wanted.test(plain.slice(0, end)))) continue;
      wanted.seen = true;
      found = true;
    }
    return found;
  }

  /** Say which were not there. */
  tellMissing(ctx: Context, archive: string): void {
    for (const { text, seen } of this.#wanted) {
      if (!seen) ctx.fail(new FsError('ENOENT', { what: `'${text}' is not in the archive` }), archive);
    }
  }
}

/** The name without its first components; undefined: nothing is left. */
export function stripped(name: string, count: number): string | undefined {
  if (count === 0) return name;
  const parts = plainName(name).split('/').slice(count);
  return parts.length === 0 ? undefined : parts.join('/');
}

/** All patterns of --exclude and -X. */
export async function patternsOf(ctx: Context, { exclude, excludeFrom }: TarOptions): Promise<readonly string[]> {
  const lists = await Promise.all(excludeFrom.map((file) => linesOf(ctx, file, '\n')));
  return [...exclude, ...lists.flat()];
}

/** Names of -T. */
export async function namesOf(ctx: Context, { filesFrom, nul }: TarOptions): Promise<readonly string[]> {
  const lists = await Promise.all(filesFrom.map((file) => linesOf(ctx, file, nul ? '\0' : '\n')));
  return lists.flat();
}
