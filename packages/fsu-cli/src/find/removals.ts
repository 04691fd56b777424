/** -delete: names removed in groups, in the order in which they were met, what a directory holds before itself. */
import { FsError } from 'ukfs';
import type { Context } from '../context.ts';
import type { Start, Visit } from './visit.ts';

interface Name {
  readonly path: string;
  readonly isDirectory: boolean;
}

/** Calls grouped: see Ukfs.together. */
const GROUP = 100;

export class Removals {
  readonly #ctx: Context;
  #start: Start | undefined;
  #names: Name[] = [];
  removed = 0;

  constructor(ctx: Context) {
    this.#ctx = ctx;
  }

  /** Always true: what cannot be removed ends the edit, and is told then. */
  add(file: Visit): boolean {
    // GNU: the directory that one is in, and the root, are passed over.
    if (file.entry.depth === 0 && (file.entry.name === '' || file.entry.name === '.')) return true;
    if (this.#start !== file.start || this.#names.length >= GROUP) this.flush();
    this.#start = file.start;
    this.#names.push({ path: file.path, isDirectory: file.type === 'dir' });
    return true;
  }

  /** Remove what is waiting. A group that fails is told, and nothing of the image changes. */
  flush(): void {
    const [start, names] = [this.#start, this.#names];
    this.#names = [];
    if (start === undefined || names.length === 0) return;
    let now: Name | undefined;
    try {
      start.fs.together(() => {
        for (const name of names) {
          now = name;
          if (name.isDirectory) start.fs.rmdir(name.path);
          else start.fs.unlink(name.path);
        }
      });
      this.removed += names.length;
    } catch (thrown) {
      if (!(thrown instanceof FsError)) throw thrown;
      const path = now?.path ?? start.path;
      this.#ctx.fail(thrown, { image: start.image, path, shown: path });
    }
  }
}
