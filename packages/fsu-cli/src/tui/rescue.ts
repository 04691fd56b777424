/** What is staged when something else than a person ends the browser: it becomes a script, as saving it would have made. */
import { FsError } from 'ukfs';
import { describeError } from '../errors.ts';
import type { writeScript } from '../host-script.ts';
import type { State } from './model/state.ts';

/** Files that may be there already, from ends before. */
const TRIES = 1000;

const fileOf = (nth: number): string => `edits.rescued${nth === 0 ? '' : `.${nth}`}.fsu`;

/** Written by `write` into the working directory; what to tell of it, undefined: nothing was staged. */
export function rescued({ image, editing: { staged } }: State, write: typeof writeScript): string | undefined {
  if (staged.length === 0) return undefined;
  const lines = staged.flatMap(({ lines: edit }) => edit);
  for (let nth = 0; nth < TRIES; nth++) {
    try {
      write(fileOf(nth), image, lines, false);
    } catch (thrown) {
      if (thrown instanceof FsError && thrown.code === 'EEXIST') continue;
      return `fsu browse: what was staged is lost: ${describeError(thrown)}\n`;
    }
    return `fsu browse: what was staged is saved: ${fileOf(nth)}\n`;
  }
  return 'fsu browse: what was staged is lost: all names for it are taken\n';
}
