/** A person's editor on a copy of a file. Only for browse. */
import { createHash } from 'node:crypto';
import * as fs from 'node:fs';
import { makeScratch, runProgram } from './host-program.ts';
import type { Scratch } from './host-program.ts';

/** What came of it; the copy stays until remove(). */
export interface EditedCopy {
  readonly path: string;
  readonly isChanged: boolean;
  /** Of the editor, as a shell has it. */
  readonly status: number;
  /** The new contents, when they are no longer than `max` bytes. */
  contents(max: number): Uint8Array | undefined;
  remove(): void;
}

const set = (name: string): string | undefined => {
  const text = process.env[name];
  return text === undefined || text.trim() === '' ? undefined : text;
};

/** Copies that are still there; none is when the process ends. */
const copies = new Set<Scratch>();

export function removeCopies(): void {
  for (const copy of copies) copy.remove();
  copies.clear();
}

const digestOf = (path: string): string => createHash('sha256').update(fs.readFileSync(path)).digest('hex');

/** Run $VISUAL, $EDITOR or vi on a copy of `pieces` called `name`. */
export async function editCopy(name: string, pieces: AsyncIterable<Uint8Array>): Promise<EditedCopy> {
  const scratch = makeScratch(name);
  if (copies.size === 0) process.once('exit', removeCopies);
  copies.add(scratch);
  const remove = (): void => {
    scratch.remove();
    copies.delete(scratch);
  };
  try {
    for await (const piece of pieces) scratch.append(piece, piece.length);
    scratch.end();
    const before = digestOf(scratch.path);
    const editor = set('VISUAL') ?? set('EDITOR') ?? 'vi';
    // The variable may hold words of its own: they are the shell's, as everywhere.
    const command = ['/bin/sh', '-c', `${editor} "$@"`, editor, scratch.path];
    const status = runProgram(command, { stdin: 'ours', stdout: 'ours' });
    return {
      path: scratch.path,
      isChanged: digestOf(scratch.path) !== before,
      status,
      contents: (max) => (fs.statSync(scratch.path).size > max ? undefined : fs.readFileSync(scratch.path)),
      remove,
    };
  } catch (thrown) {
    remove();
    throw thrown;
  }
}
