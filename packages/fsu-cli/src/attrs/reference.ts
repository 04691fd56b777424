/** --reference of chmod, chown, chgrp, touch and truncate: another file, whose attributes are wanted. */
import type { Stat } from 'ukfs';
import type { OptionSpec } from '../command.ts';
import type { Context } from '../context.ts';
import type { Given } from '../given.ts';
import { attempt } from './targets.ts';

export const referenceOption = (summary: string, letter?: string): OptionSpec => ({
  flags: `${letter === undefined ? '' : `-${letter}, `}--reference <file>`,
  summary,
});

/** The file's attributes. Its image may be one that is edited: prepare() is called when those are open. */
export class Reference {
  readonly #ctx: Context;
  readonly #word: string;
  readonly #follow: boolean;
  #stat: Stat | undefined;

  private constructor(ctx: Context, word: string, follow: boolean) {
    this.#ctx = ctx;
    this.#word = word;
    this.#follow = follow;
  }

  /** undefined: none was given. */
  static of(ctx: Context, given: Given, { follow = true }: { readonly follow?: boolean } = {}): Reference | undefined {
    const word = given.value('reference');
    return word === undefined ? undefined : new Reference(ctx, word, follow);
  }

  /** False: it could not be read, which has been told. */
  readonly prepare = async (): Promise<boolean> => {
    for (const target of this.#ctx.targets([this.#word])) {
      const fs = await this.#ctx.tryOpen(target.image);
      if (fs === undefined) return false;
      attempt(this.#ctx, target, () => {
        this.#stat = this.#follow ? fs.stat(target.path) : fs.lstat(target.path);
      });
    }
    return this.#stat !== undefined;
  };

  /** After prepare(). */
  get stat(): Stat {
    if (this.#stat === undefined) throw new Error('the reference was not read');
    return this.#stat;
  }
}
