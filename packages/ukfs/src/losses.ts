/** What a copy or an archive could not keep, counted: each kind is told once. */
import type { LossReport } from './copy.ts';
import type { Loss } from './tree.ts';

export class Losses {
  readonly #told = new Map<Loss, { count: number; readonly example: string }>();

  add(loss: Loss, path: string): void {
    const known = this.#told.get(loss);
    if (known === undefined) this.#told.set(loss, { count: 1, example: path });
    else known.count++;
  }

  report(): LossReport[] {
    return [...this.#told].map(([loss, told]) => ({ loss, ...told }));
  }
}
