/** What a command line's options say, for commands that ask for them one by one. */
import type { Invocation } from './command.ts';

export class Given {
  readonly #options: Invocation['options'];

  constructor({ options }: Pick<Invocation, 'options'>) {
    this.#options = options;
  }

  has(...names: readonly string[]): boolean {
    return this.#options.some(({ name }) => names.includes(name));
  }

  /** The value of the option; of several the last one's. */
  value(name: string): string | undefined {
    return this.#options.findLast((option) => option.name === name)?.value;
  }

  /** Its values, for an option that may be given several times. */
  values(name: string): readonly string[] {
    return this.#options.filter((option) => option.name === name).map(({ value }) => value);
  }

  /** Which of these options stands last: for those that override each other. */
  lastOf(...names: readonly string[]): string | undefined {
    return this.#options.findLast(({ name }) => names.includes(name))?.name;
  }
}
