/**
 * --progress: how far a long command is, on standard error. Commands count what they have done; when and how it is shown is
 * decided here. On a terminal it is one line that is written over, gone at the end and before anything else is said.
 */
import type { Timespec } from '@ukfs/kernel';
import { humanBsd } from './format/size.ts';

export const progressWhens = ['auto', 'always', 'never', 'json'] as const;
export type ProgressWhen = (typeof progressWhens)[number];

/** What commands call: whatever was done since the last call. */
export interface Progress {
  files(count: number): void;
  bytes(count: number): void;
  /** Something else is about to be written to the terminal. */
  hide(): void;
  /** The command has ended. */
  end(): void;
}

/** Costs nothing. */
export const noProgress: Progress = {
  files: () => undefined,
  bytes: () => undefined,
  hide: () => undefined,
  end: () => undefined,
};

interface World {
  /** Text to standard error. */
  err(text: string): void;
  now(): Timespec;
}

const FIRST_MS = 500;
const AGAIN_MS = 200;
/** Lines that stay. */
const LINE_MS = 1000;
const ERASE = '\r\x1b[K';

const milliseconds = ({ sec, nsec }: Timespec): number => sec * 1000 + nsec / 1_000_000;

/** `how`: a line written over; lines of text; lines of JSON, schema fsu.progress. */
export class ProgressTeller implements Progress {
  readonly #world: World;
  readonly #how: 'overwrite' | 'lines' | 'json';
  readonly #start: number;
  #files = 0;
  #bytes = 0;
  #next: number;
  #isShown = false;
  #hasEnded = false;

  constructor(world: World, how: 'overwrite' | 'lines' | 'json') {
    this.#world = world;
    this.#how = how;
    this.#start = milliseconds(world.now());
    this.#next = this.#start + FIRST_MS;
  }

  files(count: number): void {
    this.#files += count;
    this.#look();
  }

  bytes(count: number): void {
    this.#bytes += count;
    this.#look();
  }

  hide(): void {
    if (this.#isShown) this.#world.err(ERASE);
    this.#isShown = false;
  }

  end(): void {
    this.hide();
    if (this.#hasEnded) return;
    this.#hasEnded = true;
    if (this.#how !== 'overwrite') this.#tell(milliseconds(this.#world.now()), true);
  }

  #look(): void {
    const now = milliseconds(this.#world.now());
    if (now < this.#next) return;
    this.#next = now + (this.#how === 'overwrite' ? AGAIN_MS : LINE_MS);
    this.#tell(now, false);
  }

  #tell(now: number, done: boolean): void {
    const seconds = Math.max(now - this.#start, 1) / 1000;
    if (this.#how === 'json') {
      const members = { files: this.#files, bytes: this.#bytes, seconds: Math.round(seconds * 1000) / 1000, done };
      this.#world.err(`${JSON.stringify({ schema: 'fsu.progress', version: 1, ...members })}\n`);
      return;
    }
    const files = this.#files === 0 ? [] : [`${this.#files} ${this.#files === 1 ? 'file' : 'files'}`];
    const bytes = this.#bytes === 0 ? [] : [humanBsd(this.#bytes), `${humanBsd(this.#bytes / seconds)}/s`];
    const text = [...files, ...bytes].join(', ') || 'nothing yet';
    this.#isShown = this.#how === 'overwrite';
    this.#world.err(this.#isShown ? `${ERASE}${text}` : `${text}\n`);
  }
}
