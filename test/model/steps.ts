/**
 * One operation of a random sequence, as data: it can be printed, kept in a file, run again on a file system, on the model
 * or by the host's kernel (kernel-steps.py), and left out when a failing sequence is made shorter.
 *
 * Paths are concrete and begin at the root of the mount. A step whose file is not there (any more) is a legal step that
 * fails, with the same errno everywhere.
 */
export type RenameHow = 'plain' | 'noreplace' | 'exchange';
export type SpecialType = 'chr' | 'blk' | 'fifo' | 'sock';

/** Bytes are told by a seed and a length: patternBytes(). Slots are numbers of open files. */
export type Step =
  | { readonly op: 'create'; readonly path: string; readonly mode: number; readonly exclusive: boolean }
  | {
      readonly op: 'write';
      readonly path: string;
      readonly offset: number;
      readonly length: number;
      readonly seed: number;
    }
  | { readonly op: 'append'; readonly path: string; readonly length: number; readonly seed: number }
  | { readonly op: 'replace'; readonly path: string; readonly length: number; readonly seed: number }
  | { readonly op: 'truncate'; readonly path: string; readonly size: number }
  | { readonly op: 'punch'; readonly path: string; readonly offset: number; readonly length: number }
  | { readonly op: 'allocate'; readonly path: string; readonly offset: number; readonly length: number }
  | { readonly op: 'mkdir'; readonly path: string; readonly mode: number }
  | { readonly op: 'rmdir'; readonly path: string }
  | { readonly op: 'unlink'; readonly path: string }
  | { readonly op: 'link'; readonly from: string; readonly path: string }
  | { readonly op: 'symlink'; readonly target: string; readonly path: string }
  | { readonly op: 'rename'; readonly from: string; readonly path: string; readonly how: RenameHow }
  | {
      readonly op: 'mknod';
      readonly path: string;
      readonly type: SpecialType;
      readonly mode: number;
      readonly major: number;
      readonly minor: number;
    }
  | { readonly op: 'chmod'; readonly path: string; readonly mode: number }
  | { readonly op: 'chown'; readonly path: string; readonly uid: number; readonly gid: number }
  | {
      readonly op: 'utimens';
      readonly path: string;
      readonly atime: number;
      readonly mtime: number;
      readonly nsec: number;
    }
  | {
      readonly op: 'setxattr';
      readonly path: string;
      readonly name: string;
      readonly length: number;
      readonly seed: number;
    }
  | { readonly op: 'removexattr'; readonly path: string; readonly name: string }
  | { readonly op: 'readdir'; readonly path: string; readonly piece: number }
  | { readonly op: 'readlink'; readonly path: string }
  | { readonly op: 'read'; readonly path: string; readonly offset: number; readonly length: number }
  /** `count` empty files named `<prefix><number>` from `first` on, and away with them again. */
  | {
      readonly op: 'many';
      readonly path: string;
      readonly prefix: string;
      readonly first: number;
      readonly count: number;
    }
  | {
      readonly op: 'fewer';
      readonly path: string;
      readonly prefix: string;
      readonly first: number;
      readonly count: number;
    }
  // open files
  | { readonly op: 'open'; readonly slot: number; readonly path: string }
  | { readonly op: 'close'; readonly slot: number }
  | {
      readonly op: 'pwrite';
      readonly slot: number;
      readonly offset: number;
      readonly length: number;
      readonly seed: number;
    }
  | { readonly op: 'pread'; readonly slot: number; readonly offset: number; readonly length: number }
  | { readonly op: 'ftruncate'; readonly slot: number; readonly size: number }
  // the transaction and the mount
  | { readonly op: 'commit' }
  | { readonly op: 'discard' }
  | { readonly op: 'savepoint' }
  | { readonly op: 'rollback' }
  | { readonly op: 'remount' }
  /** Compare the whole tree; `judge`: have the image checked, too. */
  | { readonly op: 'compare'; readonly judge: boolean };

export type StepOp = Step['op'];

/** What a step came to: 'ok' or an errno name, and what it answered (a count, a digest, names). */
export interface Outcome {
  readonly code: string;
  readonly answer?: string | number;
}

export const outcomeText = ({ code, answer }: Outcome): string => (answer === undefined ? code : `${code} ${answer}`);

/** A step for people: "rename /a /b exchange". */
export function stepText(step: Step): string {
  const { op, ...rest } = step;
  return [op, ...Object.values(rest).map((value) => short(String(value)))].join(' ');
}

const short = (text: string): string => (text.length > 120 ? `${text.slice(0, 100)}…${text.length}` : text);

const PERIOD = 65536;
const pattern = Uint8Array.from({ length: PERIOD }, (_, i) => (i * 31 + (i >>> 8)) & 0xff);

/** Bytes that differ from place to place and between seeds; the same in kernel-steps.py. */
export function patternBytes(seed: number, length: number): Uint8Array {
  const out = new Uint8Array(length);
  for (let i = 0; i < length; i++) out[i] = ((pattern[i % PERIOD] ?? 0) + seed) & 0xff;
  return out;
}

/** Names in a directory as an answer that compares: sorted, `.` and `..` left out. */
export const namesAnswer = (names: Iterable<string>): string =>
  [...names]
    .filter((name) => name !== '.' && name !== '..')
    .sort()
    .join('/');

/** Bytes as an answer that compares. */
export function bytesAnswer(bytes: Uint8Array): string {
  let sum = 0x811c9dc5;
  for (const byte of bytes) sum = Math.imul(sum ^ byte, 0x01000193) >>> 0;
  return `${bytes.length}:${sum.toString(16)}`;
}
