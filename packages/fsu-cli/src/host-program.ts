/** Programs of the host, and private copies of files for them: for exec and edit. Loaded only by those. */
import { spawnSync } from 'node:child_process';
import * as fs from 'node:fs';
import { tmpdir } from 'node:os';
import { constants } from 'node:os';
import { join } from 'node:path';
import { FsError } from 'ukfs';
import { hostError } from './host-files.ts';

/** A file in a directory that nobody else can enter. */
export interface Scratch {
  readonly path: string;
  /** All of `bytes[0, length)` behind what is there. */
  append(bytes: Uint8Array, length: number): void;
  /** No more is appended. */
  end(): void;
  remove(): void;
}

/** `name`: its last part; one that is no plain name gets another. */
export function makeScratch(name: string): Scratch {
  let dir: string;
  try {
    dir = fs.mkdtempSync(join(tmpdir(), 'fsu-'));
  } catch (thrown) {
    throw hostError(thrown, tmpdir());
  }
  const path = join(dir, /^[\w.+@%-][\w .+@%-]*$/.test(name) && name !== '.' && name !== '..' ? name : 'file');
  const fd = fs.openSync(path, 'wx', 0o600);
  let isOpen = true;
  const end = (): void => {
    if (isOpen) fs.closeSync(fd);
    isOpen = false;
  };
  return {
    path,
    append(bytes, length) {
      try {
        for (let done = 0; done < length;) done += fs.writeSync(fd, bytes, done, length - done);
      } catch (thrown) {
        throw hostError(thrown, path);
      }
    },
    end,
    remove() {
      end();
      fs.rmSync(dir, { recursive: true, force: true });
    },
  };
}

/** Statuses of a shell: the program cannot be run, is not there, was ended by a signal. */
const CANNOT_RUN = 126;
const NOT_FOUND = 127;
const SIGNALLED = 128;

/** Run a program to its end; its exit status as a shell has it. `stdin`, `stdout`: ours, nothing, or standard error. */
export function runProgram(
  [program = '', ...args]: readonly string[],
  streams: { readonly stdin: 'ours' | 'nothing'; readonly stdout: 'ours' | 'stderr' },
): number {
  const done = spawnSync(program, args, {
    stdio: [streams.stdin === 'ours' ? 'inherit' : 'ignore', streams.stdout === 'ours' ? 'inherit' : 2, 'inherit'],
  });
  const { error } = done;
  if (error !== undefined && done.status === null && done.signal === null) {
    const failed = hostError(error, program);
    if (failed.code === 'ENOENT') return NOT_FOUND;
    if (failed.code === 'EACCES' || failed.code === 'ENOEXEC') return CANNOT_RUN;
    throw new FsError(failed.code, { path: program }, { cause: error });
  }
  if (done.signal !== null) return SIGNALLED + (constants.signals[done.signal] ?? 0);
  return done.status ?? CANNOT_RUN;
}
