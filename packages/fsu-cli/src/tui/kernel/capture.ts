/** The world of lines that the browser runs: what they say is kept for the screen, and there is nobody to talk to. */
import { UsageError } from '../../command.ts';
import type { Shell } from '../../context.ts';
import { TextOut } from '../../out.ts';
import { noInput } from '../../script/input.ts';

/** Bytes of output that are kept: who lists a million files finds the first of them. */
const KEPT = 1024 * 1024;

export interface Said {
  readonly output: Uint8Array;
  /** More came than was kept. */
  readonly isCut: boolean;
  /** Lines on standard error. */
  readonly messages: readonly string[];
}

export class Capture {
  readonly shell: Shell;
  #pieces: Uint8Array[] = [];
  #length = 0;
  #isCut = false;
  #errors = '';

  constructor(shell: Shell) {
    const noPerson = () => Promise.reject(new UsageError('there is no terminal to ask at'));
    this.shell = {
      ...shell,
      stdin: noInput,
      out: new TextOut({ isTTY: false, write: (bytes, length) => this.#keep(bytes.slice(0, length)) }),
      err: (text) => (this.#errors += text),
      errIsTTY: () => false,
      columns: () => undefined,
      terminal: noPerson,
      browse: noPerson,
    };
  }

  #keep(bytes: Uint8Array): void {
    const piece = bytes.subarray(0, Math.max(0, KEPT - this.#length));
    if (piece.length < bytes.length) this.#isCut = true;
    this.#pieces.push(piece);
    this.#length += piece.length;
  }

  /** What was said since the last time. */
  take(): Said {
    this.shell.out.flush();
    const output = new Uint8Array(this.#length);
    let at = 0;
    for (const piece of this.#pieces) {
      output.set(piece, at);
      at += piece.length;
    }
    const messages = this.#errors.split('\n').filter((line) => line !== '');
    const said = { output, isCut: this.#isCut, messages };
    [this.#pieces, this.#length, this.#isCut, this.#errors] = [[], 0, false, ''];
    return said;
  }
}
